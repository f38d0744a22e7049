/*
 * The parts of a lent stack: rooms for loans, unwritten text, what is told
 * from instructions and from jmp_bufs, ids that change, room for a process.
 */
#include "lend/loan.h"
#include "lend/parent/rings.h"
#include "lend/headroom.h"
#include "libc/tids.h"

#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#include "unit.h"

const char unit_subject[] = "lend";

START_TEST(a_loan_is_one_threads_until_it_is_put)
{
	struct ff_loan *a = ff_loan_take(), *b = ff_loan_take();

	ck_assert_ptr_nonnull(a);
	ck_assert_ptr_nonnull(b);
	ck_assert_ptr_ne(a, b);
	ff_loan_put(a);
	ck_assert_ptr_eq(ff_loan_take(), a);
	ff_loan_put(b);
	ff_loan_put(a);
}
END_TEST

START_TEST(more_loans_than_are_kept_go_back_to_the_system)
{
	static struct ff_loan *loan[100];
	size_t i;

	for (i = 0; i < 100; i++) {
		loan[i] = ff_loan_take();
		ck_assert_ptr_nonnull(loan[i]);
		loan[i]->frame[0] = 1;
	}
	for (i = 0; i < 100; i++)
		ff_loan_put(loan[i]);
}
END_TEST

/* A byte below a stack of a loan: kills. */
static void write_below(char *bottom)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		signal(SIGSEGV, SIG_DFL);
		*(volatile char *)(bottom - 1) = 1;
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

START_TEST(both_stacks_have_guard_pages)
{
	struct ff_loan *loan = ff_loan_take();
	char *stack = (char *)ff_loan_stack(loan) - FF_LOAN_STACK_BYTES;
	char *altstack = ff_loan_altstack(loan);

	memset(stack, 1, FF_LOAN_STACK_BYTES);
	memset(altstack, 1, FF_LOAN_ALTSTACK_BYTES);
	write_below(stack);
	write_below(altstack);
	ff_loan_put(loan);
}
END_TEST

/* What standard output, a file, has at the end if it is asked to be as it was
 * after "before" and whatever @between prints. */
