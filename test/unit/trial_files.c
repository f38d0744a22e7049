/*
 * What a child on trial may do with descriptors. Pipes of its own it may use
 * where that can't block; asking whether a descriptor is ready is free,
 * waiting for it ends the trial.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/held.h"
#include "host/sys.h"
#include "lazy/child/child.h"
#include "lazy/child/own.h"
#include "pattern.h"
#include "unit.h"

const char unit_subject[] = "trial-files";

static int pair[2];
static char text[8192];

#define MEDIATED(name, ...) mediated_(SYS_##name, (long[6]){ __VA_ARGS__ })

static long mediated_(long nr, const long arg[6])
{
	return mediated(nr, arg[0], arg[1], arg[2], arg[3], arg[4], arg[5]);
}

static void make_pipe(void)
{
	CHILD_ASSERT(MEDIATED(pipe2, (long)pair, O_CLOEXEC) == 0, "pipe2");
	CHILD_ASSERT(ff_get_own(pair[0]) == FF_OWN_PIPE &&
			     ff_get_own(pair[1]) == FF_OWN_PIPE,
		     "own");
}

static void pass_bytes(int to, int from, long bytes)
{
	char got[4096];

	memset(text, 't', sizeof(text));
	CHILD_ASSERT(MEDIATED(write, to, (long)text, bytes) == bytes, "write");
	CHILD_ASSERT(MEDIATED(read, from, (long)got, sizeof(got)) == bytes,
		     "read");
	CHILD_ASSERT(!memcmp(got, text, (size_t)bytes), "content");
}

static void use_own(void)
{
	int copy;

	make_pipe();
	pass_bytes(pair[1], pair[0], 1);
	pass_bytes(pair[1], pair[0], 4096);
	copy = (int)MEDIATED(dup, pair[1]);
	CHILD_ASSERT(copy >= 0, "dup");
	pass_bytes(copy, pair[0], 100);
	CHILD_ASSERT(MEDIATED(socketpair, AF_UNIX, SOCK_STREAM, 0,
			      (long)pair) == 0,
		     "socketpair");
	pass_bytes(pair[0], pair[1], 4096);
	pass_bytes(pair[1], pair[0], 7);
}

START_TEST(a_pipe_of_its_own_is_used_on_trial)
{
	run_lost(use_own);
}
END_TEST

static int own_set;

static long in_set(int op, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	return MEDIATED(epoll_ctl, own_set, op, fd, (long)&event);
}

static long wait_for(int timeout)
{
	struct epoll_event event[4];

	return MEDIATED(epoll_wait, own_set, (long)event, 4, timeout);
}

static void make_set(void)
{
	make_pipe();
	own_set = (int)MEDIATED(epoll_create1, EPOLL_CLOEXEC);
	CHILD_ASSERT(ff_get_own(own_set) == FF_OWN_SET, "own");
	CHILD_ASSERT(in_set(EPOLL_CTL_ADD, pair[0], EPOLLIN) == 0, "add");
}

static void use_set(void)
{
	make_set();
	CHILD_ASSERT(wait_for(0) == 0, "nothing");
	CHILD_ASSERT(MEDIATED(write, pair[1], (long)text, 1) == 1, "write");
	CHILD_ASSERT(wait_for(-1) == 1, "one");
	CHILD_ASSERT(in_set(EPOLL_CTL_ADD, pair[0], EPOLLIN) == -EEXIST,
		     "again");
	CHILD_ASSERT(in_set(EPOLL_CTL_MOD, pair[0], EPOLLOUT) == 0, "modify");
	CHILD_ASSERT(in_set(EPOLL_CTL_DEL, pair[0], 0) == 0, "delete");
	CHILD_ASSERT(wait_for(0) == 0, "empty");
}

START_TEST(a_set_of_its_own_is_used_on_trial)
{
	run_lost(use_set);
}
END_TEST

static void write_absent(void)
{
	make_pipe();
	CHILD_ASSERT(MEDIATED(write, pair[1], (long)arena + M - 5, 4096) ==
			     4096,
		     "write");
	CHILD_ASSERT(MEDIATED(read, pair[0], (long)arena + 2 * M - 5, 4096) ==
			     4096,
		     "read");
	CHILD_ASSERT(!memcmp(arena + 2 * M - 5, arena + M - 5, 4096),
		     "content");
	holds_pattern(M - 5, 4096);
	CHILD_ASSERT(absent(0, 4 * M) == 4 * M - 4 * CLUSTER, "no more");
}

START_TEST(what_goes_through_it_is_fetched)
{
	make_arena();
	lose_at(0, 4 * M, RW);
	run_lost(write_absent);
}
END_TEST

/* One above what a writable pipe is sure to take. */
static void write_much(void)
{
	make_pipe();
	MEDIATED(write, pair[1], (long)text, 4097);
}

