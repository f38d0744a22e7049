/*
 * own-filter [-n NUMBER] PROGRAM: a thread puts itself under a filter that ends
 * who asks for its parent's pid, by an instruction of its own, which nobody
 * sees. It and the other thread start PROGRAM by turns. With -n so many threads
 * put themselves under one, of which only the last one's ends anybody: who asks
 * for an alternate stack.
 */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define BYTES ((size_t)8 << 20)

static char memory[BYTES];
static char **program;
static pthread_barrier_t turn;

static long raw(long nr, long a, long b, const void *c)
{
	long rc;

	__asm__ volatile("syscall"
			 : "=a"(rc)
			 : "a"(nr), "D"(a), "S"(b), "d"(c)
			 : "rcx", "r11", "memory");
	return rc;
}

static void start(const char *who)
{
	int status = -1;
	pid_t pid = fork();

	if (pid == 0) {
		execv(program[0], program);
		_exit(8);
	}
	waitpid(pid, &status, 0);
	printf("%s: %d\n", who, status);
	fflush(stdout);
}

static void put_under(long nr)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)nr, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog filter = { 4, code };

	if (raw(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &filter))
		puts("no filter");
}

static void *filtered(void *unused)
{
	(void)unused;
	pthread_barrier_wait(&turn);
	start("the thread");
	put_under(SYS_getppid);
	for (int i = 0; i < 2; i++) {
		start("the thread, filtered");
		pthread_barrier_wait(&turn);
		pthread_barrier_wait(&turn);
	}
	return NULL;
}

/* Whose turn it is. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t next = PTHREAD_COND_INITIALIZER;
static long now, number;

static void *one_of_many(void *arg)
{
	const long me = (long)arg;

	put_under(me == number - 1 ? SYS_sigaltstack : 9999);
	pthread_mutex_lock(&lock);
	for (int i = 0; i < 3; i++) {
		while (now != me)
			pthread_cond_wait(&next, &lock);
		start("one of many");
		now = (now + 1) % number;
		pthread_cond_broadcast(&next);
	}
	pthread_mutex_unlock(&lock);
	/* Nobody goes before all are done. */
	pthread_barrier_wait(&turn);
	return NULL;
}

static int many(void)
{
	pthread_t thread[16];

	pthread_barrier_init(&turn, NULL, (unsigned)number);
	for (long i = 0; i < number; i++)
		pthread_create(&thread[i], NULL, one_of_many, (void *)i);
	for (long i = 0; i < number; i++)
		pthread_join(thread[i], NULL);
	start("the first");
	return 0;
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc < 2)
		return 2;
	program = argv + 1;
	if (argc > 3 && !strcmp(argv[1], "-n")) {
		number = atol(argv[2]) < 16 ? atol(argv[2]) : 16;
		program = argv + 3;
		memset(memory, 1, sizeof(memory));
		return many();
	}
	memset(memory, 1, sizeof(memory));
	pthread_barrier_init(&turn, NULL, 2);
	pthread_create(&thread, NULL, filtered, NULL);
	for (int i = 0; i < 3; i++)
		start("the first");
	pthread_barrier_wait(&turn);
	for (int i = 0; i < 2; i++) {
		pthread_barrier_wait(&turn);
		start("the first, beside it");
		pthread_barrier_wait(&turn);
	}
	pthread_join(thread, NULL);
	return 0;
}
