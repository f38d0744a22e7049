/*
 * Argument: what the child waits for before it execs (or, with a second
 * argument "exit", ends), which only its parent can give after fork has
 * returned. Never a hang: the parent must be let go, and what the child has
 * done so far must stand, once.
 *
 * Test: child-blocks-CASE CASE
 * Test: child-blocks-CASE-exit CASE exit
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <semaphore.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/file.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int p[2], q[2], e, file, msg;
static struct page {
	volatile int go, arrived;
	sem_t sem;
} * shared;

static struct flock whole = { .l_type = F_WRLCK };
static volatile sig_atomic_t got_signal;

static void on_usr1(int sig)
{
	got_signal = sig;
}

/* wait: in the child. give: in the parent, after fork. */
static void pipe_wait(void)
{
	char c;

	CHECK(read(p[0], &c, 1) == 1 && c == 'g');
}

static void pipe_give(pid_t pid)
{
	(void)pid;
	CHECK(write(p[1], "g", 1) == 1);
}

static void eof_wait(void)
{
	char c;

	close(q[1]);
	CHECK(read(q[0], &c, 1) == 0);
}

static void eof_give(pid_t pid)
{
	(void)pid;
	close(q[1]);
	q[1] = dup(0); /* the number stays taken */
}

static void full_wait(void)
{
	static char text[200000];

	CHECK(write(p[1], text, sizeof(text)) == sizeof(text));
}

static void full_give(pid_t pid)
{
	static char text[200000];
	size_t all = 0;

	(void)pid;
	while (all < sizeof(text))
		all += read(p[0], text, sizeof(text));
	printf("read %zu\n", all);
}

static void stop_wait(void)
{
	kill(getpid(), SIGSTOP);
}

static void stop_give(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
	CHECK(!kill(pid, SIGCONT));
}

static void trace_wait(void)
{
	CHECK(!ptrace(PTRACE_TRACEME, 0, 0, 0));
	raise(SIGSTOP);
}

static void trace_give(pid_t pid)
{
	int status;

	CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
	printf("stop by %d\n", WSTOPSIG(status));
	CHECK(!ptrace(PTRACE_DETACH, pid, 0, 0));
}

static void trace_exec_wait(void)
{
	CHECK(!ptrace(PTRACE_TRACEME, 0, 0, 0));
}

static void flock_wait(void)
{
	int own = open("file", O_RDWR | O_CLOEXEC);

	CHECK(!flock(own, LOCK_EX));
}

static void flock_give(pid_t pid)
{
	(void)pid;
	t_sleep_ms(20);
	CHECK(!flock(file, LOCK_UN));
}

static void fcntl_wait(void)
{
	CHECK(!fcntl(file, F_SETLKW, &whole));
}

static void fcntl_give(pid_t pid)
{
	struct flock un = { .l_type = F_UNLCK };

	(void)pid;
	t_sleep_ms(20);
	CHECK(!fcntl(file, F_SETLK, &un));
}

static void fifo_wait(void)
{
	int fd = open("fifo", O_RDONLY);
	char c;

	CHECK(fd >= 0 && read(fd, &c, 1) == 1);
	close(fd);
}

static void fifo_give(pid_t pid)
{
	int fd = open("fifo", O_WRONLY);

	(void)pid;
	CHECK(fd >= 0 && write(fd, "x", 1) == 1);
	close(fd);
}

static void spin_wait(void)
{
	shared->arrived++;
	while (!shared->go)
		;
}

static void yield_wait(void)
{
	shared->arrived++;
	while (!shared->go)
		sched_yield();
}

static void sleep_wait(void)
{
	shared->arrived++;
	while (!shared->go)
		usleep(1000);
}

static void spin_give(pid_t pid)
{
	(void)pid;
	shared->go = 1;
	t_until(&shared->arrived, 1);
}

static void sem_wait_(void)
{
	while (sem_wait(&shared->sem) < 0)
		;
}

static void sem_give(pid_t pid)
{
	(void)pid;
	sem_post(&shared->sem);
}

static void eventfd_wait(void)
{
	uint64_t v;

	CHECK(read(e, &v, 8) == 8);
}

static void eventfd_give(pid_t pid)
{
	uint64_t v = 1;

	(void)pid;
	CHECK(write(e, &v, 8) == 8);
}

static void poll_wait(void)
{
	struct pollfd pf = { .fd = p[0], .events = POLLIN };

	CHECK(poll(&pf, 1, -1) == 1);
	pipe_wait();
}

static void select_wait(void)
{
	fd_set set;

	FD_ZERO(&set);
	FD_SET(p[0], &set);
	CHECK(select(p[0] + 1, &set, NULL, NULL, NULL) == 1);
	pipe_wait();
}

/* USR1 is blocked: no moment in which it could be missed. */
static void suspend_wait(void)
{
	sigset_t none;

	sigemptyset(&none);
	while (!got_signal)
		sigsuspend(&none);
}

