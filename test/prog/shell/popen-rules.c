/*
 * popen() and pclose() by POSIX: modes, statuses, earlier streams closed in
 * the child, a status that somebody else took, streams that fclose ended,
 * many threads; streams closed by children and by other functions of libc's,
 * a thread that is being cancelled, a process that is under a filter by then.
 *
 * Test:
 */
#include "t.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <mntent.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wchar.h>

static void modes(void)
{
	static const char *const all[] = { "r",	 "w",	"re", "we", "e",
					   "rw", "wr",	"",   "x",  "rx",
					   "er", "ree", "r+", "rb", "ew" };

	for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
		FILE *f;

		errno = 0;
		f = popen("cat >/dev/null </dev/null", all[i]);
		printf("mode '%s': %s\n", all[i],
		       f ? "opened" : strerrorname_np(errno));
		if (!f)
			continue;
		printf("  close-on-exec %d, flags %o",
		       fcntl(fileno(f), F_GETFD),
		       fcntl(fileno(f), F_GETFL) & (O_ACCMODE | O_APPEND));
		printf(", ends %#x\n", (unsigned)pclose(f));
	}
}

static void content(void)
{
	char line[64];
	FILE *f = popen("echo one; echo two; exit 9", "r");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		printf("read %s", line);
	printf("ends %#x\n", (unsigned)pclose(f));
	fflush(stdout);
	f = popen("while read x; do echo got $x; done; exit 8", "w");
	CHECK(f && fputs("three\nfour\n", f) >= 0);
	printf("ends %#x\n", (unsigned)pclose(f));
	f = popen("kill -9 $$", "r");
	CHECK(f);
	printf("killed: %#x\n", (unsigned)pclose(f));
	fflush(stdout);
	f = popen("exec no-such-command 2>/dev/null", "r");
	CHECK(f);
	printf("not found: %#x\n", (unsigned)pclose(f));
}

/* Else the second child would hold the first one's pipe open. */
static void earlier_streams(void)
{
	FILE *a = popen("cat >/dev/null; exit 1", "w");
	FILE *b = popen("ls -1 /proc/self/fd | wc -l; cat >/dev/null <&-", "r");
	FILE *c = popen("cat >/dev/null; exit 3", "w");
	int n = -1;

	CHECK(a && b && c);
	printf("first ends %#x\n", (unsigned)pclose(a));
	CHECK(fscanf(b, "%d", &n) == 1);
	printf("descriptors of ls: %d\n", n);
	pclose(b);
	printf("third ends %#x\n", (unsigned)pclose(c));
}

/* With 0 or 1 closed the pipe itself has that number. */
static void low_numbers(void)
{
	int in = dup(0), out;
	char line[32] = "";
	FILE *f;

	fflush(stdout);
	out = dup(1);
	close(0);
	close(1);
	f = popen("echo low", "r");
	if (f && fgets(line, sizeof(line), f) && pclose(f))
		line[0] = '?';
	dup2(in, 0);
	dup2(out, 1);
	printf("with 0 and 1 closed: %s", line);
	fflush(stdout);
	close(0);
	f = popen("read x; echo fd 0 read $x", "w");
	CHECK(f && fputs("me\n", f) >= 0 && !pclose(f));
	dup2(in, 0);
	close(in);
	close(out);
}

/* fclose() of such a stream: the compiler warns, libc has an answer. */
static int (*volatile close_it)(FILE *) = fclose;

static void stolen(void)
{
	FILE *f = popen("exit 6", "r");
	int status;

	CHECK(f && wait(&status) > 0 && status == 6 << 8);
	errno = 0;
	printf("stolen: %d", pclose(f));
	printf(" %s\n", strerrorname_np(errno));
	f = popen("exit 6", "r");
	CHECK(f);
	printf("closed by fclose: %#x\n", (unsigned)close_it(f));
	f = fopen("/dev/null", "re");
	CHECK(f);
	errno = 0;
	CHECK(waitpid(-1, NULL, WNOHANG) == -1);
	fclose(f);
}

