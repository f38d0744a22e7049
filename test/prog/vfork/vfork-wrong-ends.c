/*
 * Children of vfork that leave the frame they were given, or end as only a
 * process of its own may: by return, longjmp, exit and what calls it. Each
 * must do what a child of fork does, and its parent must not notice.
 *
 * Test: -w vfork-wrong-CASE CASE
 * Test -O0: -w vfork-wrong-CASE-O0 CASE
 */
#include "cases.h"

#include <err.h>
#include <errno.h>
#include <error.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/wait.h>

/* What both processes say of themselves, wherever they meet again. */
static void both(pid_t pid, const char *what, long value)
{
	scribble_below();
	if (pid == 0) {
		CHECK(is_child() && getppid() == first_pid);
		printf("child: %s %ld\n", what, value);
		return;
	}
	CHECK(!is_child() && pid > 0);
	t_reap(pid, "child");
	printf("parent: %s %ld\n", what, value);
}

static FRAME pid_t returning(long *ret_local)
{
	volatile long local = 7;
	pid_t pid = start();

	if (pid == 0)
		local = 8;
	scribble_below();
	*ret_local = local;
	return pid;
}

CASE(return )
{
	long local;
	pid_t pid = returning(&local);

	both(pid, "local", local);
}

/* The buffer has text that both print, as with fork. */
static char buffer[8192];

CASE(return_unflushed)
{
	long local;
	pid_t pid;

	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	printf("before\n");
	pid = returning(&local);
	both(pid, "local", local);
	printf("%s\n", pid ? "parent goes on" : "child goes on");
}

CASE(return_pipe)
{
	int out = dup(1), ends[2];
	char got[4096];
	ssize_t n;

	CHECK(!pipe(ends) && dup2(ends[1], 1) == 1);
	run_return_unflushed();
	if (is_child())
		return;
	fflush(stdout);
	CHECK(dup2(out, 1) == 1);
	close(out);
	close(ends[1]);
	for (size_t all = 0;; all += n) {
		n = read(ends[0], got, sizeof(got));
		CHECK(n >= 0);
		if (n == 0) {
			printf("%zu bytes\n", all);
			break;
		}
		printf("%.*s", (int)n, got);
	}
	close(ends[0]);
}

static FRAME pid_t level(int n, long *ret_sum)
{
	volatile long mine[16];
	long local, sum = 0;
	pid_t pid;

	for (int i = 0; i < 16; i++)
		mine[i] = n * 16 + i;
	pid = n ? level(n - 1, &local) : returning(&local);
	for (int i = 0; i < 16; i++)
		sum += mine[i];
	*ret_sum = sum + local;
	return pid;
}

CASE(return_far)
{
	long sum;
	pid_t pid = level(12, &sum);

	both(pid, "sum", sum);
}

struct pair {
	double a, b;
};
struct mixed {
	double a;
	long b;
};
struct large {
	long word[40];
};
static volatile pid_t made; /* the parent's: written after the child ends */

static FRAME struct pair pair_by(void)
{
	pid_t pid = start();

	if (pid == 0)
		return (struct pair){ 1.5, -2.25 };
	made = pid;
	return (struct pair){ 0.125, 1e300 };
}

static FRAME struct mixed mixed_by(void)
{
	pid_t pid = start();

	if (pid == 0)
		return (struct mixed){ 3.5, -1 };
	made = pid;
	return (struct mixed){ 4.5, 1L << 40 };
}

static FRAME long double x87_by(void)
{
	pid_t pid = start();

	if (pid == 0)
		return 1.0L / 3;
	made = pid;
	return 2.0L / 3;
}

static FRAME struct large large_by(long first)
{
	struct large l;
	pid_t pid = start();

	for (int i = 0; i < 40; i++)
		l.word[i] = first + (pid ? i : -i);
	if (pid)
		made = pid;
	return l;
}

static FRAME __int128 int128_by(void)
{
	pid_t pid = start();

	if (pid == 0)
		return (__int128)1 << 100;
	made = pid;
	return ((__int128)7 << 64) + 5;
}

