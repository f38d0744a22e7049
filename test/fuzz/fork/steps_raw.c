/* Raw calls with arguments of all kinds, as no program would make them: what
 * the kernel says, and writes where it may. */
#include "steps.h"
#include "world.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static const struct timespec at_once;

/*
 * A letter for each argument:
 *	f  a descriptor		p  memory	n  memory for noise
 *	s  a path		l  a length	i  a small number
 *	0  nothing		1  the first fixed one
 */
static const struct call {
	long nr;
	const char *arguments;
	long fixed;
} calls[] = {
	{ SYS_statx, "fs0in", 0 },
	{ SYS_newfstatat, "fsn0", 0 },
	{ SYS_faccessat, "fsi", 0 },
	{ SYS_faccessat2, "fsi0", 0 },
	{ SYS_access, "si", 0 },
	{ SYS_readlink, "spl", 0 },
	{ SYS_readlinkat, "fspl", 0 },
	{ SYS_statfs, "sn", 0 },
	{ SYS_fstatfs, "fn", 0 },
	{ SYS_fstat, "fn", 0 },
	{ SYS_openat, "fs1", O_RDONLY | O_CLOEXEC },
	{ SYS_getcwd, "pl", 0 },
	{ SYS_chdir, "s", 0 },
	{ SYS_capget, "pp", 0 },
	{ SYS_capset, "pp", 0 },
	{ SYS_getcpu, "nn0", 0 },
	{ SYS_sysinfo, "n", 0 },
	{ SYS_getrusage, "in", 0 },
	{ SYS_gettimeofday, "nn", 0 },
	{ SYS_clock_gettime, "in", 0 },
	{ SYS_clock_gettime, "1p", 99 },
	{ SYS_clock_getres, "ip", 0 },
	{ SYS_getrandom, "nl0", 0 },
	{ SYS_getrandom, "p00", 0 },
	{ SYS_getrandom, "pl1", 0x100 },
	{ SYS_getitimer, "in", 0 },
	{ SYS_getrlimit, "ip", 0 },
	{ SYS_prlimit64, "0i0p", 0 },
	{ SYS_sched_setaffinity, "0lp", 0 },
	{ SYS_sched_getaffinity, "0lp", 0 },
	{ SYS_sched_setparam, "0p", 0 },
	{ SYS_sched_getparam, "0p", 0 },
	{ SYS_sched_get_priority_max, "i", 0 },
	{ SYS_prctl, "1p", PR_SET_NAME },
	{ SYS_prctl, "1p", PR_GET_NAME },
	{ SYS_prctl, "1p", PR_GET_PDEATHSIG },
	{ SYS_prctl, "1i", PR_CAPBSET_READ },
	{ SYS_prctl, "1p", PR_GET_CHILD_SUBREAPER },
	{ SYS_setgroups, "ip", 0 },
	{ SYS_getgroups, "ip", 0 },
	{ SYS_getresuid, "ppp", 0 },
	{ SYS_getresgid, "ppp", 0 },
	{ SYS_setfsuid, "i", 0 },
	{ SYS_setreuid, "11", -1 },
	{ SYS_getsockname, "fpp", 0 },
	{ SYS_getpeername, "fpp", 0 },
	{ SYS_getsockopt, "fiipp", 0 },
	{ SYS_fadvise64, "flli", 0 },
	{ SYS_poll, "pi0", 0 },
	{ SYS_pselect6, "ippp1", (long)&at_once },
	{ SYS_futex, "p1i", FUTEX_WAKE_PRIVATE },
	{ SYS_set_robust_list, "pl", 0 },
	{ SYS_membarrier, "i00", 0 },
	{ SYS_memfd_create, "s0", 0 },
	{ SYS_socket, "iii", 0 },
	{ SYS_epoll_create1, "0", 0 },
	{ SYS_rt_sigaction, "ipp1", 8 },
	{ SYS_rt_sigprocmask, "10pl", 2 },
	{ SYS_rt_sigpending, "nl", 0 },
	{ SYS_sigaltstack, "0p", 0 },
	{ SYS_ioprio_get, "10", 1 },
	{ SYS_uname, "p", 0 },
	{ SYS_arch_prctl, "1p", 0x1003 },
	{ SYS_lseek, "f01", 1 },
	{ SYS_fcntl, "fi0", 0 },
	{ SYS_ioctl, "f1p", 0x5413 },
	{ SYS_close_range, "111", 5000 },
	{ SYS_dup3, "ff0", 0 },
};

/* Anywhere, over the border of two pages, or as it comes. */
static const char *pick_path(struct rng *r)
{
	static const char *const paths[] = {
		"file", "sub/../file", "sub",	    "missing", ".",
		"/",	"symlink",     "/dev/null", "loop",    "",
	};
	const char *path = RNG_PICK(r, paths);
	struct region *g = &world[rng_below(r, 2)];
	unsigned page = 1 + rng_below(r, g->pages - 1);
	char *at = g->at + (size_t)page * WORLD_PAGE - rng_below(r, 16);

	if (rng_percent(r, 20))
		return step_buffer(r, 8).at;
	if (rng_percent(r, 40) || !(g->page[page - 1] & g->page[page] & 2))
		return path;
	return strcpy(at, path);
}

static long pick(struct rng *r, char kind, long fixed)
{
	static const unsigned lengths[] = { 0, 1, 4, 8, 16, 24, 128, 5000 };

	switch (kind) {
	case 'f':
		return step_fd(r);
	case 'p':
		return (long)step_own_buffer(r, 1).at;
	case 'n':
		return rng_percent(r, 5) ?
			       8 :
			       (long)(world_noise + rng_below(r, 4000));
	case 's':
		return (long)pick_path(r);
	case 'l':
		return RNG_PICK(r, lengths);
	case 'i':
		return rng_below(r, 9);
	case '1':
		return fixed;
	default:
		return 0;
	}
}

static long call_it(struct rng *r)
{
	const struct call *c = &RNG_PICK(r, calls);
	long a[6] = { 0 }, result;

	for (int i = 0; c->arguments[i]; i++)
		a[i] = pick(r, c->arguments[i], c->fixed);
	result =
		step_result(syscall(c->nr, a[0], a[1], a[2], a[3], a[4], a[5]));
	/* how many there are is others' doing: commands write when they can */
	if ((c->nr == SYS_poll || c->nr == SYS_pselect6) && result > 0)
		result = 0;
	return c->nr * 1000000 + result;
}

const struct step steps_raw[] = {
	STEP(1, call_it),
	{ 0 },
};