static void streams_case(void (*between)(void), const char *want)
{
	const char *path = unit_path();
	struct ff_streams *streams = calloc(1, sizeof(*streams));
	char text[10000];
	pid_t pid = fork();

	if (pid == 0) {
		if (!freopen(path, "w", stdout))
			_exit(1);
		setvbuf(stdout, NULL, _IOFBF, 4096);
		printf("before ");
		ff_streams_note(streams);
		between();
		ff_streams_restore(streams);
		printf("after");
		fflush(stdout);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	unit_read_file(path, text, sizeof(text));
	unlink(path);
	ck_assert_str_eq(text, want);
	free(streams);
}

static void prints_a_word(void)
{
	printf("WRONG");
}

static void prints_and_flushes(void)
{
	printf("child ");
	fflush(stdout);
	printf("WRONG");
}

START_TEST(text_of_the_child_is_not_left_in_the_buffer)
{
	streams_case(prints_a_word, "before after");
}
END_TEST

/* As with fork: both write what was there. */
START_TEST(text_that_was_there_is_written_by_both)
{
	streams_case(prints_and_flushes, "before child before after");
}
END_TEST

START_TEST(a_buffer_that_the_child_made_is_empty)
{
	const char *path = unit_path();
	struct ff_streams *streams = calloc(1, sizeof(*streams));
	char text[100];
	pid_t pid = fork();

	if (pid == 0) {
		if (!freopen(path, "w", stdout))
			_exit(1);
		ff_streams_note(streams);
		printf("WRONG");
		ff_streams_restore(streams);
		printf("after");
		exit(0);
	}
	waitpid(pid, NULL, 0);
	unit_read_file(path, text, sizeof(text));
	unlink(path);
	ck_assert_str_eq(text, "after");
	free(streams);
}
END_TEST

START_TEST(a_jmp_buf_tells_where_it_leads)
{
	jmp_buf here;
	volatile char on_stack = 0;
	uintptr_t target, near = (uintptr_t)&on_stack;

	if (setjmp(here))
		return;
	target = ff_jump_target(here);
	ck_assert_uint_le(target, near);
	ck_assert_uint_lt(near - target, 4096);
}
END_TEST

enum {
	IN_REGISTER = 0x101,
};

static const struct {
	unsigned char code[16]; /* the instruction pointer is at 8 */
	long call;
	int behind_call;
} codes[] = {
	/* mov $9, %eax; syscall; <- */
	{ { 0x90, 0xb8, 9, 0, 0, 0, 0x0f, 0x05, 0x48 }, 9, 0 },
	/* mov %rdx, %rax; <- syscall: what the register says */
	{ { 0, 0, 0, 0, 0, 0x48, 0x89, 0xd0, 0x0f, 0x05 }, IN_REGISTER, 0 },
	/* xor %eax, %eax; syscall; <- */
	{ { 0, 0, 0, 0, 0x31, 0xc0, 0x0f, 0x05 }, 0, 0 },
	/* mov %rdx, %rax; syscall; <-: not told any more */
	{ { 0, 0, 0, 0x48, 0x89, 0xd0, 0x0f, 0x05 }, -1, 0 },
	/* call rel32 */
	{ { 0, 0, 0, 0xe8, 1, 2, 3, 4, 0x90 }, -1, 1 },
	/* call *%rax; call *%r8; call *8(%rbx); call *0x1234(%rip) */
	{ { 0, 0, 0, 0, 0, 0, 0xff, 0xd0 }, -1, 1 },
	{ { 0, 0, 0, 0, 0, 0x41, 0xff, 0xd0 }, -1, 1 },
	{ { 0, 0, 0, 0, 0, 0xff, 0x53, 8 }, -1, 1 },
	{ { 0, 0, 0xff, 0x15, 0x34, 0x12, 0, 0 }, -1, 1 },
	/* jmp *%rax; nops */
	{ { 0, 0, 0, 0, 0, 0, 0xff, 0xe0 }, -1, 0 },
	{ { 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90, 0x90 }, -1, 0 },
};

START_TEST(instructions_tell_the_call)
{
	static unsigned char page[4096] __attribute__((aligned(4096)));
	uintptr_t at = (uintptr_t)page + 1024 + 8;
	ucontext_t uc;

	memcpy(page + 1024, codes[_i].code, sizeof(codes[_i].code));
	memset(&uc, 0, sizeof(uc));
	uc.uc_mcontext.gregs[REG_RIP] = (greg_t)at;
	uc.uc_mcontext.gregs[REG_RAX] = IN_REGISTER;
	ck_assert_int_eq(ff_call_at(&uc), codes[_i].call);
	ck_assert_int_eq(ff_is_behind_call(at), codes[_i].behind_call);
}
END_TEST

/* Behind an instruction that says nothing, a failure by the signal does. */
START_TEST(results_tell_who_was_interrupted)
{
	static unsigned char page[4096] __attribute__((aligned(4096)));
	unsigned char *at = page + 1024;
	ucontext_t uc;

	memcpy(at - 2, "\x0f\x05", 2);
	memset(&uc, 0, sizeof(uc));
	uc.uc_mcontext.gregs[REG_RIP] = (greg_t)(uintptr_t)at;
	ck_assert(!ff_call_was_interrupted(&uc));
	uc.uc_mcontext.gregs[REG_RAX] = -EINTR;
	ck_assert(ff_call_was_interrupted(&uc));
	at[-2] = 0x90;
	ck_assert(!ff_call_was_interrupted(&uc));
}
END_TEST

static long interrupted;
static int failed_by_it;

static void on_alarm(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)info;
	interrupted = ff_call_at(context);
	failed_by_it = ff_call_was_interrupted(context);
}

/* libc's own wrappers may be written so that it can be told (until glibc
 * 2.40); another call it never is. */
static int may_be(long nr)
{
	return interrupted == nr || interrupted == -1;
}

START_TEST(the_call_that_a_signal_interrupts_is_no_other)
{
	struct sigaction act = { .sa_sigaction = on_alarm,
				 .sa_flags = SA_SIGINFO };
	sigset_t set;
	char c;
	int fd[2];

	ck_assert_int_eq(pipe(fd), 0);
	sigaction(SIGALRM, &act, NULL);
	ualarm(20000, 0);
	ck_assert_int_lt(read(fd[0], &c, 1), 0);
	ck_assert(may_be(SYS_read));
	ck_assert(failed_by_it);
	kill(getpid(), SIGALRM);
	ck_assert(may_be(SYS_kill));
	ck_assert(!failed_by_it);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	raise(SIGALRM);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	ck_assert(may_be(SYS_rt_sigprocmask));
	ck_assert(!failed_by_it);
}
END_TEST

/* With the flags of a futex or without; nothing else. */
START_TEST(a_lent_id_becomes_the_new_one)
{
	const uint32_t lent = (uint32_t)FF_LENT_TID;
	uint32_t words[] = { lent,     lent | 0x80000000u, lent | 0x40000000u,
			     lent + 1, lent - 1,	   0 };
	const uint32_t want[] = { 77,	    77 | 0x80000000u, 77 | 0x40000000u,
				  lent + 1, lent - 1,	      0 };

	ff_tids_change(words, sizeof(words), 77);
	ck_assert_mem_eq(words, want, sizeof(want));
}
END_TEST

START_TEST(registers_change_in_their_lower_half)
{
	greg_t *r;
	ucontext_t uc;

	memset(&uc, 0, sizeof(uc));
	r = uc.uc_mcontext.gregs;
	r[REG_R12] = FF_LENT_TID;
	r[REG_RAX] = 0x123400000000 | 0x80000000 | FF_LENT_TID;
	r[REG_RSP] = r[REG_RIP] = FF_LENT_TID;
	ff_tids_change_registers(&uc, 77);
	ck_assert_int_eq(r[REG_R12], 77);
	ck_assert_int_eq(r[REG_RAX], 0x123400000000 | 0x80000000 | 77);
	ck_assert_int_eq(r[REG_RSP], FF_LENT_TID);
	ck_assert_int_eq(r[REG_RIP], FF_LENT_TID);
}
END_TEST

