/*
 * What a program gets late, by dlopen(): names that flatfork defines, from
 * libraries that the program itself is not linked with. glibc has them in libc
 * since 2.34, and in libpthread and libutil before.
 */
#include <pthread.h>
#include <pty.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

int plugin(void);

static void *thread(void *arg)
{
	*(int *)arg += 1;
	pthread_exit(arg);
}

int plugin(void)
{
	pthread_t id;
	int ran = 80, master, status = -1, error;
	pid_t pid;

	error = pthread_create(&id, NULL, thread, &ran);
	printf("pthread_create: %d\n", error);
	if (!error)
		pthread_join(id, NULL);
	pid = forkpty(&master, NULL, NULL, NULL);
	if (pid == 0)
		_exit(isatty(0) ? 82 : 83);
	if (pid > 0)
		waitpid(pid, &status, 0);
	printf("forkpty: %x\n", (unsigned)status);
	pid = fork();
	if (pid == 0)
		_exit(84);
	waitpid(pid, &status, 0);
	printf("fork: %x\n", (unsigned)status);
	return ran;
}
