/*
 * Children of vfork that do what its manual allows, and what everybody does
 * besides: their parent sees what they wrote, and nothing else of theirs.
 * Plain vfork is the oracle. Argument: the case.
 *
 * Test: vfork-CASE CASE
 */
#include "cases.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int global = 6;

/*
 * The example of the book: the child increments a global and a local.
 * Test: vfork-CASE CASE
 * Test: -e FLATFORK_VFORK=libc vfork-CASE-libc CASE
 */
CASE(book)
{
	volatile int local = 88;
	pid_t pid;

	printf("before vfork\n");
	pid = vfork();
	if (pid == 0) {
		global++;
		local++;
		_exit(0);
	}
	printf("global %d, local %d\n", global, local);
	t_reap(pid, "child");
}

/* Results by locals, the heap, a mapping, thread-local storage. */
static __thread int of_thread = 1;

/*
 * Test: vfork-CASE CASE
 * Test: -e FLATFORK_VFORK=libc vfork-CASE-libc CASE
 */
CASE(results)
{
	volatile int local = 1;
	volatile char text[100] = "";
	char *volatile heap = malloc(1000);
	char *volatile made = NULL;
	pid_t pid = vfork();

	if (pid == 0) {
		local = 2;
		text[0] = 'c';
		text[99] = 'd';
		of_thread = 3;
		t_area[5] ^= 1;
		strcpy(heap, "written by the child");
		made = malloc(100000);
		if (made)
			strcpy(made, "made by the child");
		_exit(local);
	}
	t_reap(pid, "child");
	printf("%d %c%c %d %d '%s' '%s'\n", local, text[0], text[99], of_thread,
	       !t_intact(t_area, 64), heap, made);
	t_area[5] ^= 1;
	free(heap);
	free(made);
}

/* As busybox does it: why exec failed. */
CASE(errno)
{
	static const char *const path[] = { "/nowhere/x", "/", "/etc/passwd" };

	for (int i = 0; i < 3; i++) {
		volatile int failed = 0;
		pid_t pid;

		errno = 0;
		pid = vfork();
		if (pid == 0) {
			execl(path[i], "x", (char *)NULL);
			failed = errno;
			_exit(127);
		}
		t_reap(pid, path[i]);
		printf("failed: %s\n", strerror(failed));
	}
}

CASE(exec_forms)
{
	char *argv[] = { "report", "exit", "11", NULL };
	char *env[] = { "ONLY=1", NULL };
	int fd = open(t_report, O_RDONLY | O_CLOEXEC);

	for (volatile int i = 0; i < 7; i++) {
		pid_t pid = vfork();

		if (pid == 0) {
			switch (i) {
			case 0:
				execv(t_report, argv);
				break;
			case 1:
				execve(t_report, argv, env);
				break;
			case 2:
				execvp(t_report, argv);
				break;
			case 3:
				execlp("sh", "sh", "-c", "exit 12",
				       (char *)NULL);
				break;
			case 4:
				execle("/bin/sh", "sh", "-c", "exit $ONLY",
				       (char *)NULL, env);
				break;
			case 5:
				fexecve(fd, argv, env);
				break;
			default:
				execvpe("sh",
					(char *[]){ "sh", "-c",
						    "exit $((ONLY + 1))",
						    NULL },
					env);
			}
			_exit(90);
		}
		t_reap(pid, "exec");
	}
	close(fd);
}

CASE(statuses)
{
	volatile int *volatile nowhere = NULL;

	for (volatile int i = 0; i < 6; i++) {
		pid_t pid = vfork();

		if (pid == 0) {
			if (i == 0)
				_exit(0);
			if (i == 1)
				_exit(255);
			if (i == 2)
				_Exit(3);
			if (i == 3)
				kill(getpid(), SIGKILL);
			if (i == 4)
				raise(SIGTERM);
			*nowhere = 1;
		}
		t_reap(pid, "child");
	}
}

