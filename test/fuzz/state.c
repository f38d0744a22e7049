/* States, see state.h. What a process has is set in one order: what needs
 * room or rights first, limits and ids last. */
#include "state.h"
#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	LOCK_AT = 20, /* a byte of "file" that we hold a record lock on */
};

int state_tty = -1;
pid_t state_sibling;
bool state_reaps;

static int lock_fd, probe_fd;
static struct rlimit first_limit[RLIMIT_NLIMITS];
static cpu_set_t first_affinity;
static bool pending;

static void on_signal(int sig)
{
	(void)sig;
}

/* A process group that lives as long as we do, and is not our child. */
static void make_sibling(void)
{
	int hold[2], tell[2];

	MUST(!pipe2(hold, O_CLOEXEC) && !pipe2(tell, O_CLOEXEC));
	if (fork() == 0) {
		pid_t pid = fork();

		if (pid == 0) {
			setpgid(0, 0);
			pid = getpid();
			MUST(write(tell[1], &pid, sizeof(pid)) == sizeof(pid));
			close(hold[1]);
			_exit(read(hold[0], &pid, 1) != 0);
		}
		_exit(0);
	}
	MUST(read(tell[0], &state_sibling, sizeof(pid_t)) == sizeof(pid_t));
	MUST(wait(NULL) > 0);
	close(tell[0]);
	close(tell[1]);
	close(hold[0]);
	scene_out_of_the_way(hold[1]);
}

static void make_terminal(void)
{
	int master, slave;

	if (openpty(&master, &slave, NULL, NULL, NULL))
		return;
	scene_out_of_the_way(master);
	state_tty = scene_out_of_the_way(slave);
	MUST(!ioctl(state_tty, TIOCSCTTY, 0));
}

void state_setup(void)
{
	struct flock lock = { .l_type = F_WRLCK,
			      .l_start = LOCK_AT,
			      .l_len = 1 };

	MUST(setsid() > 0);
	for (int i = 0; i < RLIMIT_NLIMITS; i++)
		getrlimit(i, &first_limit[i]);
	sched_getaffinity(0, sizeof(first_affinity), &first_affinity);
	make_terminal();
	make_sibling();
	lock_fd = scene_out_of_the_way(open("file", O_RDWR));
	probe_fd = scene_out_of_the_way(open("file", O_RDWR));
	MUST(!fcntl(lock_fd, F_SETLK, &lock));
}

static int open_kind(struct rng *r)
{
	int two[2] = { -1, -1 };
	int fd;

	switch (rng_below(r, 13)) {
	case 0:
	case 1:
		fd = open("file", O_RDONLY);
		lseek(fd, rng_below(r, 40), SEEK_SET);
		return fd;
	case 2:
		fd = open("file", O_RDWR | O_NONBLOCK);
		lseek(fd, rng_below(r, 40), SEEK_SET);
		return fd;
	case 3:
		return open("file", O_WRONLY | O_APPEND);
	case 4:
		return open("sub", O_RDONLY | O_DIRECTORY);
	case 5:
		return open("sub/deep", O_PATH);
	case 6:
		return state_tty < 0 ? -1 : dup(state_tty);
	case 7:
		return eventfd(3, 0);
	case 8:
		return open("/dev/null", O_RDWR);
	case 9:
		MUST(!socketpair(AF_UNIX, SOCK_STREAM, 0, two));
		break;
	case 10:
		return dup((int)rng_below(r, STATE_LOW));
	default:
		MUST(!pipe(two));
	}
	fd = (int)rng_below(r, 2);
	close(two[!fd]);
	return two[fd];
}

/* A descriptor of a random kind at number @to, or none. */
static void put(struct rng *r, int to, unsigned percent_open)
{
	int fd, flags = rng_percent(r, 40) ? O_CLOEXEC : 0;

	if (!rng_percent(r, percent_open) || (fd = open_kind(r)) < 0)
		return;
	if (fd != to) {
		MUST(dup3(fd, to, flags) == to);
		close(fd);
	} else if (flags)
		fcntl(fd, F_SETFD, FD_CLOEXEC);
}

static void enter_fds(struct rng *r)
{
	unsigned full = rng_percent(r, 10) ? 100 : 20 + rng_below(r, 60);

	close_range(0, 699, 0);
	for (int fd = 0; fd < STATE_LOW; fd++)
		put(r, fd, full);
	for (int i = 0; i < 4; i++)
		put(r, 100 + (int)rng_below(r, 400), 50);
	if (rng_percent(r, 10))
		for (int fd = 40; fd < 120; fd++)
			put(r, fd, 90);
}