/* The parent speaks after its child. */
static const char *who(const char *what)
{
	if (is_child())
		return "child";
	t_reap(made, what);
	return "parent";
}

static void next(int code)
{
	if (is_child())
		exit(code);
}

CASE(return_values)
{
	struct pair p = pair_by();
	struct mixed m = { 0, 0 };
	struct large l = { { 0 } };
	long double x = 0;
	__int128 i = 0;

	printf("%s: %a %a\n", who("pair"), p.a, p.b);
	next(1);
	m = mixed_by();
	printf("%s: %a %ld\n", who("mixed"), m.a, m.b);
	next(2);
	x = x87_by();
	printf("%s: %La\n", who("long double"), x);
	next(3);
	l = large_by(100);
	printf("%s: %ld %ld\n", who("large"), l.word[0], l.word[39]);
	next(4);
	i = int128_by();
	printf("%s: %lx %lx\n", who("128 bits"), (unsigned long)(i >> 64),
	       (unsigned long)i);
	next(5);
}

/* Callee-saved registers and the caller's own frame, in both. */
static FRAME long keeps_registers(long a, long b, long c, long d, long e)
{
	long f = a * 3 + b, g = b * 5 + c, h = c * 7 + d, i = d * 11 + e;
	long local;
	pid_t pid = returning(&local);

	if (pid)
		made = pid;
	return a + b * 2 + c * 4 + d * 8 + e * 16 + f + g + h + i + local;
}

CASE(return_registers)
{
	long sum = keeps_registers(1, 2, 3, 4, 5);

	both(is_child() ? 0 : made, "sum", sum);
}

/* `return execv(...)` compiled to a jump: nothing of the frame is left when
 * it fails. The compiler never does that behind vfork; others' do. */
extern pid_t (*vfork_tail_start)(void);
extern const char vfork_tail_path[];
extern char *vfork_tail_args[];
pid_t (*vfork_tail_start)(void);
const char vfork_tail_path[] = "/nowhere/x";
char *vfork_tail_args[] = { NULL };
pid_t vfork_tail(void);
__asm__(".pushsection .text\n"
	".type vfork_tail, @function\n"
	"vfork_tail:\n"
	"	.cfi_startproc\n"
	"	sub	$8, %rsp\n"
	"	.cfi_adjust_cfa_offset 8\n"
	"	call	*vfork_tail_start(%rip)\n"
	"	add	$8, %rsp\n"
	"	.cfi_adjust_cfa_offset -8\n"
	"	test	%eax, %eax\n"
	"	jne	1f\n"
	"	lea	vfork_tail_path(%rip), %rdi\n"
	"	lea	vfork_tail_args(%rip), %rsi\n"
	"	jmp	execv@PLT\n"
	"1:	ret\n"
	"	.cfi_endproc\n"
	".size vfork_tail, . - vfork_tail\n"
	".popsection\n");

CASE(tail_call)
{
	pid_t pid;

	vfork_tail_start = by_fork ? fork : vfork;
	pid = vfork_tail();
	both(pid < 0 ? 0 : pid, "came back with", pid < 0 ? pid : 1);
}

/* A right one, for a change. */
static FRAME void ends_right(int code)
{
	pid_t pid = start();

	if (pid == 0)
		_exit(code);
	t_reap(pid, "right");
}

/* The child of a child that became a fork, again wrong. */
CASE(return_again)
{
	for (int i = 0; i < 4; i++) {
		long local;
		pid_t pid = returning(&local), mine = getpid();

		if (pid) {
			t_reap(pid, "one more");
			printf("generation %d: local %ld\n", i, local);
			if (i)
				exit(i);
			return;
		}
		CHECK(getpid() == mine && local == 8);
		ends_right(50 + i);
	}
	exit(9);
}

/* Many at the same place: nothing adds up. */
CASE(return_often)
{
	long wrong = 0;

	for (int i = 0; i < 200; i++) {
		long local;
		pid_t pid = returning(&local);

		if (pid == 0)
			_exit(local == 8 ? 3 : 4);
		wrong += local != 7;
		CHECK(waitpid(pid, NULL, 0) == pid);
	}
	printf("%ld wrong\n", wrong);
}

