/*
 * under FILE [CALL=ACTION...] -- PROGRAM [ARG...]: the program, under the
 * seccomp filter that FILE describes, changed by what follows it. FILE may be
 * "all": everything is allowed.
 *
 * Lines of FILE are words:
 *   default ACTION             what is not named below
 *   include FILE               its lines, of the same folder
 *   ACTION CALL...             these calls; a later line has the last word
 *   flags ACTION MASK CALL...  these, where the first argument has a bit of
 *                              MASK; else allowed
 *
 * ACTION: allow, kill, trap, log, notify (to a supervisor that never answers),
 * count (to one that lets the call be made, and writes how many there were to
 * $UNDER_COUNT when the program ends), or the name of an error.
 *
 * Exit: 77 where there are no such filters, 2 for words that mean nothing.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS 512
#define NOTIFY SECCOMP_RET_USER_NOTIF

static const struct {
	const char *name;
	int nr;
} calls[] = {
#include "call-names.h"
};

static const struct {
	const char *name;
	uint32_t action;
} actions[] = {
	{ "allow", SECCOMP_RET_ALLOW },
	{ "kill", SECCOMP_RET_KILL_PROCESS },
	{ "trap", SECCOMP_RET_TRAP },
	{ "log", SECCOMP_RET_LOG },
	{ "notify", NOTIFY },
	{ "count", NOTIFY | 1 }, /* the lower half is not looked at */
	{ "EPERM", SECCOMP_RET_ERRNO | EPERM },
	{ "EACCES", SECCOMP_RET_ERRNO | EACCES },
	{ "ENOSYS", SECCOMP_RET_ERRNO | ENOSYS },
	{ "EINVAL", SECCOMP_RET_ERRNO | EINVAL },
	{ "EAGAIN", SECCOMP_RET_ERRNO | EAGAIN },
};

static uint32_t action_of[CALLS], mask_of[CALLS], otherwise = SECCOMP_RET_ALLOW;

static int nonsense(const char *what)
{
	fprintf(stderr, "under: %s means nothing\n", what);
	exit(2);
}

static uint32_t find_action(const char *name)
{
	for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
		if (!strcmp(actions[i].name, name))
			return actions[i].action;
	nonsense(name);
	return 0;
}

/* -1: not of this machine. */
static int find_call(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (!strcmp(calls[i].name, name) && calls[i].nr < CALLS)
			return calls[i].nr;
	return -1;
}

static void set(const char *name, uint32_t action, uint32_t mask)
{
	int nr = find_call(name);

	if (nr < 0)
		return;
	action_of[nr] = action;
	mask_of[nr] = mask;
}

static void read_lines(const char *path);
static const char *folder = "";

static void include(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	read_lines(path);
}

static void read_line(char *line)
{
	char *word = strtok(line, " \t\n");
	uint32_t action, mask = 0;

	if (!word || *word == '#')
		return;
	if (!strcmp(word, "include")) {
		include(strtok(NULL, " \t\n"));
		return;
	}
	if (!strcmp(word, "default")) {
		otherwise = find_action(strtok(NULL, " \t\n"));
		for (int i = 0; i < CALLS; i++)
			action_of[i] = otherwise;
		return;
	}
	if (!strcmp(word, "flags")) {
		word = strtok(NULL, " \t\n");
		action = find_action(word);
		mask = (uint32_t)strtoul(strtok(NULL, " \t\n"), NULL, 0);
	} else {
		action = find_action(word);
	}
	while ((word = strtok(NULL, " \t\n")))
		set(word, action, mask);
}

static void read_lines(const char *path)
{
	char line[4096];
	FILE *in = fopen(path, "re");

	if (!in) {
		perror(path);
		exit(2);
	}
	while (fgets(line, sizeof(line), in))
		read_line(line);
	fclose(in);
}