/* No thread has it, and a futex can. */
START_TEST(a_lent_id_is_nobodys)
{
	ck_assert_int_gt(FF_LENT_TID, 1 << 22); /* PID_MAX_LIMIT */
	ck_assert_int_eq(FF_LENT_TID & ~0x3fffffff, 0);
}
END_TEST

/* Here nobody has so many processes; with no limit nothing is lowered. */
START_TEST(room_is_lowered_and_given_back)
{
	struct rlimit was, now, low;

	ck_assert_int_eq(getrlimit(RLIMIT_NPROC, &was), 0);
	ck_assert(ff_headroom_is_unlimited() == (was.rlim_cur == RLIM_INFINITY));
	low = was;
	if (low.rlim_cur == RLIM_INFINITY)
		low.rlim_cur = 100000;
	if (low.rlim_max != RLIM_INFINITY && low.rlim_cur > low.rlim_max)
		low.rlim_cur = low.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_NPROC, &low), 0);
	ck_assert(!ff_headroom_is_unlimited());
	ck_assert(ff_headroom_reserve(&was));
	ck_assert_int_eq(getrlimit(RLIMIT_NPROC, &now), 0);
	ck_assert_uint_lt(now.rlim_cur, low.rlim_cur);
	ck_assert_uint_eq(now.rlim_max, low.rlim_max);
	ff_headroom_release(&was);
	ck_assert_int_eq(getrlimit(RLIMIT_NPROC, &now), 0);
	ck_assert_uint_eq(now.rlim_cur, low.rlim_cur);
}
END_TEST

static bool write_number(const char *path, const char *text)
{
	FILE *out = fopen(path, "w");

	return out && fputs(text, out) >= 0 && !fclose(out);
}

/* In a pid namespace with few numbers: the exit status, 77 for "not here". */
static int look_at_numbers(void)
{
	if (mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("proc", "/proc", "proc", 0, NULL))
		return 77;
	if (!ff_headroom_in_sight())
		return 77;
	if (!write_number("/proc/sys/kernel/pid_max", "320"))
		return 77;
	return ff_headroom_in_sight();
}

/* Before Linux 6.14 the number is the machine's. */
static bool has_own_numbers(void)
{
	struct utsname name;
	int major, minor;

	return !uname(&name) &&
	       sscanf(name.release, "%d.%d", &major, &minor) == 2 &&
	       major * 100 + minor >= 614;
}

START_TEST(numbers_of_a_namespace_may_run_out)
{
	pid_t pid = has_own_numbers() ? fork() : -1;
	int status;

	if (pid < 0)
		return;
	if (pid == 0) {
		if (unshare(CLONE_NEWPID | CLONE_NEWNS))
			_exit(77);
		pid = fork();
		if (pid == 0)
			_exit(look_at_numbers());
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
			_exit(99);
		_exit(WEXITSTATUS(status));
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == 77);
}
END_TEST

START_TEST(queues_of_the_kernel_are_seen)
{
	unsigned long queue = 0;

	ck_assert(!ff_rings_are_mapped());
	if (syscall(SYS_io_setup, 1, &queue) < 0)
		return; /* forbidden here */
	ck_assert(ff_rings_are_mapped());
	ck_assert_int_eq(syscall(SYS_io_destroy, queue), 0);
	ck_assert(!ff_rings_are_mapped());
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, a_lent_id_becomes_the_new_one);
	tcase_add_test(tests, registers_change_in_their_lower_half);
	tcase_add_test(tests, a_lent_id_is_nobodys);
	tcase_add_test(tests, room_is_lowered_and_given_back);
	tcase_add_test(tests, numbers_of_a_namespace_may_run_out);
	tcase_add_test(tests, queues_of_the_kernel_are_seen);
	tcase_add_test(tests, a_loan_is_one_threads_until_it_is_put);
	tcase_add_test(tests, more_loans_than_are_kept_go_back_to_the_system);
	tcase_add_test(tests, both_stacks_have_guard_pages);
	tcase_add_test(tests, text_of_the_child_is_not_left_in_the_buffer);
	tcase_add_test(tests, text_that_was_there_is_written_by_both);
	tcase_add_test(tests, a_buffer_that_the_child_made_is_empty);
	tcase_add_test(tests, a_jmp_buf_tells_where_it_leads);
	tcase_add_loop_test(tests, instructions_tell_the_call, 0,
			    sizeof(codes) / sizeof(codes[0]));
	tcase_add_test(tests, results_tell_who_was_interrupted);
	tcase_add_test(tests, the_call_that_a_signal_interrupts_is_no_other);
}
