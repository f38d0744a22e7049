/*
 * Memory whose pages another process provides (userfaultfd(2)): a child has
 * those that are there at fork, and zeros for all others, as the service is
 * not inherited. Children that write and then exec, at one place, so that
 * they would get to be born committed, and could not be taken back. With
 * "device" the service comes from /dev/userfaultfd.
 *
 * Test:
 * Test: userfaultfd-device device
 */
#include "t.h"

#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum {
	PAGE = 4096,
	CHILDREN = 9,
};
#define BYTES ((size_t)8 << 20)

/* USERFAULTFD_IOC_NEW, of Linux 6.1; Debian 12 has it, older headers not. */
#define NEW_USERFAULTFD _IO(0xaa, 0)

static bool by_device;

/* 0x5a, for whoever asks; @provided counts them. */
static void provide(int service, volatile int *provided)
{
	static unsigned char page[PAGE];
	struct uffdio_copy copy = { .src = (uintptr_t)page, .len = PAGE };
	struct uffd_msg message;

	memset(page, 0x5a, PAGE);
	while (read(service, &message, sizeof(message)) == sizeof(message) &&
	       message.event == UFFD_EVENT_PAGEFAULT) {
		copy.dst = message.arg.pagefault.address & ~(PAGE - 1ULL);
		copy.copy = 0;
		++*provided;
		if (ioctl(service, UFFDIO_COPY, &copy))
			break;
	}
	_exit(1);
}

static pid_t start_service(unsigned char *memory, volatile int *provided)
{
	struct uffdio_register range = {
		.range = { (uintptr_t)memory, BYTES },
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = { .api = UFFD_API };
	int device, service;
	pid_t pid;

	if (by_device) {
		device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
		if (device < 0)
			t_skip("no /dev/userfaultfd here");
		service = ioctl(device, NEW_USERFAULTFD, O_CLOEXEC);
		close(device);
	} else {
		service = (int)syscall(SYS_userfaultfd, O_CLOEXEC);
	}

	if (service < 0)
		t_skip("no userfaultfd here");
	CHECK(!ioctl(service, UFFDIO_API, &api));
	CHECK(!ioctl(service, UFFDIO_REGISTER, &range));
	pid = fork();
	if (pid == 0)
		provide(service, provided);
	CHECK(pid > 0);
	close(service);
	return pid;
}

int main(int argc, char **argv)
{
	volatile int *provided = t_shared(PAGE);
	unsigned char *memory;
	pid_t server, pid;

	by_device = argc > 1 && !strcmp(argv[1], "device");
	t_start(64);
	memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	server = start_service(memory, provided);
	printf("parent: %x\n", memory[0]);
	for (int i = 1; i <= CHILDREN; i++) {
		pid = t_fork();
		if (pid == 0) {
			CHECK(write(1, "child\n", 6) == 6);
			if (i == CHILDREN)
				printf("%x %x\n", memory[0],
				       memory[100 * PAGE]);
			t_exec_say("exec'ed");
		}
		t_reap(pid, "child");
	}
	printf("provided %d\n", *provided);
	printf("parent: %x\n", memory[100 * PAGE]);
	kill(server, SIGKILL);
	t_reap(server, "server");
	return t_end();
}
