/*
 * The kernel writes into absent memory for the child: read, readv, pread,
 * pipe, fstat, uname, sigaction and sigprocmask results, getrlimit, poll,
 * select, getsockopt, clock_gettime, getdents, sysinfo, process_vm_readv.
 * What lies around the result stays what the parent wrote there. Then exec.
 *
 * Test: -l
 */
#include "t.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

enum {
	STEP = 256 << 10
};

static char *area;
static int at, good, bad;

/* A fresh untouched place, across a page border. */
static void *place(void)
{
	return area + STEP * at++ + 8192 - 16;
}

static void judge(void *p, size_t n, int ok)
{
	char *from = (char *)((uintptr_t)p & ~4095ul);
	char *to = (char *)(((uintptr_t)p + n + 7) & ~7ul);

	ok = ok && t_intact(from, ((uintptr_t)p & ~7ul) - (uintptr_t)from) &&
	     t_intact(to, 4096);
	if (ok)
		good++;
	else
		bad |= 1 << at;
}

static void files(int file)
{
	struct iovec *v;
	char *p = place();
	int *fds;

	judge(p, 12288, read(file, p, 12288) == 12288 && p[12287] == 'f');
	p = place();
	judge(p, 100, pread(file, p, 100, 50) == 100 && p[99] == 'f');
	v = place();
	v[0] = (struct iovec){ place(), 104 };
	v[1] = (struct iovec){ place(), 80000 };
	lseek(file, 0, SEEK_SET);
	p = v[1].iov_base;
	judge(p, 80000, readv(file, v, 2) == 80104 && p[79999] == 'f');
	fds = place();
	judge(fds, 8, pipe(fds) == 0 && write(fds[1], "x", 1) == 1);
	close(fds[0]);
	close(fds[1]);
	p = place();
	judge(p, sizeof(struct stat),
	      fstat(file, (struct stat *)p) == 0 &&
		      ((struct stat *)p)->st_size == 100000);
	at++;
}

static void states(int blocking)
{
	struct utsname *u = place();
	struct sigaction *sa;
	struct rlimit *rl;
	struct timespec *ts;
	struct pollfd *pf;
	struct timeval *tv;
	fd_set *set;
	int *value, s[2];
	socklen_t *len;

	judge(u, sizeof(*u), uname(u) == 0 && !strcmp(u->sysname, "Linux"));
	sa = place();
	judge(sa, sizeof(*sa),
	      sigaction(SIGUSR1, NULL, sa) == 0 && sa->sa_handler == SIG_IGN);
	sa = place();
	judge(sa, 8,
	      syscall(SYS_rt_sigprocmask, SIG_BLOCK, NULL, sa, 8) == 0 &&
		      *(uint64_t *)sa == 1ul << (SIGUSR2 - 1));
	rl = place();
	judge(rl, sizeof(*rl),
	      getrlimit(RLIMIT_NOFILE, rl) == 0 && rl->rlim_cur >= 64);
	ts = place();
	judge(ts, sizeof(*ts),
	      syscall(SYS_clock_gettime, CLOCK_MONOTONIC, ts) == 0 &&
		      ts->tv_nsec < 1000000000);
	if (!blocking)
		return;
	pf = place();
	*pf = (struct pollfd){ .fd = 0, .events = POLLIN };
	judge(pf, sizeof(*pf), poll(pf, 1, 0) == 1 && pf->revents & POLLIN);
	set = place();
	memset(set, 0, sizeof(*set));
	FD_SET(0, set);
	tv = (struct timeval *)t_area;
	tv->tv_sec = tv->tv_usec = 0;
	judge(set, sizeof(*set), select(1, set, NULL, NULL, tv) == 1);
	value = place();
	len = (socklen_t *)(t_block(50) + 64);
	*len = 4;
	judge(value, 4,
	      socketpair(AF_UNIX, SOCK_STREAM, 0, s) == 0 &&
		      getsockopt(s[0], SOL_SOCKET, SO_TYPE, value, len) == 0 &&
		      *value == SOCK_STREAM && *len == 4);
	close(s[0]);
	close(s[1]);
}

static void far_away(void)
{
	struct iovec *local = place(), *remote = place();
	int dir = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *p;

	*local = (struct iovec){ place(), 4096 };
	*remote = (struct iovec){ area + STEP * 40, 4096 };
	p = local->iov_base;
	judge(p, 4096,
	      process_vm_readv(getpid(), local, 1, remote, 1, 0) == 4096 &&
		      *(uint64_t *)p == t_word(area + STEP * 40) &&
		      *(uint64_t *)(p + 4088) ==
			      t_word(area + STEP * 40 + 4088));
	p = place();
	judge(p, 4096, syscall(SYS_getdents64, dir, p, 4096) > 0);
	close(dir);
	p = place();
	judge(p, 64, syscall(SYS_getrandom, p, 64, 0) == 64);
	p = place();
	judge(p, 128, syscall(SYS_times, p) != -1);
}

int main(void)
{
	static char text[100000];
	int file;
	pid_t pid;

	t_start(64);
	area = t_anon(64 * STEP);
	memset(text, 'f', sizeof(text));
	file = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CHECK(file >= 0 && write(file, text, sizeof(text)) == sizeof(text));
	signal(SIGUSR1, SIG_IGN);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	sigprocmask(SIG_SETMASK, &set, NULL);
	t_signals_again();
	for (int i = 0; i < 3; i++) {
		CHECK(lseek(file, 0, SEEK_SET) == 0);
		pid = t_fork();
		if (pid == 0) {
			/* the first does nothing that might block or that
			 * others could see */
			if (i == 2)
				files(file);
			else
				at = 10;
			states(i > 0);
			if (i > 0)
				far_away();
			t_exec_say("%d good, bad %x", good, bad);
		}
		t_reap(pid, "child");
	}
	CHECK(t_intact(area, 64 * STEP));
	close(file);
	CHECK(!munmap(area, 64 * STEP));
	return t_end();
}