static void enter_signals(struct rng *r)
{
	struct sigaction sa;
	unsigned ignored = rng_below(r, 40), caught = rng_below(r, 40);

	state_reaps = true;
	for (int sig = 1; sig <= 64; sig++) {
		unsigned way = rng_below(r, 100);

		memset(&sa, 0, sizeof(sa));
		sa.sa_handler = SIG_DFL;
		if (way < ignored)
			sa.sa_handler = SIG_IGN;
		else if (way < ignored + caught)
			sa.sa_handler = on_signal;
		if (rng_percent(r, 20))
			sa.sa_flags = SA_RESTART | SA_NODEFER | SA_ONSTACK;
		if (sig == SIGCHLD && rng_percent(r, 10))
			sa.sa_flags |= SA_NOCLDWAIT;
		if (sigaction(sig, &sa, NULL) || sig != SIGCHLD)
			continue;
		state_reaps = sa.sa_handler != SIG_IGN &&
			      !(sa.sa_flags & SA_NOCLDWAIT);
	}
}

static void limit(int which, rlim_t soft)
{
	struct rlimit rl = first_limit[which];

	if (soft < rl.rlim_max)
		rl.rlim_cur = soft;
	setrlimit(which, &rl);
}

static void enter_limits(struct rng *r)
{
	static const rlim_t stack[] = { 8 << 20, 1 << 20, 256 << 10 };
	static const rlim_t nofile[] = { 1024, 1024, 512, 40, 32, 20 };

	limit(RLIMIT_CORE, rng_percent(r, 50) ? 0 : rng_below(r, 1 << 20));
	limit(RLIMIT_FSIZE, rng_percent(r, 70) ? RLIM_INFINITY : 4096);
	limit(RLIMIT_STACK, RNG_PICK(r, stack));
	limit(RLIMIT_MEMLOCK, rng_below(r, 4) * 65536);
	limit(RLIMIT_NOFILE, RNG_PICK(r, nofile));
}

static void enter_ids(struct rng *r)
{
	static const gid_t groups[] = { 65534, 3, 0, 77 };

	if (getuid() && geteuid())
		return;
	MUST(!setgroups(rng_below(r, 4), groups));
	MUST(!setegid(rng_percent(r, 20) ? 65534 : 0));
	if (rng_percent(r, 15))
		MUST(!setresuid(0, 65534, 0));
	else if (rng_percent(r, 5))
		MUST(!setresuid(65534, 0, 0));
}

static void enter_scheduling(struct rng *r)
{
	static const int policy[] = { SCHED_OTHER, SCHED_OTHER, SCHED_BATCH };
	struct sched_param zero = { 0 };
	cpu_set_t one;

	sched_setscheduler(0, RNG_PICK(r, policy), &zero);
	setpriority(PRIO_PROCESS, 0, (int)rng_below(r, 3));
	sched_setaffinity(0, sizeof(first_affinity), &first_affinity);
	if (rng_percent(r, 20)) {
		CPU_ZERO(&one);
		CPU_SET(sched_getcpu(), &one);
		sched_setaffinity(0, sizeof(one), &one);
	}
	prctl(PR_SET_TIMERSLACK, rng_percent(r, 30) ? 70000 : 0, 0, 0, 0);
	prctl(PR_SET_THP_DISABLE, rng_percent(r, 10), 0, 0, 0);
	personality(rng_percent(r, 10) ? ADDR_NO_RANDOMIZE : 0);
}

static void enter_cwd(struct rng *r)
{
	static const char *const dirs[] = { "sub", "sub/deep", "bin",
					    "/",   "/proc",    "gone" };
	const char *dir = RNG_PICK(r, dirs);

	if (rng_percent(r, 50))
		return; /* the scene itself */
	if (!strcmp(dir, "gone"))
		MUST(!mkdir(dir, 0777));
	MUST(!chdir(dir));
	if (!strcmp(dir, "gone"))
		MUST(!unlinkat(scene_dir_fd, "gone", AT_REMOVEDIR));
}