static void write_full(void)
{
	int n = 0;

	make_pipe();
	/* A page per write: it is full when the next does not fit. */
	while (n < 1000 && MEDIATED(write, pair[1], (long)text, 4096) == 4096)
		n++;
	CHILD_ASSERT(false, "%d writes", n);
}

static void read_empty(void)
{
	make_pipe();
	pass_bytes(pair[1], pair[0], 5);
	MEDIATED(read, pair[0], (long)text, 1);
}

/* Its number is that of a foreign pipe by now. */
static int foreign[2];

static void write_reused(void)
{
	make_pipe();
	CHILD_ASSERT(MEDIATED(dup2, foreign[1], pair[1]) == pair[1], "dup2");
	CHILD_ASSERT(ff_get_own(pair[1]) == FF_FOREIGN, "foreign");
	MEDIATED(write, pair[1], (long)text, 1);
}

static void write_closed(void)
{
	make_pipe();
	CHILD_ASSERT(MEDIATED(close, pair[1]) == 0, "close");
	CHILD_ASSERT(dup(foreign[1]) == pair[1], "the same number");
	MEDIATED(write, pair[1], (long)text, 1);
}

/* An eventfd: one more fits, a million may not. */
static void write_count(void)
{
	uint64_t count = 1;
	int fd = (int)MEDIATED(eventfd2, 0, 0);

	CHILD_ASSERT(MEDIATED(write, fd, (long)&count, 8) == 8, "one");
	CHILD_ASSERT(MEDIATED(read, fd, (long)&count, 8) == 8, "read");
	fd = (int)MEDIATED(eventfd2, 0, EFD_NONBLOCK);
	count = UINT64_MAX - 1;
	CHILD_ASSERT(MEDIATED(write, fd, (long)&count, 8) == 8, "much");
	fd = (int)MEDIATED(eventfd2, 0, 0);
	count = 1000000;
	MEDIATED(write, fd, (long)&count, 8);
}

static void write_foreign(void)
{
	MEDIATED(write, foreign[1], (long)text, 1);
}

static void read_foreign(void)
{
	MEDIATED(read, foreign[0], (long)text, 1);
}

static void wait_in_set(void)
{
	make_set();
	wait_for(-1);
}

static void add_foreign(void)
{
	make_set();
	in_set(EPOLL_CTL_ADD, foreign[0], EPOLLIN);
}

static void keep_awake(void)
{
	make_set();
	in_set(EPOLL_CTL_MOD, pair[0], EPOLLIN | EPOLLWAKEUP);
}

static void add_set(void)
{
	make_set();
	in_set(EPOLL_CTL_ADD, (int)MEDIATED(epoll_create1, 0), EPOLLIN);
}

static int foreign_set;

static void add_to_foreign(void)
{
	make_set();
	own_set = foreign_set;
	in_set(EPOLL_CTL_ADD, pair[0], EPOLLIN);
}

static void ask_foreign_set(void)
{
	own_set = foreign_set;
	wait_for(0);
}

static const struct {
	void (*body)(void);
	enum ff_reason reason;
	long call;
} leaves[] = {
	{ wait_in_set, FF_REASON_CALL, SYS_epoll_wait },
	{ add_foreign, FF_REASON_CALL, SYS_epoll_ctl },
	{ keep_awake, FF_REASON_CALL, SYS_epoll_ctl },
	{ add_set, FF_REASON_CALL, SYS_epoll_ctl },
	{ add_to_foreign, FF_REASON_CALL, SYS_epoll_ctl },
	{ ask_foreign_set, FF_REASON_CALL, SYS_epoll_wait },
	{ write_much, FF_REASON_CALL, SYS_write },
	{ write_full, FF_REASON_CALL, SYS_write },
	{ read_empty, FF_REASON_CALL, SYS_read },
	{ write_count, FF_REASON_CALL, SYS_write },
	{ write_reused, FF_REASON_OUTPUT, SYS_write },
	{ write_closed, FF_REASON_OUTPUT, SYS_write },
	{ write_foreign, FF_REASON_OUTPUT, SYS_write },
	{ read_foreign, FF_REASON_CALL, SYS_read },
};

