/*
 * The frames that vfork is called from: big, of a size known only at run
 * time, deep, on small and on alternate stacks, without a frame pointer and
 * not optimised. A right child shares them; a wrong one, for which the
 * oracle is fork, leaves them as they were. Arguments: [fork|vfork] CASE.
 *
 * Test: vfork-frames-CASE CASE
 * Test -O0: vfork-frames-O0-CASE CASE
 */
#include "cases.h"

#include <alloca.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <ucontext.h>

/* Set where the child is to return instead of ending. */
static volatile int returns;
static volatile pid_t made;

static FRAME void fill(volatile unsigned char *p, size_t n, unsigned seed)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(seed + i * 7);
}

/* How many bytes are not as fill() left them. */
static FRAME long differs(volatile unsigned char *p, size_t n, unsigned seed)
{
	long bad = 0;

	for (size_t i = 0; i < n; i++)
		bad += p[i] != (unsigned char)(seed + i * 7);
	return bad;
}

static FRAME void child_ends(volatile unsigned char *p, size_t n)
{
	p[0] ^= 1;
	p[n / 2] ^= 1;
	p[n - 1] ^= 1;
	scribble_below();
	if (!returns)
		_exit(2);
}

#define BODY(p, n)                        \
	do {                              \
		pid_t pid;                \
		fill(p, n, 3);            \
		pid = start();            \
		if (pid == 0)             \
			child_ends(p, n); \
		else                      \
			made = pid;       \
		bad = differs(p, n, 3);   \
	} while (0)

static FRAME long in_small(void)
{
	volatile unsigned char p[16];
	long bad;

	BODY(p, sizeof(p));
	return bad;
}

static FRAME long in_64k(void)
{
	volatile unsigned char p[64 << 10];
	long bad;

	BODY(p, sizeof(p));
	return bad;
}

static FRAME long in_aligned(void)
{
	_Alignas(256) volatile unsigned char p[1024];
	long bad;

	CHECK((uintptr_t)p % 256 == 0);
	BODY(p, sizeof(p));
	return bad;
}

static FRAME long in_vla(size_t n)
{
	volatile unsigned char p[n];
	long bad;

	BODY(p, n);
	return bad;
}

static FRAME long in_alloca(size_t n)
{
	volatile unsigned char *p = NULL;
	long bad;

	for (int i = 0; i < 4; i++)
		p = alloca(n);
	BODY(p, n);
	return bad;
}

static FRAME long deep(int n)
{
	volatile unsigned char p[512];
	long bad;

	fill(p, sizeof(p), (unsigned)n);
	bad = n ? deep(n - 1) : in_small();
	return bad + 1000 * differs(p, sizeof(p), (unsigned)n);
}

/* Ten arguments: some lie in the caller's frame. */
static FRAME long many_arguments(long a, long b, long c, long d, long e, long f,
				 volatile long g, volatile long h, long i,
				 long j)
{
	pid_t pid = start();

	if (pid == 0) {
		g++;
		h++;
		if (!returns)
			_exit(2);
	} else {
		made = pid;
	}
	return a + b + c + d + e + f + g * 10 + h * 100 + i + j;
}

static void say(const char *what, long bad)
{
	if (is_child()) {
		printf("child: %s: %ld\n", what, bad);
		exit(3);
	}
	t_reap(made, what);
	printf("parent: %s: %ld\n", what, bad);
}

static void all_frames(void)
{
	say("small", in_small());
	say("64 KiB", in_64k());
	say("aligned", in_aligned());
	say("VLA 1", in_vla(1));
	say("VLA 333", in_vla(333));
	say("VLA 40000", in_vla(40000));
	say("alloca 24", in_alloca(24));
	say("alloca 5000", in_alloca(5000));
	say("deep", deep(60));
	say("arguments", many_arguments(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
}

CASE(frames)
{
	all_frames();
}

static int alone = 1;

/* On stacks as small as there are. */
static void small_frames(void)
{
	say("small", in_small());
	say("VLA 333", in_vla(333));
	/* Threads may write to what lies above the frame: with them it is not
	 * put back for a child that returns. */
	if (!returns || alone)
		say("arguments", many_arguments(1, 2, 3, 4, 5, 6, 7, 8, 9, 10));
}

static void *in_thread(void *arg)
{
	(void)arg;
	alone = 0;
	small_frames();
	return NULL;
}

static void in_small_thread(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	CHECK(!pthread_attr_setstacksize(&attr, PTHREAD_STACK_MIN));
	CHECK(!pthread_create(&thread, &attr, in_thread, NULL));
	CHECK(!pthread_join(thread, NULL));
}

CASE(thread_16k)
{
	returns = 0;
	in_small_thread();
}

static ucontext_t back, context;

CASE(context_16k)
{
	enum {
		STACK = 16 << 10
	};
	char *p = mmap(NULL, 4096 + STACK, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED && !mprotect(p, 4096, PROT_NONE));
	getcontext(&context);
	context.uc_stack.ss_sp = p + 4096;
	context.uc_stack.ss_size = STACK;
	context.uc_link = &back;
	makecontext(&context, small_frames, 0);
	swapcontext(&back, &context);
	munmap(p, 4096 + STACK);
}

static volatile int in_handler;

static void on_usr1(int sig)
{
	(void)sig;
	in_handler++;
	small_frames();
}

static void handler_case(int flags)
{
	struct sigaction sa = { .sa_handler = on_usr1, .sa_flags = flags };

	sigaction(SIGUSR1, &sa, NULL);
	t_signals_again();
	raise(SIGUSR1);
	printf("handled %d\n", in_handler);
}

CASE(handler)
{
	handler_case(0);
}

static char altstack[64 << 10];

CASE(altstack)
{
	stack_t ss = { .ss_sp = altstack, .ss_size = sizeof(altstack) };

	CHECK(!sigaltstack(&ss, NULL));
	handler_case(SA_ONSTACK);
}

/*
 * Test: -w vfork-frames-CASE CASE
 * Test -O0: -w vfork-frames-O0-CASE CASE
 */
CASE(wrong)
{
	returns = 1;
	all_frames();
}

/*
 * Test: -w vfork-frames-CASE CASE
 * Test -O0: -w vfork-frames-O0-CASE CASE
 */
CASE(wrong_thread_16k)
{
	returns = 1;
	in_small_thread();
}

/*
 * Test: -w vfork-frames-CASE CASE
 * Test -O0: -w vfork-frames-O0-CASE CASE
 */
CASE(wrong_context_16k)
{
	returns = 1;
	run_context_16k();
}

/*
 * Test: -w vfork-frames-CASE CASE
 * Test -O0: -w vfork-frames-O0-CASE CASE
 */
CASE(wrong_handler)
{
	returns = 1;
	run_handler();
}

CASES_MAIN
