/*
 * What can be done but once, by calls that look harmless. The argument:
 *  error     SO_ERROR of a socket, which who reads it takes
 *  polled, selected
 *            that mounts have changed, which who asks takes
 *  int80     calls by the ABI of i386, whose numbers mean others here
 *  prot, around, later, mapped, moved, keyed
 *            memory shared with the parent becomes writable in the child:
 *            all of it; as part of more; mapped in the child first; mapped
 *            over private memory; moved; by pkey_mprotect. One is added
 *
 * Test: seen-once-{error,polled,selected,int80} {}
 * Test: seen-once-{prot,around,later,mapped,moved,keyed} {}
 */
#include "t.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/select.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	TIMES = 6,
	PAGE = 4096
};

static const char *how;
static char *private; /* two pages */
static int *shared;   /* a page */
static int file;
static char *low; /* a name where pointers of i386 reach */

static long int80(long nr, long a, long b, long c)
{
	long r;

	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "0"(nr), "b"(a), "c"(b), "d"(c)
			 : "memory", "r8", "r9", "r10", "r11");
	return r;
}

static bool is(const char *what)
{
	return !strcmp(how, what);
}

/* A socket that was refused. */
static int refused(void)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
				 .sin_port = htons(1),
				 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct pollfd p = { .events = POLLOUT };

	p.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	if (p.fd < 0 || (connect(p.fd, (struct sockaddr *)&a, sizeof(a)) &&
			 errno != EINPROGRESS && errno != ECONNREFUSED))
		t_skip("no loopback");
	if (poll(&p, 1, 5000) != 1)
		t_skip("the loopback does not refuse");
	return p.fd;
}

/* Mounts that change, in a namespace of their own. */
static int mounts(void)
{
	int fd;

	if (unshare(CLONE_NEWNS) ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL))
		t_skip("no mount namespace");
	fd = open("/proc/self/mounts", O_RDONLY);
	CHECK(fd >= 0);
	return fd;
}

static void change_mounts(void)
{
	CHECK(!mount("none", "/proc", "tmpfs", 0, NULL));
	CHECK(!umount("/proc"));
}

static int have_changed(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLPRI };
	struct timeval now = { 0 };
	fd_set set;

	if (is("polled"))
		return poll(&p, 1, 0) == 1 && (p.revents & POLLPRI);
	FD_ZERO(&set);
	FD_SET(fd, &set);
	return select(fd + 1, NULL, NULL, &set, &now) == 1;
}

static int *writable(void)
{
	void *p = shared;

	if (is("prot"))
		CHECK(!mprotect(shared, PAGE, PROT_READ | PROT_WRITE));
	if (is("around"))
		CHECK(!mprotect(private, 2 * PAGE, PROT_READ | PROT_WRITE));
	if (is("later")) {
		p = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, file, 0);
		CHECK(p != MAP_FAILED);
		CHECK(!mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	}
	if (is("mapped")) {
		p = mmap(private, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, file,
			 0);
		CHECK(p == private);
		CHECK(!mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	}
	if (is("moved")) {
		p = mremap(shared, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED,
			   private);
		CHECK(p == private);
		CHECK(!mprotect(p, PAGE, PROT_READ | PROT_WRITE));
	}
	if (is("keyed") && syscall(SYS_pkey_mprotect, shared, PAGE,
				   PROT_READ | PROT_WRITE, -1))
		CHECK(!mprotect(shared, PAGE, PROT_READ | PROT_WRITE));
	return p;
}

static void act(int fd, int round)
{
	int error = -1;
	socklen_t bytes = sizeof(error);

	if (is("error")) {
		CHECK(!getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &bytes));
		printf("error %s\n", strerror(error));
		t_exec_exit(0);
	}
	if (is("polled") || is("selected")) {
		printf("changed %d\n", have_changed(fd));
		printf("once more %d\n", have_changed(fd));
		t_exec_exit(0);
	}
	if (is("int80")) {
		/* mkdir, getpid and exit(7): getpid, writev and write where
		 * misread. To look at what they say might end a trial. */
		if (round % 2) {
			int80(39, (long)low, 0700, 0);
			t_exec_exit(0);
		}
		CHECK(int80(20, 0, 0, 0) == getpid());
		int80(1, 7, 0, 0);
		CHECK(0);
	}
	__atomic_add_fetch(writable(), 1, __ATOMIC_SEQ_CST);
	CHECK(write(STDOUT_FILENO, "added\n", 6) == 6);
	t_exec_exit(0);
}

/* Without it the instruction is a fault. */
static bool has_int80(void)
{
	int status;
	pid_t pid = t_fork();

	if (pid == 0)
		_exit(int80(20, 0, 0, 0) == getpid() ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid);
	return status == 0;
}

int main(int argc, char **argv)
{
	int fd = -1;

	CHECK(argc > 1);
	how = argv[1];
	if (is("int80") && !has_int80())
		t_skip("the kernel has no calls of i386");
	t_start(32);
	file = memfd_create("shared", 0);
	CHECK(file >= 0 && !ftruncate(file, PAGE));
	private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(private != MAP_FAILED);
	low = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	CHECK(low != MAP_FAILED);
	strcpy(low, "made");
	shared = mmap(is("around") ? private + PAGE : NULL, PAGE,
		      is("around") || is("moved") ? PROT_READ | PROT_WRITE :
						    PROT_READ,
		      MAP_SHARED | (is("around") ? MAP_FIXED : 0), file, 0);
	CHECK(shared != MAP_FAILED);
	if (is("polled") || is("selected"))
		fd = mounts();
	for (int i = 0; i < TIMES; i++) {
		pid_t pid;

		if (is("error"))
			fd = refused();
		if (is("polled") || is("selected"))
			change_mounts();
		pid = t_fork();
		if (pid == 0)
			act(fd, i);
		t_reap(pid, "child");
		if (is("error"))
			close(fd);
		if (is("int80") && i % 2)
			CHECK(!rmdir(low));
	}
	close(fd);
	printf("counted %d\n", *shared);
	close(file);
	return t_end();
}
