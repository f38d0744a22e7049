/*
 * Every name that flatfork defines, called as programs call it, under whatever
 * libc this is built with. It prints what libc answers, nothing that differs
 * from run to run: the same is to be printed with flatfork and without.
 *
 *	names [PLUGIN]
 *	names -
 *	names -u
 *	names -s
 *
 * PLUGIN is loaded at the end: plugin.c, which may bring what this program is
 * not linked with. With - it forks once, and nobody execs; with -u it says
 * whose rights it has; with -s it stays there.
 */
#include <dlfcn.h>
#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

#ifdef NAMES_STATIC
#define FIND(name) NULL
#else
#define FIND(name) dlsym(RTLD_DEFAULT, name)
#endif

static void say(const char *what, long result)
{
	printf("%s: %ld", what, result < 0 ? -1 : result);
	if (result < 0)
		printf(" (%s)", strerror(errno));
	printf("\n");
	fflush(stdout);
}

/* How the child @pid ended. */
static void ended(const char *what, pid_t pid)
{
	int status = -1;

	if (pid < 0) {
		say(what, pid);
		return;
	}
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	printf("%s: status %x\n", what, (unsigned)status);
	fflush(stdout);
}

#ifdef __GLIBC__
/* Before libc and before any constructor. */
static int first_pid, first_status;

static void first(void)
{
	struct sigaction act;

	sigaction(SIGUSR1, NULL, &act);
	first_pid = fork();
	if (first_pid == 0)
		_exit(11);
	waitpid(first_pid, &first_status, 0);
	close(-1);
}

#ifndef NAMES_STATIC
__attribute__((section(".preinit_array"),
	       used)) static void (*const preinit)(void) = first;
#endif
#endif

/* As other libraries' constructors do. */
static int early_status;

__attribute__((constructor)) static void early(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(12);
	waitpid(pid, &early_status, 0);
}

static void names(void)
{
#ifndef NAMES_STATIC
	static const char *const all[] = {
#define FF_NAME(name, why) #name,
#include "names.def"
	};
	size_t i;

	/* flatfork has these, where libc has not, on purpose */
	for (i = 0; i < sizeof(all) / sizeof(*all); i++)
		if (strncmp(all[i], "pidfd_", 6) && strcmp(all[i], "mseal"))
			printf("%s: %s\n", all[i],
			       FIND(all[i]) ? "is there" : "is not");
#endif
}

static void forks_once(void)
{
	pid_t pid = fork();

	if (pid == 0)
		exit(20);
	ended("fork", pid);
}

static void forks(void)
{
	static const char *const alias[] = { "__fork", "__libc_fork", "_Fork",
					     "__vfork" };
	pid_t (*fork_by)(void);
	char *argv[] = { "sh", "-c", "exit 21", NULL };
	size_t i;
	pid_t pid;

	forks_once();
	for (i = 0; i < sizeof(alias) / sizeof(*alias); i++) {
		fork_by = (pid_t(*)(void))FIND(alias[i]);
		if (!fork_by)
			continue;
		pid = fork_by();
		if (pid == 0)
			_exit(21);
		ended(alias[i], pid);
	}
	pid = vfork();
	if (pid == 0)
		_exit(22);
	ended("vfork", pid);
	pid = vfork();
	if (pid == 0) {
		execv("/bin/sh", argv);
		_exit(23);
	}
	ended("vfork, execv", pid);
	pid = (pid_t)syscall(SYS_fork);
	if (pid == 0)
		_exit(24);
	ended("SYS_fork", pid);
	pid = (pid_t)syscall(SYS_clone, (long)SIGCHLD, 0L, 0L, 0L, 0L);
	if (pid == 0)
		_exit(25);
	ended("SYS_clone", pid);
}

static int in_clone(void *arg)
{
	return *(int *)arg;
}

static void clones(void)
{
	static char stack[1 << 16] __attribute__((aligned(16)));
	int status = 26;

	ended("clone",
	      clone(in_clone, stack + sizeof(stack), SIGCHLD, &status));
	ended("clone, vfork", clone(in_clone, stack + sizeof(stack),
				    CLONE_VM | CLONE_VFORK | SIGCHLD, &status));
}

