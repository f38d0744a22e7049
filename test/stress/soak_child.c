/* The soak's children, see soak.h. */
#include "soak.h"
#include "t.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

unsigned soak_own_word = 1;

static _Noreturn void become_report(void)
{
	execl(t_report, "report", "exit", "7", (char *)NULL);
	_exit(90);
}

static void use_heap(void)
{
	char *p[20];

	for (int i = 0; i < 20; i++) {
		p[i] = malloc(1000u << i % 8);
		memset(p[i], i, 1000);
	}
	for (int i = 0; i < 20; i++)
		free(p[i]);
}

static void use_mappings(void)
{
	char *at = mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	memset(at, 1, 1 << 16);
	mprotect(at, 4096, PROT_READ);
	munmap(at, 1 << 20);
	mprotect(t_area, 1 << 20, PROT_READ);
	munmap(t_area + (1 << 20), 1 << 20);
}

static void be_a_daemon(void)
{
	int fd = open("/dev/null", O_RDWR);

	setsid();
	umask(027);
	dup2(fd, 0);
	close_range(3, 900, 0);
}

static void change_rules(void)
{
	struct rlimit no_core = { 0, 0 }, files = { 200, 200 };
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_IGN);
	setrlimit(RLIMIT_CORE, &no_core);
	setrlimit(RLIMIT_NOFILE, &files);
}

static void have_a_child(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0)
		become_report();
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status != RIGHT << 8)
		_exit(91);
}

_Noreturn void soak_child(enum kind kind, unsigned what, int out,
			  _Atomic unsigned *count)
{
	soak_own_word++;
	switch (kind) {
	case LOOKS:
		if (!t_intact(t_area + (what % 8 << 18), 1 << 18))
			_exit(92);
		break;
	case ALLOCATES:
		use_heap();
		break;
	case MAPS:
		use_mappings();
		break;
	case COUNTS:
		(*count)++;
		break;
	case WRITES:
		if (write(out, "0123456789", 10) != 10)
			_exit(93);
		break;
	case DAEMON:
		be_a_daemon();
		break;
	case RULES:
		change_rules();
		break;
	case PAUSES:
		t_sleep_ms((int)what % 4);
		break;
	case PAUSES_LONG:
		t_sleep_ms(120);
		break;
	case STOPS:
		raise(SIGSTOP);
		break;
	case ENDS:
		_exit(RIGHT);
	case DIES:
		raise(SIGTERM);
		break;
	case PARENT:
		have_a_child();
		break;
	default:
		break;
	}
	become_report();
}
