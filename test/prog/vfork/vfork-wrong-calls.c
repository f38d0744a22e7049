/*
 * Children of vfork that call what needs a process of its own, or what would
 * change their parent's address space: other children, threads, prctl,
 * mlockall, setuid. They do what children of fork do.
 *
 * Test: -w vfork-wrong-calls-CASE CASE
 */
#include "cases.h"

#include <errno.h>
#include <pthread.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/rseq.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static int status_of(pid_t pid)
{
	int status = -1;

	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		return 97;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 96;
}

/* The child's side of a case: the value is its exit code. What a child that
 * stays right wrote into the frame its parent sees, so nobody asks here. */
static void child_stays(int (*child)(void))
{
	pid_t pid = start();

	if (pid == 0)
		_exit(child());
	t_reap(pid, "child");
}

/* The frame of a wrong one is its parent's as it was at the call. */
static void child_makes(int (*child)(void))
{
	volatile long local = 7;
	pid_t pid = start();

	if (pid == 0) {
		int code;

		local = 8;
		code = child();
		_exit(local == 8 ? code : 95);
	}
	t_reap(pid, "child");
	printf("parent: local %ld\n", local);
}

/* ---- other children ---- */

static int child_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(getppid() == getpid() ? 90 : 21);
	return status_of(pid);
}

/*
 * vfork has succeeded, whatever becomes of its child then.
 * Test: -w -e FLATFORK_FAULT=sud-off-child
 *       vfork-wrong-calls-CASE-no_dispatch CASE
 * Test: -w -e FLATFORK_FAULT=no-way-back
 *       vfork-wrong-calls-CASE-no_way_back CASE
 * Test: -w -e FLATFORK_FAULT=no-room
 *       vfork-wrong-calls-CASE-no_room CASE
 */
CASE(acts_first)
{
	char c = 0;
	int fd[2];
	pid_t pid;

	CHECK(!pipe(fd));
	pid = start();
	if (pid == 0) {
		CHECK(write(fd[1], "x", 1) == 1);
		_exit(child_fork());
	}
	CHECK(pid > 0 && waitpid(pid, NULL, 0) == pid);
	close(fd[1]);
	CHECK(read(fd[0], &c, 1) == 1 && c == 'x');
	close(fd[0]);
}

static int child__Fork(void)
{
	pid_t pid = _Fork();

	if (pid == 0)
		_exit(22);
	return status_of(pid);
}

static int child_fork_exec(void)
{
	pid_t pid = fork();

	if (pid == 0)
		t_exec_exit(23);
	return status_of(pid);
}

static FRAME int child_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0)
		_exit(24);
	return status_of(pid);
}

static FRAME int child_vfork_exec(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		execl(t_report, "report", "exit", "25", (char *)NULL);
		_exit(91);
	}
	return status_of(pid);
}

static int child_sys_fork(void)
{
	long pid = syscall(SYS_fork);

	if (pid == 0)
		_exit(26);
	return status_of(pid);
}

static int child_forkpty(void)
{
	int master, code;
	pid_t pid = forkpty(&master, NULL, NULL, NULL);

	if (pid == 0)
		_exit(isatty(0) ? 27 : 92);
	code = status_of(pid);
	close(master);
	return code;
}

static int child_spawn(void)
{
	char *argv[] = { "report", "exit", "28", NULL };
	pid_t pid;

	if (posix_spawn(&pid, t_report, NULL, NULL, argv, environ))
		return 93;
	return status_of(pid);
}

static int child_system(void)
{
	return system("exit 29") >> 8;
}

static int child_popen(void)
{
	FILE *f = popen("echo 30", "r");
	int value = 0;

	if (!f || fscanf(f, "%d", &value) != 1)
		return 94;
	pclose(f);
	return value;
}

/* The daemon reports by a pipe; its own parent is gone by _exit(0). */
static int report_to[2];

static int child_daemon(void)
{
	close(report_to[0]);
	if (daemon(1, 1))
		return 94;
	if (getsid(0) != getpid() || getppid() == first_pid)
		return write(report_to[1], "no daemon\n", 10) != 10;
	return write(report_to[1], "daemon\n", 7) != 7;
}

CASE(daemon)
{
	char got[64] = "";
	size_t all = 0;
	ssize_t n;

	CHECK(!pipe(report_to));
	child_makes(child_daemon);
	close(report_to[1]);
	while ((n = read(report_to[0], got + all, sizeof(got) - 1 - all)) > 0)
		all += n;
	close(report_to[0]);
	printf("%s", got);
}

/* ---- threads ---- */

static void *in_thread(void *arg)
{
	return (char *)arg + (gettid() != getpid() ? 31 : 60);
}

