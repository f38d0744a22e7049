/*
 * What a child behind the fence (fenced.h) writes, or has the kernel write, to
 * memory of all kinds: the parent finds its own as it was, and what is shared
 * as the child left it.
 *
 * Test: -l -f fenced-forks-CASE CASE
 */
#include "fenced.h"
#include "libc_keeps.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

static void writes(void)
{
	initialised++;
	zero--;
	memset(block, 'c', 100);
	memset(t_block(0), 0, T_BLOCK / 2);
	pages[0] = 'c';
	CHECK(initialised == 2 && zero == -1 && block[99] == 'c');
}

/*
 * Test: -l -f fenced-forks-CASE CASE
 * Test: -l -e FLATFORK_FAULT=fence-all,no-way-back
 *       fenced-forks-not_followed CASE
 * Test: -d -l -f -q became fenced-forks-dropped CASE
 * Test: -d -l -f -q became -e FLATFORK_FAULT=
 *       fenced-forks-dropped-learnt CASE
 */
CASE(writes)
{
	note_memory();
	odd(writes);
	look_at_memory();
}

/*
 * Test: -l -f fenced-forks-CASE CASE
 * Test: -l -f -e FLATFORK_FAULT=no-room fenced-forks-refused CASE
 */
CASE(writes_much)
{
	note_memory();
	odd(writes_much);
	look_at_memory();
}

static void allocates(void)
{
	for (size_t i = 1; i < 40; i++) {
		char *p = malloc(i * 1000);

		CHECK(p);
		memset(p, 'c', i * 1000);
		free(p);
	}
	setenv("T_CHILD", "here", 1);
}

CASE(allocates)
{
	note_memory();
	odd(allocates);
	look_at_memory();
	CHECK(!getenv("T_CHILD"));
	free(malloc(100000));
}

/* Memory that a fork's child finds empty. */
static void finds_empty(void)
{
	for (int i = 0; i < 64; i++)
		CHECK(!pages[i * PAGE]);
}

/* Test: -l fenced-forks-CASE CASE */
CASE(wipes)
{
	note_memory();
	CHECK(!madvise((void *)pages, 64 * PAGE, MADV_WIPEONFORK));
	odd(finds_empty);
	look_at_memory();
}

/* What others see must stay. */
static void writes_shared(void)
{
	pages[0] = 's';
	pages[PAGE] = 's';
}

CASE(shared)
{
	pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	odd(writes_shared);
	printf("shared %c%c\n", pages[0], pages[PAGE]);
}

/* By the kernel, into memory that is the parent's. */
static int feed[2];
static char heard[16] = "nothing";

static void reads(void)
{
	CHECK(read(feed[0], heard, sizeof(heard)) == 6);
	CHECK(!strcmp(heard, "hello"));
}

CASE(reads)
{
	CHECK(!pipe(feed) && write(feed[1], "hello", 6) == 6);
	odd(reads);
	printf("heard %s\n", heard);
	close(feed[0]);
	close(feed[1]);
}

/* More than a pipe holds, to one who takes his time. */
enum {
	MUCH = 1 << 20
};

static void writes_whole(void)
{
	CHECK(write(feed[1], block, MUCH) == MUCH);
}

static void takes_all(void)
{
	struct pollfd p = { .fd = feed[0], .events = POLLIN };
	long sum = 0, n;
	char *taken = malloc(MUCH);

	close(feed[1]);
	CHECK(poll(&p, 1, -1) == 1);
	t_sleep_ms(600);
	while ((n = read(feed[0], taken, MUCH)) > 0)
		sum += n;
	_exit(n == 0 && sum == MUCH ? 0 : 1);
}

/* Test: -l -f -b 100 fenced-forks-CASE CASE */
CASE(writes_whole)
{
	pid_t reader;
	int status;

	block = malloc(MUCH);
	CHECK(block && !pipe(feed));
	memset(block, 'w', MUCH);
	reader = t_fork();
	if (reader == 0)
		takes_all();
	close(feed[0]);
	odd(writes_whole);
	close(feed[1]);
	CHECK(waitpid(reader, &status, 0) == reader && status == 0);
	free(block);
}

static void changes_environ(void)
{
	static char *other[] = { "OTHER=1", NULL };

	environ = other;
	_exit(5);
}

CASE(changes_environ)
{
	char **before = environ;

	odd(changes_environ);
	CHECK(environ == before);
}