static void at_exit_handler(void)
{
	printf("handler in the %s\n", is_child() ? "child" : "parent");
}

static void at_quick_exit_handler(void)
{
	printf("quick handler in the %s\n", is_child() ? "child" : "parent");
}

/* An end that a function of libc's makes, below text that is not flushed. */
static void ends(void (*end)(void))
{
	volatile long local = 7;
	pid_t pid;

	atexit(at_exit_handler);
	at_quick_exit(at_quick_exit_handler);
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	printf("before\n");
	pid = start();
	if (pid == 0) {
		local = 8;
		end();
		_exit(99);
	}
	t_reap(pid, "child");
	printf("parent: local %ld\n", local);
}

static void by_exit(void)
{
	exit(5);
}

static void by_printf_exit(void)
{
	printf("text of the child\n");
	exit(0);
}

static void by_quick_exit(void)
{
	quick_exit(6);
}

static void by_err(void)
{
	errno = ENOENT;
	err(9, "no %s", "file");
}

static void by_errx(void)
{
	errx(10, "no %s", "reason");
}

static void by_v(bool with_errno, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	errno = EACCES;
	if (with_errno)
		verr(11, fmt, ap);
	verrx(12, fmt, ap);
}

static void by_verr(void)
{
	by_v(true, "verr %d", 1);
}

static void by_verrx(void)
{
	by_v(false, "verrx %d", 2);
}

static void by_error(void)
{
	error(13, EPERM, "error %d", 3);
}

static void by_error_at_line(void)
{
	error_at_line(14, 0, "file", 15, "error");
}

/* A warning is no end: the child may go on to what it likes. */
static void by_warn_exit(void)
{
	errno = EIO;
	warn("only a warning");
	exit(15);
}

CASE(exit)
{
	ends(by_exit);
}

CASE(printf_exit)
{
	ends(by_printf_exit);
}

CASE(quick_exit)
{
	ends(by_quick_exit);
}

CASE(err)
{
	ends(by_err);
}

CASE(errx)
{
	ends(by_errx);
}

CASE(verr)
{
	ends(by_verr);
}

CASE(verrx)
{
	ends(by_verrx);
}

CASE(error)
{
	ends(by_error);
}

CASE(error_at_line)
{
	ends(by_error_at_line);
}

CASE(warn_exit)
{
	ends(by_warn_exit);
}

/* No end of a frame: the kernel ends it, with nothing flushed. */
CASE(abort)
{
	pid_t pid = start();

	if (pid == 0)
		abort();
	t_reap(pid, "child");
}

static jmp_buf jump;
static sigjmp_buf sigjump;

static FRAME pid_t jumps(int way)
{
	volatile long local = 7;
	pid_t pid = start();

	if (pid == 0) {
		sigset_t all;

		local = 8;
		scribble_below();
		sigfillset(&all);
		sigprocmask(SIG_BLOCK, &all, NULL);
		if (way == 0)
			longjmp(jump, 4);
		if (way == 1)
			_longjmp(jump, 5);
		siglongjmp(sigjump, 6);
	}
	CHECK(local == 7);
	return pid;
}

static void say_jump(int value)
{
	sigset_t mask;

	sigprocmask(SIG_SETMASK, NULL, &mask);
	printf("child: jumped with %d, SIGUSR1 blocked %d\n", value,
	       sigismember(&mask, SIGUSR1));
	exit(value);
}

static void jump_case(volatile int way)
{
	pid_t pid;
	int value = setjmp(jump);

	if (value)
		say_jump(value);
	value = sigsetjmp(sigjump, 1);
	if (value)
		say_jump(value);
	pid = jumps(way);
	both(pid, "went on", way);
}

CASE(longjmp)
{
	jump_case(0);
}

CASE(_longjmp)
{
	jump_case(1);
}

CASE(siglongjmp)
{
	jump_case(2);
}

CASES_MAIN
