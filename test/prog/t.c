/* The frame of the behaviour programs, see t.h. */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum {
	MAX_BLOCKS = 65536,
	MAX_FD = 4096
};

char t_report[4096];
unsigned char *t_area;
size_t t_area_bytes;

static unsigned char **block;
static size_t blocks;
static pid_t main_pid;
static unsigned char fd_open[MAX_FD];
static struct sigaction action[65];
static sigset_t mask;
static stack_t altstack;

_Noreturn void t_failed(const char *file, int line, const char *what)
{
	int error = errno;
	char text[512];
	const char *base = strrchr(file, '/');
	int n = snprintf(text, sizeof(text),
			 "FAILED %s:%d (%s): %s, errno %d\n",
			 base ? base + 1 : file, line,
			 getpid() == main_pid ? "parent" : "child", what,
			 error);

	if (write(2, text, n) != n)
		_exit(T_FAILED + 1);
	_exit(T_FAILED);
}

_Noreturn void t_skip(const char *why)
{
	printf("skip: %s\n", why);
	exit(77);
}

uint64_t t_word(const void *p)
{
	uint64_t x = (uint64_t)(uintptr_t)p * 0x9e3779b97f4a7c15u;

	return x ^ x >> 29;
}

void t_fill(void *p, size_t n)
{
	for (uint64_t *w = p; n >= 8; n -= 8, w++)
		*w = t_word(w);
}

bool t_intact(const void *p, size_t n)
{
	for (const uint64_t *w = p; n >= 8; n -= 8, w++)
		if (*w != t_word(w))
			return false;
	return true;
}

uint64_t t_hash(uint64_t h, const void *p, size_t n)
{
	for (const unsigned char *c = p; n; n--, c++)
		h = (h ^ *c) * 0x100000001b3u;
	return h;
}

void *t_anon(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	t_fill(p, bytes);
	return p;
}

void *t_shared(size_t bytes)
{
	void *p = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

unsigned char *t_block(size_t i)
{
	CHECK(i < blocks);
	return block[i];
}

size_t t_blocks(void)
{
	return blocks;
}

void t_signals_again(void)
{
	for (int s = 1; s <= 64; s++)
		sigaction(s, NULL, &action[s]);
	sigprocmask(SIG_SETMASK, NULL, &mask);
	sigaltstack(NULL, &altstack);
}

void t_start(size_t mib)
{
	const char *report = getenv("T_REPORT"), *most = getenv("T_MIB");

	if (most && mib > strtoul(most, NULL, 10))
		mib = strtoul(most, NULL, 10);
	main_pid = getpid();
	setvbuf(stdout, NULL, _IOLBF, 0);
	CHECK(report && strlen(report) < sizeof(t_report));
	strcpy(t_report, report);

	/* malloc must take the blocks from brk, not from mappings */
	mallopt(M_MMAP_THRESHOLD, 32 << 20);
	blocks = mib * 8;
	CHECK(blocks < MAX_BLOCKS);
	block = malloc(blocks * sizeof(*block));
	CHECK(block);
	for (size_t i = 0; i < blocks; i++) {
		block[i] = malloc(T_BLOCK);
		CHECK(block[i]);
		t_fill(block[i], T_BLOCK);
	}
	t_area_bytes = mib << 19;
	t_area = t_anon(t_area_bytes);

	for (int fd = 0; fd < MAX_FD; fd++)
		fd_open[fd] = fcntl(fd, F_GETFD) >= 0;
	t_signals_again();
}

static void check_signals(void)
{
	struct sigaction now;
	sigset_t now_mask;

	for (int s = 1; s <= 64; s++) {
		if (sigaction(s, NULL, &now) < 0)
			continue;
		CHECK(now.sa_handler == action[s].sa_handler);
		CHECK(now.sa_flags == action[s].sa_flags);
		CHECK(!memcmp(&now.sa_mask, &action[s].sa_mask, 8));
	}
	sigprocmask(SIG_SETMASK, NULL, &now_mask);
	CHECK(!memcmp(&now_mask, &mask, 8));
}

static void check_altstack(void)
{
	stack_t now;

	sigaltstack(NULL, &now);
	CHECK(now.ss_flags == altstack.ss_flags);
	CHECK(now.ss_sp == altstack.ss_sp);
}

/* "dc" in VmFlags: the area would be missing in every later child. */
static void check_area_flags(void)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	char line[1024];
	unsigned long from = 0, to = 0;

	if (!f)
		return;
	while (fgets(line, sizeof(line), f)) {
		unsigned long a, b;

		if (sscanf(line, "%lx-%lx ", &a, &b) == 2) {
			from = a;
			to = b;
		} else if (!strncmp(line, "VmFlags:", 8) &&
			   from <= (unsigned long)t_area &&
			   to > (unsigned long)t_area) {
			CHECK(!strstr(line, " dc"));
			CHECK(!strstr(line, " wf"));
		}
	}
	fclose(f);
}

static void check_no_child(int options)
{
	pid_t left = waitpid(-1, NULL, WNOHANG | options);

	if (left >= 0)
		fprintf(stderr, "a child is left: %d\n", (int)left);
	CHECK(left == -1 && errno == ECHILD);
}

int t_end(void)
{
	CHECK(getpid() == main_pid);
	check_no_child(0);
	check_no_child(__WALL);
	for (int fd = 0; fd < MAX_FD; fd++)
		CHECK(fd_open[fd] == (fcntl(fd, F_GETFD) >= 0));
	for (size_t i = 0; i < blocks; i++)
		CHECK(t_intact(block[i], T_BLOCK));
	CHECK(t_intact(t_area, t_area_bytes));
	check_signals();
	check_area_flags();
	check_altstack();
	printf("end\n");
	return 0;
}

pid_t t_fork(void)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	return pid;
}

void t_reap(pid_t pid, const char *what)
{
	int status;
	pid_t got;

	do
		got = waitpid(pid, &status, 0);
	while (got < 0 && errno == EINTR);
	CHECK(got == pid);
	if (WIFEXITED(status))
		printf("%s: exit %d\n", what, WEXITSTATUS(status));
	else
		printf("%s: signal %d\n", what, WTERMSIG(status));
	CHECK(waitpid(pid, &status, WNOHANG) == -1 && errno == ECHILD);
}

int t_children(pid_t *ret, int most)
{
	char path[64], text[4096], *at = text, *end;
	int fd, count = 0;
	ssize_t n;
	long pid;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		t_skip("the kernel does not list children");
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	CHECK(n >= 0);
	text[n] = 0;
	while ((pid = strtol(at, &end, 10)) > 0) {
		if (count < most)
			ret[count] = (pid_t)pid;
		count++;
		at = end;
	}
	return count;
}

_Noreturn void t_exec_report(const char *topic)
{
	execl(t_report, "report", topic, (char *)NULL);
	t_failed(__FILE__, __LINE__, "exec of the report program");
}

_Noreturn void t_exec_exit(int code)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", code);
	execl(t_report, "report", "exit", text, (char *)NULL);
	t_failed(__FILE__, __LINE__, "exec of the report program");
}

_Noreturn void t_exec_say(const char *fmt, ...)
{
	char text[8192];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	execl(t_report, "report", "say", text, (char *)NULL);
	t_failed(__FILE__, __LINE__, "exec of the report program");
}

void t_sleep_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

void t_until(volatile int *p, int value)
{
	for (int i = 0; i < 20000 && *p != value; i++)
		t_sleep_ms(1);
	CHECK(*p == value);
}
