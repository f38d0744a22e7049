/*
 * Filled in by hand: no allocation, no stdio, no lock that is waited for, as
 * forks happen in signal handlers. Only called where a log is wanted.
 *
 * A site is walked once. Whoever gets `busy` may walk, name and remember; who
 * does not (another thread, a handler on top of a walk, the child of a fork
 * that caught one) prints module and offset. So does a process in seccomp:
 * the calls that a walk makes might be its last.
 */
#include "site/name.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "host/hash.h"
#include "host/held.h"
#include "host/sys.h"
#include "libc/object.h"
#include "site/symbol.h"
#include "site/walk.h"
#include "tell/line.h"
#include "tell/places.h"

#define SEEN 64
#define CALLERS 3
#define MODULE_MOST 64
#define SYMBOL_MOST FF_SITE_FUNCTION_MAX

struct seen {
	_Atomic uintptr_t address; /* 0: free; written last, by the holder */
	uintptr_t start;	   /* of its object, which may be replaced */
	char text[FF_SITE_NAME_MAX];
};

static struct seen seen[SEEN];
static atomic_flag busy = ATOMIC_FLAG_INIT;
static _Atomic bool prepared;
static char program[MODULE_MOST];

/* With `busy`, or in the constructor. */
static bool is_in_seccomp(void)
{
	static const char key[] = "\nSeccomp:\t";
	static char status[2048];
	struct ff_held file;
	const char *at;
	long got;

	if (ff_hold_any(&file, "/proc/self/status", O_RDONLY, 0) < 0)
		return true;
	/* By what a log needs as well: nothing else may be allowed. */
	got = sys(read, file.fd, status, sizeof(status) - 1);
	if (ff_release(&file) < 0 || got <= 0)
		return true;
	status[got] = 0;
	at = strstr(status, key);
	return at && at[sizeof(key) - 1] != '0';
}

/* The name of the file, not of argv[0]: a script's is its interpreter's. */
static void find_program(void)
{
	char path[512];
	const char *slash;
	long n;

	n = sys(readlinkat, AT_FDCWD, FF_PROGRAM, path, sizeof(path) - 1);
	path[n < 0 ? 0 : n] = 0;
	slash = strrchr(path, '/');
	if (slash)
		memccpy(program, slash + 1, 0, sizeof(program) - 1);
}

void ff_site_names_prepare(void)
{
	int error = errno;

	if (!atomic_load(&prepared) && !is_in_seccomp()) {
		find_program();
		atomic_store(&prepared, ff_walk_prepare());
	}
	errno = error;
}

static void add_module(struct ff_line *line, const struct ff_object *object)
{
	const char *name = object->path, *slash = strrchr(name, '/');

	if (slash)
		name = slash + 1;
	if (!strcmp(object->path, FF_PROGRAM))
		name = *program ? program : program_invocation_short_name;
	ff_line_foreign(line, name, MODULE_MOST);
}

/* module+0xoffset; true, and @object filled, where there is a module. */
static bool add_place(struct ff_line *line, uintptr_t address,
		      struct ff_object *object)
{
	bool found = ff_object_of(address, object);

	if (found)
		add_module(line, object);
	ff_line_str(line, "+0x");
	ff_line_unsigned(line, address - (found ? object->start : 0), 16);
	return found;
}

/* A return address may lie behind its function's last instruction. */
static bool symbol_of(const struct ff_object *object, uintptr_t address,
		      char *name)
{
	return ff_symbol_of(object, address - 1, name, SYMBOL_MOST);
}

/* Adds " < caller"; false where there is no more to say. */
static bool add_caller(struct ff_line *line, uintptr_t address)
{
	struct ff_object object;
	char symbol[SYMBOL_MOST];

	/* Whole or not at all. */
	if (line->size - line->used < MODULE_MOST + 24)
		return false;
	if (!ff_object_of(address, &object))
		return false;
	ff_line_str(line, " < ");
	if (!symbol_of(&object, address, symbol)) {
		add_place(line, address, &object);
		return true;
	}
	ff_line_foreign(line, symbol, SYMBOL_MOST);
	return strcmp(symbol, "main") != 0;
}