CASE(inherits)
{
	sigset_t set;
	char cwd[4096], now[4096];
	mode_t mask;
	pid_t pid;

	CHECK(getcwd(cwd, sizeof(cwd)));
	signal(SIGUSR1, SIG_IGN);
	signal(SIGUSR2, SIG_DFL);
	t_signals_again();
	pid = vfork();
	if (pid == 0) {
		sigset_t blocked;

		if (chdir("/") || setpgid(0, 0))
			_exit(91);
		umask(0157);
		signal(SIGUSR1, SIG_DFL);
		signal(SIGUSR2, SIG_IGN);
		signal(SIGHUP, SIG_IGN);
		sigemptyset(&blocked);
		sigaddset(&blocked, SIGINT);
		sigprocmask(SIG_BLOCK, &blocked, NULL);
		setpriority(PRIO_PROCESS, 0, 3);
		execl(t_report, "report", "state", (char *)NULL);
		_exit(92);
	}
	t_reap(pid, "child");
	mask = umask(022);
	CHECK(getcwd(now, sizeof(now)));
	sigprocmask(SIG_SETMASK, NULL, &set);
	printf("parent: same directory %d, umask %o, nice %d, SIGINT blocked "
	       "%d\n",
	       !strcmp(cwd, now), mask, getpriority(PRIO_PROCESS, 0),
	       sigismember(&set, SIGINT));
	umask(mask);
	pid = vfork();
	if (pid == 0) {
		if (setsid() < 0)
			_exit(93);
		execl(t_report, "report", "state", (char *)NULL);
		_exit(94);
	}
	t_reap(pid, "child");
	printf("parent: leads a session %d\n", getsid(0) == getpid());
}

CASE(descriptors)
{
	int ends[2], fd;
	char got[16];
	pid_t pid;

	CHECK(!pipe(ends));
	fd = open("file", O_RDWR | O_CREAT, 0600);
	pid = vfork();
	if (pid == 0) {
		int saved = dup(1);

		dup2(ends[1], 20);
		close(ends[0]);
		close(ends[1]);
		fcntl(saved, F_SETFD, FD_CLOEXEC);
		if (write(20, "through\n", 8) != 8 || write(fd, "file", 4) != 4)
			_exit(91);
		execl(t_report, "report", "fds", (char *)NULL);
		_exit(92);
	}
	t_reap(pid, "child");
	CHECK(fcntl(20, F_GETFD) < 0);
	CHECK(read(ends[0], got, sizeof(got)) == 8);
	printf("read %.8s; offset %ld\n", got, (long)lseek(fd, 0, SEEK_CUR));
	close(ends[0]);
	close(ends[1]);
	close(fd);
	unlink("file");
}

static volatile int chld;

static void on_chld(int sig)
{
	(void)sig;
	chld++;
}

CASE(sigchld)
{
	struct sigaction sa = { .sa_handler = on_chld, .sa_flags = SA_RESTART };

	sigaction(SIGCHLD, &sa, NULL);
	t_signals_again();
	for (volatile int i = 0; i < 20; i++) {
		pid_t pid = vfork();

		if (pid == 0) {
			if (i % 2)
				_exit(3);
			execl(t_report, "report", "exit", "3", (char *)NULL);
			_exit(90);
		}
		t_until(&chld, i + 1);
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
	t_sleep_ms(50);
	printf("%d SIGCHLD\n", chld);
}

static int handlers;

static void on_fork(void)
{
	handlers++;
}

/* vfork runs none of them. */
CASE(atfork)
{
	pid_t pid;

	pthread_atfork(on_fork, on_fork, on_fork);
	pid = vfork();
	if (pid == 0)
		_exit(handlers);
	t_reap(pid, "child");
	printf("handlers %d\n", handlers);
}

/* What is in stdio's buffer stays there; nobody flushes it. */
CASE(stdio)
{
	static char buffer[4096];
	pid_t pid;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	printf("not flushed by the child\n");
	pid = vfork();
	if (pid == 0) {
		if (write(1, "written\n", 8) != 8)
			_exit(90);
		_exit(1);
	}
	t_reap(pid, "child");
}

/* A handler of the parent's runs afterwards, and there. */
static void on_usr1(int sig)
{
	(void)sig;
	global = is_child() ? -1 : global + 1;
}

CASE(parent_signalled)
{
	volatile int before = 0;
	pid_t pid;

	signal(SIGUSR1, on_usr1);
	t_signals_again();
	global = 0;
	pid = vfork();
	if (pid == 0) {
		kill(first_pid, SIGUSR1);
		usleep(20000);
		before = global;
		_exit(0);
	}
	t_reap(pid, "child");
	printf("in the parent: %d meanwhile, %d after\n", before, global);
}

/* Jumps within the frame, and below it, are the child's own business. */
static FRAME void jump_up(jmp_buf *where)
{
	scribble_below();
	longjmp(*where, 3);
}

static FRAME int child_jumps(void)
{
	jmp_buf here;
	int value = setjmp(here);

	if (value)
		return value;
	jump_up(&here);
	return 0;
}

CASE(jumps)
{
	jmp_buf here;
	volatile int times = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		int value = child_jumps();

		if (setjmp(here) < 3) {
			times++;
			longjmp(here, times + 1);
		}
		_exit(value * 10 + times);
	}
	t_reap(pid, "child");
	printf("times %d\n", times);
}

