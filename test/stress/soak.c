/*
 * Everything at once, for a while: children of all kinds, by all names, of a
 * process without threads and of one in which threads fork, allocate and take
 * signals; some of the children are killed or stopped at random moments by the
 * process that started both. Each child has the status that it must have, or
 * was killed; what it did to shared memory was done once, or not; what it did
 * to its own is not its parent's. The parents do not grow: the second half of
 * the time leaves no more memory, mappings, descriptors, marks or children than
 * the first. Argument: seconds; T_SECONDS in the environment wins. Figures go
 * to standard error if T_FIGURES is set.
 */
#include "size.h"
#include "t.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	PARENTS = 2,	  /* without threads, with them */
	FORKERS = 2,	  /* threads of the second */
	LEAST = 120,	  /* children of a half, however long it takes */
	SLACK_KIB = 6144, /* what arenas and stacks may settle at */
	SLACK_MAPPINGS = 12,
	RIGHT = 7,
};

/* What a parent tells, in shared memory. */
static struct told {
	_Atomic pid_t pid;
	_Atomic long children, killed, wrong, in_children;
	struct size size[2];
	bool left[2]; /* a child that nobody waited for */
} * told, *mine;

/* What children count in: one for each thread that forks. */
static _Atomic unsigned *tally;

static double seconds;
static pid_t me;
static unsigned own_word = 1; /* children write here; it is theirs */
static _Atomic bool done;

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* ---- children ---- */

static _Noreturn void become_report(void)
{
	execl(t_report, "report", "exit", "7", (char *)NULL);
	_exit(90);
}

static void use_heap(void)
{
	char *p[20];

	for (int i = 0; i < 20; i++) {
		p[i] = malloc(1000u << i % 8);
		memset(p[i], i, 1000);
	}
	for (int i = 0; i < 20; i++)
		free(p[i]);
}

static void use_mappings(void)
{
	char *at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(at, 1, 1 << 16);
	mprotect(at, 4096, PROT_READ);
	munmap(at, 1 << 20);
	mprotect(t_area, 1 << 20, PROT_READ);
	munmap(t_area + (1 << 20), 1 << 20);
}

static void be_a_daemon(void)
{
	int fd = open("/dev/null", O_RDWR);

	setsid();
	umask(027);
	dup2(fd, 0);
	close_range(3, 900, 0);
}

static void change_rules(void)
{
	struct rlimit no_core = { 0, 0 }, files = { 200, 200 };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &no_core);
	setrlimit(RLIMIT_NOFILE, &files);
}

static void have_a_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		become_report();
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != RIGHT << 8)
		_exit(91);
}

enum kind {
	EXECS,
	LOOKS,
	ALLOCATES,
	MAPS,
	COUNTS,
	WRITES,
	DAEMON,
	RULES,
	PAUSES,
	PAUSES_LONG, /* beyond the budget */
	STOPS,
	ENDS,
	DIES,
	PARENT,	  /* of a child of its own */
	BY_VFORK, /* these by other names than fork */
	BY_SPAWN,
	BY_SYSTEM,
	BY_POPEN,
	KINDS
};

static _Noreturn void child(enum kind kind, unsigned what, int out,
			    _Atomic unsigned *count)
{
	own_word++;
	switch (kind) {
	case LOOKS:
		if (!t_intact(t_area + (what % 8 << 18), 1 << 18))
			_exit(92);
		break;
	case ALLOCATES:
		use_heap();
		break;
	case MAPS:
		use_mappings();
		break;
	case COUNTS:
		(*count)++;
		break;
	case WRITES:
		if (write(out, "0123456789", 10) != 10)
			_exit(93);
		break;
	case DAEMON:
		be_a_daemon();
		break;
	case RULES:
		change_rules();
		break;
	case PAUSES:
		t_sleep_ms((int)what % 4);
		break;
	case PAUSES_LONG:
		t_sleep_ms(120);
		break;
	case STOPS:
		raise(SIGSTOP);
		break;
	case ENDS:
		_exit(RIGHT);
	case DIES:
		raise(SIGTERM);
		break;
	case PARENT:
		have_a_child();
		break;
	default:
		break;
	}
	become_report();
}

/* ---- their parents ---- */

/* Whatever may have been done to it by the one who kills. */
static int wait_for(pid_t pid)
{
	int status;

	for (;;) {
		if (waitpid(pid, &status, WUNTRACED) < 0) {
			if (errno != EINTR)
				return -1;
		} else if (WIFSTOPPED(status)) {
			kill(pid, SIGCONT);
		} else {
			return status;
		}
	}
}