#define LEAVES (int)(sizeof(leaves) / sizeof(*leaves))

START_TEST(what_could_block_or_be_seen_ends_the_trial)
{
	ck_assert_int_eq(pipe2(foreign, O_CLOEXEC | O_NONBLOCK), 0);
	ck_assert_int_eq(write(foreign[1], "ab", 2), 2);
	foreign_set = epoll_create1(EPOLL_CLOEXEC);
	ck_assert_int_ge(foreign_set, 0);
	run_lost_until(leaves[_i].body, leaves[_i].reason, leaves[_i].call);
	/* Nobody took anything out of it, or put anything in. */
	ck_assert_int_eq(read(foreign[0], text, sizeof(text)), 2);
}
END_TEST

static void ask(void)
{
	struct pollfd p[2] = { { .events = POLLIN }, { .events = POLLOUT } };
	const long no_mask[2] = { 0, 8 };
	struct timespec none = { 0 };
	fd_set in;

	make_pipe();
	p[0].fd = pair[0];
	p[1].fd = pair[1];
	CHILD_ASSERT(MEDIATED(poll, (long)p, 2, 0) == 1, "poll");
	CHILD_ASSERT(p[0].revents == 0 && p[1].revents == POLLOUT, "revents");
	FD_ZERO(&in);
	FD_SET(pair[0], &in);
	CHILD_ASSERT(MEDIATED(pselect6, pair[0] + 1, (long)&in, 0, 0,
			      (long)&none) == 0,
		     "pselect6");
	CHILD_ASSERT(!FD_ISSET(pair[0], &in), "empty");
	CHILD_ASSERT(MEDIATED(write, pair[1], (long)text, 1) == 1, "write");
	FD_SET(pair[0], &in);
	CHILD_ASSERT(MEDIATED(pselect6, pair[0] + 1, (long)&in, 0, 0,
			      (long)&none) == 1,
		     "pselect6");
	CHILD_ASSERT(FD_ISSET(pair[0], &in), "not empty");
	CHILD_ASSERT(MEDIATED(poll, 0, 0, 0) == 0, "poll nothing");
	CHILD_ASSERT(MEDIATED(ppoll, (long)p, 2, (long)&none, 0, 8) == 2,
		     "ppoll");
	CHILD_ASSERT(MEDIATED(select, pair[0] + 1, (long)&in, 0, 0,
			      (long)&none) == 1,
		     "select");
	CHILD_ASSERT(MEDIATED(pselect6, pair[0] + 1, (long)&in, 0, 0,
			      (long)&none, (long)no_mask) == 1,
		     "pselect6 with a place for a mask");
}

START_TEST(asking_is_free)
{
	run_lost(ask);
}
END_TEST

static void ask_by_absent(void)
{
	struct pollfd *p = (struct pollfd *)(arena + M);
	long none = (long)arena + 2 * M;

	CHILD_ASSERT(MEDIATED(poll, (long)p, 1, 0) == 1, "poll");
	CHILD_ASSERT(p->revents == POLLIN, "revents");
	CHILD_ASSERT(MEDIATED(pselect6, 0, 0, 0, 0, none) == 0, "pselect6");
	CHILD_ASSERT(absent(0, 4 * M) == 4 * M - 2 * CLUSTER, "no more");
}

START_TEST(what_is_asked_about_is_fetched)
{
	ck_assert_int_eq(pipe2(foreign, O_CLOEXEC), 0);
	ck_assert_int_eq(write(foreign[1], "a", 1), 1);
	make_arena();
	fill(0, 4 * M);
	*(struct pollfd *)(arena + M) =
		(struct pollfd){ .fd = foreign[0], .events = POLLIN };
	*(struct timespec *)(arena + 2 * M) = (struct timespec){ 0 };
	lose(arena, 4 * M, RW);
	run_lost(ask_by_absent);
}
END_TEST

/* Ready or not, with a timeout it is waiting. */
static void poll_for(long timeout)
{
	struct pollfd p = { .events = POLLOUT };

	make_pipe();
	p.fd = pair[1];
	MEDIATED(poll, (long)&p, 1, timeout);
}

static void poll_a_moment(void)
{
	poll_for(1);
}

static void poll_for_ever(void)
{
	poll_for(-1);
}

static void select_for(const struct timespec *timeout, const void *mask)
{
	MEDIATED(pselect6, 0, 0, 0, 0, (long)timeout, (long)mask);
}

