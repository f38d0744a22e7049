/* See scene.h. */
#include "scene.h"

#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

struct witness *report;
static char dir[] = "/tmp/spawn-inject.XXXXXX";

static void copy_witness(const char *from, const char *to)
{
	static char text[1 << 20];
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0755);
	ssize_t n = read(in, text, sizeof(text));

	MUST(n > 0 && write(out, text, (size_t)n) == n);
	close(in);
	close(out);
}

void make_scene(const char *witness)
{
	char path[4096];
	int fd;

	MUST(realpath(witness, path));
	umask(022);
	MUST(mkdtemp(dir) && !chmod(dir, 0755) && !chdir(dir));
	copy_witness(path, "witness");
	copy_witness(path, "slow");
	MUST(!mkdir("sub", 0755));
	fd = open("file", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	MUST(write(fd, "0123456789", 10) == 10);
	close(fd);
	fd = open("report", O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	MUST(!fchmod(fd, 0666) && !ftruncate(fd, sizeof(*report)));
	report = mmap(NULL, sizeof(*report), PROT_READ | PROT_WRITE, MAP_SHARED,
		      fd, 0);
	close(fd);
	MUST(report != MAP_FAILED);
}

void remove_scene(void)
{
	static const char *const names[] = { "witness", "slow", "file",
					     "report" };
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++)
		unlink(names[i]);
	rmdir("sub");
	rmdir(dir);
}

/* ---- the process that spawns ---- */

static void handler(int sig)
{
	(void)sig;
}

static void put(int fd, int to)
{
	MUST(dup2(fd, to) == to);
	close(fd);
}

void be_somebody(void)
{
	const struct rlimit limit = { 1000, 100000 };
	int master, slave, fd;
	sigset_t set;

	MUST(setsid() > 0);
	for (fd = 3; fd < 256; fd++)
		close(fd);
	MUST(!openpty(&master, &slave, NULL, NULL, NULL));
	put(slave, FD_TERMINAL);
	put(master, FD_TERMINAL + 1);
	MUST(!ioctl(FD_TERMINAL, TIOCSCTTY, 0));
	put(open("file", O_RDWR), FD_FILE);
	MUST(lseek(FD_FILE, 3, SEEK_SET) == 3);
	put(open("sub", O_RDONLY | O_DIRECTORY), FD_DIRECTORY);
	MUST(!fcntl(FD_DIRECTORY, F_SETFD, FD_CLOEXEC));
	put(open("/dev/null", O_RDONLY), FD_HIGH);
	put(open("/dev/null", O_RDWR), 4);
	signal(SIGUSR1, handler);
	signal(SIGUSR2, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGCHLD, handler);
	sigemptyset(&set);
	sigaddset(&set, SIGWINCH);
	sigaddset(&set, SIGTTOU);
	sigprocmask(SIG_SETMASK, &set, NULL);
	umask(027);
	setrlimit(RLIMIT_CORE, &limit);
}

static int relation(int id, int pid)
{
	return id == pid ? 1 : id == getpid() ? 2 : id;
}

void make_comparable(struct witness *w)
{
	int i;

	w->parent = relation(w->parent, w->pid);
	w->group = relation(w->group, w->pid);
	w->session = relation(w->session, w->pid);
	w->pid = 0;
	for (i = 0; i < w->nr_fds && i < WITNESS_FDS; i++) {
		if (w->fds[i].fd <= 2) /* where we print */
			w->fds[i].offset = 0;
		if (!S_ISREG(w->fds[i].mode))
			w->fds[i].ino = w->fds[i].dev = 0;
	}
}
