/*
 * One lazy fork, made by this executable in a process of its own that has the
 * interposer in it: the parent owns memory, the child reads it late, writes
 * to it, and execs; the counters tell which way the fork took.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/lines.h"
#include "tell/options.h"

#define MEMORY_BYTES (64UL << 20)
#define STEP_BYTES (1UL << 20)
#define PROOF_SECONDS 20
#define PROOF_BUDGET_MS "10000" /* a busy machine is not a missing ground */

/* What the proof's two processes return: where it went wrong. */
enum {
	PROOF_GOOD,
	PROOF_NO_MEMORY = 40,
	PROOF_NO_FORK,
	PROOF_NO_EXEC,
	PROOF_CHILD_READ,
	PROOF_PARENT_CHANGED,
	PROOF_CHILD_STATUS,
};

static const char *proof_message(int code)
{
	switch (code) {
	case PROOF_NO_MEMORY:
		return "64 MiB of memory were refused";
	case PROOF_NO_FORK:
		return "fork failed";
	case PROOF_NO_EXEC:
		return "the child could not exec /proc/self/exe";
	case PROOF_CHILD_READ:
		return "the child read something else than its parent wrote";
	case PROOF_PARENT_CHANGED:
		return "a write of the child reached its parent";
	case PROOF_CHILD_STATUS:
		return "the child's status was lost";
	default:
		return "the process died";
	}
}

static unsigned char pattern(size_t at)
{
	return (unsigned char)(at / STEP_BYTES + 1);
}

static bool intact(const volatile unsigned char *memory)
{
	for (size_t at = 0; at < MEMORY_BYTES; at += STEP_BYTES) {
		if (memory[at] != pattern(at))
			return false;
	}
	return true;
}

static void child_of_proof(volatile unsigned char *memory)
{
	if (!intact(memory))
		_exit(PROOF_CHILD_READ);
	memory[0] = 0;
	memory[MEMORY_BYTES / 2] = 0;
	execl("/proc/self/exe", "flatfork", CLI_PROOF_CHILD, (char *)NULL);
	_exit(PROOF_NO_EXEC);
}

int cli_proof_parent(void)
{
	volatile unsigned char *memory;
	int status;
	pid_t pid;

	memory = mmap(NULL, MEMORY_BYTES, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		return PROOF_NO_MEMORY;
	for (size_t at = 0; at < MEMORY_BYTES; at += 4096)
		memory[at] = pattern(at);
	pid = fork();
	if (pid < 0)
		return PROOF_NO_FORK;
	if (!pid)
		child_of_proof(memory);
	if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return PROOF_CHILD_STATUS;
	if (WEXITSTATUS(status))
		return WEXITSTATUS(status);
	return intact(memory) ? PROOF_GOOD : PROOF_PARENT_CHANGED;
}

/* In the child: nothing of the user's settings, the counters to @dir. */
static bool child_environment(const char *dir)
{
	char log[256], stats[256];

	for (size_t i = 0; i < FF_OPTION_COUNT; i++)
		unsetenv(ff_option_table[i].env);
	snprintf(log, sizeof(log), "%s/log", dir);
	snprintf(stats, sizeof(stats), "%s/stats", dir);
	return !setenv("FLATFORK_FORK", "lazy", 1) &&
	       !setenv("FLATFORK_BUDGET_MS", PROOF_BUDGET_MS, 1) &&
	       !setenv("FLATFORK_CONFIG", "/dev/null", 1) &&
	       !setenv("FLATFORK_LOG", log, 1) &&
	       !setenv("FLATFORK_STATS", stats, 1) && cli_preload("doctor");
}

/* Returns the wait status, -1 with errno if there is none. */
static int run_parent(const char *dir)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -1;
	if (!pid) {
		if (!child_environment(dir))
			_exit(CLI_FAILED);
		signal(SIGALRM, SIG_DFL);
		alarm(PROOF_SECONDS);
		execl("/proc/self/exe", "flatfork", CLI_PROOF_PARENT,
		      (char *)NULL);
		_exit(CLI_NOT_FOUND);
	}
	while (waitpid(pid, &status, 0) < 0) {
		if (errno != EINTR)
			return -1;
	}
	return status;
}

static bool was_lazy(const char *dir)
{
	static const char *const name = "forks_lazy";
	long long sum;
	char path[256];

	snprintf(path, sizeof(path), "%s/stats", dir);
	cli_line_sums(path, &name, 1, &sum);
	return sum > 0;
}

static void copy_log(FILE *out, const char *dir)
{
	char text[512];
	FILE *in;

	snprintf(text, sizeof(text), "%s/log", dir);
	in = fopen(text, "re");
	while (in && fgets(text, sizeof(text), in))
		fprintf(out, "  %s", text);
	if (in)
		fclose(in);
	else
		fprintf(out,
			"  (no log line: is the interposer in the process?)\n");
}

static bool judge(FILE *out, const char *dir, int status)
{
	bool exited = status >= 0 && WIFEXITED(status);
	int code = exited ? WEXITSTATUS(status) : -1;

	fprintf(out, "%-22s ", "lazy fork");
	if (code == PROOF_GOOD && was_lazy(dir)) {
		fprintf(out, "works\n");
		return true;
	}
	if (code == PROOF_GOOD)
		fprintf(out, "no: the fork was right, but a real one\n");
	else if (status >= 0 && WIFSIGNALED(status))
		fprintf(out, "no: the process died of signal %d (%s)\n",
			WTERMSIG(status),
			WTERMSIG(status) == SIGALRM ?
				"it hung" :
				strsignal(WTERMSIG(status)));
	else if (code == CLI_FAILED || code == CLI_NOT_FOUND || status < 0)
		fprintf(out, "no: the proof could not be started\n");
	else
		fprintf(out, "no: %s (code %d)\n", proof_message(code), code);
	copy_log(out, dir);
	return false;
}

static void remove_directory(const char *dir)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/log", dir);
	unlink(path);
	snprintf(path, sizeof(path), "%s/stats", dir);
	unlink(path);
	rmdir(dir);
}

bool cli_proof(FILE *out)
{
	char dir[200];
	bool works;

	if (!cli_folder_make("doctor", dir, sizeof(dir))) {
		fprintf(out, "%-22s no: %s: %s\n", "lazy fork",
			cli_folder_parent(), strerror(errno));
		return false;
	}
	works = judge(out, dir, run_parent(dir));
	remove_directory(dir);
	return works;
}