static void select_a_second(void)
{
	select_for(&(struct timespec){ .tv_sec = 1 }, NULL);
}

static void select_a_moment(void)
{
	select_for(&(struct timespec){ .tv_nsec = 1 }, NULL);
}

static void select_for_ever(void)
{
	select_for(NULL, NULL);
}

static void select_with_mask(void)
{
	static const uint64_t none;
	const struct {
		const void *set;
		size_t bytes;
	} mask = { &none, sizeof(none) };

	select_for(&(struct timespec){ 0 }, &mask);
}

static void select_by_rubbish(void)
{
	select_for((const struct timespec *)(arena + 8 * M), NULL);
}

static const struct {
	void (*body)(void);
	long call;
} waits[] = {
	{ poll_a_moment, SYS_poll },	     { poll_for_ever, SYS_poll },
	{ select_a_second, SYS_pselect6 },   { select_a_moment, SYS_pselect6 },
	{ select_for_ever, SYS_pselect6 },   { select_with_mask, SYS_pselect6 },
	{ select_by_rubbish, SYS_pselect6 },
};

#define WAITS (int)(sizeof(waits) / sizeof(*waits))

START_TEST(waiting_ends_the_trial)
{
	make_arena();
	run_lost_until(waits[_i].body, FF_REASON_CALL, waits[_i].call);
}
END_TEST

