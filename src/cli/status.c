/*
 * flatfork status PID: whether the object is in a process, and in force there.
 * All of it is what the kernel shows of the process: it is not asked itself,
 * and what it has changed of its environment since it started does not count.
 */
#include <elf.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/tallies.h"
#include "tell/config.h"
#include "tell/options.h"

#define ENVIRONMENT_MAX ((size_t)4 << 20)
#define VARIABLES_MAX 4096
#define NAMES_MAX 3

struct process {
	long pid;
	char name[NAMES_MAX][64];	  /* of its file, argument, and task */
	const char *names[NAMES_MAX + 1]; /* those that are known */
	char *environment;		  /* malloc'ed */
	char *variables[VARIABLES_MAX + 1];
	char object[PATH_MAX]; /* where it is mapped from, "": nowhere */
	bool is_gone;	       /* that file was replaced or removed */
	bool has_loader, is_secure;
	long user, resident_kib, seccomp, tracer;
};

static FILE *open_of(const struct process *p, const char *what)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%ld/%s", p->pid, what);
	return fopen(path, "re");
}

static const char *without_folder(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void add_name(struct process *p, size_t *n, const char *name)
{
	snprintf(p->name[*n], sizeof(p->name[0]), "%.63s",
		 without_folder(name));
	p->names[*n] = p->name[*n];
	(*n)++;
}

/* What the kernel says behind the name of a file that is gone. */
static void cut_gone(char *path, ssize_t n)
{
	static const char gone[] = " (deleted)";
	const ssize_t length = sizeof(gone) - 1;

	if (n > length && !strcmp(path + n - length, gone))
		path[n - length] = '\0';
}

static void read_names(struct process *p)
{
	char path[64], text[PATH_MAX];
	size_t count = 0, got;
	ssize_t n;
	FILE *in;

	snprintf(path, sizeof(path), "/proc/%ld/exe", p->pid);
	n = readlink(path, text, sizeof(text) - 1);
	if (n > 0) {
		text[n] = '\0';
		cut_gone(text, n);
		add_name(p, &count, text);
	}
	in = open_of(p, "cmdline");
	got = in ? fread(text, 1, sizeof(text) - 1, in) : 0;
	text[got] = '\0';
	if (*text)
		add_name(p, &count, text);
	if (in)
		fclose(in);
	in = open_of(p, "comm");
	if (in && fgets(text, sizeof(text), in)) {
		text[strcspn(text, "\n")] = '\0';
		add_name(p, &count, text);
	}
	if (in)
		fclose(in);
}

/* False with errno: it may not be looked at, or is no more. */
static bool read_environment(struct process *p)
{
	FILE *in = open_of(p, "environ");
	size_t n = 0, count = 0;

	p->environment = malloc(ENVIRONMENT_MAX);
	if (in && p->environment)
		n = fread(p->environment, 1, ENVIRONMENT_MAX - 1, in);
	if (in && ferror(in)) {
		fclose(in);
		in = NULL;
	}
	if (!in || !p->environment)
		return false;
	fclose(in);
	p->environment[n] = '\0';
	for (size_t at = 0; at < n && count < VARIABLES_MAX; count++) {
		p->variables[count] = p->environment + at;
		at += strlen(p->environment + at) + 1;
	}
	return true;
}

static void read_maps(struct process *p)
{
	FILE *in = open_of(p, "maps");
	char line[PATH_MAX + 128];

	while (in && fgets(line, sizeof(line), in)) {
		char *path = strchr(line, '/'), *gone;

		if (!path)
			continue;
		path[strcspn(path, "\n")] = '\0';
		gone = strstr(path, " (deleted)");
		if (gone)
			*gone = '\0';
		if (!strncmp(without_folder(path), "ld-", 3))
			p->has_loader = true;
		if (strcmp(without_folder(path), FF_OBJECT) != 0)
			continue;
		snprintf(p->object, sizeof(p->object), "%s", path);
		p->is_gone = gone;
	}
	if (in)
		fclose(in);
}

static void read_status(struct process *p)
{
	static const struct {
		const char *key;
		size_t offset;
	} keys[] = {
		{ "Uid:", offsetof(struct process, user) },
		{ "VmRSS:", offsetof(struct process, resident_kib) },
		{ "Seccomp:", offsetof(struct process, seccomp) },
		{ "TracerPid:", offsetof(struct process, tracer) },
	};
	FILE *in = open_of(p, "status");
	char line[256];

	while (in && fgets(line, sizeof(line), in)) {
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
			size_t n = strlen(keys[i].key);

			if (!strncmp(line, keys[i].key, n))
				*(long *)((char *)p + keys[i].offset) =
					strtol(line + n, NULL, 10);
		}
	}
	if (in)
		fclose(in);
}

static void read_auxv(struct process *p)
{
	FILE *in = open_of(p, "auxv");
	Elf64_auxv_t entry;

	while (in && fread(&entry, sizeof(entry), 1, in) == 1)
		if (entry.a_type == AT_SECURE)
			p->is_secure = entry.a_un.a_val;
	if (in)
		fclose(in);
}

static const char *variable(const struct process *p, const char *name)
{
	const size_t n = strlen(name);

	for (size_t i = 0; p->variables[i]; i++)
		if (!strncmp(p->variables[i], name, n) &&
		    p->variables[i][n] == '=')
			return p->variables[i] + n + 1;
	return NULL;
}

static void print_indented(void *arg, const struct ff_line *line)
{
	(void)arg;
	printf("  %.*s\n", (int)line->used, line->text);
}

