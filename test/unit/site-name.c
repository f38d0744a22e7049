/*
 * Call sites in words: which functions are named, and that finding out leaves
 * no trace. site() stands for an interposed call, its callers for a program.
 */
#include "site/name.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <link.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

#include "site/walk.h"
#include "unit.h"

#define NOINLINE __attribute__((noinline, noclone))

const char unit_subject[] = "site-name";

static char text[FF_SITE_NAME_MAX];
static volatile int after; /* keeps calls from becoming jumps */

/* Counts what is allocated, by whatever library. */
void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
static _Thread_local int allocations; /* of one thread */

void *malloc(size_t size)
{
	allocations++;
	return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	allocations++;
	return __libc_calloc(count, size);
}

static NOINLINE void site(void)
{
	ff_site_name(__builtin_return_address(0), text);
	after++;
}

static NOINLINE void inner(void)
{
	site();
	after++;
}

static NOINLINE void middle(void)
{
	inner();
	after++;
}

static NOINLINE void outer(void)
{
	middle();
	after++;
}

/* Does something else, or the compiler makes it one with inner(). */
static NOINLINE void another(void)
{
	site();
	after += 2;
}

static void assert_text_is_short(void)
{
	static const char module[] = "unit-site-name+0x";
	size_t n = sizeof(module) - 1;

	ck_assert(strncmp(text, module, n) == 0);
	ck_assert_uint_gt(strlen(text), n);
	ck_assert_uint_eq(strspn(text + n, "0123456789abcdef"),
			  strlen(text) - n);
}

static void assert_text_ends_in(const char *want)
{
	const char *at = strstr(text, " in ");

	ck_assert_msg(at && strncmp(at + 4, want, strlen(want)) == 0,
		      "'%s' has no 'in %s'", text, want);
}

START_TEST(static_functions_and_their_callers_are_named)
{
	ff_site_names_prepare();
	outer();
	ck_assert(strncmp(text, "unit-site-name+0x", 17) == 0);
	assert_text_ends_in("inner < middle < outer < ");
}
END_TEST

START_TEST(a_site_keeps_the_name_of_its_first_sight)
{
	char first[FF_SITE_NAME_MAX];

	ff_site_names_prepare();
	outer();
	memcpy(first, text, sizeof(first));
	memset(text, 0, sizeof(text));
	middle();
	ck_assert_str_eq(text, first);
}
END_TEST

START_TEST(errno_is_kept)
{
	errno = 1234;
	ff_site_names_prepare();
	outer();
	ck_assert_int_eq(errno, 1234);
}
END_TEST

/* Called back by libc, which is stripped: the caller is a place in it. */
static int compare(const void *a, const void *b)
{
	site();
	after++;
	return *(const int *)a - *(const int *)b;
}

START_TEST(callers_in_a_library_are_named)
{
	int two[] = { 2, 1 };

	ff_site_names_prepare();
	qsort(two, 2, sizeof(two[0]), compare);
	assert_text_ends_in("compare < ");
	ck_assert_ptr_nonnull(strstr(text, "qsort"));
}
END_TEST

static jmp_buf back;

static NOINLINE _Noreturn void site_and_no_return(void)
{
	site();
	longjmp(back, 1);
}

static NOINLINE _Noreturn void ends_in_its_call(void)
{
	site_and_no_return();
}

/* Its return address is that of the next function. */
START_TEST(a_caller_that_ends_in_its_call_is_named)
{
	ff_site_names_prepare();
	if (!setjmp(back))
		ends_in_its_call();
	assert_text_ends_in("site_and_no_return < ends_in_its_call < "
			    "a_caller_that_ends_in_its_call");
}
END_TEST

/* void without_unwind_information(void (*call)(void)) */
void without_unwind_information(void (*call)(void));
__asm__(".text\n"
	".type without_unwind_information, @function\n"
	"without_unwind_information:\n"
	"	push %rbp\n"
	"	mov %rsp, %rbp\n"
	"	call *%rdi\n"
	"	pop %rbp\n"
	"	ret\n"
	".size without_unwind_information, . - without_unwind_information\n");

START_TEST(callers_are_not_guessed)
{
	const char *last;

	ff_site_names_prepare();
	without_unwind_information(inner);
	assert_text_ends_in("inner < without_unwind_information");
	last = strrchr(text, '<');
	ck_assert_str_eq(last, "< without_unwind_information");
}
END_TEST

START_TEST(new_sites_are_short_when_the_table_is_full)
{
	const char *at = (const char *)(uintptr_t)outer + 1;
	int i;

	ff_site_names_prepare();
	outer();
	for (i = 0; i < 64; i++)
		ff_site_name(at + i, text);
	another();
	assert_text_is_short();
	outer();
	assert_text_ends_in("inner < middle");
}
END_TEST

