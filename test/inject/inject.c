/* The tracer, and the bell that calls it: a SIGSTOP, which no mask blocks, and
 * which it takes away. Between the bells it sees nothing, and costs nothing. */
#include "inject.h"
#include "calls.h"

#include <errno.h>
#include <linux/ptrace.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

/* <sys/ptrace.h> and <linux/ptrace.h> don't go together. */
#define trace(request, pid, addr, data)                                 \
	syscall(SYS_ptrace, (long)(request), (long)(pid), (long)(addr), \
		(long)(data))
#define SYSCALL_STOP (SIGTRAP | 0x80)
#define ALWAYS PTRACE_O_EXITKILL
#define WATCH                                                   \
	(ALWAYS | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | \
	 PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC)

struct inject *inject;

static pid_t process;
static bool watching;
static pid_t failing; /* its call is to say failing_error at its exit */
static int failing_error;

void inject_prepare(void)
{
	inject = mmap(NULL, sizeof(*inject), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (inject == MAP_FAILED) {
		perror("inject: mmap");
		exit(1);
	}
}

static void ring(void)
{
	syscall(SYS_tgkill, getpid(), gettid(), SIGSTOP);
}

void inject_wait_for_tracer(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	ring(); /* until it is there, this stops us */
}

void inject_on(enum inject_side side, unsigned nth, unsigned which)
{
	inject->side = side;
	inject->nth = nth;
	inject->which = which;
	ring();
}

void inject_off(void)
{
	ring();
}

static void turn(void)
{
	watching = !watching;
	trace(PTRACE_SETOPTIONS, process, 0, watching ? WATCH : ALWAYS);
	if (!watching)
		return;
	memset(inject->calls, 0, sizeof(inject->calls));
	inject->call = NULL;
	inject->choices = 0;
	failing = 0;
}

static void at_entry(pid_t pid, const struct ptrace_syscall_info *info)
{
	enum inject_side side = pid == process ? INJECT_PARENT : INJECT_CHILD;
	const struct call *call;
	unsigned long word = 0;

	trace(PTRACE_PEEKDATA, pid, info->entry.args[1], &word);
	call = call_find((long)info->entry.nr, (const void *)info->entry.args,
			 word, side == INJECT_CHILD);
	if (!call || ++inject->calls[side] != inject->nth ||
	    side != inject->side)
		return;
	inject->call = call->name;
	inject->choices = call_choices(call);
	inject->error = call->error[inject->which % inject->choices];
	failing = pid;
	failing_error = inject->error;
	if (!call->done)
		trace(PTRACE_POKEUSR, pid, offsetof(struct user, regs.orig_rax),
		      -1);
}

static void at_call(pid_t pid)
{
	struct ptrace_syscall_info info;

	if (trace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		at_entry(pid, &info);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT && failing == pid) {
		failing = 0;
		trace(PTRACE_POKEUSR, pid, offsetof(struct user, regs.rax),
		      -failing_error);
	}
}

static void at_stop(pid_t pid, int status)
{
	int sig = WSTOPSIG(status), event = status >> 16;

	if (event == PTRACE_EVENT_EXEC && pid != process) {
		trace(PTRACE_DETACH, pid, 0, 0);
		return;
	}
	if (sig == SYSCALL_STOP)
		at_call(pid);
	else if (!event && pid == process && sig == SIGSTOP)
		turn();
	if (event || sig == SYSCALL_STOP || sig == SIGSTOP)
		sig = 0;
	trace(watching ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0, sig);
}

int inject_trace(pid_t pid)
{
	int status;
	pid_t got;

	process = pid;
	watching = false;
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		return status;
	if (trace(PTRACE_SEIZE, pid, 0, ALWAYS)) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return 77 << 8;
	}
	kill(pid, SIGCONT);
	for (;;) {
		got = waitpid(-1, &status, __WALL);
		if (got < 0 && errno != EINTR)
			return 1 << 8;
		if (got > 0 && WIFSTOPPED(status))
			at_stop(got, status);
		else if (got == pid)
			return status;
	}
}
