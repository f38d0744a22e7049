/*
 * The tracer, and the bell that calls it: a SIGSTOP, which no mask blocks, and
 * which it takes away. Between the bells it sees nothing of the process, and
 * costs it nothing. What was made meanwhile it sees until that exec'ed.
 */
#include "inject.h"
#include "calls.h"

#include <dlfcn.h>
#include <errno.h>
#include <linux/ptrace.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/uio.h>
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

#define PEEK_BYTES ((size_t)8192)

struct inject *inject;

/* One that is traced. */
struct tracee {
	pid_t pid; /* 0: nobody */
	enum inject_side side;
	long nr; /* of the call it is in */
	unsigned long buffer;
	int error; /* what that is to say, or 0 */
};

static struct tracee tracees[16];
static pid_t process;
static bool watching;
static long failed;		   /* the number of the call that did */
static enum inject_side next_side; /* of the process that is being made */
static volatile sig_atomic_t overdue;

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
	inject->quietly = false;
	ring();
}

void inject_on_quietly(void)
{
	inject->quietly = true;
	ring();
}

void inject_off(void)
{
	ring();
}

/* ---- the tracer ---- */

/* One not seen before is what is being made. */
static struct tracee *tracee_of(pid_t pid)
{
	struct tracee *none = NULL;
	size_t i;

	for (i = 0; i < sizeof(tracees) / sizeof(*tracees); i++) {
		if (tracees[i].pid == pid)
			return &tracees[i];
		if (!tracees[i].pid)
			none = &tracees[i];
	}
	if (!none) {
		fprintf(stderr, "inject: too many processes\n");
		exit(1);
	}
	*none = (struct tracee){ .pid = pid, .side = next_side };
	return none;
}

static void forget(pid_t pid)
{
	size_t i;

	for (i = 0; i < sizeof(tracees) / sizeof(*tracees); i++)
		if (tracees[i].pid == pid)
			tracees[i].pid = 0;
}

static void turn(void)
{
	watching = !watching;
	trace(PTRACE_SETOPTIONS, process, 0, watching ? WATCH : ALWAYS);
	if (!watching)
		return;
	memset(inject->made, 0, sizeof(inject->made));
	if (inject->quietly)
		return;
	memset(inject->calls, 0, sizeof(inject->calls));
	inject->call = NULL;
	inject->choices = 0;
	failed = -1;
}

static bool is_ours(unsigned long long address)
{
	Dl_info of;

	return dladdr((void *)(uintptr_t)address, &of) && of.dli_fname &&
	       strstr(of.dli_fname, "libflatfork");
}

static void makes(pid_t pid, const struct ptrace_syscall_info *info)
{
	unsigned long flags = 0;

	switch (info->entry.nr) {
	case SYS_clone:
		flags = info->entry.args[0];
		break;
	case SYS_clone3:
		trace(PTRACE_PEEKDATA, pid, info->entry.args[0], &flags);
		break;
	case SYS_fork:
	case SYS_vfork:
		break;
	default:
		return;
	}
	next_side = INJECT_CHILD;
	if ((flags & (CLONE_VM | CLONE_FILES)) == CLONE_FILES)
		next_side = INJECT_STANDIN;
	inject->made[next_side == INJECT_STANDIN	? INJECT_STANDINS :
		     is_ours(info->instruction_pointer) ? INJECT_BY_US :
							  INJECT_BY_LIBC]++;
}

/* Is it the one to fail? */
static bool is_meant(const struct tracee *t, const struct call *call,
		     const unsigned long long *args)
{
	if (inject->quietly || t->side != inject->side)
		return false;
	if (inject->calls[t->side] == inject->nth) {
		inject->call = call->name;
		inject->choices = call_choices(call);
		inject->error = call->error[inject->which % inject->choices];
		failed = t->nr;
		return true;
	}
	return inject->every && t->nr == failed &&
	       call_may_fail_again(t->nr, args, inject->error);
}

static void let_fail(struct tracee *t, const struct ptrace_syscall_info *info,
		     bool done)
{
	const unsigned long half = (unsigned long)info->entry.args[2] / 2;

	if (inject->error == CALL_SHORT) {
		trace(PTRACE_POKEUSR, t->pid, offsetof(struct user, regs.rdx),
		      half ? half : 1);
		return;
	}
	t->error = inject->error;
	if (!done)
		trace(PTRACE_POKEUSR, t->pid,
		      offsetof(struct user, regs.orig_rax), -1);
}