static void copy_file(const char *from, const char *to)
{
	int in = open(from, O_RDONLY | O_CLOEXEC);
	int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

	ck_assert_int_ge(in, 0);
	ck_assert_int_ge(out, 0);
	while (sendfile(out, in, NULL, 1 << 20) > 0)
		;
	close(in);
	close(out);
}

/* Any library that is not in use here. */
START_TEST(a_file_that_was_replaced_names_nothing)
{
	char copy[PATH_MAX];
	struct link_map *map;
	void *handle = dlopen("liblzma.so.5", RTLD_NOW | RTLD_LOCAL);
	const char *function;

	ck_assert_ptr_nonnull(handle);
	ck_assert_int_eq(dlinfo(handle, RTLD_DI_LINKMAP, &map), 0);
	ck_assert_ptr_nonnull(realpath(".", copy));
	strcat(copy, "/");
	strcat(copy, unit_path());
	copy_file(map->l_name, copy);
	handle = dlopen(copy, RTLD_NOW | RTLD_LOCAL);
	ck_assert_ptr_nonnull(handle);
	ff_site_names_prepare();
	function = dlsym(handle, "lzma_code");
	ff_site_name(function + 1, text);
	assert_text_ends_in("lzma_code");
	unlink(copy);
	copy_file("/proc/self/exe", copy);
	ff_site_name(function + 2, text);
	unlink(copy);
	ck_assert_ptr_nonnull(strstr(text, ".tmp+0x"));
	ck_assert_ptr_null(strstr(text, " in "));
}
END_TEST

START_TEST(an_address_in_no_object_is_a_number)
{
	ff_site_names_prepare();
	ck_assert_str_eq(ff_site_name((void *)0x1234, text), "+0x1234");
}
END_TEST

START_TEST(an_address_that_nobody_returns_to_is_named_alone)
{
	ff_site_names_prepare();
	ff_site_name((const char *)(uintptr_t)outer + 1, text);
	assert_text_ends_in("outer");
	ck_assert_ptr_null(strchr(text, '<'));
}
END_TEST

START_TEST(without_the_library_module_and_offset_are_left)
{
	ff_walk_library = "libunwind-that-is-not-there.so.8";
	ff_site_names_prepare();
	ck_assert_ptr_null(dlerror());
	outer();
	assert_text_is_short();
}
END_TEST

START_TEST(a_library_without_its_functions_is_no_library)
{
	ff_walk_library = "libc.so.6";
	ff_site_names_prepare();
	ck_assert_ptr_null(dlerror());
	outer();
	assert_text_is_short();
}
END_TEST

START_TEST(unprepared_module_and_offset_are_left)
{
	outer();
	assert_text_is_short();
}
END_TEST

/* The numbers of the open descriptors and what they are, as one string. */
static void list_descriptors(char *list, size_t size)
{
	DIR *dir = opendir("/proc/self/fd");
	const struct dirent *e;
	char what[64];
	size_t used = 0;
	ssize_t n;

	ck_assert_ptr_nonnull(dir);
	while ((e = readdir(dir))) {
		if (*e->d_name == '.' ||
		    strtol(e->d_name, NULL, 10) == dirfd(dir))
			continue;
		n = readlinkat(dirfd(dir), e->d_name, what, sizeof(what) - 1);
		what[n < 0 ? 0 : n] = 0;
		used += (size_t)snprintf(list + used, size - used, "%s %s\n",
					 e->d_name, what);
		ck_assert_uint_lt(used, size);
	}
	closedir(dir);
}

START_TEST(no_descriptor_is_left_open)
{
	char before[4096], now[4096];

	list_descriptors(before, sizeof(before));
	ff_site_names_prepare();
	list_descriptors(now, sizeof(now));
	ck_assert_str_eq(now, before);
	outer();
	assert_text_ends_in("inner < middle");
	list_descriptors(now, sizeof(now));
	ck_assert_str_eq(now, before);
}
END_TEST

#define FILES_FROM 3
#define FILES_TO 40

/* The check library's own descriptors are among those closed: what is seen is
 * said by exit status. */