static int child_thread(void)
{
	pthread_t thread;
	void *result = NULL;

	if (pthread_create(&thread, NULL, in_thread, NULL) ||
	    pthread_join(thread, &result))
		return 94;
	return (int)(intptr_t)result;
}

static int child_pthread_exit(void)
{
	pthread_exit(NULL);
}

static int child_thread_then_exit(void)
{
	int code = child_thread();

	exit(code);
}

/* With other threads in the parent, which the child does not have. */
static volatile int stop;

static void *counts(void *arg)
{
	while (!stop) {
		++*(volatile long *)arg;
		sched_yield();
	}
	return NULL;
}

static void beside_threads(void (*as)(int (*child)(void)), int (*child)(void))
{
	pthread_t thread[2];
	long count[2] = { 0 };

	stop = 0;
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_create(&thread[i], NULL, counts, &count[i]));
	as(child);
	stop = 1;
	for (int i = 0; i < 2; i++)
		CHECK(!pthread_join(thread[i], NULL));
}

CASE(thread_in_threads)
{
	beside_threads(child_makes, child_thread);
}

CASE(fork_in_threads)
{
	beside_threads(child_makes, child_fork_exec);
}

static int child_exit(void)
{
	exit(32);
}

CASE(exit_in_threads)
{
	beside_threads(child_makes, child_exit);
}

/* pthread state of what a child has become, and of its parent after. */
static int pthread_state(void)
{
	pthread_mutex_t mutex;
	pthread_mutexattr_t attr;
	void *head = NULL;
	size_t size = 0;
	int bad = 0;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutex_init(&mutex, &attr);
	bad |= pthread_mutex_lock(&mutex) != 0;
	bad |= (pthread_mutex_lock(&mutex) != EDEADLK) << 1;
	bad |= ((mutex.__data.__owner & 0x3fffffff) != gettid()) << 2;
	bad |= (pthread_mutex_unlock(&mutex) != 0) << 3;
	bad |= (gettid() != getpid()) << 4;
	syscall(SYS_get_robust_list, 0, &head, &size);
	bad |= (head == NULL) << 5;
	bad |= (pthread_kill(pthread_self(), 0) != 0) << 6;
	return bad;
}

/* The kernel keeps the number of the CPU there only if it knows the area. */
static int rseq_follows(void)
{
	struct rseq *area = (struct rseq *)((char *)__builtin_thread_pointer() +
					    __rseq_offset);
	cpu_set_t all, one;
	int good = 1;

	if (!__rseq_size || sched_getaffinity(0, sizeof(all), &all))
		return 1;
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (!CPU_ISSET(cpu, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(cpu, &one);
		sched_setaffinity(0, sizeof(one), &one);
		good &= *(volatile unsigned *)&area->cpu_id == (unsigned)cpu;
		good &= sched_getcpu() == cpu;
	}
	sched_setaffinity(0, sizeof(all), &all);
	return good;
}

static FRAME pid_t returning(void)
{
	pid_t pid = start();

	return pid;
}

CASE(thread_state)
{
	pid_t pid = returning();

	if (pid)
		t_reap(pid, "child");
	printf("%s: state %d, rseq %d\n", pid ? "parent" : "child",
	       pthread_state(), rseq_follows());
	if (pid)
		return;
	printf("thread in the child: %d\n", child_thread());
}

/* A robust mutex the parent holds: an end of the child must not free it. */
CASE(robust_mutex)
{
	pthread_mutex_t *mutex = t_shared(4096);
	pthread_mutexattr_t attr;
	pid_t pid;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
	pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
	pthread_mutex_init(mutex, &attr);
	CHECK(!pthread_mutex_lock(mutex));
	pid = returning();
	if (pid == 0)
		exit(pthread_mutex_trylock(mutex) == EBUSY ? 3 : 4);
	t_reap(pid, "child");
	CHECK(!pthread_mutex_unlock(mutex));
	CHECK(!pthread_mutex_lock(mutex) && !pthread_mutex_unlock(mutex));
	CHECK(!munmap(mutex, 4096));
}

/* ---- handlers of pthread_atfork ---- */

static char log_of_forks[256];

static void note(const char *what)
{
	strcat(log_of_forks, what);
}

static void on_prepare(void)
{
	note(" prepare");
	CHECK(syscall(SYS_rt_sigprocmask, SIG_BLOCK, (void *)8, NULL, 8) ==
		      -1 &&
	      errno == EFAULT);
}

static void on_parent(void)
{
	note(" parent"); /* by whichever process called fork() */
}

static void on_child(void)
{
	note(is_child() ? " child" : " child-in-parent");
}

CASE(atfork)
{
	pid_t pid;

	pthread_atfork(on_prepare, on_parent, on_child);
	pid = returning();
	if (pid)
		t_reap(pid, "child");
	printf("%s:%s\n", pid ? "parent" : "child", log_of_forks);
}

/* ---- the state of an address space ---- */

static int child_dumpable(void)
{
	if (prctl(PR_SET_DUMPABLE, 0))
		return 94;
	return 40 + prctl(PR_GET_DUMPABLE);
}

CASE(dumpable)
{
	child_makes(child_dumpable);
	printf("parent: dumpable %d\n", prctl(PR_GET_DUMPABLE));
}

static int child_thp(void)
{
	if (prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0))
		return 94;
	return 40 + prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0);
}

