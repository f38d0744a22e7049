/*
 * A program with protection keys of its own does what its register allows, and
 * no more, whoever does it for it: transfers into keyed memory, calls whose
 * arguments or whose stack are behind a key, calls that change the register.
 * That is at each point what it is for plain fork.
 *
 * Test: -l keyed-register-CASE CASE
 * Test: -l -e FLATFORK_FAULT=commit-all keyed-register-committed-CASE CASE
 */
#include "t.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define READ_WRITE (PROT_READ | PROT_WRITE)

enum {
	CHILDREN = 4,
	PAGE = 4096,
	HALF = 8 << 20,
};

/* Half of it has the key, and half has not. */
static char *memory, *keyed;
static int key;

static unsigned reg(void)
{
	unsigned now, zero;

	__asm__ volatile("rdpkru" : "=a"(now), "=d"(zero) : "c"(0));
	return now;
}

static void set_reg(unsigned to)
{
	__asm__ volatile("wrpkru" : : "a"(to), "c"(0), "d"(0) : "memory");
}

static void say(const char *what, long result)
{
	if (result < 0)
		printf("%s: %s\n", what, strerror(errno));
	else
		printf("%s: %ld\n", what, result);
}

static void registers(void)
{
	char c = 'x';
	int pipes[2];

	printf("born with %x\n", reg());
	CHECK(memory[HALF / 2] == 'm' && t_area[t_area_bytes / 2] + 1);
	printf("behind faults %x\n", reg());
	CHECK(!pipe(pipes) && write(pipes[1], &c, 1) == 1);
	printf("behind calls %x\n", reg());
	set_reg(reg() ^ 0xc0000000);
	CHECK(getppid() > 0 && read(pipes[0], &c, 1) == 1);
	printf("changed %x\n", reg());
	set_reg(0);
	CHECK(getppid() > 0);
	printf("all open %x\n", reg());
}

/* What begins in memory of key 0 and ends in the other. */
static void transfers(void)
{
	char *at = keyed - 2 * PAGE;
	struct iovec v[2] = { { keyed - PAGE, PAGE }, { keyed + PAGE, 100 } };
	int pipes[2];

	CHECK(!pipe(pipes));
	fflush(stdout);
	say("writes to a file", write(1, memset(at, '.', 4 * PAGE), 4 * PAGE));
	say("writes", write(pipes[1], keyed - 1000, 4000));
	say("reads", read(pipes[0], keyed - 2000, 4000));
	say("writes parts", writev(pipes[1], v, 2));
	say("reads parts", readv(pipes[0], v, 2));
}

static void arguments(void)
{
	struct sigaction *act = (void *)(keyed + HALF - 4096);
	struct pollfd *p = (void *)(keyed + HALF - 2048);
	stack_t *stack = (void *)(keyed + HALF - 1024);
	sigset_t *set = (void *)(keyed + HALF - 512);
	int *pipes = (void *)(keyed + HALF - 256);

	say("pipes", pipe(pipes));
	memset(act, 0, sizeof(*act));
	say("acts", sigaction(SIGSEGV, NULL, act));
	act->sa_handler = SIG_DFL;
	say("acts", sigaction(SIGSYS, act, NULL));
	say("acts", sigaction(SIGHUP, act, act + 1));
	sigemptyset(set);
	say("blocks", sigprocmask(SIG_BLOCK, set, set + 1));
	say("stacks", sigaltstack(NULL, stack));
	*p = (struct pollfd){ .fd = pipes[1], .events = POLLOUT };
	say("polls", poll(p, 1, 0));
	say("pending", sigpending(set));
}

