/*
 * under FILE [CALL=ACTION...] -- PROGRAM [ARG...]: the program, under the
 * seccomp filter that FILE describes, changed by what follows it. FILE may be
 * "all": everything is allowed. CALL, too: then FILE has no say.
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
 * $UNDER_COUNT), note (likewise, which there were to $UNDER_NOTES), slow
 * (as count, each 0.3 s later), dies (to one that lets $UNDER_LIFE calls be
 * made, and is no more), errs (likewise, and refuses the next $UNDER_ERRORS with
 * EPERM, before it lets all be made), nothing (the call says 0 and is not made), or the name of an
 * error. Behind CALL=ACTION may stand @MASK=VALUE: where the first argument has
 * VALUE in MASK, the call is allowed.
 *
 * Exit: 77 where there are no such filters, 2 for words that mean nothing.
 */
#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CALLS 512
/* Of these the lower half is not looked at. */
#define NOTIFY SECCOMP_RET_USER_NOTIF
#define COUNT (SECCOMP_RET_USER_NOTIF | 1)
#define NOTE (SECCOMP_RET_USER_NOTIF | 2)
#define SLOW (SECCOMP_RET_USER_NOTIF | 3)
#define DIES (SECCOMP_RET_USER_NOTIF | 4)
#define ERRS (SECCOMP_RET_USER_NOTIF | 5)
#define SLOW_US 300000

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
	{ "count", COUNT },
	{ "note", NOTE },
	{ "slow", SLOW },
	{ "dies", DIES },
	{ "errs", ERRS },
	{ "nothing", SECCOMP_RET_ERRNO | 0 },
	{ "EPERM", SECCOMP_RET_ERRNO | EPERM },
	{ "EACCES", SECCOMP_RET_ERRNO | EACCES },
	{ "ENOSYS", SECCOMP_RET_ERRNO | ENOSYS },
	{ "EINVAL", SECCOMP_RET_ERRNO | EINVAL },
	{ "EAGAIN", SECCOMP_RET_ERRNO | EAGAIN },
};

/* Some arguments are allowed: those without a bit of the mask, or with that
 * value in it. */
static uint32_t mask_of[CALLS], value_of[CALLS];
static int by_value[CALLS];
static uint32_t action_of[CALLS], otherwise = SECCOMP_RET_ALLOW;

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
	by_value[nr] = 0;
}

static void read_lines(const char *path);
static const char *folder = "";

static void include(const char *name)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	read_lines(path);
}

static void set_all(uint32_t action)
{
	otherwise = action;
	for (int i = 0; i < CALLS; i++)
		action_of[i] = action;
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
		set_all(find_action(strtok(NULL, " \t\n")));
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

static void set_value(int nr, const char *text)
{
	char *end;

	mask_of[nr] = (uint32_t)strtoul(text, &end, 0);
	if (*end != '=')
		nonsense(text);
	value_of[nr] = (uint32_t)strtoul(end + 1, NULL, 0);
	by_value[nr] = 1;
}

static void change(char *what)
{
	char *is = strchr(what, '='), *where;

	if (!is)
		nonsense(what);
	*is = 0;
	where = strchr(is + 1, '@');
	if (where)
		*where = 0;
	if (!strcmp(what, "all")) {
		set_all(find_action(is + 1));
		return;
	}
	if (find_call(what) < 0)
		nonsense(what);
	set(what, find_action(is + 1), 0);
	if (where)
		set_value(find_call(what), where + 1);
}

static struct sock_filter code[CALLS * 6 + 8];
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

static void add_jump(int how, uint32_t value, uint8_t is, uint8_t is_not)
{
	add((struct sock_filter)BPF_JUMP((uint16_t)(BPF_JMP | how | BPF_K),
					 value, is, is_not));
}

/* Of one call; it comes back to nobody. */
static void add_answer(int nr)
{
	if (mask_of[nr]) {
		add_load(offsetof(struct seccomp_data, args[0]));
		if (by_value[nr]) {
			add((struct sock_filter)BPF_STMT(
				BPF_ALU | BPF_AND | BPF_K, mask_of[nr]));
			add_jump(BPF_JEQ, value_of[nr], 1, 0);
		} else {
			add_jump(BPF_JSET, mask_of[nr], 0, 1);
		}
	}
	add_return(action_of[nr]);
	if (mask_of[nr])
		add_return(SECCOMP_RET_ALLOW);
}

static void compile(void)
{
	add_load(offsetof(struct seccomp_data, arch));
	add((struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K,
					 AUDIT_ARCH_X86_64, 1, 0));
	add_return(SECCOMP_RET_ERRNO | ENOSYS);
	add_load(offsetof(struct seccomp_data, nr));
	for (int nr = 0; nr < CALLS; nr++) {
		unsigned short jump = length;

		if (action_of[nr] == otherwise && !mask_of[nr])
			continue;
		add_jump(BPF_JEQ, (uint32_t)nr, 0, 0);
		add_answer(nr);
		code[jump].jf = (uint8_t)(length - jump - 1);
	}
	add_return(otherwise);
}

static int uses(uint32_t action)
{
	if (otherwise == action)
		return 1;
	for (int i = 0; i < CALLS; i++)
		if (action_of[i] == action)
			return 1;
	return 0;
}

/* Between the program and its supervisor: the listener's number, and that it
 * is taken over. Nobody makes a call for it, as all may be supervised. */
struct meeting {
	_Atomic int listener;
	_Atomic int taken;
};

static void write_count(unsigned made)
{
	FILE *out = fopen(getenv("UNDER_COUNT"), "we");

	if (!out)
		return;
	fprintf(out, "%u\n", made);
	fclose(out);
}

static const char *name_of(int nr)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(*calls); i++)
		if (calls[i].nr == nr)
			return calls[i].name;
	return "?";
}

