/* See forks.h. Each way forks at a place of its own, which is known by its
 * return address. Children make calls of their own, which may fail, too. */
#include "forks.h"
#include "scene.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum {
	FD_TOLD = 30, /* the child tells that it runs: 30 and 31 */
	FD_GO = 32,   /* and is told to go on: 32 and 33 */
	FD_LISTENER = 34,
};

#define AREA_BYTES ((size_t)2 << 20)
#define AREA_WORDS (AREA_BYTES / sizeof(uint64_t))

static uint64_t *area;
static _Atomic int *go; /* shared */
static char *const argv[] = { "name", "intact", NULL };
static char *const envp[] = { "A=1", NULL };

static uint64_t word_at(size_t i)
{
	return i * 0x9e3779b97f4a7c15u + 1;
}

static void put_pipe(int at)
{
	int fds[2];

	MUST(!pipe2(fds, O_CLOEXEC | O_NONBLOCK));
	MUST(dup3(fds[0], at, O_CLOEXEC) == at);
	MUST(dup3(fds[1], at + 1, O_CLOEXEC) == at + 1);
	close(fds[0]);
	close(fds[1]);
}

void forks_prepare(void)
{
	size_t i;

	area = mmap(NULL, AREA_BYTES, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	go = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
		  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(area != MAP_FAILED && go != MAP_FAILED);
	for (i = 0; i < AREA_WORDS; i++)
		area[i] = word_at(i);
}

bool forks_intact(void)
{
	size_t i;

	for (i = 0; i < AREA_WORDS; i++)
		if (area[i] != word_at(i))
			return false;
	return true;
}

unsigned forks_drain(void)
{
	struct pollfd p = { .fd = FD_GO, .events = POLLIN };
	unsigned n = 0;
	char c;

	while (read(FD_TOLD, &c, 1) == 1)
		n++;
	while (poll(&p, 1, 0) == 1 && read(FD_GO, &c, 1) == 1)
		;
	atomic_store(go, 0);
	return n;
}

bool forks_pipes(void)
{
	put_pipe(FD_TOLD);
	put_pipe(FD_GO);
	MUST(!fcntl(FD_GO, F_SETFL, 0)); /* the child waits */
	return true;
}

/* ---- in the child ---- */

static void own(long rc)
{
	if (rc < 0)
		_exit(errno == inject->error ? CHILD_REFUSED : CHILD_WRONG);
}

/* A few of the pages that it may have to fetch. */
static void look_here_and_there(void)
{
	static const size_t where[] = { 0, AREA_WORDS / 3, AREA_WORDS - 1 };
	size_t i;

	for (i = 0; i < sizeof(where) / sizeof(*where); i++)
		if (((volatile uint64_t *)area)[where[i]] != word_at(where[i]))
			_exit(CHILD_TORN);
}

static void look_everywhere(void)
{
	if (!forks_intact())
		_exit(CHILD_TORN);
}

static _Noreturn void start(const char *path)
{
	own(execve(path, argv, envp));
	_exit(CHILD_WRONG);
}

static void change_itself(void)
{
	sigset_t none;
	void *at;

	look_here_and_there();
	own(dup2(FD_FILE, 5));
	own(close(FD_HIGH));
	sigemptyset(&none);
	own(sigprocmask(SIG_SETMASK, &none, NULL));
	own(signal(SIGUSR1, SIG_IGN) == SIG_ERR ? -1 : 0);
	at = mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE,
		  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	own(at == MAP_FAILED ? -1 : 0);
	memset(at, 1, 1 << 16);
	own(munmap(at, 1 << 16));
	own(mprotect(area, 1 << 16, PROT_READ));
}

static void say(void)
{
	own(write(FD_TOLD + 1, "c", 1));
}

/* ---- the ways ---- */

static pid_t on_trial(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		change_itself();
		start("./witness");
	}
	return pid;
}

static pid_t beside_a_thread(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		change_itself();
		start("./witness");
	}
	return pid;
}

static pid_t taken_back(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		look_here_and_there();
		say();
		start("./witness");
	}
	return pid;
}

static pid_t committed(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		say();
		change_itself();
		start("./witness");
	}
	return pid;
}

static pid_t blocks(void)
{
	pid_t pid = fork();
	char c;

	if (pid == 0) {
		say();
		own(read(FD_GO, &c, 1));
		look_everywhere();
		start("./witness");
	}
	return pid;
}