static void spawns(void)
{
	char *argv[] = { "sh", "-c", "echo spawned; exit 31", NULL };
	char *none[] = { "none", NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	pid_t pid = -1;
	int error;
	FILE *pipe;
	char line[64];

	posix_spawnattr_init(&attr);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETPGROUP);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 5, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, 5, 6);
	posix_spawn_file_actions_addclose(&actions, 5);
	error = posix_spawn(&pid, "/bin/sh", &actions, &attr, argv, environ);
	ended("posix_spawn", pid);
	say("posix_spawn", error);
	error = posix_spawnp(&pid, "sh", NULL, NULL, argv, environ);
	ended("posix_spawnp", pid);
	say("posix_spawnp", error);
	say("posix_spawn of nothing",
	    posix_spawn(&pid, "/nonexistent", NULL, NULL, none, environ));
	say("system", system("exit 32"));
	pipe = popen("echo popen; exit 33", "r");
	if (pipe && fgets(line, sizeof(line), pipe))
		printf("%s", line);
	say("pclose", pipe ? pclose(pipe) : -1);
}

enum exec {
	EXECVE,
	EXECV,
	EXECVP,
	EXECVPE,
	EXECL,
	EXECLP,
	EXECLE,
	FEXECVE,
	SYSCALL,
	EXECVEAT,
	EXECS
};

static void exec_by(int how)
{
	char *argv[] = { "sh", "-c", "echo exec $0", "by", NULL };
	char *envp[] = { "PATH=/bin:/usr/bin", NULL };
	int (*execveat_by)(int, const char *, char *const[], char *const[],
			   int) = NULL;

	argv[3] = (char[]){ (char)('a' + how), 0 };
	switch (how) {
	case EXECVE:
		execve("/bin/sh", argv, envp);
		break;
	case EXECV:
		execv("/bin/sh", argv);
		break;
	case EXECVP:
		execvp("sh", argv);
		break;
	case EXECVPE:
		execvpe("sh", argv, envp);
		break;
	case EXECL:
		execl("/bin/sh", "sh", "-c", argv[2], argv[3], (char *)NULL);
		break;
	case EXECLP:
		execlp("sh", "sh", "-c", argv[2], argv[3], (char *)NULL);
		break;
	case EXECLE:
		execle("/bin/sh", "sh", "-c", argv[2], argv[3], (char *)NULL,
		       envp);
		break;
	case FEXECVE:
		fexecve(open("/bin/sh", O_RDONLY), argv, envp);
		break;
	case SYSCALL:
		syscall(SYS_execve, "/bin/sh", argv, envp);
		break;
	default:
		*(void **)&execveat_by = FIND("execveat");
		if (!execveat_by)
			_exit(41);
		execveat_by(AT_FDCWD, "/bin/sh", argv, envp, 0);
	}
	_exit(40);
}

static void execs(void)
{
	pid_t pid;
	int how;

	for (how = 0; how < EXECS; how++) {
		pid = fork();
		if (pid == 0)
			exec_by(how);
		ended("exec", pid);
	}
	say("execve of nothing", execve("/nonexistent", NULL, NULL));
}

static void waits(void)
{
	struct rusage usage;
	siginfo_t info;
	int status;

	if (fork() == 0)
		_exit(50);
	say("wait", wait(&status) > 0 ? WEXITSTATUS(status) : -1);
	if (fork() == 0)
		_exit(51);
	say("wait3", wait3(&status, 0, &usage) > 0 ? WEXITSTATUS(status) : -1);
	if (fork() == 0)
		_exit(52);
	say("wait4",
	    wait4(-1, &status, 0, &usage) > 0 ? WEXITSTATUS(status) : -1);
	if (fork() == 0)
		_exit(53);
	say("waitid", waitid(P_ALL, 0, &info, WEXITED) ? -1 : info.si_status);
	say("waitpid of nobody", waitpid(-1, &status, 0));
	say("waitpid of all", waitpid(-1, &status, __WALL));
}

/* What ends a process, each in a child of its own. */
static void end_by(int how)
{
	switch (how) {
	case 0:
		exit(60);
	case 1:
		_exit(61);
	case 2:
		_Exit(62);
	case 3:
		quick_exit(63);
	case 4:
		errno = ENOENT;
		err(64, "err %d", how);
	case 5:
		errx(65, "errx %d", how);
	case 6:
		daemon(0, 0);
		_exit(66);
	default:
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setpgid(0, 0);
		_exit(67);
	}
}

static void ends(void)
{
	void (*error_by)(int, int, const char *, ...) =
		(void (*)(int, int, const char *, ...))FIND("error");
	pid_t pid;
	int how;

	for (how = 0; how < 8; how++) {
		pid = fork();
		if (pid == 0)
			end_by(how);
		ended("end", pid);
	}
	pid = fork();
	if (pid == 0) {
		if (error_by)
			error_by(68, EPERM, "error %d", how);
		_exit(69);
	}
	ended("error", pid);
}

static volatile sig_atomic_t raised;

static void on_signal(int sig)
{
	raised += sig;
}