static void add_function(struct ff_line *line, uintptr_t address,
			 const struct ff_object *object)
{
	uintptr_t caller[CALLERS];
	char symbol[SYMBOL_MOST];
	unsigned n, i;

	if (symbol_of(object, address, symbol)) {
		ff_line_str(line, " in ");
		ff_line_foreign(line, symbol, SYMBOL_MOST);
		if (!strcmp(symbol, "main"))
			return;
	}
	n = ff_walk_callers(address, caller, CALLERS);
	for (i = 0; i < n && add_caller(line, caller[i]); i++)
		;
}

/* The entry of @address, or a free one, or NULL: the table is full. */
static struct seen *entry_of(uintptr_t address)
{
	unsigned i, at = (unsigned)(ff_hash(address) >> 58);
	struct seen *s;
	uintptr_t there;

	for (i = 0; i < SEEN; i++) {
		s = &seen[(at + i) % SEEN];
		there = atomic_load(&s->address);
		if (there == address || there == 0)
			return s;
	}
	return NULL;
}

static bool is_known(const struct seen *s, uintptr_t address, uintptr_t start)
{
	return s && atomic_load(&s->address) == address && s->start == start;
}

/* A table that is full, or whose entry is of an object that is gone: the
 * short form is good enough. Under `busy`. */
static void look(struct ff_line *line, uintptr_t address,
		 const struct ff_object *object)
{
	struct seen *s = entry_of(address);

	if (!s || atomic_load(&s->address) || is_in_seccomp())
		return;
	add_function(line, address, object);
	memcpy(s->text, line->text, line->used);
	s->text[line->used] = 0;
	s->start = object->start;
	atomic_store(&s->address, address);
}

/* Under `busy`. */
static enum ff_match match(uintptr_t address, const struct ff_object *object,
			   const struct ff_place *place)
{
	char text[MODULE_MOST + 1], symbol[SYMBOL_MOST];
	struct ff_line line = ff_line_start(text, sizeof(text));

	if (!*program)
		find_program();
	add_module(&line, object);
	text[line.used] = '\0';
	if (strcmp(text, place->module) != 0)
		return FF_MATCH_NO;
	if (!*place->function)
		return address - object->start == place->offset ? FF_MATCH_YES :
								  FF_MATCH_NO;
	return symbol_of(object, address, symbol) &&
			       !strcmp(symbol, place->function) ?
		       FF_MATCH_YES :
		       FF_MATCH_NO;
}

enum ff_match ff_site_is_at(const void *address, const struct ff_place *place)
{
	enum ff_match found = FF_MATCH_UNKNOWN;
	struct ff_object object = { 0 };
	int error = errno;

	if (!ff_object_of((uintptr_t)address, &object))
		return FF_MATCH_NO;
	if (!atomic_flag_test_and_set(&busy)) {
		if (!is_in_seccomp())
			found = match((uintptr_t)address, &object, place);
		atomic_flag_clear(&busy);
	}
	errno = error;
	return found;
}

void ff_site_place(const void *address, char *place, char *function)
{
	struct ff_line line = ff_line_start(place, FF_SITE_NAME_MAX);
	const bool may = !atomic_flag_test_and_set(&busy),
		   looks = may && !is_in_seccomp();
	struct ff_object object = { 0 };

	if (looks && !*program)
		find_program();
	if (!add_place(&line, (uintptr_t)address, &object) || !looks ||
	    !symbol_of(&object, (uintptr_t)address, function))
		*function = '\0';
	if (may)
		atomic_flag_clear(&busy);
	place[line.used] = '\0';
}

const char *ff_site_name(const void *address, char *buffer)
{
	struct ff_line line = ff_line_start(buffer, FF_SITE_NAME_MAX);
	struct ff_object object = { 0 };
	uintptr_t at = (uintptr_t)address;
	const struct seen *s = entry_of(at);
	int error = errno;

	if (ff_object_of(at, &object) && is_known(s, at, object.start)) {
		memcpy(buffer, s->text, sizeof(s->text));
		return buffer;
	}
	if (add_place(&line, at, &object) && atomic_load(&prepared) &&
	    !atomic_flag_test_and_set(&busy)) {
		look(&line, at, &object);
		atomic_flag_clear(&busy);
	}
	buffer[line.used] = 0;
	errno = error;
	return buffer;
}