void state_enter(uint64_t seed, uint64_t block)
{
	struct rng r = rng_of(seed ^ 0x5ce4e, block);

	if (getuid() == 0 || geteuid() == 0)
		MUST(!setresuid(0, 0, 0) && !setresgid(0, 0, 0));
	MUST(!fchdir(scene_dir_fd));
	umask(0);
	for (int i = 0; i < RLIMIT_NLIMITS; i++)
		setrlimit(i, &first_limit[i]);
	limit(RLIMIT_NOFILE, 4096);
	enter_signals(&r);
	enter_fds(&r);
	enter_scheduling(&r);
	enter_cwd(&r);
	enter_limits(&r);
	enter_ids(&r);
	prctl(PR_SET_DUMPABLE, !rng_percent(&r, 20), 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL); /* forgotten with the ids */
}

void state_tweak(struct rng *r)
{
	uint64_t bits = rng_sparse(r);
	sigset_t set;

	sigemptyset(&set);
	for (int sig = 1; sig <= 64; sig++)
		if (bits >> (sig - 1) & 1)
			sigaddset(&set, sig);
	/* those that nearly nobody blocks, and of ended children */
	if (rng_percent(r, 70)) {
		sigdelset(&set, SIGSEGV);
		sigdelset(&set, SIGSYS);
		sigdelset(&set, SIGCHLD);
	}
	pending = rng_percent(r, 10);
	if (pending) {
		sigaddset(&set, SIGUSR1);
		sigaddset(&set, SIGRTMIN + 1);
	}
	/* a terminal that we give back must not stop us */
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_SETMASK, &set, NULL);
	umask(rng_percent(r, 50) ? 022 : (mode_t)rng_below(r, 01000));
	if (pending) {
		raise(SIGUSR1);
		sigqueue(getpid(), SIGRTMIN + 1, (union sigval){ 0 });
	}
}

bool state_untweak(void)
{
	static const struct timespec now = { 0, 0 };
	sigset_t set;
	bool lost = false;
	struct sigaction sa;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaddset(&set, SIGRTMIN + 1);
	for (int i = 0; i < 2 && pending; i++) {
		int sig = i ? SIGRTMIN + 1 : SIGUSR1;

		sigaction(sig, NULL, &sa);
		/* what is ignored may be dropped while blocked or not */
		if (sigtimedwait(&set, NULL, &now) < 0 &&
		    sa.sa_handler != SIG_IGN)
			lost = true;
	}
	pending = false;
	return !lost;
}

/* Is the record lock still there? */
static int lock_holder(void)
{
	struct flock lock = { .l_type = F_WRLCK,
			      .l_start = LOCK_AT,
			      .l_len = 1 };

	fcntl(probe_fd, F_OFD_GETLK, &lock);
	return lock.l_type == F_WRLCK;
}

static uint64_t mix(uint64_t h, uint64_t value)
{
	return (h ^ value) * 0x9e3779b97f4a7c15u;
}

bool state_has_room(void)
{
	int fd = dup(scene_dir_fd);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

uint64_t state_digest(void)
{
	int free_fd = dup(scene_dir_fd);
	uint64_t h = mix(1, (uint64_t)free_fd), mask = 0;
	sigset_t set;
	struct stat st;
	mode_t old = umask(0);

	umask(old);
	if (free_fd >= 0)
		close(free_fd);
	sigprocmask(SIG_SETMASK, NULL, &set);
	memcpy(&mask, &set, sizeof(mask));
	h = mix(h, mask);
	h = mix(h, old);
	h = mix(h, (uint64_t)lock_holder());
	h = mix(h, geteuid());
	return stat(".", &st) ? h : mix(h, st.st_ino);
}

void state_lift_file_size(void)
{
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
}

void state_print(void)
{
	struct rlimit rl;
	char cwd[256];

	getrlimit(RLIMIT_NOFILE, &rl);
	dprintf(scene_log,
		"  state: euid %d egid %d cwd %s nofile %ld reaps %d\n",
		(int)geteuid(), (int)getegid(),
		getcwd(cwd, sizeof(cwd)) ? cwd : "none", (long)rl.rlim_cur,
		state_reaps);
	for (int fd = 0; fd < 700; fd++) {
		int flags = fcntl(fd, F_GETFD);
		char link[64], to[128];
		ssize_t n;

		if (flags < 0)
			continue;
		snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
		n = readlink(link, to, sizeof(to));
		dprintf(scene_log, "  fd %d%s -> %.*s\n", fd,
			flags ? " cloexec" : "", n < 0 ? 0 : (int)n, to);
	}
}
