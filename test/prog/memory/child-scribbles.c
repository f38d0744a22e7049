/*
 * The child overwrites the program's globals, its heap, its mappings, the
 * frames of every caller up to the top of the stack, an unflushed stdio
 * buffer and environ, then execs. The parent must see none of it, byte for
 * byte. Compared against a copy made right before the fork:
 *  - .data and .bss of the program, the whole brk heap, every mapping the
 *    program made, another thread's stack, and the stack from the frame
 *    above the calling one to its top (arguments, environment, auxv);
 *  - of libc: the FILE objects' buffers and environ. Not its .data as a
 *    whole: locks and counters of fork itself live there under plain libc.
 *
 * Test: -l
 */
#include "t.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

extern char **environ;
extern char __data_start[], _end[];

struct range {
	const char *name;
	char *from;
	size_t bytes;
	char *copy;
};

static int global_data = 42;
static char global_bss[1 << 20];
static struct range range[8];
static int ranges;
static char *copies, *copies_free;
static char **saved_environ;
static char *stack_top;
static volatile char *thread_frame;
static pthread_barrier_t barrier;

static void add(const char *name, void *from, size_t bytes)
{
	range[ranges++] = (struct range){ name, from, bytes, NULL };
}

/* The last thing before fork: nothing of ours is written afterwards. */
static void copy_all(void)
{
	for (int i = 0; i < ranges; i++) {
		range[i].copy = copies_free;
		copies_free += (range[i].bytes + 63) & ~63ul;
	}
	for (int i = 0; i < ranges; i++)
		memcpy(range[i].copy, range[i].from, range[i].bytes);
}

/* Printing writes to the heap: look at everything before. */
static void compare(void)
{
	size_t changed[8] = { 0 }, first[8] = { 0 };

	for (int i = 0; i < ranges; i++)
		for (size_t k = range[i].bytes; k-- > 0;)
			if (range[i].from[k] != range[i].copy[k]) {
				changed[i]++;
				first[i] = k;
			}
	for (int i = 0; i < ranges; i++) {
		printf("%s: %s\n", range[i].name,
		       changed[i] ? "CHANGED" : "unchanged");
		if (changed[i])
			fprintf(stderr, "%s: %zu bytes, first at +%#zx\n",
				range[i].name, changed[i], first[i]);
	}
}

/* In the child. Its own frame and those below stay; all callers' go. */
static _Noreturn __attribute__((noinline)) void child_scribble(char *above)
{
	/* what exec needs survives on this frame */
	char path[4096], word[] = "report", topic[] = "exit", ten[] = "10";
	char *args[] = { word, topic, ten, NULL };
	char *none[] = { NULL };

	strcpy(path, t_report);
	fprintf(stdout, "this is the child's and must not come out");
	environ = none;
	memset((void *)thread_frame, 0xdd, 4096);
	for (size_t i = 0; i < t_blocks(); i++)
		memset(t_block(i), 0xdd, T_BLOCK);
	memset(t_area, 0xdd, t_area_bytes);
	memset(global_bss, 0xdd, sizeof(global_bss));
	global_data = -1;
	memset(above, 0xdd, stack_top - above);
	execve(path, args, none);
	_exit(99);
}

static __attribute__((noinline)) pid_t calling_frame(char *above)
{
	pid_t pid = fork();

	if (pid == 0)
		child_scribble(above);
	return pid;
}

static __attribute__((noinline)) int caller(int depth)
{
	volatile char local[512];
	pid_t pid;

	memset((char *)local, 0x40 + depth, sizeof(local));
	if (depth > 0)
		return caller(depth - 1) + local[3] - 0x40 - depth;
	/* the caller's own frame begins here; above it all must stay */
	add("stack of the callers", __builtin_frame_address(0),
	    stack_top - (char *)__builtin_frame_address(0));
	copy_all();
	pid = calling_frame(__builtin_frame_address(0));
	compare();
	t_reap(pid, "scribbler");
	return local[5] - 0x40;
}

static void *parked(void *arg)
{
	char frame[4096];

	(void)arg;
	memset(frame, 0x77, sizeof(frame));
	thread_frame = frame;
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	for (size_t i = 0; i < sizeof(frame); i++)
		CHECK(frame[i] == 0x77);
	return NULL;
}

static char *find_stack_top(void)
{
	unsigned long from, to, here = (unsigned long)&from;
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx", &from, &to) == 2 && from <= here &&
		    here < to) {
			fclose(f);
			return (char *)to;
		}
	t_failed(__FILE__, __LINE__, "the stack is in maps");
}

int main(void)
{
	pthread_t thread;
	void *low = sbrk(0);

	t_start(64);
	stack_top = find_stack_top();
	memset(global_bss, 0x11, sizeof(global_bss));
	pthread_barrier_init(&barrier, NULL, 2);
	CHECK(!pthread_create(&thread, NULL, parked, NULL));
	pthread_barrier_wait(&barrier);
	setenv("T_MINE", "mine", 1);
	saved_environ = environ;
	fflush(stdout);
	setvbuf(stdout, NULL, _IOFBF, 65536);
	printf("unflushed, once\n");

	copies = mmap(NULL, 512 << 20, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(copies != MAP_FAILED);
	copies_free = copies;
	add("thread's frame", (void *)thread_frame, 4096);
	add("mapping", t_area, t_area_bytes);
	add("heap", low, (char *)sbrk(0) - (char *)low);
	add("globals", __data_start, _end - __data_start);
	/* the list of ranges is a global: written before the copy is made */
	CHECK(caller(4) == 0);

	CHECK(environ == saved_environ);
	CHECK(!strcmp(getenv("T_MINE"), "mine"));
	CHECK(global_data == 42);
	pthread_barrier_wait(&barrier);
	pthread_join(thread, NULL);
	fflush(stdout);
	return t_end();
}