/* Killed by somebody else while it sleeps: the parent goes on. */
CASE(killed)
{
	int told[2];
	pid_t killer, pid;

	CHECK(!pipe(told));
	killer = fork();
	if (killer == 0) {
		pid_t child;

		CHECK(read(told[0], &child, sizeof(child)) == sizeof(child));
		t_sleep_ms(50);
		kill(child, SIGKILL);
		_exit(0);
	}
	pid = vfork();
	if (pid == 0) {
		pid_t self = getpid();

		if (write(told[1], &self, sizeof(self)) != sizeof(self))
			_exit(90);
		for (;;)
			usleep(1000000);
	}
	t_reap(pid, "child");
	t_reap(killer, "killer");
	close(told[0]);
	close(told[1]);
}

/* It may take longer than any budget. */
CASE(slow)
{
	volatile int done = 0;
	pid_t pid = vfork();

	if (pid == 0) {
		t_sleep_ms(600);
		done = 1;
		_exit(4);
	}
	printf("done before the parent went on: %d\n", done);
	t_reap(pid, "child");
}

/* The names, and a call the compiler knows nothing of. */
static FRAME int by_pointer(pid_t (*make)(void))
{
	pid_t pid = make();

	if (pid == 0) {
		global = 77;
		_exit(5);
	}
	return pid;
}

CASE(names)
{
	static const char *const name[] = { "vfork", "__vfork" };

	for (int i = 0; i < 2; i++) {
		pid_t (*make)(void) =
			(pid_t(*)(void))dlsym(RTLD_DEFAULT, name[i]);

		if (!make)
			continue;
		global = 0;
		t_reap(by_pointer(make), "child");
		printf("%s: global %d\n", name[i], global);
	}
	global = 0;
	t_reap(by_pointer(vfork), "child");
	printf("pointer: global %d\n", global);
}

/* A wrapper that jumps to vfork has no frame that its child could leave. */
pid_t vfork_jumped(void);
__asm__(".pushsection .text\n"
	".type vfork_jumped, @function\n"
	"vfork_jumped:\n"
	"	.cfi_startproc\n"
	"	jmp	vfork@PLT\n"
	"	.cfi_endproc\n"
	".size vfork_jumped, . - vfork_jumped\n"
	".popsection\n");

CASE(jumped)
{
	global = 0;
	t_reap(by_pointer(vfork_jumped), "child");
	printf("global %d\n", global);
}

/*
 * Unbalanced in nothing, many times.
 * Test: vfork-CASE CASE
 * Test: -e FLATFORK_VFORK=libc vfork-CASE-libc CASE
 */
