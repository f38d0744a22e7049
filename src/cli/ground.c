/*
 * What the machine allows: the facts that decide whether a lazy fork is
 * possible here. Each is asked of the kernel, none is taken from a version.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"

/* linux/prctl.h from 5.11 on */
#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#define PR_SYS_DISPATCH_ON 1
#endif

/* linux/fs.h from 6.11 on */
struct map_query {
	uint64_t size, flags, addr;
	uint64_t start, end, vma_flags, page_size, offset, inode;
	uint32_t dev_major, dev_minor, name_size, build_id_size;
	uint64_t name_addr, build_id_addr;
};
#define MAP_QUERY _IOWR('f', 17, struct map_query)
#define MAP_QUERY_COVERING_OR_NEXT 0x10

static void fact(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%-22s %s\n", name, value);
}

/* With everything in the allowed range, so that nothing is dispatched. */
static int child_dispatch(void)
{
	if (!prctl(PR_SET_SYSCALL_USER_DISPATCH, PR_SYS_DISPATCH_ON, 0UL, ~0UL,
		   NULL))
		return 0;
	return errno;
}

/* In a child, since this process makes the proof later. 0 or errno. */
static int dispatch_error(void)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return errno;
	if (!pid)
		_exit(child_dispatch());
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return errno;
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : EPERM;
}

static bool dispatch_print(FILE *out)
{
	int error = dispatch_error();
	char text[128];

	snprintf(text, sizeof(text), "no: %s%s", strerror(error),
		 error == EINVAL ? " (needs Linux 5.11, x86-64)" :
		 error == EPERM	 ? " (see kernel.syscall_user_dispatch)" :
				   "");
	fact(out, "syscall user dispatch", error ? text : "yes");
	return !error;
}

static bool reads_itself(const uint64_t *word)
{
	uint64_t read_back = 0;
	struct iovec to = { &read_back, sizeof(read_back) };
	struct iovec from = { (void *)(uintptr_t)word, sizeof(*word) };

	return cli_filter_allows(FF_ASK_process_vm_readv) &&
	       process_vm_readv(getpid(), &to, 1, &from, 1, 0) ==
		       sizeof(*word) &&
	       read_back == *word;
}

/* Read our own memory the way a lazy child reads its parent's, or its parent
 * does for it. */
static bool memory_print(FILE *out)
{
	const uint64_t word = 0x666c6174666f726b;
	uint64_t read_back = 0;
	int fd = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	ssize_t n = -1;
	bool good, itself;
	int error;

	if (fd >= 0)
		n = pread(fd, &read_back, sizeof(read_back),
			  (off_t)(uintptr_t)&word);
	good = n == sizeof(word) && read_back == word;
	error = errno;
	itself = !good && reads_itself(&word);
	errno = error;
	if (good)
		fact(out, "/proc/self/mem", "readable");
	else
		fprintf(out, "%-22s no: %s%s\n", "/proc/self/mem",
			n < 0 ? strerror(errno) : "reads something else",
			itself ? "; by process_vm_readv" : "");
	if (fd >= 0)
		close(fd);
	return good || itself;
}

static bool maps_print(FILE *out)
{
	struct map_query query = { .size = sizeof(query),
				   .flags = MAP_QUERY_COVERING_OR_NEXT };
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);

	if (fd < 0) {
		fprintf(out, "%-22s no: /proc/self/maps: %s\n", "/proc",
			strerror(errno));
		return false;
	}
	fact(out, "/proc", "mounted");
	fact(out, "PROCMAP_QUERY",
	     !cli_filter_allows(FF_ASK_procmap_query) ||
			     ioctl(fd, MAP_QUERY, &query) ?
		     "no (Linux 6.11 has it): /proc/self/maps is read instead" :
		     "yes");
	close(fd);
	return true;
}

/* The number behind "@name:" in /proc/self/status, -1 if there is none. */
static long status_field(const char *name)
{
	char line[256];
	size_t n = strlen(name);
	long value = -1;
	FILE *in = fopen("/proc/self/status", "re");

	while (in && fgets(line, sizeof(line), in)) {
		if (!strncmp(line, name, n) && line[n] == ':')
			value = strtol(line + n + 1, NULL, 10);
	}
	if (in)
		fclose(in);
	return value;
}

static bool tracer_print(FILE *out)
{
	long tracer = status_field("TracerPid");

	if (tracer > 0)
		fprintf(out, "%-22s process %ld: forks are real\n", "tracer",
			tracer);
	else
		fact(out, "tracer", tracer ? "unknown" : "none");
	return tracer <= 0;
}

/* Only a help: what is lent behind them would be lazy. */
static void keys_print(FILE *out)
{
	int key = cli_filter_allows(FF_ASK_pkey_alloc) &&
				  cli_filter_allows(FF_ASK_pkey_free) ?
			  pkey_alloc(0, 0) :
			  -1;

	fact(out, "protection keys", key >= 0 ? "yes" : "no");
	if (key >= 0)
		pkey_free(key);
}

/* Never in the way of a lazy fork, but what plain forks of big ones die of. */
static void overcommit_print(FILE *out)
{
	static const char *const policies[] = {
		"0 (heuristic)",
		"1 (always granted)",
		"2 (strict: plain forks of big processes may get ENOMEM)",
	};
	FILE *in = fopen("/proc/sys/vm/overcommit_memory", "re");
	int policy = in ? fgetc(in) - '0' : -1;

	fact(out, "overcommit policy",
	     policy >= 0 && policy <= 2 ? policies[policy] : "unknown");
	if (in)
		fclose(in);
}

/* By a file: a filter may end who makes the call. */
static void kernel_print(FILE *out)
{
	char release[128] = "";
	FILE *in = fopen("/proc/sys/kernel/osrelease", "re");

	if (in && fgets(release, sizeof(release), in))
		release[strcspn(release, "\n")] = 0;
	if (in)
		fclose(in);
	fprintf(out, "%-22s Linux %s\n", "kernel",
		*release ? release : "of unknown release");
}

bool cli_ground_print(FILE *out)
{
	bool good = true;

	cli_filter_ask();
	kernel_print(out);
	good &= dispatch_print(out);
	good &= maps_print(out);
	good &= memory_print(out);
	good &= cli_filter_print(out);
	good &= tracer_print(out);
	keys_print(out);
	overcommit_print(out);
	return good;
}
