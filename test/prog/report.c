/*
 * What the behaviour programs' children exec: says what a program finds when
 * it starts, in words that are the same from run to run. Runs after exec.
 *
 * report say TEXT | exit N | hash-args | state | fds | env | pending |
 *        pause | itimers | stdin
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <unistd.h>

extern char **environ;

static void say_fds(void)
{
	for (int fd = 0; fd < 4096; fd++) {
		int flags = fcntl(fd, F_GETFD);
		struct stat st;

		if (flags < 0 || fstat(fd, &st) < 0)
			continue;
		printf("fd %d flags %d status %o type %o offset %ld\n", fd,
		       flags, fcntl(fd, F_GETFL), st.st_mode & S_IFMT,
		       fd > 2 && S_ISREG(st.st_mode) ?
			       (long)lseek(fd, 0, SEEK_CUR) :
			       -1);
	}
}

static void say_status_lines(void)
{
	static const char *const wanted[] = {
		"Name:",	 "Umask:",     "Uid:",	      "Gid:",
		"Groups:",	 "Threads:",   "SigPnd:",     "ShdPnd:",
		"SigBlk:",	 "SigIgn:",    "SigCgt:",     "CapEff:",
		"CapPrm:",	 "CapBnd:",    "NoNewPrivs:", "Seccomp:",
		"Cpus_allowed:", "TracerPid:",
	};
	FILE *f = fopen("/proc/self/status", "re");
	char line[4096];

	while (f && fgets(line, sizeof(line), f))
		for (size_t i = 0; i < sizeof(wanted) / sizeof(*wanted); i++)
			if (!strncmp(line, wanted[i], strlen(wanted[i])))
				fputs(line, stdout);
	if (f)
		fclose(f);
}

static void say_itimers(void)
{
	for (int which = 0; which < 3; which++) {
		struct itimerval v;

		getitimer(which, &v);
		printf("itimer %d: %s\n", which,
		       v.it_value.tv_sec || v.it_value.tv_usec ? "runs" :
								 "off");
	}
}

/* Field 38 of stat: the signal the parent gets when this process ends. */
static int exit_signal(void)
{
	char text[4096];
	FILE *f = fopen("/proc/self/stat", "re");
	size_t n = f ? fread(text, 1, sizeof(text) - 1, f) : 0;
	char *p;

	if (f)
		fclose(f);
	text[n] = 0;
	p = strrchr(text, ')');
	for (int field = 2; p && field < 38; field++)
		p = strchr(p + 1, ' ');
	return p ? atoi(p) : -1;
}

static const char *relation(pid_t id)
{
	pid_t parent = getppid();

	if (id == getpid())
		return "own";
	if (id == getpgid(parent))
		return "group of the parent";
	if (id == getsid(parent))
		return "session of the parent";
	return "other";
}

static void say_state(void)
{
	char cwd[4096];
	const char *base;
	struct rlimit rl;
	stack_t ss;
	int sig = 0;

	say_status_lines();
	base = getcwd(cwd, sizeof(cwd)) ? strrchr(cwd, '/') : NULL;
	printf("cwd %s\n", base ? base + 1 : "?");
	printf("group %s\n", relation(getpgrp()));
	printf("session %s\n", getsid(0) == getpid()	      ? "own" :
			       getsid(0) == getsid(getppid()) ? "the parent's" :
								"other");
	for (int i = 0; i < RLIMIT_NLIMITS; i++) {
		getrlimit(i, &rl);
		printf("rlimit %d %llx %llx\n", i,
		       (unsigned long long)rl.rlim_cur,
		       (unsigned long long)rl.rlim_max);
	}
	errno = 0;
	printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
	printf("policy %d\n", sched_getscheduler(0));
	prctl(PR_GET_PDEATHSIG, &sig);
	printf("pdeathsig %d\n", sig);
	printf("dumpable %d\n", prctl(PR_GET_DUMPABLE));
	printf("keepcaps %d\n", prctl(PR_GET_KEEPCAPS));
	printf("securebits %d\n", prctl(PR_GET_SECUREBITS));
	printf("slack %d\n", prctl(PR_GET_TIMERSLACK));
	printf("no new privs %d\n", prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0));
	printf("thp disable %d\n", prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
	sig = 0;
	prctl(PR_GET_CHILD_SUBREAPER, &sig);
	printf("subreaper %d\n", sig);
	printf("personality %x\n", personality(0xffffffff));
	sigaltstack(NULL, &ss);
	printf("altstack %s\n", ss.ss_flags & SS_DISABLE ? "none" : "set");
	printf("exit signal %d\n", exit_signal());
	say_itimers();
	say_fds();
}

/* Everything but what makes us preloaded. */
static void say_env(void)
{
	for (char **e = environ; *e; e++)
		if (strncmp(*e, "LD_", 3) && strncmp(*e, "FLATFORK", 8) &&
		    strncmp(*e, "T_REPORT", 8))
			puts(*e);
}

static void say_pending(void)
{
	sigset_t set, mask;

	if (getenv("T_TEXT"))
		puts(getenv("T_TEXT"));
	sigpending(&set);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	for (int s = 1; s <= 64; s++) {
		struct sigaction sa;

		if (sigismember(&set, s) == 1)
			printf("pending %d\n", s);
		if (sigismember(&mask, s) == 1)
			printf("blocked %d\n", s);
		if (!sigaction(s, NULL, &sa) && sa.sa_handler == SIG_IGN)
			printf("ignored %d\n", s);
		else if (!sigaction(s, NULL, &sa) && sa.sa_handler != SIG_DFL)
			printf("caught %d\n", s);
	}
}

static void hash_args(int argc, char **argv)
{
	uint64_t h = 0xcbf29ce484222325u;
	size_t bytes = 0;

	for (int i = 2; i < argc; i++) {
		for (const char *c = argv[i]; *c; c++, bytes++)
			h = (h ^ (unsigned char)*c) * 0x100000001b3u;
		h = (h ^ 0xff) * 0x100000001b3u;
	}
	printf("%d arguments, %zu bytes, hash %016llx\n", argc - 2, bytes,
	       (unsigned long long)h);
}

int main(int argc, char **argv)
{
	const char *topic = argc > 1 ? argv[1] : "";

	if (!strcmp(topic, "exit"))
		return argc > 2 ? atoi(argv[2]) : 0;
	if (!strcmp(topic, "say"))
		printf("%s\n", argc > 2 ? argv[2] : "");
	else if (!strcmp(topic, "hash-args"))
		hash_args(argc, argv);
	else if (!strcmp(topic, "state"))
		say_state();
	else if (!strcmp(topic, "fds"))
		say_fds();
	else if (!strcmp(topic, "env"))
		say_env();
	else if (!strcmp(topic, "pending"))
		say_pending();
	else if (!strcmp(topic, "itimers"))
		say_itimers();
	else if (!strcmp(topic, "pause")) {
		alarm(30);
		pause();
	} else if (!strcmp(topic, "stdin")) {
		char text[256];
		ssize_t n = read(0, text, sizeof(text) - 1);

		printf("read %zd: %.*s\n", n, n > 0 ? (int)n : 0, text);
	} else {
		fprintf(stderr, "report: no topic '%s'\n", topic);
		return 2;
	}
	return 0;
}