static int files_on_reused_numbers_stay_whole(const char *path)
{
	struct stat before[FILES_TO], now;
	char byte;
	int fd;

	close_range(FILES_FROM, ~0U, 0);
	for (fd = FILES_FROM; fd < FILES_TO; fd++) {
		if (open(path, O_RDWR | O_CREAT | O_TRUNC, 0600) != fd ||
		    write(fd, "x", 1) != 1 || unlink(path) != 0 ||
		    fstat(fd, &before[fd]) != 0)
			return 2;
	}
	another();
	if (!strstr(text, " in another < "))
		return 3;
	for (fd = FILES_FROM; fd < FILES_TO; fd++) {
		if (fstat(fd, &now) != 0 || now.st_ino != before[fd].st_ino ||
		    now.st_size != 1 || lseek(fd, 0, SEEK_CUR) != 1 ||
		    pread(fd, &byte, 1, 0) != 1 || byte != 'x')
			return 4;
	}
	return open("/dev/null", O_RDONLY) == FILES_TO ? 0 : 5;
}

START_TEST(files_opened_on_closed_numbers_stay_whole)
{
	const char *path = unit_path();
	pid_t pid;
	int status;

	ff_site_names_prepare();
	outer();
	assert_text_ends_in("inner < middle");
	pid = fork();
	if (pid == 0)
		_exit(files_on_reused_numbers_stay_whole(path));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(the_descriptor_limit_is_what_it_was)
{
	int fd;

	ff_site_names_prepare();
	fd = open("/dev/null", O_RDONLY);
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

static void *count_allocations(void *unused)
{
	int before = allocations;

	(void)unused;
	another();
	return (void *)(intptr_t)(allocations - before);
}

/* In a thread that has none of the library's thread-local storage yet. */
START_TEST(a_walk_allocates_nothing)
{
	pthread_t thread;
	void *count;

	ff_site_names_prepare();
	ck_assert_int_eq(pthread_create(&thread, NULL, count_allocations, NULL),
			 0);
	pthread_join(thread, &count);
	assert_text_ends_in("another < count_allocations");
	ck_assert_ptr_null(count);
	free(malloc(1));
	ck_assert_int_gt(allocations, 0);
}
END_TEST

static ucontext_t main_context, small_context;

static void on_small_stack(void)
{
	outer();
	after++;
}

static size_t used_of(const unsigned char *stack, size_t size)
{
	size_t untouched = 0;

	while (untouched < size && stack[untouched] == 0xa5)
		untouched++;
	return size - untouched;
}

#define SMALL_STACK 16384
#define STACK_FOR_A_WALK 6144

START_TEST(a_walk_is_made_on_a_small_stack)
{
	static unsigned char stack[SMALL_STACK];

	ff_site_names_prepare();
	memset(stack, 0xa5, sizeof(stack));
	getcontext(&small_context);
	small_context.uc_stack.ss_sp = stack;
	small_context.uc_stack.ss_size = sizeof(stack);
	small_context.uc_link = &main_context;
	makecontext(&small_context, on_small_stack, 0);
	swapcontext(&main_context, &small_context);
	assert_text_ends_in("inner < middle < outer < on_small_stack");
	ck_assert_uint_lt(used_of(stack, sizeof(stack)), STACK_FOR_A_WALK);
}
END_TEST

static volatile sig_atomic_t walks, shorts, wrongs;

/* Every byte of a function's text is an address not seen before. */
static const char *next_address(void)
{
	static atomic_uint n;

	return (const char *)(uintptr_t)outer + 1 + n++ % 8;
}

static void walk_in_handler(int sig)
{
	char mine[FF_SITE_NAME_MAX];
	const char *at;

	(void)sig;
	at = strstr(ff_site_name(next_address(), mine), " in ");
	walks++;
	if (!at)
		shorts++;
	else if (strcmp(at, " in outer") != 0)
		wrongs++;
}

/* A handler that arrives at every stage of a walk: a child is stepped through
 * by a timer that is set ever later. */
START_TEST(a_handler_on_top_of_a_walk_gets_the_short_form)
{
	struct itimerval timer = { 0 };
	int status, us, nested = 0;
	pid_t pid;

	ff_site_names_prepare();
	signal(SIGALRM, walk_in_handler);
	for (us = 1; us < 1500; us += 5) {
		pid = fork();
		if (pid == 0) {
			alarm(0);
			timer.it_value.tv_usec = us;
			setitimer(ITIMER_REAL, &timer, NULL);
			outer();
			while (!walks)
				;
			if (wrongs || !strstr(text, "inner < middle < outer"))
				_exit(1);
			_exit(shorts ? 42 : 0);
		}
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFEXITED(status));
		ck_assert_int_ne(WEXITSTATUS(status), 1);
		nested += WEXITSTATUS(status) == 42;
	}
	ck_assert_int_gt(nested, 0);
}
END_TEST

/* As many sites as leave room for another one. */
static void *walk_often(void *unused)
{
	char mine[FF_SITE_NAME_MAX];
	unsigned n;

	for (n = 0; n < 50; n++)
		ff_site_name((const char *)(uintptr_t)walk_often + n, mine);
	return unused;
}

static int fork_amid_walks(void)
{
	pthread_t thread;
	int i, status, nested = 0;
	pid_t pid;

	if (pthread_create(&thread, NULL, walk_often, NULL) != 0)
		return 2;
	for (i = 0; i < 10; i++) {
		pid = fork();
		if (pid == 0) {
			another();
			if (strncmp(text, "unit-site-name+0x", 17) != 0)
				_exit(1);
			_exit(strstr(text, " in ") ? 0 : 42);
		}
		if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status) ||
		    WEXITSTATUS(status) == 1)
			return 1;
		nested |= WEXITSTATUS(status) == 42;
	}
	return nested ? 42 : 0;
}

