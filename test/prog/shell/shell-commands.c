/*
 * system, popen, pclose and wordexp, as POSIX has them: statuses, signals,
 * descriptors, cancellation, errors.
 *
 * Test:
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <wordexp.h>

#include "t.h"

#define SHOW_SIGNALS "grep -E '^Sig(Ign|Blk)' /proc/self/status"

static void handler(int sig)
{
	(void)sig;
}

static void show_disposition(int sig)
{
	struct sigaction act;

	sigaction(sig, NULL, &act);
	printf("signal %d: %s\n", sig,
	       act.sa_handler == SIG_DFL ? "default" :
	       act.sa_handler == SIG_IGN ? "ignored" :
					   "handled");
}

static void run_system(void)
{
	sigset_t mask;

	printf("status %#x\n", system("exit 3"));
	printf("status %#x\n", system("kill -9 $$"));
	printf("status %#x\n", system("no-such-program-at-all 2>/dev/null"));
	printf("shell %d\n", system(NULL) != 0);
	system(SHOW_SIGNALS);
	signal(SIGINT, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	system(SHOW_SIGNALS);
	signal(SIGINT, handler);
	signal(SIGQUIT, SIG_DFL);
	printf("status %#x\n", system("kill -INT $PPID; kill -QUIT $PPID"));
	show_disposition(SIGINT);
	show_disposition(SIGQUIT);
	sigprocmask(SIG_BLOCK, NULL, &mask);
	printf("SIGCHLD blocked %d\n", sigismember(&mask, SIGCHLD));
}

static void *sleep_long(void *unused)
{
	system("sleep 100");
	return unused;
}

static void cancel_system(void)
{
	pthread_t thread;
	void *result;

	pthread_create(&thread, NULL, sleep_long, NULL);
	usleep(300000);
	pthread_cancel(thread);
	pthread_join(thread, &result);
	printf("cancelled %d\n", result == PTHREAD_CANCELED);
	printf("children %d\n", waitpid(-1, NULL, WNOHANG) >= 0);
	show_disposition(SIGQUIT);
}

static void *run_some(void *unused)
{
	for (int i = 0; i < 10; i++)
		if (system("exit 9") != 9 << 8)
			printf("bad status\n");
	return unused;
}

static void system_in_threads(void)
{
	pthread_t thread[4];

	for (int i = 0; i < 4; i++)
		pthread_create(&thread[i], NULL, run_some, NULL);
	for (int i = 0; i < 4; i++)
		pthread_join(thread[i], NULL);
	show_disposition(SIGINT);
	show_disposition(SIGQUIT);
}

static void read_and_close(const char *command, const char *mode)
{
	FILE *stream = popen(command, mode);
	char line[256] = "";

	if (!stream) {
		printf("popen: %d\n", errno);
		return;
	}
	while (fgets(line, sizeof(line), stream))
		printf("%s", line);
	printf("close-on-exec %d\n", fcntl(fileno(stream), F_GETFD));
	printf("status %#x\n", pclose(stream));
}

static void run_popen(void)
{
	int (*volatile other)(FILE *) = fclose; /* gcc would warn */
	FILE *first, *second;

	read_and_close("echo hi; exit 5", "r");
	read_and_close("exit 7", "re");
	read_and_close("exit 7", "er");
	read_and_close("exit 7", "rw");
	read_and_close("exit 7", "x");
	read_and_close("exit 7", "");
	first = popen("cat; exit 6", "w");
	/* POSIX: the second child has none of the first stream */
	second = popen("cat; exit 4", "w");
	printf("one\n");
	fputs("two\n", first);
	printf("status %#x\n", pclose(first));
	fputs("three\n", second);
	printf("status %#x\n", other(second));
}

static void lose_a_status(void)
{
	FILE *stream = popen("exit 1", "r");

	wait(NULL);
	errno = 0;
	printf("stolen %d %d\n", pclose(stream), errno);
	signal(SIGPIPE, SIG_IGN);
	stream = popen("exit 0", "w");
	usleep(200000);
	fputs("nobody reads that", stream);
	printf("unread %d\n", pclose(stream));
}

static void popen_on_low_numbers(void)
{
	int in = dup(0), out = dup(1), status;
	FILE *stream;
	char text[64];
	ssize_t n;

	close(0);
	stream = popen("cat; exit 2", "w");
	fputs("to a low number\n", stream);
	printf("status %#x\n", pclose(stream));
	close(1);
	stream = popen("echo from a low number", "r");
	n = read(fileno(stream), text, sizeof(text));
	status = pclose(stream);
	dup2(out, 1);
	dup2(in, 0);
	close(out);
	close(in);
	printf("%.*s status %#x\n", (int)n, text, status);
}

int main(void)
{
	wordexp_t words;

	t_start(8);
	run_system();
	cancel_system();
	system_in_threads();
	run_popen();
	lose_a_status();
	popen_on_low_numbers();
	printf("wordexp %d\n", wordexp("a$(echo b) c", &words, 0));
	printf("%s %zu\n", words.we_wordv[0], words.we_wordc);
	wordfree(&words);
	t_signals_again();
	return t_end();
}
