/*
 * A child behind the fence (fenced.h) writes to the data of a loaded object. A
 * page that nobody has written follows the file, also if a child had it; what
 * the parent has written is its own. In a process that gave up its rights, too,
 * which can't open its pagemap.
 *
 * Test: -l -f -e T_OBJECT=$<TARGET_FILE:prog-fenced-object>
 *       fenced-objects-CASE CASE
 * Test: -l -f -e T_OBJECT=$<TARGET_FILE:prog-fenced-object>
 *       -e FLATFORK_FAULT=fence-all,no-mem fenced-objects-unseen-CASE CASE
 * Test: -d -l -f -e T_OBJECT=$<TARGET_FILE:prog-fenced-object>
 *       fenced-objects-dropped-CASE CASE
 */
#include "fenced-object.h"
#include "fenced.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>

static int file;
static off_t mark_at, file_bytes;
static volatile char *data, *page; /* all of it; a page in the middle */

static off_t at_in_file(const volatile char *p)
{
	return mark_at + (p - data);
}

/* A copy that may be changed. */
static void load(void)
{
	const char *path = getenv("T_OBJECT");
	const int from = open(path ? path : "", O_RDONLY);
	static char all[1 << 20];
	void *object;
	char *mark;

	if (from < 0)
		t_skip("there is no T_OBJECT");
	file = open("object.so", O_RDWR | O_CREAT | O_TRUNC, 0700);
	file_bytes = read(from, all, sizeof(all));
	CHECK(file_bytes > 0 && file_bytes < (off_t)sizeof(all));
	CHECK(write(file, all, (size_t)file_bytes) == file_bytes);
	close(from);
	mark = memmem(all, (size_t)file_bytes, FENCED_OBJECT_MARK,
		      sizeof(FENCED_OBJECT_MARK));
	CHECK(mark);
	mark_at = mark - all;
	object = dlopen("./object.so", RTLD_NOW);
	CHECK(object);
	data = dlsym(object, "fenced_object");
	CHECK(data && !strcmp((const char *)data, FENCED_OBJECT_MARK));
	page = (volatile char *)(((uintptr_t)data + 3 * PAGE) &
				 ~(uintptr_t)(PAGE - 1));
}

static void change_file(void)
{
	CHECK(pwrite(file, "new", 3, at_in_file(page)) == 3);
	printf("then it holds %c%d\n", page[0] ? page[0] : '-', page[100]);
	close(file);
}

static void writes_page(void)
{
	CHECK(page[0] == 0 && page[100] != 'c');
	page[100] = 'c';
	CHECK(page[0] == 0 && page[100] == 'c');
}

CASE(looked_at)
{
	load();
	CHECK(page[0] == 0);
	odd(writes_page);
	CHECK(page[100] == 0);
	change_file();
}

CASE(untouched)
{
	load();
	odd(writes_page);
	CHECK(page[100] == 0);
	change_file();
}

/*
 * Test: -l -f -q became -e T_OBJECT=$<TARGET_FILE:prog-fenced-object>
 *       fenced-objects-CASE CASE
 * Test: -l -f -q became -e T_OBJECT=$<TARGET_FILE:prog-fenced-object>
 *       -e FLATFORK_FAULT=fence-all,no-mem fenced-objects-unseen-CASE CASE
 * Test: -d -l -f -q became -e T_OBJECT=$<TARGET_FILE:prog-fenced-object>
 *       fenced-objects-dropped-CASE CASE
 */
CASE(written)
{
	load();
	page[100] = 'p';
	odd(writes_page);
	CHECK(page[100] == 'p');
	change_file();
}

/* What was thrown away is no copy any more. */
CASE(thrown_away)
{
	load();
	page[100] = 'p';
	CHECK(!madvise((void *)page, PAGE, MADV_DONTNEED));
	odd(writes_page);
	CHECK(page[100] == 0);
	change_file();
}

/* One that is the parent's own, and one that is the file's. */
static void writes_two(void)
{
	page[100] = 'c';
	page[PAGE] = 'c';
}

CASE(two_pages)
{
	load();
	page[100] = 'p';
	odd(writes_two);
	CHECK(page[100] == 'p' && page[PAGE] == 0);
	CHECK(pwrite(file, "new", 3, at_in_file(page + PAGE)) == 3);
	printf("the second holds %c\n", page[PAGE] ? page[PAGE] : '-');
	close(file);
}

static void on_bus(int sig)
{
	(void)sig;
	_exit(66);
}

/* The object's file is cut off: a write there is SIGBUS, which is handled. */
CASE(cut_off)
{
	load();
	signal(SIGBUS, on_bus);
	CHECK(!ftruncate(file, at_in_file(page)));
	odd(writes_page);
	CHECK(!ftruncate(file, file_bytes));
	printf("then it holds %d\n", page[100]);
	fflush(NULL);
	_exit(0); /* its other data is gone */
}

CASES_MAIN