static void let_read(void)
{
	MUST(write(FD_GO + 1, "g", 1) == 1);
}

static pid_t computes(void)
{
	pid_t pid = fork();

	if (pid == 0) {
		say();
		while (!atomic_load(go))
			;
		change_itself();
		start("./witness");
	}
	return pid;
}

static void let_go_on(void)
{
	atomic_store(go, 1);
}

static pid_t in_exec(void)
{
	pid_t pid = fork();

	if (pid == 0)
		start("./slow");
	return pid;
}

/* Its parent itself has to permit the exec. Of a copy: nobody else is asked. */
static bool listen_to_execs(void)
{
	int fd = fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY);

	forks_pipes();
	if (fd < 0 || fanotify_mark(fd, FAN_MARK_ADD, FAN_OPEN_EXEC_PERM,
				    AT_FDCWD, "slow"))
		return false;
	MUST(dup3(fd, FD_LISTENER, O_CLOEXEC) == FD_LISTENER);
	close(fd);
	return true;
}

static void permit(void)
{
	struct pollfd p = { .fd = FD_LISTENER, .events = POLLIN };
	struct fanotify_event_metadata event;
	struct fanotify_response yes;

	/* a child whose execve failed asks for nothing */
	while (poll(&p, 1, 10) == 0)
		if (waitid(P_ALL, 0, &(siginfo_t){ 0 },
			   WEXITED | WNOHANG | WNOWAIT))
			return;
	MUST(read(FD_LISTENER, &event, sizeof(event)) > 0);
	yes = (struct fanotify_response){ event.fd, FAN_ALLOW };
	MUST(write(FD_LISTENER, &yes, sizeof(yes)) == sizeof(yes));
	close(event.fd);
}

static pid_t by_vfork(void)
{
	pid_t pid = vfork();

	if (pid == 0) {
		own(dup2(FD_FILE, 5));
		own(execve("./witness", argv, envp));
		_exit(CHILD_WRONG);
	}
	return pid;
}

pid_t forks_whole(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(forks_intact() ? CHILD_WHOLE : CHILD_TORN);
	return pid;
}

static void *sleep_on(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static bool have_a_thread(void)
{
	pthread_t thread;
	sigset_t all, old;

	forks_pipes();
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	MUST(!pthread_create(&thread, NULL, sleep_on, NULL));
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return true;
}

#define ONE_LAZY                   \
	{                          \
		[INJECT_BY_US] = 1 \
	}

const struct fork_way fork_ways[] = {
	{ .name = "on trial",
	  .fork = on_trial,
	  .prepare = forks_pipes,
	  .made = ONE_LAZY },
	{ .name = "taken back",
	  .fork = taken_back,
	  .prepare = forks_pipes,
	  .made = { [INJECT_BY_US] = 1, [INJECT_BY_LIBC] = 1 },
	  .writes = true },
	{ .name = "committed",
	  .fork = committed,
	  .prepare = forks_pipes,
	  .proofs = 2,
	  .made = ONE_LAZY,
	  .writes = true },
	{ .name = "let go",
	  .fork = blocks,
	  .let = let_read,
	  .prepare = forks_pipes,
	  .proofs = 2,
	  .made = ONE_LAZY,
	  .writes = true,
	  .may_be_slow = true },
	{ .name = "beside a thread",
	  .fork = beside_a_thread,
	  .prepare = have_a_thread,
	  .made = ONE_LAZY },
	{ .name = "vfork",
	  .fork = by_vfork,
	  .prepare = forks_pipes,
	  .made = ONE_LAZY },
	{ .name = "stand-in",
	  .fork = computes,
	  .let = let_go_on,
	  .prepare = forks_pipes,
	  .proofs = 2,
	  .made = { [INJECT_BY_US] = 1, [INJECT_STANDINS] = 1 },
	  .by_budget = true,
	  .writes = true },
	{ .name = "stand-in, in exec",
	  .fork = in_exec,
	  .let = permit,
	  .prepare = listen_to_execs,
	  .made = { [INJECT_BY_US] = 1, [INJECT_STANDINS] = 1 },
	  .by_budget = true,
	  .hangs = true },
};
const unsigned fork_ways_count = sizeof(fork_ways) / sizeof(*fork_ways);