CASE(thp_disable)
{
	child_makes(child_thp);
	printf("parent: THP disabled %d\n",
	       prctl(PR_GET_THP_DISABLE, 0, 0, 0, 0));
}

static long locked_kib(void)
{
	FILE *f = fopen("/proc/self/status", "re");
	char line[256];
	long kib = -1;

	while (f && fgets(line, sizeof(line), f))
		sscanf(line, "VmLck: %ld", &kib);
	if (f)
		fclose(f);
	return kib;
}

static int child_mlockall(void)
{
	return mlockall(MCL_CURRENT | MCL_FUTURE) ? 94 : 41;
}

CASE(mlockall)
{
	child_makes(child_mlockall);
	printf("parent: locked %ld KiB\n", locked_kib());
}

static int child_munlockall(void)
{
	return munlockall() ? 94 : 42;
}

CASE(munlockall)
{
	CHECK(!mlock(t_area, 1 << 20));
	child_makes(child_munlockall);
	printf("parent: locked %ld KiB\n", locked_kib());
}

/* Ids change the dumpable flag of whoever shares the memory. */
static int (*ids)(void);

static int set_ids(void)
{
	return setgid(65534) || setuid(65534);
}

static int set_effective(void)
{
	return seteuid(65534);
}

static int set_res(void)
{
	return setresgid(65534, 65534, 65534) || setresuid(65534, 65534, 65534);
}

static int set_raw(void)
{
	return syscall(SYS_setresuid, 65534, 65534, 65534) != 0;
}

/* The preloaded library may lie where the new user can't read it. */
static int child_ids_exec(void)
{
	static char *const no_preload[] = { "PATH=/usr/bin:/bin", NULL };

	if (ids())
		return 94;
	execle("/bin/sh", "sh", "-c", "exit $(id -u | cut -c1-2)", (char *)NULL,
	       no_preload);
	return 93;
}

static int child_ids(void)
{
	return ids() ? 94 : geteuid() == 65534 ? 43 : 44;
}

static void ids_case(int (*which)(void))
{
	if (geteuid())
		t_skip("only root can change its ids");
	ids = which;
	child_stays(child_ids_exec);
	printf("parent: dumpable %d, root %d\n", prctl(PR_GET_DUMPABLE),
	       !geteuid() && !getegid());
	child_stays(child_ids);
	printf("parent: dumpable %d, root %d\n", prctl(PR_GET_DUMPABLE),
	       !geteuid() && !getegid());
	beside_threads(child_stays, child_ids_exec);
	printf("parent: dumpable %d, root %d\n", prctl(PR_GET_DUMPABLE),
	       !geteuid() && !getegid());
}

CASE(set_ids)
{
	ids_case(set_ids);
}

CASE(set_effective)
{
	ids_case(set_effective);
}

CASE(set_res)
{
	ids_case(set_res);
}

CASE(set_raw)
{
	ids_case(set_raw);
}


CASE(fork)
{
	child_makes(child_fork);
}

CASE(_Fork)
{
	child_makes(child__Fork);
}

CASE(fork_exec)
{
	child_makes(child_fork_exec);
}

CASE(vfork)
{
	child_makes(child_vfork);
}

CASE(vfork_exec)
{
	child_makes(child_vfork_exec);
}

CASE(sys_fork)
{
	child_makes(child_sys_fork);
}

CASE(forkpty)
{
	child_makes(child_forkpty);
}

CASE(thread)
{
	child_makes(child_thread);
}

CASE(thread_then_exit)
{
	child_makes(child_thread_then_exit);
}

CASE(pthread_exit)
{
	child_makes(child_pthread_exit);
}


CASE(spawn)
{
	child_stays(child_spawn);
}

CASE(system)
{
	child_stays(child_system);
}

CASE(popen)
{
	child_stays(child_popen);
}


CASES_MAIN
