/*
 * The measured process: owns the memory, starts the children, takes the time.
 * It knows nothing of flatfork: whether its fork() is libc's is decided by the
 * environment the leader started it with.
 */
#include "bench.h"

#include <errno.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define PAGE 4096
/* A touch order rewrites at most this much: it must not take seconds. */
#define TOUCH_BYTES ((size_t)256 << 20)

static volatile unsigned char *memory;
static size_t memory_bytes;
static const char *child_path;

static _Noreturn void die(const char *what)
{
	fprintf(stderr, "bench worker: %s: %s\n", what, strerror(errno));
	exit(1);
}

int read_all(int fd, void *to, size_t bytes)
{
	while (bytes) {
		ssize_t got = read(fd, to, bytes);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return -1;
		to = (char *)to + got;
		bytes -= (size_t)got;
	}
	return 0;
}

int write_all(int fd, const void *from, size_t bytes)
{
	while (bytes) {
		ssize_t put = write(fd, from, bytes);

		if (put < 0 && errno == EINTR)
			continue;
		if (put <= 0)
			return -1;
		from = (const char *)from + put;
		bytes -= (size_t)put;
	}
	return 0;
}

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static void reap(pid_t pid)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			die("waitpid");
	if (!WIFEXITED(status) || WEXITSTATUS(status)) {
		fprintf(stderr, "bench worker: child status %#x\n", status);
		exit(1);
	}
}

static struct sample child_by_fork(void)
{
	char *argv[] = { (char *)child_path, NULL };
	struct sample s;
	int64_t start = now_ns();
	pid_t pid = fork();

	if (pid == 0) {
		execve(child_path, argv, environ);
		_exit(127);
	}
	s.call_ns = now_ns() - start;
	if (pid < 0)
		die("fork");
	reap(pid);
	s.whole_ns = now_ns() - start;
	return s;
}

static struct sample child_by_vfork(void)
{
	char *argv[] = { (char *)child_path, NULL };
	struct sample s;
	int64_t start = now_ns();
	pid_t pid = vfork();

	if (pid == 0) {
		execve(child_path, argv, environ);
		_exit(127);
	}
	s.call_ns = now_ns() - start;
	if (pid < 0)
		die("vfork");
	reap(pid);
	s.whole_ns = now_ns() - start;
	return s;
}

static struct sample child_by_spawn(void)
{
	char *argv[] = { (char *)child_path, NULL };
	struct sample s;
	pid_t pid;
	int64_t start = now_ns();
	int err = posix_spawn(&pid, child_path, NULL, NULL, argv, environ);

	s.call_ns = now_ns() - start;
	if (err) {
		errno = err;
		die("posix_spawn");
	}
	reap(pid);
	s.whole_ns = now_ns() - start;
	return s;
}

/* One write to each page. Returns nanoseconds per page. */
static int64_t touch(void)
{
	size_t bytes = memory_bytes < TOUCH_BYTES ? memory_bytes : TOUCH_BYTES;
	int64_t start = now_ns();

	for (size_t at = 0; at < bytes; at += PAGE)
		memory[at]++;
	return (now_ns() - start) / (int64_t)(bytes / PAGE + !bytes);
}

static struct sample touch_sample(int after_child)
{
	struct sample s = { 0, 0 };

	touch(); /* every page writable before */
	if (after_child)
		s = child_by_fork();
	s.whole_ns = touch();
	return s;
}

static struct sample serve(enum order_kind kind)
{
	switch (kind) {
	case ORDER_FORK:
		return child_by_fork();
	case ORDER_VFORK:
		return child_by_vfork();
	case ORDER_SPAWN:
		return child_by_spawn();
	case ORDER_TOUCH:
		return touch_sample(0);
	case ORDER_TOUCH_AFTER:
		return touch_sample(1);
	}
	errno = EINVAL;
	die("order");
	return (struct sample){ 0, 0 };
}

int worker_main(size_t mib, const char *child)
{
	struct sample ready = { 0, 0 };
	struct order order;

	child_path = child;
	memory_bytes = mib << 20;
	memory = mmap(NULL, memory_bytes, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		die("mmap");
	/* 4 KiB pages: the page tables are what fork copies */
	if (madvise((void *)memory, memory_bytes, MADV_NOHUGEPAGE) &&
	    errno != EINVAL)
		die("madvise");
	for (size_t at = 0; at < memory_bytes; at += PAGE)
		memory[at] = (unsigned char)(at >> 12);
	if (write_all(1, &ready, sizeof(ready)))
		die("write");
	while (!read_all(0, &order, sizeof(order))) {
		for (uint32_t i = 0; i < order.count; i++) {
			struct sample s = serve((enum order_kind)order.kind);

			if (write_all(1, &s, sizeof(s)))
				die("write");
		}
	}
	return 0;
}