/* With the library's locks held by a thread that the child does not have. */
START_TEST(a_child_forked_amid_a_walk_goes_on)
{
	int i, status, nested = 0;
	pid_t pid;

	ff_site_names_prepare();
	for (i = 0; i < 50; i++) {
		pid = fork();
		if (pid == 0)
			_exit(fork_amid_walks());
		ck_assert_int_eq(waitpid(pid, &status, 0), pid);
		ck_assert(WIFEXITED(status));
		ck_assert(WEXITSTATUS(status) == 0 ||
			  WEXITSTATUS(status) == 42);
		nested += WEXITSTATUS(status) == 42;
	}
	ck_assert_int_gt(nested, 0);
}
END_TEST

/* Kills on what a walk needs and a log does not. */
static void forbid_walks(void)
{
	static const unsigned calls[] = { SYS_process_vm_readv, SYS_pread64,
					  SYS_readlinkat, SYS_prlimit64 };
	struct sock_filter filter[2 * 4 + 2];
	struct sock_fprog prog = { .filter = filter };
	unsigned i, n = 0;

	filter[n++] = (struct sock_filter)BPF_STMT(
		BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		filter[n++] = (struct sock_filter)BPF_JUMP(
			BPF_JMP | BPF_JEQ | BPF_K, calls[i], 0, 1);
		filter[n++] = (struct sock_filter)BPF_STMT(
			BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
	}
	filter[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K,
						   SECCOMP_RET_ALLOW);
	prog.len = (unsigned short)n;
	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog), 0);
}

START_TEST(a_process_in_seccomp_gets_the_short_form_for_new_sites)
{
	char known[FF_SITE_NAME_MAX];

	ff_site_names_prepare();
	outer();
	memcpy(known, text, sizeof(known));
	forbid_walks();
	another();
	assert_text_is_short();
	outer();
	ck_assert_str_eq(text, known);
}
END_TEST

START_TEST(a_process_born_in_seccomp_is_not_prepared)
{
	forbid_walks();
	ff_site_names_prepare();
	outer();
	assert_text_is_short();
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, static_functions_and_their_callers_are_named);
	tcase_add_test(tests, a_site_keeps_the_name_of_its_first_sight);
	tcase_add_test(tests, errno_is_kept);
	tcase_add_test(tests, callers_in_a_library_are_named);
	tcase_add_test(tests, a_caller_that_ends_in_its_call_is_named);
	tcase_add_test(tests, callers_are_not_guessed);
	tcase_add_test(tests, new_sites_are_short_when_the_table_is_full);
	tcase_add_test(tests, a_file_that_was_replaced_names_nothing);
	tcase_add_test(tests, an_address_in_no_object_is_a_number);
	tcase_add_test(tests, an_address_that_nobody_returns_to_is_named_alone);
	tcase_add_test(tests, without_the_library_module_and_offset_are_left);
	tcase_add_test(tests, a_library_without_its_functions_is_no_library);
	tcase_add_test(tests, unprepared_module_and_offset_are_left);
	tcase_add_test(tests, no_descriptor_is_left_open);
	tcase_add_test(tests, files_opened_on_closed_numbers_stay_whole);
	tcase_add_test(tests, the_descriptor_limit_is_what_it_was);
	tcase_add_test(tests, a_walk_allocates_nothing);
	tcase_add_test(tests, a_walk_is_made_on_a_small_stack);
	tcase_add_test(tests, a_handler_on_top_of_a_walk_gets_the_short_form);
	tcase_add_test(tests, a_child_forked_amid_a_walk_goes_on);
	tcase_add_test(tests,
		       a_process_in_seccomp_gets_the_short_form_for_new_sites);
	tcase_add_test(tests, a_process_born_in_seccomp_is_not_prepared);
}