static void sigwait_wait(void)
{
	sigset_t set;
	int sig = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	CHECK(!sigwait(&set, &sig) && sig == SIGUSR1);
}

static void kill_give(pid_t pid)
{
	CHECK(!kill(pid, SIGUSR1));
}

static void msg_wait(void)
{
	struct {
		long type;
		char c;
	} m;

	CHECK(msgrcv(msg, &m, 1, 0, 0) == 1);
}

static void msg_give(pid_t pid)
{
	struct {
		long type;
		char c;
	} m = { 1, 'x' };

	(void)pid;
	CHECK(!msgsnd(msg, &m, 1, 0));
}

static void accept_wait(void)
{
	CHECK(accept4(q[0], NULL, NULL, SOCK_CLOEXEC) >= 0);
}

static void accept_give(pid_t pid)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	(void)pid;
	strcpy(un.sun_path, "socket");
	CHECK(!connect(s, (void *)&un, sizeof(un)));
	close(s);
}

static void exists_wait(void)
{
	while (access("come", F_OK))
		;
}

static void exists_give(pid_t pid)
{
	(void)pid;
	CHECK(close(open("come", O_CREAT | O_WRONLY, 0600)) == 0);
}

static void hello_wait(void)
{
	char c;

	CHECK(write(q[1], "hello", 5) == 5);
	CHECK(read(p[0], &c, 1) == 1);
}

static void hello_give(pid_t pid)
{
	char text[6] = "";

	CHECK(read(q[0], text, 5) == 5);
	printf("child says %s\n", text);
	pipe_give(pid);
}

static const struct way {
	const char *name;
	void (*wait)(void);
	void (*give)(pid_t pid);
} ways[] = {
	T_CASE("pipe", pipe_wait, pipe_give),
	T_CASE("eof", eof_wait, eof_give),
	T_CASE("hello", hello_wait, hello_give),
	T_CASE("full-pipe", full_wait, full_give),
	T_CASE("stop", stop_wait, stop_give),
	T_CASE("traced", trace_wait, trace_give),
	/* Test: child-blocks-CASE CASE */
	T_CASE("traced-exec", trace_exec_wait, trace_give),
	T_CASE("flock", flock_wait, flock_give),
	T_CASE("lockf", fcntl_wait, fcntl_give),
	T_CASE("fifo", fifo_wait, fifo_give),
	T_CASE("spin", spin_wait, spin_give),
	T_CASE("yield", yield_wait, spin_give),
	T_CASE("usleep", sleep_wait, spin_give),
	T_CASE("semaphore", sem_wait_, sem_give),
	T_CASE("eventfd", eventfd_wait, eventfd_give),
	T_CASE("poll", poll_wait, pipe_give),
	T_CASE("select", select_wait, pipe_give),
	T_CASE("sigsuspend", suspend_wait, kill_give),
	T_CASE("sigwait", sigwait_wait, kill_give),
	T_CASE("message", msg_wait, msg_give),
	T_CASE("accept", accept_wait, accept_give),
	T_CASE("file-appears", exists_wait, exists_give),
};

static void prepare(void)
{
	struct sigaction sa = { .sa_handler = on_usr1 };
	sigset_t set;

	sigaction(SIGUSR1, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	t_signals_again();
	shared->go = shared->arrived = 0;
	CHECK(!sem_init(&shared->sem, 1, 0));
	CHECK(!flock(file, LOCK_EX) && !fcntl(file, F_SETLK, &whole));
	unlink("come");
	unlink("socket");
}

static void listen_on_q(void)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	int s = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(un.sun_path, "socket");
	CHECK(!bind(s, (void *)&un, sizeof(un)) && !listen(s, 5));
	dup2(s, q[0]);
	close(s);
}

int main(int argc, char **argv)
{
	const struct way *way = NULL;
	int exits = argc > 2;

	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		if (argc > 1 && !strcmp(argv[1], ways[i].name))
			way = &ways[i];
	CHECK(way);
	CHECK(!pipe(p) && !pipe(q));
	e = eventfd(0, 0);
	file = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(e >= 0 && file >= 0 && !mkfifo("fifo", 0600));
	msg = msgget(IPC_PRIVATE, 0600);
	t_start(64);
	shared = t_shared(4096);
	for (int i = 0; i < 3; i++) {
		pid_t pid;

		prepare();
		if (way->wait == accept_wait)
			listen_on_q();
		pid = t_fork();
		if (pid == 0) {
			t_area[70000] = 1;
			way->wait();
			CHECK(t_intact(t_area + (9 << 20), 1 << 20));
			if (exits)
				_exit(5);
			t_exec_exit(5);
		}
		way->give(pid);
		t_reap(pid, way->name);
		if (way->give == eof_give) {
			int r[2];

			CHECK(!pipe(r));
			dup2(r[0], q[0]);
			dup2(r[1], q[1]);
			close(r[0]);
			close(r[1]);
		}
	}
	msgctl(msg, IPC_RMID, NULL);
	return t_end();
}
