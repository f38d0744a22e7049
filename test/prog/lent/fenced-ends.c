/*
 * How a child behind the fence (fenced.h) waits, stops, faults, takes signals
 * and ends.
 *
 * Test: -l -f fenced-forks-CASE CASE
 */
#include "fenced.h"

#include <elf.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/resource.h>

static int feed[2];

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

/* No instruction of it can be executed: it is the shortest program. */
static void write_shortest(void)
{
	Elf64_Ehdr head;
	const Elf64_Phdr nothing = { .p_type = PT_NULL };
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	CHECK(read(fd, &head, sizeof(head)) == sizeof(head));
	close(fd);
	head.e_type = ET_EXEC;
	head.e_entry = 0;
	head.e_phoff = sizeof(head);
	head.e_phnum = 1;
	head.e_shoff = head.e_shnum = head.e_shstrndx = 0;
	fd = open("shortest", O_WRONLY | O_CREAT | O_CLOEXEC, 0700);
	CHECK(write(fd, &head, sizeof(head)) == sizeof(head));
	CHECK(write(fd, &nothing, sizeof(nothing)) == sizeof(nothing));
	CHECK(!close(fd));
}

/* Its end is told, where no wait finds it. */
CASE(unwaited)
{
	const struct sigaction act = { .sa_handler = on_usr2,
				       .sa_flags = SA_NOCLDWAIT | SA_RESTART };
	const struct rlimit none = { 0, 0 };
	int told = 0;
	pid_t pid;

	CHECK(!setrlimit(RLIMIT_CORE, &none));
	write_shortest();
	CHECK(!sigaction(SIGCHLD, &act, NULL));
	t_signals_again();
	for (int i = 0; i < 100; i++) {
		taken = 0;
		pid = fork(); /* here: a lent child may not return */
		CHECK(pid >= 0);
		if (pid == 0) {
			execl("./shortest", "shortest", (char *)NULL);
			_exit(9);
		}
		CHECK(waitpid(pid, NULL, 0) == -1 && errno == ECHILD);
		told += taken > 0;
	}
	printf("told of %d\n", told);
	unlink("shortest");
}

CASES_MAIN