static void *reader(void *arg)
{
	char line[64], want[64], command[64];
	int me = (int)(intptr_t)arg;

	for (int i = 0; i < 15; i++) {
		FILE *f;

		snprintf(want, sizeof(want), "%d of %d\n", i, me);
		snprintf(command, sizeof(command), "echo %d of %d; exit %d", i,
			 me, me);
		f = popen(command, i % 2 ? "r" : "re");
		CHECK(f && fgets(line, sizeof(line), f));
		CHECK(!strcmp(line, want) && pclose(f) == me << 8);
	}
	return NULL;
}

static void in_threads(void)
{
	pthread_t thread[8];

	for (int i = 0; i < 8; i++)
		CHECK(!pthread_create(&thread[i], NULL, reader,
				      (void *)(intptr_t)i));
	for (int i = 0; i < 8; i++)
		CHECK(!pthread_join(thread[i], NULL));
	puts("8 threads read what they asked for");
}

static void *close_late(void *f)
{
	pclose(f);
	return NULL;
}

/* A cancelled pclose does not take the stream's lock or list with it. */
static void cancelled(void)
{
	FILE *f = popen("exec sleep 1", "r");
	pthread_t thread;
	void *result;

	CHECK(f && !pthread_create(&thread, NULL, close_late, f));
	t_sleep_ms(100);
	pthread_cancel(thread);
	CHECK(!pthread_join(thread, &result));
	printf("pclose cancelled: %d\n", result == PTHREAD_CANCELED);
	while (wait(NULL) > 0)
		;
	f = popen("exit 2", "r");
	CHECK(f && pclose(f) == 2 << 8);
}

/* A child's copy is its own: its parent's child is still to be waited for. */
static void closed_by_children(void)
{
	FILE *f = popen("read x; exit 7", "w");

	CHECK(f);
	for (int i = 0; i < 4; i++) {
		pid_t pid = t_fork();

		if (pid == 0) {
			close_it(f);
			t_exec_exit(0);
		}
		t_reap(pid, "child that closed it");
	}
	printf("still the parent's: %#x\n", (unsigned)pclose(f));
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

static void closed_by_libc(void)
{
	FILE *f = popen("cat /proc/self/mounts; exit 5", "r");

	CHECK(f && fwide(f, 0) < 0 && fwide(f, 1) < 0);
	while (getmntent(f))
		;
	printf("endmntent: %d\n", endmntent(f));
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
	for (int i = 0; i < 2; i++) {
		f = fopen("/etc/passwd", "re");
		CHECK(f && !fclose(f));
	}
}

static void *is_cancelled(void *ret_status)
{
	FILE *f;

	pthread_cancel(pthread_self());
	f = popen("exit 2", "r");
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	*(int *)ret_status = f ? pclose(f) : -1;
	return NULL;
}

static void while_cancelled(void)
{
	int before = dup(0), after, status = -2;
	pthread_t thread;

	close(before);
	CHECK(!pthread_create(&thread, NULL, is_cancelled, &status));
	CHECK(!pthread_join(thread, NULL));
	after = dup(0);
	close(after);
	printf("popen while cancelled: %#x\n", (unsigned)status);
	CHECK(after == before);
	CHECK(waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD);
}

/* The last: nothing is ours from here on. */
static void under_a_filter(void)
{
	static struct sock_filter allow[] = { BPF_STMT(BPF_RET | BPF_K,
						       SECCOMP_RET_ALLOW) };
	struct sock_fprog filter = { 1, allow };
	FILE *first = popen("read x; exit 3", "w"), *second;
	char command[80], line[40] = "";

	CHECK(first);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter)) {
		puts("no filter to be had");
		return;
	}
	snprintf(command, sizeof(command),
		 "test -e /proc/self/fd/%d && echo has it; echo; read x",
		 fileno(first));
	second = popen(command, "r");
	CHECK(second && fgets(line, sizeof(line), second));
	printf("second child of two: %s", line);
	printf("first %#x\n", (unsigned)pclose(first));
	printf("second %#x\n", (unsigned)pclose(second));
}

int main(void)
{
	t_start(4);
	modes();
	content();
	earlier_streams();
	low_numbers();
	stolen();
	in_threads();
	cancelled();
	closed_by_children();
	closed_by_libc();
	while_cancelled();
	under_a_filter();
	return t_end();
}
