/*
 * Eight threads in malloc and free while the main thread forks children that
 * allocate and free a lot before they exec: no child may find a broken heap
 * or a lock nobody gives back. Argument: how many forks; T_FORKS in the
 * environment wins. A child that hangs is ended by its own alarm and counted.
 */
#include "t.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	THREADS = 8,
	SLOTS = 200
};

static volatile int done;

static unsigned next(unsigned *s)
{
	*s = *s * 1103515245 + 12345;
	return *s >> 8;
}

/* 0 if every block held what was written to it. */
static int churn(unsigned seed, int rounds, volatile int *stop)
{
	unsigned char *p[SLOTS] = { NULL };
	size_t n[SLOTS];
	int bad = 0;

	for (int r = 0; r < rounds && !(stop && *stop); r++) {
		int i = next(&seed) % SLOTS;

		if (p[i]) {
			bad += p[i][0] != (i & 255) ||
			       p[i][n[i] - 1] != (i & 255);
			if (next(&seed) % 5 == 0) {
				n[i] = next(&seed) % 20000 + 1;
				p[i] = realloc(p[i], n[i]);
				if (!p[i])
					return -1;
				memset(p[i], i, n[i]);
				continue;
			}
			free(p[i]);
			p[i] = NULL;
			continue;
		}
		n[i] = next(&seed) % 50 ? next(&seed) % 2000 + 1 :
					  next(&seed) % 300000 + 1;
		p[i] = malloc(n[i]);
		if (!p[i])
			return -1;
		memset(p[i], i, n[i]);
	}
	for (int i = 0; i < SLOTS; i++)
		free(p[i]);
	return bad;
}

static void *worker(void *arg)
{
	long bad = 0;

	for (unsigned round = 0; !done; round++)
		bad += churn(round * THREADS + (long)arg, 100000, &done);
	return (void *)bad;
}

int main(int argc, char **argv)
{
	const char *text = getenv("T_FORKS");
	int forks = text ? atoi(text) : argc > 1 ? atoi(argv[1]) : 500;
	long bad = 0, bad_threads = 0;
	pthread_t t[THREADS];

	t_start(32);
	for (long i = 0; i < THREADS; i++)
		CHECK(!pthread_create(&t[i], NULL, worker, (void *)i));
	for (int i = 0; i < forks; i++) {
		int status;
		pid_t pid = t_fork();

		if (pid == 0) {
			alarm(20);
			if (churn(i, 400, NULL))
				_exit(40);
			alarm(0);
			execl(t_report, "report", "exit", "7", (char *)NULL);
			_exit(41);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		if (status != 7 << 8) {
			bad++;
			fprintf(stderr, "fork %d: status %x\n", i, status);
		}
	}
	done = 1;
	for (int i = 0; i < THREADS; i++) {
		void *result;

		pthread_join(t[i], &result);
		bad_threads += (long)result;
	}
	printf("%d forks: %ld failed; threads: %ld bad blocks\n", forks, bad,
	       bad_threads);
	return t_end();
}
