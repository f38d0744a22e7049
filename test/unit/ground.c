/* What the kernel is asked about this process: threads, groups, filters. */
#include "host/ground.h"

#include <grp.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/identity.h"
#include "libc/threads.h"
#include "unit.h"

const char unit_subject[] = "ground";

#define STACK ((size_t)64 << 10)

static atomic_int go_on, running;
static char status[FF_GROUND_BYTES];

static void *wait_here(void *unused)
{
	(void)unused;
	running = 1;
	while (!go_on)
		usleep(1000);
	return NULL;
}

static int raw_thread(void *unused)
{
	struct timespec t = { 0, 1000000 };

	(void)unused;
	running = 1;
	while (!go_on)
		syscall(SYS_nanosleep, &t, NULL);
	syscall(SYS_exit, 0);
	return 0;
}

static void *stack(void)
{
	char *at = mmap(NULL, STACK, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	ck_assert(at != MAP_FAILED);
	return at + STACK;
}

START_TEST(threads_of_libc_are_counted)
{
	pthread_t t;

	ck_assert_int_eq(ff_threads(), 1);
	ck_assert(ff_is_alone());
	ck_assert(!pthread_create(&t, NULL, wait_here, NULL));
	while (!running)
		usleep(1000);
	ck_assert_int_eq(ff_threads(), 2);
	ck_assert(!ff_ground_now(status));
	ck_assert_int_eq(ff_ground_threads(status), 2);
	ck_assert(!ff_is_alone());
	go_on = 1;
	pthread_join(t, NULL);
}
END_TEST

START_TEST(threads_of_clone_are_counted)
{
	const int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			  CLONE_THREAD | CLONE_SYSVSEM;

	ff_threads_note_clone((unsigned long)flags);
	ck_assert(ff_may_have_threads());
	ck_assert(ff_is_alone());
	ck_assert_int_gt(clone(raw_thread, stack(), flags, NULL), 0);
	ck_assert_int_eq(ff_threads(), 2);
	ck_assert(!ff_is_alone());
	ck_assert(!ff_ground_now(status));
	ck_assert(!ff_is_alone_by(ff_ground_threads(status)));
	go_on = 1;
	for (int i = 0; i < 10000 && ff_threads() != 1; i++)
		usleep(1000);
	ck_assert(ff_is_alone());
}
END_TEST

START_TEST(who_shares_memory_is_remembered)
{
	ff_threads_note_clone(SIGCHLD);
	ff_threads_note_clone(CLONE_VM | CLONE_VFORK | SIGCHLD);
	ck_assert(ff_is_alone());
	ff_threads_note_clone(CLONE_VM | SIGCHLD);
	ck_assert(!ff_is_alone());
	ck_assert(ff_may_have_threads());
	ff_threads_reset();
	ck_assert(ff_is_alone());
	ck_assert(!ff_may_have_threads());
}
END_TEST

static void *filter_this_thread(void *ret)
{
	struct sock_filter let_all =
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
	struct sock_fprog program = { 1, &let_all };
	static char own[FF_GROUND_BYTES];

	ck_assert(!prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	ck_assert(!syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program));
	ck_assert(!ff_ground_now(own));
	*(int *)ret = ff_ground_filters(own);
	return NULL;
}

START_TEST(a_filter_is_its_threads_own)
{
	int before, of_thread = 0;
	pthread_t t;

	ck_assert(!ff_ground_now(status));
	before = ff_ground_filters(status);
	ck_assert(!pthread_create(&t, NULL, filter_this_thread, &of_thread));
	pthread_join(t, NULL);
	ck_assert_int_eq(of_thread, before + 1);
	ck_assert(!ff_ground_now(status));
	ck_assert_int_eq(ff_ground_filters(status), before);
}
END_TEST

/* So many that what comes behind them lies beyond the first buffer. */
START_TEST(many_groups_hide_no_filter)
{
	static gid_t groups[4000];
	int before, now = 0;

	for (int i = 0; i < 4000; i++)
		groups[i] = 1000000u + (gid_t)i;
	if (setgroups(4000, groups) < 0)
		_exit(0); /* may not */
	ck_assert(!ff_ground_now(status));
	ck_assert_int_eq(ff_ground_threads(status), 1);
	before = ff_ground_filters(status);
	filter_this_thread(&now);
	ck_assert_int_eq(now, before + 1);
}
END_TEST

static int tell(void *same_memory)
{
	enum ff_identity who = ff_identity();

	(void)same_memory;
	_exit(who == FF_SAME ? 1 : who == FF_COPY ? 2 : 3);
}

static int ask_child(int flags)
{
	int st = -1;
	pid_t pid = clone(tell, stack(), flags | SIGCHLD, NULL);

	if (pid < 0)
		return -1;
	ck_assert(waitpid(pid, &st, 0) == pid && WIFEXITED(st));
	return WEXITSTATUS(st);
}

START_TEST(the_mark_tells_not_the_pid)
{
	const int own = CLONE_NEWPID;
	int st = -1;
	pid_t init;

	ck_assert_int_eq(ff_identity(), FF_SAME);
	ck_assert(ff_identity_take_to_fork());
	ck_assert_int_eq(ask_child(0), 2);
	ck_assert_int_eq(ask_child(CLONE_VM | CLONE_VFORK), 3);
	/* All of them are pid 1, each of its namespace. */
	if (unshare(own) < 0)
		_exit(0); /* may not */
	init = fork();
	if (init == 0) {
		ff_identity_take();
		_exit(ff_identity() == FF_SAME && ask_child(own) == 2 &&
				      ask_child(own | CLONE_VM | CLONE_VFORK) ==
					      3 ?
			      9 :
			      8);
	}
	ck_assert(waitpid(init, &st, 0) == init && WIFEXITED(st));
	ck_assert_int_eq(WEXITSTATUS(st), 9);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, threads_of_libc_are_counted);
	tcase_add_test(tests, threads_of_clone_are_counted);
	tcase_add_test(tests, who_shares_memory_is_remembered);
	tcase_add_test(tests, a_filter_is_its_threads_own);
	tcase_add_test(tests, many_groups_hide_no_filter);
	tcase_add_test(tests, the_mark_tells_not_the_pid);
}