static int by_fork(enum kind kind, unsigned what, _Atomic unsigned *count)
{
	int pipes[2], status;
	char text[16];
	pid_t pid;

	CHECK(!pipe2(pipes, O_CLOEXEC));
	pid = fork();
	if (pid == 0)
		child(kind, what, pipes[1], count);
	CHECK(pid > 0);
	status = wait_for(pid);
	CHECK(!fcntl(pipes[0], F_SETFL, O_NONBLOCK));
	if (kind == WRITES && status == RIGHT << 8 &&
	    read(pipes[0], text, sizeof(text)) != 10)
		status = -2;
	close(pipes[0]);
	close(pipes[1]);
	return status;
}

static int by_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl(t_report, "report", "exit", "7", (char *)NULL);
		_exit(90);
	}
	CHECK(pid > 0);
	return wait_for(pid);
}

static int by_spawn(void)
{
	char *argv[] = { "report", "exit", "7", NULL };
	pid_t pid;

	CHECK(!posix_spawn(&pid, t_report, NULL, NULL, argv, environ));
	return wait_for(pid);
}

static int by_popen(void)
{
	FILE *f = popen("echo x; exit 7", "re");
	int c, status;

	CHECK(f);
	c = fgetc(f);
	status = pclose(f);
	return status == RIGHT << 8 && c != 'x' ? -3 : status;
}

static int make(enum kind kind, unsigned what, _Atomic unsigned *count)
{
	switch (kind) {
	case BY_VFORK:
		return by_vfork();
	case BY_SPAWN:
		return by_spawn();
	case BY_SYSTEM:
		return system("exit 7");
	case BY_POPEN:
		return by_popen();
	default:
		return by_fork(kind, what, count);
	}
}

static void one(unsigned *seed, _Atomic unsigned *count)
{
	enum kind kind = (unsigned)rand_r(seed) % KINDS;
	int want = kind == DIES ? SIGTERM : RIGHT << 8, status;
	bool killed;

	if (kind == PAUSES_LONG && rand_r(seed) % 8)
		kind = EXECS;
	*count = 0;
	status = make(kind, (unsigned)rand_r(seed), count);
	/* of a shell's child, or of a child's */
	killed = status == SIGKILL || status == (128 + SIGKILL) << 8 ||
		 (kind == PARENT && status == 91 << 8);
	mine->children++;
	mine->killed += killed;
	if ((status == want || killed) &&
	    (killed ? *count <= 1 : *count == (kind == COUNTS)) &&
	    own_word == 1)
		return;
	if (mine->wrong++ < 5)
		fprintf(stderr, "kind %d: status %x, counted %u, word %u\n",
			kind, (unsigned)status, *count, own_word);
}

static void *fork_on(void *arg)
{
	unsigned seed = (unsigned)(long)arg + 1;
	double end = now() + seconds / 2;
	long first = mine->children;

	while (now() < end || mine->children - first < LEAST)
		one(&seed, &tally[(mine - told) * FORKERS + (long)arg]);
	return NULL;
}

static void on_signal(int sig)
{
	(void)sig;
	if (getpid() != me)
		mine->in_children++;
}

static void *allocate(void *arg)
{
	unsigned seed = 9;
	void *p[50] = { NULL };

	while (!done) {
		unsigned i = (unsigned)rand_r(&seed) % 50;

		p[i] = realloc(p[i], (unsigned)rand_r(&seed) % 400000 + 1);
		CHECK(p[i]);
		memset(p[i], 1, 1);
	}
	for (int i = 0; i < 50; i++)
		free(p[i]);
	return arg;
}

/* By mmap, mremap and munmap. */
static void *move_big_block(void *arg)
{
	size_t bytes = 2 << 20;
	char *at = NULL;

	while (!done) {
		bytes ^= 6 << 20;
		at = realloc(at, bytes);
		CHECK(at);
		memset(at + bytes - 100000, 1, 100000);
		usleep(300);
	}
	free(at);
	return arg;
}

static void with_threads(void)
{
	static const struct itimerval often = { { 0, 7000 }, { 0, 7000 } };
	static const struct itimerval off;
	pthread_t thread[FORKERS + 2];

	setitimer(ITIMER_REAL, &often, NULL);
	done = false;
	CHECK(!pthread_create(&thread[FORKERS], NULL, allocate, NULL));
	CHECK(!pthread_create(&thread[FORKERS + 1], NULL, move_big_block,
			      NULL));
	for (long i = 0; i < FORKERS; i++)
		CHECK(!pthread_create(&thread[i], NULL, fork_on, (void *)i));
	for (int i = 0; i < FORKERS; i++)
		pthread_join(thread[i], NULL);
	done = true;
	for (int i = FORKERS; i < FORKERS + 2; i++)
		pthread_join(thread[i], NULL);
	setitimer(ITIMER_REAL, &off, NULL);
}