/* Each call once. */
static void write_name(int nr)
{
	static int seen[CALLS];
	FILE *out;

	if (nr < 0 || nr >= CALLS || seen[nr]++)
		return;
	out = fopen(getenv("UNDER_NOTES"), "ae");
	if (!out)
		return;
	fprintf(out, "%s\n", name_of(nr));
	fclose(out);
}

static unsigned number_of(const char *variable)
{
	const char *text = getenv(variable);

	return text ? (unsigned)atoi(text) : 0;
}

/* Lets calls be made and writes of them, until nobody is under the filter. */
static void let_through(int listener, uint32_t action)
{
	struct {
		struct seccomp_notif notif;
		char more[512];
	} n;
	struct seccomp_notif_resp answer;
	const unsigned life = number_of("UNDER_LIFE"),
		       errors = number_of("UNDER_ERRORS");
	unsigned made = 0;

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
		if (action == DIES && made > life)
			break;
		if (action == SLOW)
			usleep(SLOW_US);
		if (action == NOTE)
			write_name(n.notif.data.nr);
		else if (getenv("UNDER_COUNT"))
			write_count(made);
		memset(&answer, 0, sizeof(answer));
		answer.id = n.notif.id;
		if (action == ERRS && made > life && made - life <= errors)
			answer.error = -EPERM;
		else
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
	close(listener);
}

static void supervisor_main(struct meeting *m, uint32_t action)
{
	int listener;

	while ((listener = m->listener) < 0)
		usleep(100);
	if (unshare(CLONE_FILES))
		_exit(1);
	m->taken = 1;
	for (int fd = 0; fd < 3; fd++)
		close(fd);
	if (action != NOTIFY)
		let_through(listener, action);
	/* It is not to be found as one that has ended. */
	for (;;)
		pause();
}

/* The supervisor lives as long as the program: it is its child, and nobody
 * reaps it. It is under no filter, and sees the listener come. */
static struct meeting *supervise(uint32_t action)
{
	pid_t parent = getpid();
	struct meeting *m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (m == MAP_FAILED)
		return NULL;
	m->listener = -1;
	if (syscall(SYS_clone, CLONE_FILES, 0, 0, 0, 0))
		return m;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	supervisor_main(m, action);
	_exit(1);
}

static int install(void)
{
	static const uint32_t supervised[] = { NOTIFY, COUNT, NOTE, SLOW,
					       DIES,   ERRS };
	struct sock_fprog program = { length, code };
	struct meeting *m = NULL;
	long rc;

	for (size_t i = 0; i < sizeof(supervised) / 4 && !m; i++)
		if (uses(supervised[i]))
			m = supervise(supervised[i]);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return -1;
	rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER,
		     m ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0, &program);
	if (rc < 0)
		return -1;
	if (m)
		m->listener = (int)rc;
	while (m && !m->taken)
		;
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