static void take_file(const struct process *p, const char *path, bool optional)
{
	const uid_t user = (uid_t)p->user;
	struct ff_config config = { .program = p->names,
				    .user = &user,
				    .said = ff_options.said,
				    .options = ff_options,
				    .complain = print_indented };
	const long fd = cli_open_as(p->pid, path);
	char *text;
	size_t n;

	if (fd == -EBADF) {
		fputs("  ", stdout);
		cli_print_words(path);
		puts(": not a file: not read");
		return;
	}
	text = ff_config_map_opened(&config, path, fd, optional, &n);
	if (!text)
		return;
	ff_config_parse(&config, path, text, n);
	ff_options_settle(&config.options);
	ff_config_unmap(text);
}

static void say(const char *text, size_t n)
{
	fwrite(text, 1, n, stderr);
}

/* As the object does it, for the names that are known. */
static void take_options(const struct process *p)
{
	const char *home = variable(p, "HOME");
	char path[PATH_MAX];

	ff_options_load(p->variables, p->names, say);
	if (!ff_options.on)
		return;
	if (ff_options.config) {
		take_file(p, ff_options.config, false);
		return;
	}
	take_file(p, FF_CONFIG_SYSTEM, true);
	if (!home || *home != '/' || strlen(home) >= FF_CONFIG_HOME_MAX)
		return;
	snprintf(path, sizeof(path), "%s" FF_CONFIG_IN_HOME, home);
	take_file(p, path, true);
}

static void fact(const char *name, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));
static void fact(const char *name, const char *fmt, ...)
{
	char text[2 * PATH_MAX];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	printf("%-15s ", name);
	cli_print_words(text);
	putchar('\n');
}

static void print_object(const struct process *p)
{
	const char *preload = variable(p, "LD_PRELOAD");

	if (*p->object)
		fact("object", "%s%s", p->object,
		     p->is_gone ? " (replaced since it started)" : "");
	else if (!p->has_loader)
		fact("object", "none: a static program");
	else if (p->is_secure)
		fact("object", "none: secure-execution mode");
	else if (!preload || !strstr(preload, FF_OBJECT))
		fact("object", "none: not in LD_PRELOAD when it started");
	else
		fact("object", "none: it was not to be loaded: %s", preload);
}

static void print_options(const struct process *p)
{
	const char *comma = "";

	printf("%-15s ", "options");
	for (size_t i = 0; i < FF_OPTION_COUNT; i++) {
		const char *env = ff_option_table[i].env;
		const char *value = variable(p, env);

		if (!value || !*value)
			continue;
		printf("%s%s=", comma, env);
		cli_print_words(value);
		comma = " ";
	}
	puts(*comma ? "" : "none");
}

static void print_forks(const struct process *p)
{
	const uint64_t resident = (uint64_t)p->resident_kib << 10;
	static struct cli_tallies tallies;

	if (ff_options.fork_mode == FF_FORK_REAL)
		fact("forks", "real: asked for");
	else if (p->tracer)
		fact("forks", "real: process %ld traces it", p->tracer);
	else if (ff_options.fork_mode == FF_FORK_AUTO &&
		 resident < ff_options.min_rss_bytes)
		fact("forks",
		     "real: small process (%ld MiB resident, %" PRIu64
		     " count)",
		     p->resident_kib >> 10, ff_options.min_rss_bytes >> 20);
	else
		fact("forks", "%s where they can be (%ld MiB resident)",
		     ff_options.fork_mode == FF_FORK_LENT ? "lent or lazy" :
							    "lazy",
		     p->resident_kib >> 10);
	if (p->seccomp)
		fact("seccomp", "in force");
	printf("%-15s ", "counters");
	if (!cli_counters_print(p->pid))
		puts("can't be read");
	if (cli_tallies_read(p->pid, true, &tallies) && tallies.count) {
		puts("places");
		cli_tallies_print(stdout, "  ", &tallies);
	}
}

/* In force are we where its libc is known; the object says so itself. */
static bool stands_aside(const struct process *p)
{
	struct cli_counters counters;

	cli_counters_read(p->pid, &counters);
	return counters.is_aside;
}

static bool print(const struct process *p)
{
	bool on, aside;

	fact("process", "%ld %s", p->pid, p->names[0] ? p->names[0] : "?");
	print_object(p);
	print_options(p);
	take_options(p);
	aside = *p->object && stands_aside(p);
	on = *p->object && !p->is_secure && ff_options.on && !aside;
	if (on)
		fact("in force", "yes");
	else
		fact("in force", "no: %s",
		     !*p->object  ? "the object is not there" :
		     p->is_secure ? "secure-execution mode" :
		     aside	  ? "its libc is not one that flatfork knows" :
				    "switched off");
	if (on)
		print_forks(p);
	return on;
}

int cli_status(const char *where, const char *pid)
{
	static struct process p;
	bool on;

	p.pid = cli_pid(where, pid);
	if (!p.pid)
		return CLI_FAILED;
	if (!read_environment(&p)) {
		cli_complain(where, "process %ld: %s", p.pid,
			     errno != ENOENT && errno != ESRCH ?
				     strerror(errno) :
			     cli_is_kernels(p.pid) ?
				     "it is a thread of the kernel's" :
				     "it has ended");
		return CLI_FAILED;
	}
	read_names(&p);
	read_maps(&p);
	read_status(&p);
	read_auxv(&p);
	on = print(&p);
	free(p.environment);
	return !on;
}