/* By the names of the entries of @path; -1 where it can't be opened. */
static int lists(const char *path, const char *name)
{
	long fd = MEDIATED(openat, AT_FDCWD, (long)path,
			   O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int found = 0;
	long n, i;

	if (fd < 0)
		return -1;
	while ((n = MEDIATED(getdents64, fd, (long)text, sizeof(text))) > 0)
		for (i = 0; i < n;
		     i += ((struct dirent64 *)(text + i))->d_reclen)
			found += !strcmp(
				((struct dirent64 *)(text + i))->d_name, name);
	MEDIATED(close, fd);
	return found;
}

/* A process whose number may be a descriptor's; 0: there is none. */
static int find_number(void)
{
	const long end = sysconf(_SC_OPEN_MAX);
	const struct dirent *e;
	DIR *proc = opendir("/proc");
	int number = 0;

	ck_assert_ptr_nonnull(proc);
	while (!number && (e = readdir(proc)))
		if (atol(e->d_name) > 16 && atol(e->d_name) < end)
			number = atoi(e->d_name);
	closedir(proc);
	return number;
}

static int number;

/* The pager's descriptor has the number of a process that there is. */
static void list_numbers(void)
{
	char path[64], name[16];

	CHILD_ASSERT(dup2(ff_child.mem, number) == number, "dup2");
	ff_child.mem = number;
	snprintf(name, sizeof(name), "%d", number);
	CHILD_ASSERT(lists("/proc", name) == 1, "a process");
	CHILD_ASSERT(lists("/proc/self/fd", name) == 0, "ours");
	CHILD_ASSERT(lists("/proc/self/fd", "2") == 1, "another");
	snprintf(path, sizeof(path), "/proc/%d/fd", getppid());
	CHILD_ASSERT(lists(path, "2") == 1, "the parent's");
}

START_TEST(only_folders_of_descriptors_hide_ours)
{
	number = find_number();
	if (number)
		run_lost(list_numbers);
}
END_TEST

static void poll_ours(void)
{
	struct pollfd p = { .fd = ff_child.mem, .events = POLLIN };

	CHILD_ASSERT(MEDIATED(poll, (long)&p, 1, 0) == 1, "one is said");
	CHILD_ASSERT(p.revents == POLLNVAL, "it is not open");
}

static void select_ours(void)
{
	struct timespec none = { 0 };
	fd_set in;

	FD_ZERO(&in);
	FD_SET(ff_child.mem, &in);
	MEDIATED(select, FD_SETSIZE, (long)&in, 0, 0, (long)&none);
}

static void look_at_ours(void)
{
	char path[64];
	struct stat st;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", 2);
	CHILD_ASSERT(MEDIATED(stat, (long)path, (long)&st) == 0, "another");
	snprintf(path, sizeof(path), "/proc/%d/stat", ff_child.mem);
	MEDIATED(stat, (long)path, (long)&st);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", ff_child.mem);
	MEDIATED(stat, (long)path, (long)&st);
}

static void read_the_error(void)
{
	int error = 0;
	socklen_t bytes = sizeof(error);

	MEDIATED(socketpair, AF_UNIX, SOCK_STREAM, 0, (long)pair);
	CHILD_ASSERT(MEDIATED(getsockopt, pair[0], SOL_SOCKET, SO_TYPE,
			      (long)&error, (long)&bytes) == 0 &&
			     error == SOCK_STREAM,
		     "type");
	MEDIATED(getsockopt, pair[0], SOL_SOCKET, SO_ERROR, (long)&error,
		 (long)&bytes);
}

static void open_messages(void)
{
	MEDIATED(open, (long)"/dev/kmsg", O_RDONLY | O_NONBLOCK);
}

/* A text of /proc by a name that does not say so. */
static void open_by_link(void)
{
	MEDIATED(open, (long)"/etc/mtab", O_RDONLY);
	CHILD_ASSERT(!chdir("/proc"), "chdir");
	MEDIATED(open, (long)"uptime", O_RDONLY);
}

static void close_oddly(void)
{
	MEDIATED(close_range, 1000, 2000, 1 << 10);
}

static const struct {
	void (*body)(void);
	enum ff_reason reason;
	long call;
} odd[] = {
	{ select_ours, FF_REASON_CALL, SYS_select },
	{ look_at_ours, FF_REASON_DESCRIPTOR, SYS_stat },
	{ read_the_error, FF_REASON_CALL, SYS_getsockopt },
	{ open_messages, FF_REASON_OUTPUT, SYS_open },
	{ open_by_link, FF_REASON_CALL, SYS_open },
	{ close_oddly, FF_REASON_CALL, SYS_close_range },
};

#define ODD (int)(sizeof(odd) / sizeof(*odd))

START_TEST(ours_is_polled_as_closed)
{
	make_arena();
	run_lost(poll_ours);
}
END_TEST

START_TEST(what_is_not_known_ends_the_trial)
{
	run_lost_until(odd[_i].body, odd[_i].reason, odd[_i].call);
}
END_TEST

static void see_pending(void)
{
	uint64_t *set = (uint64_t *)(arena + M);

	CHILD_ASSERT(MEDIATED(rt_sigpending, (long)set, 8) == 0, "pending");
	CHILD_ASSERT(*set == 0, "none");
}

START_TEST(what_is_pending_may_be_asked)
{
	make_arena();
	lose_at(0, 2 * M, RW);
	run_lost(see_pending);
}
END_TEST

/* What a child knows of itself, as it begins. Then there is no way back. */
static _Noreturn void begin(struct ff_child *ret_child)
{
	static struct ff_slot slot = { .of_child.state = FF_BORN,
				       .stack.ss_flags = SS_DISABLE };
	const struct ff_held none = { .fd = -1 };

	ff_child_begin(&slot, &none, &none);
	*ret_child = ff_child;
	for (;;)
		sys(exit_group, 0);
}

/* A child that was let go, having changed its rights and opened files, forks. */
START_TEST(what_its_parent_was_is_not_the_childs)
{
	struct ff_child *got = mmap(NULL, sizeof(*got), PROT_READ | PROT_WRITE,
				    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status;
	pid_t pid;

	ck_assert_ptr_ne(got, MAP_FAILED);
	memset(got, 0xff, sizeof(*got));
	ff_child.latched = ff_child.unsent = true;
	ff_set_own(5, FF_OWN_FILE);
	pid = fork();
	if (pid == 0)
		begin(got);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert(!got->latched && !got->unsent);
	ck_assert_uint_eq(got->own_fd[0], 0);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, what_its_parent_was_is_not_the_childs);
	tcase_add_test(tests, a_pipe_of_its_own_is_used_on_trial);
	tcase_add_test(tests, a_set_of_its_own_is_used_on_trial);
	tcase_add_test(tests, what_goes_through_it_is_fetched);
	tcase_add_loop_test(tests, what_could_block_or_be_seen_ends_the_trial,
			    0, LEAVES);
	tcase_add_test(tests, asking_is_free);
	tcase_add_test(tests, what_is_asked_about_is_fetched);
	tcase_add_loop_test(tests, waiting_ends_the_trial, 0, WAITS);
	tcase_add_test(tests, what_is_pending_may_be_asked);
	tcase_add_test(tests, only_folders_of_descriptors_hide_ours);
	tcase_add_test(tests, ours_is_polled_as_closed);
	tcase_add_loop_test(tests, what_is_not_known_ends_the_trial, 0, ODD);
}