static void signals(void)
{
	struct sigaction act, old;
	stack_t stack = { .ss_flags = SS_DISABLE }, was;
	sigjmp_buf there;
	jmp_buf here;

	memset(&act, 0, sizeof(act));
	act.sa_handler = on_signal;
	act.sa_flags = SA_RESTART | SA_NODEFER;
	sigaddset(&act.sa_mask, SIGUSR2);
	say("sigaction", sigaction(SIGUSR1, &act, NULL));
	raise(SIGUSR1);
	say("raised", raised);
	say("sigaction old", sigaction(SIGUSR1, NULL, &old));
	printf("%d %x %d %d\n", old.sa_handler == on_signal,
	       (unsigned)old.sa_flags & 0x5bffffff,
	       sigismember(&old.sa_mask, SIGUSR2),
	       sigismember(&old.sa_mask, SIGINT));
	say("signal", signal(SIGUSR1, SIG_IGN) == on_signal);
	say("signal SIGSYS", signal(SIGSYS, on_signal) == SIG_DFL);
	raise(SIGSYS);
	say("raised", raised);
	say("sigaction SIGKILL", sigaction(SIGKILL, &act, NULL));
	say("sigaltstack", sigaltstack(&stack, &was));
	say("was", was.ss_flags);
	if (!setjmp(here))
		longjmp(here, 1);
	if (!_setjmp(here))
		_longjmp(here, 1);
	if (!sigsetjmp(there, 1))
		siglongjmp(there, 1);
	say("jumped", 1);
}

static void memory(void)
{
	char *at = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid;

	at[0] = 'm';
	say("madvise", madvise(at, 4096, MADV_WIPEONFORK));
	pid = fork();
	if (pid == 0)
		_exit(at[0]);
	ended("wiped", pid);
	say("madvise", madvise(at, 4096, MADV_KEEPONFORK));
	at = mremap(at, 1 << 16, 1 << 20, MREMAP_MAYMOVE);
	say("mremap", at != MAP_FAILED && at[0] == 'm');
	say("munmap", munmap(at, 1 << 20));
	say("munmap of nothing", munmap(at + 1, 1));
	say("mlockall", mlockall(0x80));
	say("munlockall", munlockall());
}

static void ids(void)
{
	say("setuid", setuid(getuid()));
	say("setgid", setgid(getgid()));
	say("seteuid", seteuid(geteuid()));
	say("setegid", setegid(getegid()));
	say("setreuid", setreuid((uid_t)-1, (uid_t)-1));
	say("setregid", setregid((gid_t)-1, (gid_t)-1));
	say("setresuid", setresuid((uid_t)-1, (uid_t)-1, (uid_t)-1));
	say("setresgid", setresgid((gid_t)-1, (gid_t)-1, (gid_t)-1));
	say("setfsuid", setfsuid(geteuid()));
	say("setfsgid", setfsgid(getegid()));
}

static void others(void)
{
	int bytes = -1, fd = open("/dev/null", O_RDONLY);

	say("unshare", unshare(0));
	say("setns", setns(-1, 0));
	say("ioctl", ioctl(fd, FIONREAD, &bytes));
	say("close", close(fd));
	say("close again", close(fd));
	say("setpgid", setpgid(0, getpgid(0)));
	say("setpgid of nobody", setpgid(-1, 0));
	say("prctl", prctl(PR_GET_DUMPABLE));
	say("syscall", syscall(SYS_getpid) == getpid());
	say("syscall that is none", syscall(-1L));
	say("syscall of six",
	    syscall(SYS_mmap, 0L, 4096L, (long)PROT_NONE,
		    (long)(MAP_PRIVATE | MAP_ANONYMOUS), -1L, 0L) > 0);
}

static void plugin(const char *path)
{
#ifndef NAMES_STATIC
	void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	int (*run)(void);

	if (!handle) {
		printf("%s\n", dlerror());
		return;
	}
	run = (int (*)(void))dlsym(handle, "plugin");
	say("plugin", run ? run() : -1);
#else
	(void)path;
#endif
}

int main(int argc, char **argv)
{
	signal(SIGCHLD, SIG_DFL);
	if (argc > 1 && !strcmp(argv[1], "-s"))
		pause();
	if (argc > 1 && !strcmp(argv[1], "-u")) {
		printf("%d\n", (int)geteuid());
		return 0;
	}
	if (argc > 1 && !strcmp(argv[1], "-")) {
		forks_once();
		return 0;
	}
#if defined(__GLIBC__) && !defined(NAMES_STATIC)
	printf("first: %x\n", (unsigned)first_status);
#endif
	printf("early: %x\n", (unsigned)early_status);
	names();
	forks();
	clones();
	spawns();
	execs();
	waits();
	ends();
	signals();
	memory();
	ids();
	others();
	if (argc > 1)
		plugin(argv[1]);
	return 70;
}
