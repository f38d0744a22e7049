/*
 * A program of 32 bits, with no header and no start of its libc's, which this
 * machine need not have. It forks, execs and says what came of it.
 */
int fork(void);
int waitpid(int pid, int *status, int options);
int execl(const char *path, const char *arg, ...);
int printf(const char *format, ...);
int system(const char *command);
void _exit(int status);
void exit(int status);
void _start(void);

__attribute__((force_align_arg_pointer)) void _start(void)
{
	int status = -1, pid = fork();

	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", "exit 32", (char *)0);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	printf("%d bytes, %x\n", (int)sizeof(void *), (unsigned)status);
	printf("%x\n", (unsigned)system("exit 33"));
	exit(90);
}
