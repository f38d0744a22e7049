/*
 * Memory that has a protection key of the program's: what a child may do with
 * it is what its register says, at birth and when it has changed that, to its
 * loads and stores as to the kernel on its behalf, up to exec, whose arguments
 * may lie there. Children that exec only, and ones that write first, so that
 * they get to be born committed. Arguments: what they do, little or much of it.
 *
 * Test: -l keyed-{little,much}-CASE CASE {}
 * Test: -l -e FLATFORK_FAULT=commit-all
 *       keyed-committed-{little,much}-CASE CASE {}
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	CHILDREN = 4,
	LITTLE = 2 * 4096,
	MUCH = 8 << 20,
};

static char *secret;
static size_t bytes;
static int key;

static void rights(unsigned which)
{
	CHECK(!pkey_set(key, which));
}

static void say(const char *what, long result)
{
	printf("%s: %s\n", what, result < 0 ? strerror(errno) : "yes");
}

/* At the end of the memory there is what nobody has touched in the child. */
static void by_kernel(void)
{
	char *end = secret + bytes;
	struct iovec v;
	struct stat st;
	int pipes[2];

	CHECK(!pipe(pipes));
	strcpy(end - 64, "/dev/null");
	say("opens", open(end - 64, O_RDONLY));
	say("stats", stat(end - 64, (struct stat *)(end - 512)));
	CHECK(!memcpy(&st, end - 512, sizeof(st)) || S_ISCHR(st.st_mode));
	say("writes", write(pipes[1], end - 64, 9));
	say("reads", read(pipes[0], end - 128, 9));
	CHECK(!memcmp(end - 128, end - 64, 9));
	v.iov_base = end - 64;
	v.iov_len = 9;
	memcpy(end - 700, &v, sizeof(v));
	say("writes parts", writev(pipes[1], (struct iovec *)(end - 700), 1));
	memset(end - 200, 0, 64);
	say("acts", syscall(SYS_rt_sigaction, SIGUSR2, end - 200, NULL, 8));
	say("blocks",
	    syscall(SYS_rt_sigprocmask, SIG_BLOCK, end - 200, end - 208, 8));
}

static void may_not_read(void)
{
	rights(PKEY_DISABLE_ACCESS);
	say("may not: writes", write(1, secret, 3));
	say("may not: opens", open(secret, O_RDONLY));
	say("may not: asks", syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL,
				     secret + bytes / 2, 8));
	rights(0);
}

static void may_not_write(void)
{
	char c = secret[bytes - 5000];

	rights(PKEY_DISABLE_WRITE);
	CHECK(secret[bytes - 4999] == c);
	say("may read alone", read(0, secret + bytes - 100, 1));
	rights(0);
}

static void nothing(void)
{
}

static void faults(void)
{
	rights(PKEY_DISABLE_ACCESS);
	_exit(*(volatile char *)(secret + bytes - 1) ? 3 : 4);
}

static void faults_writing(void)
{
	rights(PKEY_DISABLE_WRITE);
	*(volatile char *)(secret + bytes - 1) = 1;
	_exit(5);
}

static const struct {
	const char *name;
	void (*run)(void);
} cases[] = {
	T_CASE("execs", nothing),      T_CASE("calls", by_kernel),
	T_CASE("reads", may_not_read), T_CASE("writes", may_not_write),
	T_CASE("faults", faults),      T_CASE("faults_writing", faults_writing),
};

static void make_secret(const char *how_much)
{
	bytes = strcmp(how_much, "much") ? LITTLE : MUCH;
	key = pkey_alloc(0, 0);
	if (key < 0)
		t_skip("no protection keys here");
	secret = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(secret != MAP_FAILED);
	memset(secret, 's', bytes);
	CHECK(!pkey_mprotect(secret, bytes, PROT_READ | PROT_WRITE, key));
}

/* Of exec: the strings and the words are behind the key. */
static _Noreturn void exec_by_secret(void)
{
	char **words = (char **)(secret + 1024);

	words[0] = strcpy(secret, t_report);
	words[1] = strcpy(secret + 512, "exit");
	words[2] = strcpy(secret + 600, "6");
	words[3] = NULL;
	execve(words[0], words, words + 3);
	_exit(9);
}

int main(int argc, char **argv)
{
	size_t which = 0;

	CHECK(argc == 3);
	while (strcmp(cases[which].name, argv[1]) != 0)
		which++;
	t_start(64);
	make_secret(argv[2]);
	for (int i = 1; i <= CHILDREN; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			if (i > 1)
				cases[which].run();
			fflush(stdout);
			exec_by_secret();
		}
		t_reap(pid, "child");
	}
	/* and who may do nothing when it forks */
	rights(PKEY_DISABLE_ACCESS);
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			if (i > 1)
				say("writes", write(1, secret, 3));
			t_exec_exit(i);
		}
		t_reap(pid, "without");
	}
	rights(0);
	CHECK(secret[bytes - 1] == 's');
	return t_end();
}
