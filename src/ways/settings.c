/*
 * Two threads whose first forks come at once both read the files, and so may a
 * signal handler on top of a reader: nobody waits, all find the same.
 */
#include "ways/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

#include "arch/arch.h"
#include "arch/hot.h"
#include "host/sandbox.h"
#include "host/signals.h"
#include "libc/environment.h"
#include "libc/object.h"
#include "libc/threads.h"
#include "process/aside.h"
#include "process/filter.h"
#include "process/stance.h"
#include "tell/config.h"
#include "tell/log.h"
#include "tell/options.h"
#include "ways/heirs.h"

#ifndef RESOLVE_CACHED /* from Linux 5.12 on */
#define RESOLVE_CACHED 0x20
#endif

#define ARGUMENT_MAX 48

_Atomic bool ff_settings_are_whole FF_HOT;

/* As the program found them: it may change its environment and arguments. A
 * home that is longer has no file for us. */
static char at_home[FF_CONFIG_HOME_MAX + sizeof(FF_CONFIG_IN_HOME)] FF_HOT;
static char first_argument[ARGUMENT_MAX] FF_HOT;

static void keep(char *to, size_t size, const char *from)
{
	if (from && strlen(from) < size)
		strcpy(to, from);
}

/* An object that was not named by a path is looked for anew. */
static bool is_here(void)
{
	struct ff_object us;
	long fd;

	if (!ff_object_of((uintptr_t)is_here, &us) || *us.path != '/')
		return true;
	fd = sys(openat, AT_FDCWD, us.path, O_PATH | O_CLOEXEC, 0);
	if (fd >= 0)
		sys(close, fd);
	return fd != -ENOENT && fd != -ENOTDIR;
}

void ff_settings_root_is_another(void)
{
	/* A filter from before lets ld.so open us. */
	if (ff_options.on && !ff_may_have_threads() &&
	    !atomic_load(&ff_sandboxed) && !is_here())
		ff_leave_environment();
}

/* Of a value that nobody can read. It stops no program: whoever has the other
 * end of a pipe may be gone, or not be reading. */
static void say_at_start(const char *text, size_t n)
{
	if (!ff_log_knows_stderr())
		ff_log_note_stderr();
	ff_log_append("stderr", text, n);
}

void ff_settings_begin(void)
{
	const char *program[FF_PROGRAM_NAMES];

	ff_program_names(program);
	ff_options_load(ff_environment(), program, say_at_start);
	if (!ff_options.on)
		return;
	if (!ff_options.inherit)
		ff_leave_environment();
	keep(at_home, FF_CONFIG_HOME_MAX, ff_environment_value("HOME"));
	if (*at_home == '/')
		strcat(at_home, FF_CONFIG_IN_HOME);
	if (program[0] && program[1])
		keep(first_argument, sizeof(first_argument), program[1]);
}

/* The first complaint is for people: who wants all asks the command. */
struct first {
	char text[FF_CONFIG_LINE_MAX + 1];
	bool made;
};

static void note_complaint(void *arg, const struct ff_line *line)
{
	struct first *first = arg;

	if (first->made)
		return;
	memcpy(first->text, line->text, line->used);
	first->text[line->used] = '\0';
	first->made = true;
}

/*
 * Not to whatever descriptor 2 is by now: to a terminal, or to what it was at
 * the start if that was looked at, as it is where the environment names a file
 * of ours.
 */
static void tell(const struct first *first)
{
	static _Atomic bool told;
	char text[sizeof("flatfork: \n") + FF_CONFIG_LINE_MAX];
	struct ff_line line = ff_line_start(text, sizeof(text));
	struct termios t;

	if (!first->made || atomic_exchange(&told, true))
		return;
	if (ff_filter_is_there() && ff_filter_why_not(FF_NEED_TELL))
		return;
	ff_log("%s", first->text);
	if (ff_options.log && ff_log_is_stderr(ff_options.log))
		return;
	if (!ff_log_knows_stderr() && sys(ioctl, 2, TCGETS, &t) == 0)
		ff_log_note_stderr();
	ff_line_str(&line, "flatfork: ");
	ff_line_str(&line, first->text);
	ff_log_append("stderr", text, ff_line_end(&line));
}

