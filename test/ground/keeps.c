/*
 * A program whose children all do the same, and which looks at itself before
 * and after: signal mask, alternate stack, what SIGSYS and SIGSEGV do,
 * descriptors, children, memory.
 *
 * keeps exec|work|late NOOP   the children exec NOOP, or work and end, or
 *                             write something and exec NOOP, the last of them
 *                             not before its parent has changed its memory
 *                             and told in $KEEPS_CHILDREN how many it has
 *
 * Every child first reads memory that a lazy child does not have.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define HEAP_BYTES ((size_t)64 << 20)
#define CHILDREN 5
#define DESCRIPTORS 256

struct itself {
	sigset_t mask;
	stack_t stack;
	void (*sigsys)(int);
	void (*sigsegv)(int);
	unsigned char open[DESCRIPTORS];
	unsigned long sum;
};

static unsigned char *heap;
static volatile int *go; /* shared */
static const char *what;
static int from_child[2];
static volatile sig_atomic_t ends; /* of children, told by SIGCHLD */

static unsigned long heap_sum(size_t bytes)
{
	unsigned long sum = 0;

	for (size_t at = 0; at < bytes; at += 4096)
		sum = sum * 31 + heap[at];
	return sum;
}

static void look(struct itself *it)
{
	struct sigaction action;

	memset(it, 0, sizeof(*it));
	sigprocmask(SIG_BLOCK, NULL, &it->mask);
	sigaltstack(NULL, &it->stack);
	sigaction(SIGSYS, NULL, &action);
	it->sigsys = action.sa_handler;
	sigaction(SIGSEGV, NULL, &action);
	it->sigsegv = action.sa_handler;
	for (int fd = 0; fd < DESCRIPTORS; fd++)
		it->open[fd] = fcntl(fd, F_GETFD) >= 0;
	it->sum = heap_sum(HEAP_BYTES);
}

static int same_mask(const sigset_t *a, const sigset_t *b)
{
	for (int sig = 1; sig < 65; sig++)
		if (sigismember(a, sig) != sigismember(b, sig))
			return 0;
	return 1;
}

/* Bit by bit, what is not as it was; 0: nothing. */
static int differs(const struct itself *a, const struct itself *b)
{
	return (same_mask(&a->mask, &b->mask) == 0) |
	       (a->stack.ss_sp != b->stack.ss_sp ||
		a->stack.ss_size != b->stack.ss_size ||
		a->stack.ss_flags != b->stack.ss_flags)
		       << 1 |
	       (a->sigsys != b->sigsys) << 2 | (a->sigsegv != b->sigsegv) << 3 |
	       (memcmp(a->open, b->open, sizeof(a->open)) != 0) << 4 |
	       (a->sum != b->sum) << 5;
}

static unsigned char byte_at(size_t at)
{
	return (unsigned char)(at >> 12 ^ 5);
}

static void fill(void)
{
	for (size_t at = 0; at < HEAP_BYTES; at += 4096)
		heap[at] = byte_at(at);
}

static bool is(const char *name)
{
	return !strcmp(what, name);
}

static bool comes_late(int i)
{
	return is("late") && i == CHILDREN - 1;
}

static void write_and_wait(int i)
{
	if (write(from_child[1], "c", 1) != 1)
		_exit(97);
	while (comes_late(i) && !*go)
		;
}

static _Noreturn void child(int i, char *noop)
{
	static char *const code[CHILDREN] = { "40", "41", "42", "43", "44" };
	const size_t at = (size_t)(i + 1) << 22;
	char *const argv[] = { noop, code[i], NULL };

	heap[8192] = heap[at];
	if (heap[at] != byte_at(at))
		_exit(99);
	if (is("late"))
		write_and_wait(i);
	if (heap[at * 2] != byte_at(at * 2))
		_exit(96);
	if (!is("work")) {
		execv(noop, argv);
		_exit(98);
	}
	_exit((int)(heap_sum(1 << 20) % 50) + 50 + i);
}

/* Of all kinds, also those that no wait finds. */
static void tell_children(void)
{
	const char *to = getenv("KEEPS_CHILDREN");
	char path[64], pids[256], *at = pids;
	int fd, n = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	fd = open(path, O_RDONLY);
	pids[fd < 0 ? 0 : read(fd, pids, sizeof(pids) - 1)] = 0;
	close(fd);
	while (strtol(at, &at, 10) > 0)
		n++;
	fd = to ? open(to, O_WRONLY | O_CREAT | O_APPEND, 0600) : -1;
	dprintf(fd, "%d\n", n);
	close(fd);
}

/* What the child is to have is that of the fork. */
static void let_go_on(void)
{
	tell_children();
	memset(heap, 0xee, HEAP_BYTES);
	*go = 1;
}

static void handle(int sig)
{
	ends += sig == SIGCHLD;
}

int main(int argc, char *argv[])
{
	struct itself before, after;
	static char alternate[65536];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	sigset_t blocked;
	int status;

	if (argc != 3)
		return 1;
	setvbuf(stdout, NULL, _IOLBF, 0);
	what = argv[1];
	heap = mmap(NULL, HEAP_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	go = mmap(NULL, sizeof(*go), PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (heap == MAP_FAILED || go == MAP_FAILED || pipe(from_child) ||
	    sigaltstack(&stack, NULL))
		return 1;
	fill();
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR1);
	sigaddset(&blocked, SIGRTMIN + 3);
	sigprocmask(SIG_SETMASK, &blocked, NULL);
	signal(SIGSEGV, handle);
	signal(SIGCHLD, handle);
	look(&before);
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();

		if (pid == 0)
			child(i, argv[2]);
		look(&after);
		printf("after fork: %d differ\n", differs(&before, &after));
		if (comes_late(i))
			let_go_on();
		if (pid < 0 || waitpid(pid, &status, 0) != pid)
			printf("no child: %s\n", strerror(errno));
		else
			printf("status %#x\n", (unsigned)status);
	}
	fill();
	look(&after);
	printf("in the end: %d differ, SIGCHLD %d times\n",
	       differs(&before, &after), (int)ends);
	if (waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD)
		printf("a child is LEFT OVER\n");
	return 0;
}
