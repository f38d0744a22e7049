/*
 * A child of vfork gets a signal that its parent handles while it waits in a
 * call of which it is not so well known that it waits: the handler runs there
 * and then, in memory of the child's own, and the call comes back. It may be
 * libc's call or the program's own instruction.
 *
 * Test: -w vfork-wrong-blocked-CASE CASE
 */
#include "cases.h"
#include "told.h"

#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdint.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>

static volatile int handled;

static void on_signal(int sig)
{
	(void)sig;
	handled++;
}

static int empty[2], full[2], sockets[2];
static int file;
static mqd_t queue;

static void make_full(int fd, size_t bytes)
{
	static char zeros[4096];

	CHECK(!fcntl(fd, F_SETFL, O_NONBLOCK));
	while (write(fd, zeros, bytes) > 0)
		;
	CHECK(!fcntl(fd, F_SETFL, 0));
}

static void make_queue(void)
{
	struct mq_attr attr = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	char name[32];

	snprintf(name, sizeof(name), "/t-%d", getpid());
	queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, &attr);
	if (queue == (mqd_t)-1)
		t_skip("no message queues here");
	mq_unlink(name);
}

static void make_things(void)
{
	CHECK(!pipe(empty) && !pipe(full) && !pipe(told));
	CHECK(!socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets));
	file = open("file", O_RDWR | O_CREAT, 0600);
	CHECK(file >= 0 && write(file, "0123456789", 10) == 10);
	CHECK(lseek(file, 0, SEEK_SET) == 0);
	make_full(full[1], 4096);
	make_queue();
}

static void drop_things(void)
{
	const int all[] = { empty[0],	empty[1],   full[0], full[1],
			    sockets[0], sockets[1], file,    told[1] };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
		close(all[i]);
	mq_close(queue);
}

static FRAME pid_t blocked_child(long (*wait)(void))
{
	volatile long local = 7;
	pid_t pid = start();

	if (pid == 0) {
		local = 8;
		tell_who_i_am();
		_exit(wait() == -1 && errno == EINTR && handled == 1 ? 3 : 4);
	}
	CHECK(local == 7);
	return pid;
}

static void handled_in(long (*wait)(void))
{
	struct sigaction sa = { .sa_handler = on_signal };
	pid_t other, pid;

	CHECK(!sigaction(SIGUSR1, &sa, NULL));
	t_signals_again();
	make_things();
	other = told_process(SIGUSR1, 3000); /* it ends in any case */
	pid = blocked_child(wait);
	t_reap(pid, "child");
	CHECK(!kill(other, SIGKILL));
	CHECK(waitpid(other, NULL, 0) == other);
	printf("parent handled %d\n", handled);
	drop_things();
}

static long receive(void)
{
	char text[8];

	return mq_receive(queue, text, sizeof(text), NULL);
}

CASE(mq_receive)
{
	handled_in(receive);
}

static long send_twice(void)
{
	long rc = mq_send(queue, "1", 1, 0);

	return rc ? rc : mq_send(queue, "2", 1, 0);
}

CASE(mq_send)
{
	handled_in(send_twice);
}

static long receive_many(void)
{
	char text[8];
	struct iovec v = { text, sizeof(text) };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };

	return recvmmsg(sockets[0], &m, 1, 0, NULL);
}

CASE(recvmmsg)
{
	handled_in(receive_many);
}

static long send_many(void)
{
	struct iovec v = { "12345678", 8 };
	struct mmsghdr m = { .msg_hdr = { .msg_iov = &v, .msg_iovlen = 1 } };

	make_full(sockets[1], 8);
	return sendmmsg(sockets[1], &m, 1, 0);
}

CASE(sendmmsg)
{
	handled_in(send_many);
}

static long splice_in(void)
{
	return splice(empty[0], NULL, full[1], NULL, 8, 0);
}

CASE(splice)
{
	handled_in(splice_in);
}

static long tee_in(void)
{
	return tee(empty[0], full[1], 8, 0);
}

CASE(tee)
{
	handled_in(tee_in);
}

static long vmsplice_out(void)
{
	struct iovec v = { "12345678", 8 };

	return vmsplice(full[1], &v, 1, 0);
}

CASE(vmsplice)
{
	handled_in(vmsplice_out);
}

static long send_file(void)
{
	return sendfile(full[1], file, NULL, 8);
}

CASE(sendfile)
{
	handled_in(send_file);
}

static long read_vector(void)
{
	char text[8];
	struct iovec v = { text, sizeof(text) };

	return preadv2(empty[0], &v, 1, -1, 0);
}

CASE(preadv2)
{
	handled_in(read_vector);
}

static long open_fifo(void)
{
	const uint64_t how[3] = { O_RDONLY };

	return syscall(SYS_openat2, AT_FDCWD, "fifo", how, sizeof(how));
}

CASE(openat2)
{
	CHECK(!mkfifo("fifo", 0600));
	handled_in(open_fifo);
}

/* The number comes from memory, and the call is of no libc's form. */
static long own_read(void)
{
	volatile long nr = SYS_read;
	char text[8];
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "0"(nr), "D"((long)empty[0]), "S"(text), "d"(8L)
			 : "rcx", "r11", "memory");
	errno = rc < 0 ? (int)-rc : 0;
	return rc < 0 ? -1 : rc;
}

CASE(own_read)
{
	handled_in(own_read);
}

CASES_MAIN