/* In a process of its own. */
static _Noreturn void parent(long number)
{
	struct sigaction sa = { .sa_handler = on_signal,
				.sa_flags = SA_RESTART };

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	mine = &told[number];
	me = getpid();
	if (number == 1)
		sigaction(SIGALRM, &sa, NULL);
	for (int half = 0; half < 2; half++) {
		mine->pid = me;
		if (number == 1)
			with_threads();
		else
			fork_on(NULL);
		mine->pid = 0; /* nobody is killed while we look */
		mine->left[half] = waitpid(-1, NULL, WNOHANG | __WALL) >= 0;
		mine->size[half] = size_now();
	}
	_exit(t_intact(t_area, t_area_bytes) ? 0 : 1);
}

/* ---- who started both ---- */

static int some_thread(pid_t of, unsigned *seed)
{
	int tid = of, seen = 0;
	char path[64];
	struct dirent *e;
	DIR *all;

	snprintf(path, sizeof(path), "/proc/%d/task", of);
	all = opendir(path);
	while (all && (e = readdir(all)))
		if (e->d_name[0] != '.' && rand_r(seed) % ++seen == 0)
			tid = atoi(e->d_name);
	if (all)
		closedir(all);
	return tid;
}

/* One of the children of @of, if its first thread or another has any. */
static pid_t find_child(pid_t of, unsigned *seed)
{
	char path[64], text[4096];
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", of,
		 some_thread(of, seed));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return (pid_t)strtol(text, NULL, 10);
}

/* It may have been reaped, and its number be somebody else's. */
static bool is_child_of(pid_t pid, pid_t of)
{
	char path[64], text[512], *end;
	int fd, parent = 0;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	end = strrchr(text, ')');
	return end && sscanf(end + 1, " %*c %d", &parent) == 1 && parent == of;
}

static void molest(pid_t of, unsigned *seed)
{
	pid_t pid = find_child(of, seed);
	int fd;

	if (pid <= 0)
		return;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return;
	usleep((unsigned)rand_r(seed) % 1500);
	if (is_child_of(pid, of)) {
		if (rand_r(seed) % 3) {
			syscall(SYS_pidfd_send_signal, fd, SIGKILL, NULL, 0);
		} else {
			syscall(SYS_pidfd_send_signal, fd, SIGSTOP, NULL, 0);
			usleep((unsigned)rand_r(seed) % 3000);
			syscall(SYS_pidfd_send_signal, fd, SIGCONT, NULL, 0);
		}
	}
	close(fd);
}

static bool grew(const struct told *t)
{
	const struct size *a = &t->size[0], *b = &t->size[1];

	return b->fds != a->fds || b->marks || a->marks ||
	       b->mappings > a->mappings + SLACK_MAPPINGS ||
	       b->kib > a->kib + SLACK_KIB;
}

static void say(const struct told *t, const char *what)
{
	const struct size *a = &t->size[0], *b = &t->size[1];

	if (getenv("T_FIGURES") || grew(t))
		fprintf(stderr,
			"%s: %ld children, %ld killed; KiB %ld to %ld, "
			"mappings %ld to %ld, descriptors %ld to %ld, marks "
			"%ld to %ld\n",
			what, t->children, t->killed, a->kib, b->kib,
			a->mappings, b->mappings, a->fds, b->fds, a->marks,
			b->marks);
	printf("%s: %ld wrong, %ld signals in children, %s, %s\n", what,
	       t->wrong, t->in_children, grew(t) ? "GREW" : "flat",
	       t->left[0] || t->left[1] ? "A CHILD IS LEFT" : "no child left");
}

int main(int argc, char **argv)
{
	const char *text = getenv("T_SECONDS");
	int running = PARENTS, status;
	unsigned seed = 3;

	seconds = text ? atof(text) : argc > 1 ? atof(argv[1]) : 6;
	t_start(16);
	told = t_shared(4096);
	tally = t_shared(4096);
	for (long i = 0; i < PARENTS; i++)
		if (t_fork() == 0)
			parent(i);
	while (running > 0) {
		pid_t pid = told[(unsigned)rand_r(&seed) % PARENTS].pid;

		if (pid)
			molest(pid, &seed);
		usleep((unsigned)rand_r(&seed) % 20000);
		pid = waitpid(-1, &status, WNOHANG);
		CHECK(pid == 0 || status == 0);
		running -= pid > 0;
	}
	say(&told[0], "without threads");
	say(&told[1], "with threads");
	return t_end();
}
