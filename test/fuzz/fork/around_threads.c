/* Other threads, at work while one forks: they map, move, protect and unmap,
 * change ids, install handlers and send signals. And one that libc knows
 * nothing of. */
#include "around.h"
#include "scene.h"
#include "state.h"
#include "steps.h"
#include "world.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile unsigned *in_children; /* shared: handlers that ran there */
static volatile unsigned in_parent;
static pid_t parent;
static pthread_t forker;
static _Atomic bool paused = true;
static _Atomic unsigned bad; /* what a thread wrote was not there any more */
static _Atomic unsigned working;

static void rest(long us)
{
	struct timespec t = { 0, us * 1000 };

	nanosleep(&t, NULL);
}

/* Not while somebody looks at what must stand still. */
static void until_wanted(void)
{
	working--;
	while (paused)
		rest(200);
	working++;
}

static void on_signal(int sig)
{
	(void)sig;
	if (getpid() == parent)
		in_parent++;
	else
		__atomic_add_fetch(in_children, 1, __ATOMIC_SEQ_CST);
}

static void handle(int sig)
{
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_RESTART };

	MUST(!sigaction(sig, &sa, NULL));
}

/* Grows and shrinks a block, in two pieces for a while. */
static void *move(void *arg)
{
	size_t bytes = 2 << 20, more = 6 << 20;
	char *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
	     *now;

	MUST(at != MAP_FAILED);
	for (unsigned turn = 0;; turn++) {
		if (paused)
			until_wanted();
		memset(at + bytes - 8192, (int)turn, 8192);
		now = mremap(at, bytes, more, MREMAP_MAYMOVE);
		if (now == MAP_FAILED) {
			rest(30); /* a limit of memory */
			continue;
		}
		at = now;
		if (at[bytes < more ? bytes - 1 : more - 1] != (char)turn &&
		    bytes < more)
			bad++;
		now = (char *)bytes;
		bytes = more;
		more = (size_t)now;
		if (turn % 7 == 0) {
			now = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
				   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
			if (now != MAP_FAILED) {
				memset(now, 1, 1 << 20);
				mprotect(now, 1 << 18, PROT_READ);
				munmap(now, 1 << 20);
			}
		}
		rest(30);
	}
	return arg;
}

static void *change(void *arg)
{
	for (unsigned turn = 0;; turn++) {
		void *p;

		if (paused)
			until_wanted();
		switch (turn % 4) {
		case 0: /* every thread is told */
			(void)!setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1);
			break;
		case 1:
			handle(SIGRTMAX - 1);
			break;
		case 2:
			/* seldom: a fork that a signal waits for is real */
			if (turn % 64 == 2)
				pthread_kill(forker, SIGPWR);
			break;
		default:
			p = malloc(200000);
			free(p ? realloc(p, 2000000) : NULL);
		}
		rest(60);
	}
	return arg;
}

static bool begin(void)
{
	pthread_t thread;
	sigset_t set, was;

	in_children = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(in_children != MAP_FAILED);
	parent = getpid();
	forker = pthread_self();
	working = 2;
	sigfillset(&set);
	pthread_sigmask(SIG_SETMASK, &set, &was);
	MUST(!pthread_create(&thread, NULL, move, NULL));
	MUST(!pthread_create(&thread, NULL, change, NULL));
	pthread_sigmask(SIG_SETMASK, &was, NULL);
	return true;
}

static void before(struct rng *r)
{
	(void)r;
	handle(SIGRTMAX - 1);
	handle(SIGPWR);
	bad = 0;
	*in_children = 0;
	paused = false;
}

static uint64_t after(void)
{
	paused = true;
	while (working)
		rest(50);
	return around_mix(bad, *in_children);
}

static long ask(struct rng *r)
{
	struct sigaction sa;
	int sig = rng_percent(r, 50) ? SIGRTMAX - 1 : SIGPWR;

	if (sigaction(sig, NULL, &sa))
		return -errno;
	return sa.sa_handler == on_signal;
}

static long be_alone(struct rng *r)
{
	(void)r;
	return step_result(syscall(SYS_tgkill, getpid(), gettid(), 0)) * 10 +
	       step_result(setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1));
}

static const struct step steps[] = {
	QUIET(2, ask),
	STEP(1, be_alone),
	{ 0 },
};

const struct around around_threads = {
	"threads", 20, begin, before, NULL, after, steps,
};

/* ---- one that was not made by libc ---- */

static struct {
	_Atomic unsigned count, stop;
} * raw;

/* On the forker's thread pointer: it may call nobody. */
static void run_raw(void)
{
	struct timespec little = { 0, 100000 };
	long rc;

	for (;;) {
		raw->count++;
		__asm__ volatile("syscall"
				 : "=a"(rc)
				 : "a"(SYS_nanosleep), "D"(&little), "S"(0)
				 : "rcx", "r11", "memory");
	}
}

static bool raw_begin(void)
{
	char *stack = mmap(NULL, 65536, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
		     CLONE_THREAD | CLONE_SYSVSEM;
	register long r10 __asm__("r10") = 0;
	register long r8 __asm__("r8") = 0;
	sigset_t set, was;
	long rc;

	raw = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(stack != MAP_FAILED && raw != MAP_FAILED);
	sigfillset(&set);
	sigprocmask(SIG_SETMASK, &set, &was);
	__asm__ volatile("syscall\n"
			 "	test %%rax, %%rax\n"
			 "	jnz 1f\n"
			 "	xor %%ebp, %%ebp\n"
			 "	call *%6\n"
			 "1:"
			 : "=a"(rc)
			 : "a"(SYS_clone), "D"(flags), "S"(stack + 65536 - 64),
			   "d"(0), "r"(r10), "b"(run_raw), "r"(r8)
			 : "rcx", "r11", "memory");
	sigprocmask(SIG_SETMASK, &was, NULL);
	return rc > 0;
}

/* It goes on. */
static uint64_t raw_after(void)
{
	unsigned was = raw->count;

	for (int i = 0; i < 1000 && raw->count == was; i++)
		rest(1000);
	return raw->count != was;
}

static long raw_ask(struct rng *r)
{
	(void)r;
	return step_result(syscall(SYS_tgkill, getpid(), gettid(), 0));
}

static const struct step raw_steps[] = { STEP(1, raw_ask), { 0 } };

const struct around around_thread = {
	"thread", 10, raw_begin, NULL, NULL, raw_after, raw_steps,
};
