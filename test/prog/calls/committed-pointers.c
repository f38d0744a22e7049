/*
 * Children that write and then exec, at one place, so that they get to be
 * born committed. The last one gives the kernel pointers to memory that is
 * none, ends, or may not be written. What was to be read then is gone, and
 * stays so; what would have been answered is not.
 *
 * Test: -l committed-pointers-{reads,signals,lists,file} {}
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum {
	CHILDREN = 7,
};

static char *volatile nowhere = (char *)8;

static int fault(ssize_t rc)
{
	return rc == -1 && errno == EFAULT;
}

static int nothing_there(int fd, void *to, size_t bytes)
{
	return read(fd, to, bytes) == -1 && errno == EAGAIN;
}

static int datagram_is_gone(char *half)
{
	struct iovec v[2] = { { half - 4, 8 }, { half - 8, 4 } };
	char got[16];
	int two[2];

	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, two) ||
	    write(two[1], "lost", 4) != 4 || write(two[1], "split", 5) != 5 ||
	    write(two[1], "kept", 4) != 4)
		return 0;
	/* nowhere; and half of it into memory that ends */
	return fault(read(two[0], nowhere, 4)) && fault(readv(two[0], v, 2)) &&
	       read(two[0], got, sizeof(got)) == 4 && !memcmp(got, "kept", 4) &&
	       nothing_there(two[0], got, sizeof(got)) &&
	       fault(write(two[1], nowhere, 4));
}

static int count_is_gone(void)
{
	uint64_t got;
	int fd = eventfd(5, EFD_NONBLOCK);

	return fd >= 0 && fault(read(fd, nowhere, sizeof(got))) &&
	       nothing_there(fd, &got, sizeof(got));
}

/* Of the program's state that the child's keeper answers for. */
static int signals_answer(char *fixed)
{
	const long bytes = 8;
	sigset_t set, now;
	stack_t ss = { .ss_sp = fixed, .ss_size = 16384 };

	sigfillset(&set);
	return fault(syscall(SYS_sigaltstack, NULL, fixed)) &&
	       fault(syscall(SYS_rt_sigaction, SIGSEGV, NULL, fixed, bytes)) &&
	       fault(syscall(SYS_rt_sigaction, SIGSYS, NULL, fixed, bytes)) &&
	       fault(syscall(SYS_rt_sigprocmask, SIG_SETMASK, NULL, fixed,
			     bytes)) &&
	       syscall(SYS_rt_sigprocmask, 99, &set, fixed, bytes) == -1 &&
	       errno == EINVAL &&
	       fault(syscall(SYS_rt_sigprocmask, SIG_SETMASK, nowhere, NULL,
			     bytes)) &&
	       !sigaltstack(&ss, NULL) && !sigprocmask(SIG_BLOCK, NULL, &now) &&
	       !sigismember(&now, SIGHUP);
}

/* Lists that end at @half, too soon. */
static int lists_end(char *half)
{
	struct iovec *v = (struct iovec *)(void *)(half - 24);
	char **argv = (char **)(void *)(half - 4);
	int two[2];

	v[0] = (struct iovec){ half - 64, 8 };
	return !pipe(two) && fault(writev(two[1], v, 2)) &&
	       fault(writev(two[1], (struct iovec *)(void *)half, 3)) &&
	       write(two[1], half - 64, 8) == 8 &&
	       fault(execve("/bin/true", argv, NULL)) &&
	       fault(execve("/bin/true", (char **)(void *)half, NULL)) &&
	       fault(access(half - 2, F_OK));
}

/* Mapped, and behind the end of its file. */
static int file_ends(void)
{
	int fd = memfd_create("short", 0);
	char *names, *end;

	CHECK(fd >= 0 && !ftruncate(fd, 4096));
	names = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	CHECK(names != MAP_FAILED);
	end = names + 4096;
	memcpy(end - 6, "/proc/", 6);
	return fault(access(end, F_OK)) && fault(access(end - 6, F_OK)) &&
	       fault(open(end, O_RDONLY)) && fault(open(end - 6, O_RDONLY)) &&
	       fault(execv(end, (char *[]){ end, NULL })) &&
	       fault(execv("/bin/true", (char **)(void *)end)) &&
	       fault(execv("/bin/true", (char *[]){ end - 6, NULL })) &&
	       fault(syscall(SYS_rt_sigprocmask, SIG_BLOCK, end, NULL, 8L)) &&
	       fault(writev(1, (struct iovec *)(void *)end, 1));
}

static int is_right(const char *which, char *half, char *fixed)
{
	if (!strcmp(which, "reads"))
		return datagram_is_gone(half) && count_is_gone();
	if (!strcmp(which, "signals"))
		return signals_answer(fixed);
	if (!strcmp(which, "file"))
		return file_ends();
	return lists_end(half);
}

int main(int argc, char **argv)
{
	char *map, *half, *fixed;
	pid_t pid;

	t_start(64);
	CHECK(argc == 2);
	map = t_anon(4 << 20);
	half = map + (2 << 20);
	memset(half - 2, 'x', 2);
	fixed = t_anon(2 << 20);
	CHECK(!mprotect(fixed, 2 << 20, PROT_READ));
	CHECK(!munmap(half, 2 << 20));
	for (int i = 0; i < CHILDREN; i++) {
		pid = t_fork();
		if (pid == 0) {
			CHECK(write(1, "", 0) == 0);
			if (i < CHILDREN - 1)
				t_exec_exit(5);
			t_exec_exit(is_right(argv[1], half, fixed) ? 7 : 8);
		}
		t_reap(pid, "child");
	}
	return t_end();
}