/* What a file is read by, and what comes of it. */
struct reading {
	const char *path;
	bool optional;
	struct ff_config config; /* for complaints */
	struct first first;
	char *text;
	size_t bytes;
};

static void read_file(void *arg)
{
	struct reading *r = arg;

	r->config.arg = &r->first;
	r->text = ff_config_map(&r->config, r->path, r->optional, &r->bytes);
}

/* By what the kernel knows without asking whoever has the file (H-G7); under a
 * filter whoever has its folder may be asked. */
static bool is_not_there(const char *path, bool is_filtered)
{
	const struct open_how how = { .flags = O_PATH | O_CLOEXEC,
				      .resolve = RESOLVE_CACHED };
	long fd = is_filtered ?
			  sys(openat, AT_FDCWD, path, O_PATH | O_CLOEXEC, 0) :
			  sys(openat2, AT_FDCWD, path, &how, sizeof(how));

	if (fd >= 0)
		sys(close, fd);
	return fd == -ENOENT || fd == -ENOTDIR;
}

/* A filter that was there is asked about what a child aside needs, which is less
 * than a lazy one does; valgrind knows no such child. */
static bool read_in_time(struct reading *r)
{
	const bool is_filtered = ff_filter_is_there();
	bool is_none = false;

	if (!ff_on_valgrind())
		is_none = is_not_there(r->path, is_filtered);
	if (is_none && r->optional)
		return true;
	if (!is_none && !ff_on_valgrind() &&
	    !(is_filtered && ff_filter_why_not(FF_NEED_LAZY)))
		return ff_aside(read_file, r, sizeof(*r));
	read_file(r);
	return true;
}

static void take_file(struct ff_config *config, const char *path, bool optional)
{
	struct reading r = { .path = path,
			     .optional = optional,
			     .config = { .complain = note_complaint } };
	char text[FF_CONFIG_LINE_MAX];
	struct ff_line line = ff_line_start(text, sizeof(text));
	struct first *first = config->arg;

	if (!read_in_time(&r)) {
		ff_line_foreign(&line, path, 200);
		ff_line_str(&line, ": it takes too long: not read");
		note_complaint(&r.first, &line);
	}
	if (r.first.made && !first->made)
		*first = r.first;
	if (!r.text)
		return;
	ff_config_parse(config, path, r.text, r.bytes);
	ff_options_settle(&config->options);
	config->options = ff_options;
	ff_config_unmap(r.text);
}

static void take_files(struct ff_config *config)
{
	if (ff_options.config) {
		take_file(config, ff_options.config, false);
		return;
	}
	take_file(config, FF_CONFIG_SYSTEM, true);
	if (*at_home == '/')
		take_file(config, at_home, true);
}

static void read_files(void)
{
	const char *program[FF_PROGRAM_NAMES] = { NULL };
	struct first first = { .made = false };
	struct ff_places places = { .count = 0 };
	struct ff_config config = { .program = program,
				    .said = ff_options.said,
				    .options = ff_options,
				    .places = &places,
				    .complain = note_complaint,
				    .arg = &first };
	const bool inherited = ff_options.inherit;
	size_t n = 0;

	program[n] = ff_program_file();
	n += program[n] != NULL;
	program[n] = *first_argument ? first_argument : NULL;
	take_files(&config);
	if (places.count)
		ff_places = places;
	if (ff_options.on && inherited && !ff_options.inherit)
		atomic_store(&ff_heirs_are_without_us, true);
	tell(&first);
	atomic_store(&ff_settings_are_whole, true);
}

void ff_settings_read(void)
{
	ff_sigset mask = 0;
	int blocks;

	if (!ff_is_on() || !ff_flight_begin())
		return;
	blocks = ff_filter_must_block();
	if (blocks > 0)
		mask = ff_filter_block_signals();
	if (blocks >= 0)
		read_files();
	if (blocks > 0)
		ff_setmask(mask);
	ff_flight_end();
}