/*
 * What flatfork keeps for the program is as closed to the child as the
 * program's memory: these names write there.
 */
static FILE *stream;

static void closes_stream(void)
{
	fclose(stream); /* its copy; libc's may wait for no child of its own */
}

CASE(closes_stream)
{
	char word[10] = "";

	stream = popen("echo word; exit 7", "r");
	CHECK(stream);
	odd(closes_stream);
	CHECK(fgets(word, sizeof(word), stream) && !strcmp(word, "word\n"));
	printf("pclose %x\n", pclose(stream));
}

static void advises(void)
{
	CHECK(!madvise((void *)pages, PAGE, MADV_DONTFORK));
	forks();
	CHECK(!madvise((void *)pages, PAGE, MADV_DOFORK));
	forks();
}

CASE(advises)
{
	note_memory();
	odd(advises);
	rounds(4);
	look_at_memory();
}

/* A page that nobody has written follows its file, also if a child had it. */
static volatile char *of_file;

static void writes_of_file(void)
{
	of_file[0] = 'c';
	CHECK(of_file[0] == 'c' && of_file[1] == 'f');
}

CASE(file_page)
{
	char content[PAGE];
	FILE *file = tmpfile();

	memset(content, 'f', PAGE);
	CHECK(file && pwrite(fileno(file), content, PAGE, 0) == PAGE);
	of_file = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE,
		       fileno(file), 0);
	CHECK(of_file != MAP_FAILED && of_file[0] == 'f');
	odd(writes_of_file);
	CHECK(of_file[0] == 'f');
	CHECK(pwrite(fileno(file), "new", 3, 0) == 3);
	printf("then it holds %c\n", of_file[0]);
	fclose(file);
}

/* A pipe that was given a page, and not what is in it, has what its child's
 * parent has, whatever the child writes there. */
static void writes_what_is_given(void)
{
	char text = 0;

	pages[0] = 'c';
	CHECK(read(feed[0], &text, 1) == 1);
	printf("child: the pipe has %c\n", text);
	fflush(stdout);
}

static void give_a_page(bool raw)
{
	struct iovec v;

	note_memory();
	v = (struct iovec){ (void *)pages, 1 };
	rounds(2); /* these are lent */
	CHECK(!pipe(feed));
	CHECK((raw ? syscall(SYS_vmsplice, feed[1], &v, 1, 0) :
		     vmsplice(feed[1], &v, 1, 0)) == 1);
	odd(writes_what_is_given);
	look_at_memory();
	close(feed[0]);
	close(feed[1]);
}

CASE(gives_pages)
{
	give_a_page(false);
}

CASE(gives_pages_raw)
{
	give_a_page(true);
}

static void says_what_libc_keeps(void)
{
	CHECK(getpid() != first_pid);
	errno = ERANGE;
	say_what_libc_keeps("child");
}

CASE(libc_keeps)
{
	change_what_libc_keeps(on_usr1, SIGPIPE);
	odd(says_what_libc_keeps);
	errno = 0;
	say_what_libc_keeps("parent");
}

/* The kernel may have two pieces of what is one stack, that begin and end
 * anywhere: of each two pages one is not to be in a core dump. */
static void cut_stack(void)
{
	enum {
		PAGES = 32,
		PAGE = 4096
	};
	volatile char deep[PAGES * PAGE];
	uintptr_t page = ((uintptr_t)deep / PAGE + 1) * PAGE;

	for (size_t i = 0; i < sizeof(deep); i += PAGE)
		deep[i] = 1;
	for (int i = 0; i < PAGES - 1; i += 2)
		CHECK(!madvise((void *)(page + (uintptr_t)i * PAGE), PAGE,
			       MADV_DONTDUMP));
}

/* @above: bytes between the end of a page and where the stack stands. */
static __attribute__((noinline)) void fork_at(size_t above)
{
	const uintptr_t here = (uintptr_t)__builtin_frame_address(0);
	volatile char *deep = __builtin_alloca(here % 4096 + 4096 - above);
	pid_t pid;

	deep[0] = 1;
	fflush(stdout);
	pid = fork();
	if (pid == 0)
		t_exec_exit(3);
	t_reap(pid, "child");
}

CASE(stack_in_pieces)
{
	cut_stack();
	for (size_t above = 64; above < 512; above += 64)
		fork_at(above);
}

CASES_MAIN
