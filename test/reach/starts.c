/*
 * starts [-fvs] [-h] [-e] [-t] [-w] PROGRAM: starts it by fork, vfork and
 * posix_spawn, or by those that are named, and says how each ended, and whom
 * else there is to wait for. It makes as few system calls of its own as can
 * be, as it runs under filters that refuse some: what libc alone can't do there
 * it says, too.
 *
 *	-h	handles SIGSYS: a call that raises it says EACCES
 *	-e	handles it by a function that only returns
 *	-t	forbids itself the time stamp counter
 *	-w	waits for clone children, too
 */
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#define BYTES ((size_t)8 << 20)

extern char **environ;
static char memory[BYTES];

static int wait_options;

static void say(const char *what, const char *how, int number)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "%s: %s %d\n", what, how, number);

	if (write(1, line, (size_t)n) != n)
		_exit(9);
}

static void reap(const char *what, pid_t pid)
{
	int status = 0;

	if (pid < 0)
		say(what, "error", errno);
	else if (waitpid(pid, &status, wait_options) != pid)
		say(what, "no child", errno);
	else
		say(what, "status", status);
}

static void by_fork(char **argv)
{
	pid_t pid = fork();

	if (pid == 0) {
		memory[BYTES / 2]++;
		execv(argv[0], argv);
		_exit(8);
	}
	reap("fork", pid);
	if (memory[BYTES / 2] != 1)
		say("fork", "changed its parent", memory[BYTES / 2]);
}

/* No frame of ours returns in the child. */
static void by_vfork(char **argv)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execv(argv[0], argv);
		_exit(8);
	}
	reap("vfork", pid);
}

static void by_spawn(char **argv)
{
	pid_t pid = -1;
	int error = posix_spawn(&pid, argv[0], NULL, NULL, argv, environ);

	errno = error;
	reap("posix_spawn", error ? -1 : pid);
}

static void refuse(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	(void)info;
	uc->uc_mcontext.gregs[REG_RAX] = -EACCES;
}

static void only_return(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	(void)context;
}

static void handle(void (*handler)(int, siginfo_t *, void *))
{
	struct sigaction act = { .sa_sigaction = handler,
				 .sa_flags = SA_SIGINFO };

	sigaction(SIGSYS, &act, NULL);
}

/* By an instruction of its own, so that nothing is hidden. */
static void say_who_is_left(void)
{
	register long usage __asm__("r10") = 0;
	long pid;

	__asm__ volatile("syscall"
			 : "=a"(pid)
			 : "a"(SYS_wait4), "D"(-1L), "S"(0L),
			   "d"((long)(WNOHANG | __WALL)), "r"(usage)
			 : "rcx", "r11", "memory");
	say("left", pid > 0 ? "somebody" : "nobody", pid > 0 ? 0 : (int)pid);
}

int main(int argc, char **argv)
{
	bool fork_too = false, vfork_too = false, spawn_too = false;
	int option;

	while ((option = getopt(argc, argv, "+fvshetw")) != -1)
		switch (option) {
		case 'f':
			fork_too = true;
			break;
		case 'v':
			vfork_too = true;
			break;
		case 's':
			spawn_too = true;
			break;
		case 'h':
			handle(refuse);
			break;
		case 'e':
			handle(only_return);
			break;
		case 't':
			if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV))
				return 77;
			break;
		case 'w':
			wait_options = __WALL;
			break;
		default:
			return 2;
		}
	if (optind >= argc)
		return 2;
	argv += optind;
	if (!fork_too && !vfork_too && !spawn_too)
		fork_too = vfork_too = spawn_too = true;
	memset(memory, 1, sizeof(memory));
	for (int i = 0; i < 3; i++) {
		if (fork_too)
			by_fork(argv);
		if (vfork_too)
			by_vfork(argv);
		if (spawn_too)
			by_spawn(argv);
	}
	say_who_is_left();
	return 0;
}
