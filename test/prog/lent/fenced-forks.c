/*
 * fork() on one path, again and again, and one child that does what the others
 * did not. On a CPU with protection keys the children are lent their parent's
 * memory behind a fence; the odd one runs into it, and must be what fork would
 * have made of it.
 *
 * Test: -l -f fenced-forks-CASE CASE
 */
#include "libc_keeps.h"
#include "path.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>

enum {
	PAGE = 4096,
};

static void odd(void (*child)(void))
{
	with_an_odd_one(child, 6);
}

/* Memory of all kinds, which the parent must find as it was. */
static long initialised = 1, zero;
static char *block;
static volatile char *pages;

static void note_memory(void)
{
	block = malloc(100);
	memset(block, 'a', 100);
	pages = mmap(NULL, 64 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(block && pages != MAP_FAILED);
	for (int i = 0; i < 64; i++)
		pages[i * PAGE] = 'p';
}

static void look_at_memory(void)
{
	CHECK(initialised == 1 && zero == 0);
	for (int i = 0; i < 100; i++)
		CHECK(block[i] == 'a');
	for (int i = 0; i < 64; i++)
		CHECK(pages[i * PAGE] == 'p');
}

static void writes(void)
{
	initialised++;
	zero--;
	memset(block, 'c', 100);
	memset(t_block(0), 0, T_BLOCK / 2);
	pages[0] = 'c';
	CHECK(initialised == 2 && zero == -1 && block[99] == 'c');
}

/*
 * Test: -l -f fenced-forks-CASE CASE
 * Test: -l -e FLATFORK_FAULT=fence-all,no-way-back
 *       fenced-forks-not_followed CASE
 */
CASE(writes)
{
	note_memory();
	odd(writes);
	look_at_memory();
}

/* More than is kept for it. */
static void writes_much(void)
{
	for (int i = 0; i < 64; i++)
		pages[i * PAGE] = 'c';
	initialised++;
	for (int i = 0; i < 64; i++)
		CHECK(pages[i * PAGE] == 'c');
}

/*
 * Test: -l -f fenced-forks-CASE CASE
 * Test: -l -f -e FLATFORK_FAULT=no-room fenced-forks-refused CASE
 */
CASE(writes_much)
{
	note_memory();
	odd(writes_much);
	look_at_memory();
}

static void allocates(void)
{
	for (size_t i = 1; i < 40; i++) {
		char *p = malloc(i * 1000);

		CHECK(p);
		memset(p, 'c', i * 1000);
		free(p);
	}
	setenv("T_CHILD", "here", 1);
}

CASE(allocates)
{
	note_memory();
	odd(allocates);
	look_at_memory();
	CHECK(!getenv("T_CHILD"));
	free(malloc(100000));
}

/*
 * What a child knows of itself is true to its end, also if it becomes a fork
 * on the way.
 */
static void knows_pid(void)
{
	pid_t pid = getpid();

	CHECK(gettid() == pid);
	writes_much();
	CHECK(getpid() == pid && gettid() == pid);
}

CASE(knows_pid)
{
	note_memory();
	odd(knows_pid);
	look_at_memory();
}

static void leads_session(void)
{
	pid_t session = setsid();

	writes_much();
	CHECK(session == getpid() && getsid(0) == session);
}

CASE(leads_session)
{
	note_memory();
	odd(leads_session);
}

static void leads_group(void)
{
	pid_t group;

	CHECK(!setpgid(0, 0));
	group = getpgrp();
	writes_much();
	CHECK(getpgrp() == group && group == getpid());
}

CASE(leads_group)
{
	note_memory();
	odd(leads_group);
}

static void opens_itself(void)
{
	DIR *all = opendir("/dev/fd");
	int count = 0, fd = open("/proc/self/comm", O_RDWR | O_CLOEXEC);

	writes_much();
	CHECK(all);
	while (readdir(all))
		count++;
	CHECK(count >= 5); /* dot, dot-dot, three streams */
	CHECK(!closedir(all));
	CHECK(write(fd, "changed", 7) == 7);
	CHECK(!chdir("/proc/self"));
	CHECK(!access("comm", R_OK) && !close(fd));
}

CASE(opens_itself)
{
	note_memory();
	odd(opens_itself);
}

static volatile pid_t sender;

static void on_hup(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	sender = info->si_pid;
}

static void tells_parent(void)
{
	CHECK(!kill(getppid(), SIGHUP));
	writes_much();
	CHECK(getpid() != getppid());
}

CASE(tells_parent)
{
	struct sigaction act = { .sa_sigaction = on_hup,
				 .sa_flags = SA_SIGINFO | SA_RESTART };

	sigaction(SIGHUP, &act, NULL);
	t_signals_again();
	note_memory();
	odd(tells_parent);
	printf("told by its child: %d\n", sender == odd_pid);
}

static void has_policy(void)
{
	struct sched_param none = { 0 };
	int policy = SCHED_BATCH | SCHED_RESET_ON_FORK;

	CHECK(!sched_setscheduler(0, policy, &none));
	writes_much();
	CHECK(sched_getscheduler(0) == policy);
}

CASE(has_policy)
{
	note_memory();
	odd(has_policy);
}

/* It holds locks of all kinds that know their owner. */
static pthread_mutex_t recursive = PTHREAD_RECURSIVE_MUTEX_INITIALIZER_NP;
static pthread_mutex_t checked = PTHREAD_ERRORCHECK_MUTEX_INITIALIZER_NP;
static pthread_mutex_t robust_ones[2];
static pthread_rwlock_t rwlock = PTHREAD_RWLOCK_INITIALIZER;

static void holds_locks(void)
{
	CHECK(!pthread_mutex_lock(&recursive));
	CHECK(!pthread_mutex_lock(&checked));
	CHECK(!pthread_rwlock_wrlock(&rwlock));
	writes_much();
	CHECK(!pthread_mutex_lock(&recursive));
	CHECK(!pthread_mutex_unlock(&recursive));
	CHECK(!pthread_mutex_unlock(&recursive));
	CHECK(pthread_mutex_unlock(&recursive) == EPERM);
	CHECK(pthread_mutex_lock(&checked) == EDEADLK);
	CHECK(!pthread_mutex_unlock(&checked));
	CHECK(!pthread_rwlock_unlock(&rwlock));
	CHECK(!pthread_rwlock_tryrdlock(&rwlock));
}

CASE(holds_locks)
{
	note_memory();
	odd(holds_locks);
	CHECK(!pthread_mutex_trylock(&recursive));
	CHECK(!pthread_mutex_trylock(&checked));
	CHECK(!pthread_rwlock_trywrlock(&rwlock));
}

/* Memory that a fork's child finds empty. */
static void finds_empty(void)
{
	for (int i = 0; i < 64; i++)
		CHECK(!pages[i * PAGE]);
}

/* Test: -l fenced-forks-CASE CASE */
CASE(wipes)
{
	note_memory();
	CHECK(!madvise((void *)pages, 64 * PAGE, MADV_WIPEONFORK));
	odd(finds_empty);
	look_at_memory();
}

/* What others see must stay. */
static void writes_shared(void)
{
	pages[0] = 's';
	pages[PAGE] = 's';
}

CASE(shared)
{
	pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	odd(writes_shared);
	printf("shared %c%c\n", pages[0], pages[PAGE]);
}

/* By the kernel, into memory that is the parent's. */
static int feed[2];
static char heard[16] = "nothing";

static void reads(void)
{
	CHECK(read(feed[0], heard, sizeof(heard)) == 6);
	CHECK(!strcmp(heard, "hello"));
}

CASE(reads)
{
	CHECK(!pipe(feed) && write(feed[1], "hello", 6) == 6);
	odd(reads);
	printf("heard %s\n", heard);
	close(feed[0]);
	close(feed[1]);
}

/* It waits for a parent that goes on behind fork. */
static void hears(void)
{
	char word[6];

	CHECK(read(feed[0], word, sizeof(word)) == 6);
	CHECK(!strcmp(word, "hello"));
}

static void tells(void)
{
	CHECK(write(feed[1], "hello", 6) == 6);
}

/* Test: -l -f -b 100 fenced-forks-CASE CASE */
CASE(handshake)
{
	CHECK(!pipe(feed));
	odd_parent = tells;
	odd(hears);
	close(feed[0]);
	close(feed[1]);
}

/* More than a pipe holds, to one who takes his time. */
enum {
	MUCH = 1 << 20
};

static void writes_whole(void)
{
	CHECK(write(feed[1], block, MUCH) == MUCH);
}

static void takes_all(void)
{
	struct pollfd p = { .fd = feed[0], .events = POLLIN };
	long sum = 0, n;
	char *taken = malloc(MUCH);

	close(feed[1]);
	CHECK(poll(&p, 1, -1) == 1);
	t_sleep_ms(600);
	while ((n = read(feed[0], taken, MUCH)) > 0)
		sum += n;
	_exit(n == 0 && sum == MUCH ? 0 : 1);
}

/* Test: -l -f -b 100 fenced-forks-CASE CASE */
CASE(writes_whole)
{
	pid_t reader;
	int status;

	block = malloc(MUCH);
	CHECK(block && !pipe(feed));
	memset(block, 'w', MUCH);
	reader = t_fork();
	if (reader == 0)
		takes_all();
	close(feed[0]);
	odd(writes_whole);
	close(feed[1]);
	CHECK(waitpid(reader, &status, 0) == reader && status == 0);
	free(block);
}

/* After which nobody of its user could be forked. */
static void limits_itself(void)
{
	const struct rlimit one = { 1, 1 };

	CHECK(!setrlimit(RLIMIT_NPROC, &one));
	if (getuid() == 0)
		CHECK(!setgid(61234) && !setuid(61234));
	CHECK(getpid() != first_pid);
	_exit(7);
}

CASE(limits_itself)
{
	odd(limits_itself);
}

static void spins(void)
{
	struct timespec start, now;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do
		clock_gettime(CLOCK_MONOTONIC, &now);
	while ((now.tv_sec - start.tv_sec) * 1000 +
		       (now.tv_nsec - start.tv_nsec) / 1000000 <
	       400);
}

CASE(spins)
{
	odd(spins);
}

/* Results of calls that the fence makes itself. */
static void on_usr1(int sig)
{
	(void)sig;
}

static void asks(void)
{
	struct sigaction old, act = { .sa_handler = SIG_DFL };
	sigset_t all, was;

	CHECK(!sigaction(SIGUSR1, NULL, &old) && old.sa_handler == on_usr1);
	CHECK(!sigaction(SIGUSR1, &act, &old) && old.sa_handler == on_usr1);
	CHECK(!sigaction(SIGUSR1, NULL, &old) && old.sa_handler == SIG_DFL);
	CHECK(signal(SIGUSR2, SIG_IGN) == SIG_DFL);
	CHECK(signal(SIGUSR2, SIG_IGN) == SIG_IGN);
	sigfillset(&all);
	CHECK(!sigprocmask(SIG_SETMASK, &all, &was));
	CHECK(!sigismember(&was, SIGUSR2) && sigismember(&was, SIGHUP));
	CHECK(!sigprocmask(SIG_SETMASK, &was, &all));
	CHECK(sigismember(&all, SIGSEGV) && sigismember(&all, SIGSYS));
	CHECK(!sigismember(&all, SIGKILL));
	CHECK(sigaction(65, NULL, &old) == -1 && errno == EINVAL);
	CHECK(close(-1) == -1 && errno == EBADF);
	CHECK(getpid() != first_pid && getppid() == first_pid);
}

CASE(asks)
{
	sigset_t hup;

	signal(SIGUSR1, on_usr1);
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	sigprocmask(SIG_BLOCK, &hup, NULL);
	t_signals_again();
	odd(asks);
}

/* What exec hands on. */
static void blocks_all(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	signal(SIGPIPE, SIG_IGN);
	execl(t_report, "report", "state", (char *)NULL);
}

CASE(blocks_all)
{
	odd(blocks_all);
}

/* pthread_kill() goes by what libc remembers. */
static void kills_its_thread(void)
{
	CHECK(gettid() == getpid());
	pthread_kill(pthread_self(), SIGTERM);
	_exit(1);
}

CASE(kills_its_thread)
{
	odd(kills_its_thread);
}

static void stops(void)
{
	raise(SIGSTOP);
}

CASE(stops)
{
	odd(stops);
}

static void faults(void)
{
	static volatile char *volatile nowhere = (char *)16;

	*nowhere = 1;
}

CASE(faults)
{
	odd(faults);
}

static int *no_int;

static void on_segv(int sig)
{
	static int some;

	(void)sig;
	no_int = &some;
	_exit(3);
}

CASE(faults_handled)
{
	signal(SIGSEGV, on_segv);
	t_signals_again();
	odd(faults);
}

static volatile sig_atomic_t taken;

static void on_usr2(int sig)
{
	(void)sig;
	taken++;
}

static void signals_itself(void)
{
	kill(getpid(), SIGUSR2);
	kill(getpid(), SIGUSR2);
	CHECK(taken == 2);
}

CASE(signals)
{
	signal(SIGUSR2, on_usr2);
	t_signals_again();
	odd(signals_itself);
	CHECK(taken == 0);
}

static void is_killed(void)
{
	initialised++;
	kill(getpid(), SIGKILL);
}

CASE(is_killed)
{
	note_memory();
	odd(is_killed);
	look_at_memory();
}

static void forks(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		_exit(8);
	CHECK(waitpid(pid, &status, 0) == pid && WEXITSTATUS(status) == 8);
}

CASE(forks)
{
	odd(forks);
}

static void prints_and_exits(void)
{
	printf("the child's ");
	exit(6);
}

CASE(prints_and_exits)
{
	printf("unflushed ");
	odd(prints_and_exits);
}

static void comes_back(void)
{
}

CASE(comes_back)
{
	odd_comes_back = true;
	printf("unflushed ");
	odd(comes_back);
}

static void changes_environ(void)
{
	static char *other[] = { "OTHER=1", NULL };

	environ = other;
	_exit(5);
}

CASE(changes_environ)
{
	char **before = environ;

	odd(changes_environ);
	CHECK(environ == before);
}

/* Handlers that wait for forks run at each of them. */
static int atfork_runs;

static void count_run(void)
{
	atfork_runs++;
}

CASE(atfork)
{
	rounds(6);
	pthread_atfork(count_run, count_run, NULL);
	rounds(6);
	printf("handlers %d\n", atfork_runs);
}

/*
 * What flatfork keeps for the program is as closed to the child as the
 * program's memory: these names write there.
 */
static FILE *stream;

static void closes_stream(void)
{
	fclose(stream); /* its copy; libc's may wait for no child of its own */
}

CASE(closes_stream)
{
	char word[10] = "";

	stream = popen("echo word; exit 7", "r");
	CHECK(stream);
	odd(closes_stream);
	CHECK(fgets(word, sizeof(word), stream) && !strcmp(word, "word\n"));
	printf("pclose %x\n", pclose(stream));
}

static void advises(void)
{
	CHECK(!madvise((void *)pages, PAGE, MADV_DONTFORK));
	forks();
	CHECK(!madvise((void *)pages, PAGE, MADV_DOFORK));
	forks();
}

CASE(advises)
{
	note_memory();
	odd(advises);
	rounds(4);
	look_at_memory();
}

static void waits_for_all(void)
{
	int status;

	CHECK(waitpid(-1, &status, __WALL) == -1 && errno == ECHILD);
}

CASE(waits_for_all)
{
	odd(waits_for_all);
	rounds(4);
}

/*
 * Locks of the kinds that hold their owner's id, one a page, on more pages
 * than are kept: at one of them the child becomes a fork, with the id that it
 * is about to store in a register.
 */
static void make_mutex(pthread_mutex_t *mutex, int type, int robust,
		       int protocol, int shared)
{
	pthread_mutexattr_t attr;

	pthread_mutexattr_init(&attr);
	pthread_mutexattr_settype(&attr, type);
	pthread_mutexattr_setrobust(&attr, robust);
	pthread_mutexattr_setprotocol(&attr, protocol);
	pthread_mutexattr_setpshared(&attr, shared);
	CHECK(!pthread_mutex_init(mutex, &attr));
	pthread_mutexattr_destroy(&attr);
}

static pthread_mutex_t *mutex_of(int page)
{
	return (pthread_mutex_t *)(void *)&pages[page * PAGE];
}

static void locks_late(void)
{
	for (int i = 0; i < 64; i++) {
		CHECK(!pthread_mutex_lock(mutex_of(i)));
		CHECK(mutex_of(i)->__data.__owner == 0 ||
		      mutex_of(i)->__data.__owner != first_pid);
	}
	for (int i = 0; i < 64; i++)
		CHECK(!pthread_mutex_unlock(mutex_of(i)));
	CHECK(!pthread_mutex_lock(mutex_of(0)));
	CHECK(!pthread_mutex_unlock(mutex_of(0)));
}

static void with_late_locks(int type, int robust, int protocol)
{
	note_memory();
	for (int i = 0; i < 64; i++)
		make_mutex(mutex_of(i), type, robust, protocol,
			   PTHREAD_PROCESS_PRIVATE);
	odd(locks_late);
	for (int i = 0; i < 64; i++)
		CHECK(!pthread_mutex_trylock(mutex_of(i)));
}

CASE(late_checked)
{
	with_late_locks(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_STALLED,
			PTHREAD_PRIO_NONE);
}

CASE(late_pi)
{
	with_late_locks(PTHREAD_MUTEX_RECURSIVE, PTHREAD_MUTEX_STALLED,
			PTHREAD_PRIO_INHERIT);
}

CASE(late_robust)
{
	with_late_locks(PTHREAD_MUTEX_ERRORCHECK, PTHREAD_MUTEX_ROBUST,
			PTHREAD_PRIO_NONE);
}

/* A robust one that others share: who ends with it is found dead. */
static void takes_robust(void)
{
	CHECK(!pthread_mutex_lock(mutex_of(0)));
}

CASE(robust)
{
	pages = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	make_mutex(mutex_of(0), PTHREAD_MUTEX_NORMAL, PTHREAD_MUTEX_ROBUST,
		   PTHREAD_PRIO_NONE, PTHREAD_PROCESS_SHARED);
	odd(takes_robust);
	CHECK(pthread_mutex_trylock(mutex_of(0)) == EOWNERDEAD);
	CHECK(!pthread_mutex_consistent(mutex_of(0)));
	CHECK(!pthread_mutex_unlock(mutex_of(0)));
	rounds(4);
}

/* It held them when it became a fork for another reason. */
static void keeps_robust(void)
{
	CHECK(!pthread_mutex_lock(&robust_ones[0]));
	CHECK(!pthread_mutex_lock(&robust_ones[1]));
	forks();
	CHECK(!pthread_mutex_unlock(&robust_ones[0]));
	CHECK(!pthread_mutex_lock(&robust_ones[0]));
	CHECK(!pthread_mutex_unlock(&robust_ones[1]));
	CHECK(!pthread_mutex_unlock(&robust_ones[0]));
}

CASE(keeps_robust)
{
	for (int i = 0; i < 2; i++)
		make_mutex(&robust_ones[i], PTHREAD_MUTEX_ERRORCHECK,
			   PTHREAD_MUTEX_ROBUST, PTHREAD_PRIO_NONE,
			   PTHREAD_PROCESS_PRIVATE);
	odd(keeps_robust);
	CHECK(!pthread_mutex_trylock(&robust_ones[0]));
	rounds(4); /* and their parent holds one */
	CHECK(!pthread_mutex_unlock(&robust_ones[0]));
}

/* It may have no process more, and has acted by then. */
static void has_no_room(void)
{
	struct rlimit none = { 1, 1 };

	CHECK(!setrlimit(RLIMIT_NPROC, &none));
	CHECK(write(feed[1], "x", 1) == 1);
	CHECK(getpid() != first_pid);
}

/* Test: fenced-forks-CASE CASE */
CASE(has_no_room)
{
	char text[8];

	if (!geteuid()) { /* root has no such limit */
		CHECK(!setgid(65534) && !setuid(61234));
		CHECK(!prctl(PR_SET_DUMPABLE, 1));
	}
	CHECK(!pipe(feed));
	odd(has_no_room);
	CHECK(read(feed[0], text, sizeof(text)) == 1);
	close(feed[0]);
	close(feed[1]);
}

/* What the child opens by a key of the program's, and wipes, is its copy. */
static int own_key;

static void wipes_secret(void)
{
	CHECK(!pkey_set(own_key, 0));
	pages[0] = 0;
	CHECK(!pkey_set(own_key, PKEY_DISABLE_ACCESS));
}

/* Test: -l fenced-forks-CASE CASE */
CASE(own_keys)
{
	own_key = pkey_alloc(0, 0);
	if (own_key < 0)
		t_skip("no protection keys");
	note_memory();
	CHECK(!pkey_mprotect((void *)pages, PAGE, PROT_READ | PROT_WRITE,
			     own_key));
	CHECK(!pkey_set(own_key, PKEY_DISABLE_ACCESS));
	odd(wipes_secret);
	CHECK(!pkey_set(own_key, 0));
	look_at_memory();
}

/* A thread that libc knows nothing of works in this frame. */
static char helper_stack[64 << 10] __attribute__((aligned(64)));
static volatile bool helper_ends;

static int count(void *counter)
{
	while (!helper_ends)
		++*(volatile long *)counter;
	helper_ends = false;
	syscall(SYS_exit, 0);
	return 0;
}

/* Test: -l fenced-forks-CASE CASE */
CASE(raw_thread)
{
	volatile long counter = 0;

	CHECK(clone(count, helper_stack + sizeof(helper_stack),
		    CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND |
			    CLONE_THREAD | CLONE_SYSVSEM,
		    (void *)&counter) > 0);
	rounds(12);
	helper_ends = true;
	while (helper_ends)
		sched_yield();
	CHECK(counter > 0);
}

/* A page that nobody has written follows its file, also if a child had it. */
static volatile char *of_file;

static void writes_of_file(void)
{
	of_file[0] = 'c';
	CHECK(of_file[0] == 'c' && of_file[1] == 'f');
}

CASE(file_page)
{
	char content[PAGE];
	FILE *file = tmpfile();

	memset(content, 'f', PAGE);
	CHECK(file && pwrite(fileno(file), content, PAGE, 0) == PAGE);
	of_file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		       fileno(file), 0);
	CHECK(of_file != MAP_FAILED && of_file[0] == 'f');
	odd(writes_of_file);
	CHECK(of_file[0] == 'f');
	CHECK(pwrite(fileno(file), "new", 3, 0) == 3);
	printf("then it holds %c\n", of_file[0]);
	fclose(file);
}

static void says_what_libc_keeps(void)
{
	CHECK(getpid() != first_pid);
	errno = ERANGE;
	say_what_libc_keeps("child");
}

CASE(libc_keeps)
{
	sigset_t some;

	sigemptyset(&some);
	sigaddset(&some, SIGHUP);
	sigaddset(&some, SIGRTMIN + 3);
	sigprocmask(SIG_BLOCK, &some, NULL);
	signal(SIGUSR1, on_usr1);
	signal(SIGPIPE, SIG_IGN);
	t_signals_again();
	errno = 0;
	odd(says_what_libc_keeps);
	errno = 0;
	say_what_libc_keeps("parent");
}

CASES_MAIN