CASE(often)
{
	volatile int bad = 0;

	for (volatile int i = 0; i < 300; i++) {
		volatile int local = 0;
		int status;
		pid_t pid = vfork();

		if (pid == 0) {
			local = i;
			if (i % 3)
				_exit(i % 256);
			execl(t_report, "report", "exit", "9", (char *)NULL);
			_exit(90);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		bad += local != i || status >> 8 != (i % 3 ? i % 256 : 9);
	}
	printf("%d bad\n", bad);
}

/* No process can be had: -1, and why. */
CASE(fails)
{
	pid_t pid = t_fork();
	int status;

	if (pid == 0) {
		struct rlimit none = { 0, 0 };
		pid_t none_made;

		if (!geteuid() && setuid(65534))
			_exit(90);
		setrlimit(RLIMIT_NPROC, &none);
		none_made = vfork();
		if (none_made == 0)
			_exit(0);
		_exit(none_made == -1 && errno == EAGAIN ? 3 : 4);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	printf("without processes: %d\n", WEXITSTATUS(status));
}

/* What it is told of dispositions is its parent's, until it sets its own. */
static void on_asked(int sig)
{
	(void)sig;
}

CASE(asks_actions)
{
	struct sigaction set = { .sa_handler = SIG_DFL }, old;
	pid_t pid;
	int bad = 0;

	signal(SIGUSR1, on_asked);
	signal(SIGUSR2, on_asked);
	t_signals_again();
	pid = vfork();
	if (pid == 0) {
		bad |= sigaction(SIGUSR1, NULL, &old) ||
		       old.sa_handler != on_asked;
		bad |= (sigaction(SIGUSR1, &set, &old) ||
			old.sa_handler != on_asked)
		       << 1;
		bad |= (sigaction(SIGUSR1, NULL, &old) ||
			old.sa_handler != SIG_DFL)
		       << 2;
		bad |= (signal(SIGUSR2, SIG_IGN) != on_asked) << 3;
		bad |= (signal(SIGUSR2, SIG_IGN) != SIG_IGN) << 4;
		bad |= (sigaction(SIGSYS, NULL, &old) ||
			old.sa_handler != SIG_DFL)
		       << 5;
		_exit(bad);
	}
	t_reap(pid, "what it was told");
}

/* Also where it is blocked, or raised by faults; and by syscall(). */
struct of_kernel {
	void (*handler)(int);
	unsigned long flags;
	void (*restorer)(void);
	unsigned long mask;
};

static void say_told(const volatile unsigned long *told, size_t n)
{
	for (size_t i = 0; i < n; i++)
		printf("%lx ", told[i]);
	printf("\n");
}

CASE(asks_all)
{
	static char alternate[64 << 10];
	stack_t stack = { .ss_sp = alternate, .ss_size = sizeof(alternate) };
	struct sigaction sa = { .sa_handler = on_asked,
				.sa_flags = SA_NODEFER | SA_RESTART };
	volatile unsigned long told[12] = { 0 };
	sigset_t set;
	pid_t pid;

	sigaddset(&sa.sa_mask, SIGHUP);
	CHECK(!sigaction(SIGFPE, &sa, NULL) && !sigaction(SIGUSR1, &sa, NULL));
	CHECK(!sigaction(SIGUSR2, &sa, NULL) && !sigaltstack(&stack, NULL));
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_BLOCK, &set, NULL);
	t_signals_again();
	pid = vfork();
	if (pid == 0) {
		struct of_kernel k = { 0 };
		struct sigaction old;
		stack_t now;

		told[0] = (unsigned long)sigaction(SIGUSR2, NULL, &old);
		told[1] = old.sa_handler == on_asked;
		told[2] = (unsigned long)sigaction(SIGFPE, NULL, &old);
		told[3] = old.sa_handler == on_asked &&
			  sigismember(&old.sa_mask, SIGHUP);
		told[4] = (unsigned long)old.sa_flags;
		told[5] = signal(SIGFPE, SIG_DFL) == on_asked;
		told[6] = signal(SIGFPE, SIG_IGN) == SIG_DFL;
		syscall(SYS_rt_sigaction, SIGUSR1, NULL, &k, 8);
		told[7] = k.handler == on_asked;
		syscall(SYS_rt_sigaction, SIGSYS, NULL, &k, 8);
		told[8] = k.handler == SIG_DFL;
		syscall(SYS_sigaltstack, NULL, &now);
		told[9] = now.ss_sp == alternate;
		k = (struct of_kernel){ .handler = SIG_IGN };
		told[10] = (unsigned long)syscall(SYS_rt_sigaction, SIGUSR1, &k,
						  &k, 8);
		told[11] = k.handler == on_asked;
		_exit(signal(SIGUSR1, SIG_DFL) == SIG_IGN);
	}
	t_reap(pid, "what it was told");
	say_told(told, 12);
}

/* No handler, but flags and a mask; and of the one that it ignores itself. */
CASE(asks_flags)
{
	static const int sigs[] = { SIGINT, SIGCHLD, SIGUSR1 };
	struct sigaction sa = { .sa_handler = SIG_IGN,
				.sa_flags = SA_NODEFER | SA_RESTART };
	volatile unsigned long told[12] = { 0 };
	pid_t pid;

	sigaddset(&sa.sa_mask, SIGHUP);
	CHECK(!sigaction(SIGINT, &sa, NULL));
	sa.sa_handler = SIG_DFL;
	sa.sa_flags = SA_NOCLDSTOP;
	CHECK(!sigaction(SIGCHLD, &sa, NULL) && !sigaction(SIGUSR1, &sa, NULL));
	t_signals_again();
	pid = vfork();
	if (pid == 0) {
		signal(SIGUSR1, SIG_IGN);
		for (int i = 0; i < 3; i++) {
			struct sigaction old;
			struct of_kernel k = { 0 };

			sigaction(sigs[i], NULL, &old);
			told[4 * i] = (unsigned)old.sa_flags;
			told[4 * i + 1] = sigismember(&old.sa_mask, SIGHUP);
			syscall(SYS_rt_sigaction, sigs[i], NULL, &k, 8);
			told[4 * i + 2] = k.flags;
			told[4 * i + 3] = k.mask;
		}
		_exit(0);
	}
	t_reap(pid, "what it was told");
	say_told(told, 12);
}

CASES_MAIN