static void read_profile(char *path)
{
	char *slash = strrchr(path, '/');

	for (int i = 0; i < CALLS; i++)
		action_of[i] = otherwise;
	if (!strcmp(path, "all"))
		return;
	if (slash) {
		*slash = 0;
		folder = strdup(path);
		*slash = '/';
	} else {
		folder = ".";
	}
	read_lines(path);
}

static void change(char *what)
{
	char *is = strchr(what, '=');

	if (!is)
		nonsense(what);
	*is = 0;
	if (find_call(what) < 0)
		nonsense(what);
	set(what, find_action(is + 1), 0);
}

static struct sock_filter code[CALLS * 5 + 8];
static unsigned short length;

static void add(struct sock_filter f)
{
	code[length++] = f;
}

static void add_return(uint32_t action)
{
	add((struct sock_filter)BPF_STMT(BPF_RET | BPF_K, action));
}

static void add_load(size_t at)
{
	add((struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
					 (uint32_t)at));
}

static void compile(void)
{
	add_load(offsetof(struct seccomp_data, arch));
	add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
					 AUDIT_ARCH_X86_64, 1, 0));
	add_return(SECCOMP_RET_ERRNO | ENOSYS);
	add_load(offsetof(struct seccomp_data, nr));
	for (unsigned nr = 0; nr < CALLS; nr++) {
		if (action_of[nr] == otherwise && !mask_of[nr])
			continue;
		add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, nr,
						 0, mask_of[nr] ? 4 : 1));
		if (mask_of[nr]) {
			add_load(offsetof(struct seccomp_data, args[0]));
			add((struct sock_filter)BPF_JUMP(
				BPF_JMP | BPF_JSET | BPF_K, mask_of[nr], 0, 1));
			add_return(action_of[nr]);
			add_return(SECCOMP_RET_ALLOW);
		} else {
			add_return(action_of[nr]);
		}
	}
	add_return(otherwise);
}

static int uses(uint32_t action)
{
	for (int i = 0; i < CALLS; i++)
		if (action_of[i] == action)
			return 1;
	return 0;
}

/* Lets calls be made and counts them, until nobody is under the filter. */
static void count(int listener)
{
	struct {
		struct seccomp_notif notif;
		char more[512];
	} n;
	struct seccomp_notif_resp answer;
	unsigned made = 0;
	FILE *out;

	for (;;) {
		memset(&n, 0, sizeof(n));
		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n.notif)) {
			if (errno == EINTR)
				continue;
			if (errno != ENOENT)
				break;
			usleep(1000);
			continue;
		}
		made++;
		memset(&answer, 0, sizeof(answer));
		answer.id = n.notif.id;
		answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
		out = fopen(getenv("UNDER_COUNT"), "we");
		if (out) {
			fprintf(out, "%u\n", made);
			fclose(out);
		}
	}
	_exit(0);
}

/* The supervisor lives as long as the program: it is its child, and nobody
 * reaps it. */
static void supervise(int listener, int counts)
{
	pid_t parent = getpid(), pid = (pid_t)syscall(SYS_clone, 0, 0, 0, 0, 0);

	if (pid) {
		close(listener);
		return;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	if (counts)
		count(listener);
	for (;;)
		pause();
}

static int install(void)
{
	struct sock_fprog program = { length, code };
	int counts = uses(NOTIFY | 1), listens = counts || uses(NOTIFY);
	long rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     listens ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &program);
	if (rc < 0)
		return -1;
	if (listens)
		supervise((int)rc, counts);
	return 0;
}

int main(int argc, char **argv)
{
	int i = 2;

	if (argc < 4)
		return 2;
	read_profile(argv[1]);
	for (; i < argc && strcmp(argv[i], "--"); i++)
		change(argv[i]);
	if (++i >= argc)
		return 2;
	compile();
	if (install()) {
		perror("skip: under");
		return 77;
	}
	execvp(argv[i], argv + i);
	perror(argv[i]);
	return 127;
}