static void at_entry(struct tracee *t, const struct ptrace_syscall_info *info)
{
	const unsigned long long *args = (const void *)info->entry.args;
	const struct call *call;
	unsigned long word = 0;

	t->nr = (long)info->entry.nr;
	t->buffer = (unsigned long)info->entry.args[1];
	t->error = 0;
	makes(t->pid, info);
	trace(PTRACE_PEEKDATA, t->pid, info->entry.args[1], &word);
	call = call_find(t->nr, args, word, t->side, inject->of_fork);
	if (!call)
		return;
	if (!inject->quietly)
		inject->calls[t->side]++;
	if (is_meant(t, call, args))
		let_fail(t, info, call->done);
}

/* A status that was read says that nobody traces. */
static void hide(const struct tracee *t, size_t got)
{
	static const char key[] = "\nTracerPid:\t";
	static char text[PEEK_BYTES];
	struct iovec here = { text, got < PEEK_BYTES ? got : PEEK_BYTES };
	struct iovec there = { (void *)t->buffer, here.iov_len };
	char *at, *end;

	if (process_vm_readv(t->pid, &here, 1, &there, 1, 0) !=
	    (ssize_t)here.iov_len)
		return;
	at = memmem(text, here.iov_len, key, strlen(key));
	if (!at)
		return;
	at += strlen(key);
	for (end = at; end < text + here.iov_len && *end != '\n'; end++)
		*end = '0';
	process_vm_writev(t->pid, &here, 1, &there, 1, 0);
}

static void at_call(struct tracee *t)
{
	struct ptrace_syscall_info info;

	if (trace(PTRACE_GET_SYSCALL_INFO, t->pid, sizeof(info), &info) <= 0)
		return;
	if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
		at_entry(t, &info);
	} else if (info.op == PTRACE_SYSCALL_INFO_EXIT) {
		if (t->error)
			trace(PTRACE_POKEUSR, t->pid,
			      offsetof(struct user, regs.rax), -t->error);
		else if (inject->of_fork &&
			 (t->nr == SYS_read || t->nr == SYS_pread64) &&
			 info.exit.rval > 0)
			hide(t, (size_t)info.exit.rval);
		t->error = 0;
		t->nr = -1;
	}
}

static void at_stop(pid_t pid, int status)
{
	struct tracee *t = tracee_of(pid);
	int sig = WSTOPSIG(status), event = status >> 16;
	unsigned long made = 0;

	if (event == PTRACE_EVENT_EXEC && pid != process) {
		forget(pid);
		trace(PTRACE_DETACH, pid, 0, 0);
		return;
	}
	/* Who made it is stopped: it makes no other before that one is known. */
	if ((event == PTRACE_EVENT_CLONE || event == PTRACE_EVENT_FORK ||
	     event == PTRACE_EVENT_VFORK) &&
	    trace(PTRACE_GETEVENTMSG, pid, 0, &made) == 0)
		tracee_of((pid_t)made);
	if (sig == SYSCALL_STOP)
		at_call(t);
	else if (!event && pid == process && sig == SIGSTOP)
		turn();
	if (event == PTRACE_EVENT_STOP && sig != SIGTRAP) {
		trace(PTRACE_LISTEN, pid, 0, 0); /* it stays stopped */
		return;
	}
	if (event || sig == SYSCALL_STOP || (pid == process && sig == SIGSTOP))
		sig = 0;
	trace(watching || pid != process ? PTRACE_SYSCALL : PTRACE_CONT, pid, 0,
	      sig);
}

static void on_alarm(int sig)
{
	size_t i;

	overdue = sig;
	for (i = 0; i < sizeof(tracees) / sizeof(*tracees); i++)
		if (tracees[i].pid)
			kill(tracees[i].pid, SIGKILL);
	alarm(1);
}

static int follow(void)
{
	int status, of_process = 0;
	pid_t got;

	for (;;) {
		got = (pid_t)inject_wait(-1, &status, __WALL);
		if (got == -ECHILD)
			return overdue ? SIGALRM : of_process;
		if (got > 0 && WIFSTOPPED(status))
			at_stop(got, status);
		else if (got > 0)
			forget(got);
		if (got == process && !WIFSTOPPED(status))
			of_process = status;
	}
}

int inject_trace(pid_t pid, unsigned seconds)
{
	const struct sigaction action = { .sa_handler = on_alarm };
	int status;

	process = pid;
	watching = false;
	overdue = 0;
	memset(tracees, 0, sizeof(tracees));
	next_side = INJECT_PARENT;
	if ((pid_t)inject_wait(pid, &status, WUNTRACED) != pid ||
	    !WIFSTOPPED(status))
		return status;
	if (trace(PTRACE_SEIZE, pid, 0, ALWAYS)) {
		kill(pid, SIGKILL);
		inject_wait(pid, &status, 0);
		return 77 << 8;
	}
	tracee_of(pid);
	sigaction(SIGALRM, &action, NULL);
	alarm(seconds);
	kill(pid, SIGCONT);
	status = follow();
	alarm(0);
	return status;
}
