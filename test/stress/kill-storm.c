/*
 * Children are killed, stopped and continued at random moments by a thread
 * that finds them as /proc lists them, before and after exec; the
 * parent gets a status for each, of the two kinds possible, and never waits
 * for ever. Argument: forks; T_FORKS in the environment wins.
 */
#include "t.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static char children[64];
static volatile int done;

static void *killer(void *arg)
{
	unsigned seed = 5;

	(void)arg;
	while (!done) {
		FILE *f = fopen(children, "re");
		int pid = 0;

		if (!f || fscanf(f, "%d", &pid) != 1)
			pid = 0;
		if (f)
			fclose(f);
		if (pid <= 0)
			continue;
		usleep(rand_r(&seed) % 1500);
		/* the parent may have reaped it, but no pid comes round so
		 * soon */
		if (rand_r(&seed) % 3 == 0) {
			kill(pid, SIGSTOP);
			usleep(rand_r(&seed) % 3000);
			kill(pid, SIGCONT);
		} else {
			kill(pid, SIGKILL);
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	const char *text = getenv("T_FORKS");
	int forks = text ? atoi(text) : argc > 1 ? atoi(argv[1]) : 500;
	pthread_t thread;
	int other = 0;

	t_start(32);
	snprintf(children, sizeof(children), "/proc/self/task/%d/children",
		 gettid());
	pthread_create(&thread, NULL, killer, NULL);
	for (int i = 0; i < forks; i++) {
		int status;
		pid_t pid = t_fork();

		if (pid == 0) {
			if (!t_intact(t_area, 4 << 20))
				_exit(9);
			if (i % 4 == 3)
				_exit(7);
			execl(t_report, "report", "exit", "7", (char *)NULL);
			_exit(8);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
		other += status != 7 << 8 && status != SIGKILL;
	}
	done = 1;
	pthread_join(thread, NULL);
	printf("%d forks, %d ended otherwise\n", forks, other);
	return t_end();
}