/* The kernel closes the key of what may only be executed. */
static void executes(void)
{
	volatile char *code = mmap(NULL, PAGE, READ_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	set_reg(0);
	CHECK(code != MAP_FAILED && !mprotect((void *)code, PAGE, PROT_EXEC));
	printf("closed: %x\n", reg());
	fflush(stdout);
	_exit(*code + 3);
}

static void allocates(void)
{
	int i, k;

	for (i = 0; i < 3; i++) {
		k = pkey_alloc(0, i);
		printf("key %d: %x, %x\n", k, pkey_get(k), reg());
	}
	printf("frees %d %d\n", pkey_free(k), pkey_free(key));
	printf("again %d %d\n", pkey_alloc(0, 0), pkey_alloc(0, 0));
}

/* Each on a stack that has the key. */
static ucontext_t back, there;

static void on_stack(void (*run)(void))
{
	const size_t bytes = HALF / 2;

	CHECK(!getcontext(&there));
	there.uc_stack.ss_sp = keyed + HALF / 4;
	there.uc_stack.ss_size = bytes;
	there.uc_link = &back;
	makecontext(&there, run, 0);
	CHECK(!swapcontext(&back, &there));
}

static void on_own_stack(void)
{
	int pipes[2], copy[2];

	CHECK(!pipe(pipes) && write(pipes[1], pipes, sizeof(pipes)) == 8);
	CHECK(read(pipes[0], copy, sizeof(copy)) == 8);
	CHECK(!memcmp(pipes, copy, sizeof(copy)));
	arguments();
	t_exec_exit(5);
}

static void stacks(void)
{
	on_stack(on_own_stack);
}

static void nothing(void)
{
}

static void fork_there(void)
{
	pid_t pid = t_fork();

	if (pid == 0) {
		arguments();
		fflush(stdout);
		t_exec_exit(4);
	}
	t_reap(pid, "from there");
	pid = vfork();
	if (pid == 0) {
		t_exec_exit(6);
	}
	t_reap(pid, "vfork");
	CHECK(!posix_spawn(&pid, t_report, NULL, NULL,
			   (char *[]){ t_report, "exit", "7", NULL },
			   (char *[]){ NULL }));
	t_reap(pid, "spawned");
}

/* On main's stack, which has the key meanwhile, as a handler would be. */
static void from_there(void)
{
	on_stack(fork_there);
}

static void on_signal(int sig)
{
	pid_t pid;

	(void)sig;
	pkey_set(key, 0);
	pid = t_fork();
	if (pid == 0)
		return;
	t_reap(pid, "from a handler");
}

/* Nothing of a handler's own can be touched before the register is set. */
__asm__(".text\nenters:\n\t"
	"xorl %eax, %eax; xorl %ecx, %ecx; xorl %edx, %edx; wrpkru\n\t"
	"jmp entered");
void enters(int sig);
void entered(int sig);
void entered(int sig)
{
	on_signal(sig);
}

static void raise_there(void)
{
	const pid_t pid = getpid();

	CHECK(signal(SIGUSR1, enters) != SIG_ERR);
	CHECK(!raise(SIGUSR1));
	signal(SIGUSR1, SIG_DFL);
	t_signals_again();
	printf("back %x\n", reg());
	if (getpid() != pid)
		t_exec_exit(8);
}

static void handlers(void)
{
	on_stack(raise_there);
}

/* A thread whose stack, and so its control block, is behind the key, too. */
static void run_keyed(void *(*start)(void *))
{
	pthread_attr_t attr;
	pthread_t t;

	CHECK(!pthread_attr_init(&attr));
	CHECK(!pthread_attr_setstack(&attr, keyed + HALF / 4, HALF / 2));
	CHECK(!pthread_create(&t, &attr, start, NULL));
	CHECK(!pthread_join(t, NULL));
}

static void *thread(void *unused)
{
	fork_there();
	return unused;
}

static void threads(void)
{
	run_keyed(thread);
}

static void *short_thread(void *unused)
{
	printf("thread %x\n", reg());
	return unused;
}

static void makes_thread(void)
{
	run_keyed(short_thread);
}

static const struct {
	const char *name;
	void (*in_child)(void), (*in_parent)(void);
} cases[] = {
	T_CASE("registers", registers, nothing),
	T_CASE("transfers", transfers, nothing),
	T_CASE("arguments", arguments, nothing),
	T_CASE("executes", executes, nothing),
	T_CASE("allocates", allocates, nothing),
	T_CASE("stacks", stacks, nothing),
	T_CASE("from_there", nothing, from_there),
	T_CASE("handlers", nothing, handlers),
	T_CASE("threads", nothing, threads),
	T_CASE("makes_thread", makes_thread, nothing),
};

static void make_memory(void)
{
	key = pkey_alloc(0, 0);
	if (key < 0)
		t_skip("no protection keys here");
	memory = mmap(NULL, 2 * HALF, READ_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	CHECK(memory != MAP_FAILED);
	memset(memory, 'm', 2 * HALF);
	keyed = memory + HALF;
	CHECK(!pkey_mprotect(keyed, HALF, READ_WRITE, key));
}

int main(int argc, char **argv)
{
	size_t which = 0;

	CHECK(argc == 2);
	while (strcmp(cases[which].name, argv[1]) != 0)
		which++;
	t_start(64);
	make_memory();
	for (int i = 1; i <= CHILDREN; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			if (i > 1)
				cases[which].in_child();
			fflush(stdout);
			t_exec_exit(i);
		}
		t_reap(pid, "child");
		printf("parent %x\n", reg());
		cases[which].in_parent();
	}
	CHECK(memory[0] == 'm' && keyed[HALF - 1] == 'm');
	return t_end();
}
