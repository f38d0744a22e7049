/*
 * A crowd of processes, all there before any goes on, that go on at once: each
 * makes a child that ends, waits for it, and ends. What is said of that is
 * crowd.sh's business.
 *
 *	crowd PROCESSES
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int wait_for(pid_t pid)
{
	int status;

	return pid > 0 && waitpid(pid, &status, 0) == pid && !status;
}

/* Until all writing ends are closed: that of whoever made us is the last. */
static void one_of_many(const int gate[2])
{
	char byte;
	pid_t pid;

	close(gate[1]);
	if (read(gate[0], &byte, 1))
		_exit(2);
	pid = fork();
	if (!pid)
		_exit(0);
	_exit(!wait_for(pid));
}

int main(int argc, char **argv)
{
	const int count = argc > 1 ? atoi(argv[1]) : 0;
	pid_t *pids = calloc((size_t)count + 1, sizeof(*pids));
	int gate[2], made, right = 0;

	if (!pids || pipe(gate))
		return 1;
	for (made = 0; made < count; made++) {
		pids[made] = fork();
		if (!pids[made])
			one_of_many(gate);
		if (pids[made] < 0)
			break;
	}
	close(gate[1]);
	for (int i = 0; i < made; i++)
		right += wait_for(pids[i]);
	printf("%d of %d\n", right, count);
	return right != count;
}
