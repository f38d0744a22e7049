/*
 * What the user asked for, read once from the environment. FF_OPTIONS is the
 * one table: the parser, the help text of the command, its flags, the manual
 * pages and the README's table (a test compares it) all come from here.
 */
#ifndef FF_TELL_OPTIONS_H
#define FF_TELL_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tell/line.h"

/* Of an option whose values are words, in the order of its row. */
enum ff_fork_mode {
	FF_FORK_AUTO, /* by size and prediction */
	FF_FORK_LAZY, /* wherever it is possible */
	FF_FORK_REAL, /* always libc's */
	FF_FORK_LENT, /* lent wherever it is possible, lazy elsewhere */
};

enum ff_libc_mode {
	FF_MODE_AUTO, /* ours wherever it is exact */
	FF_MODE_LIBC, /* always libc's */
};

enum ff_lend_mode {
	FF_LEND_OFF,
	FF_LEND_GUARDED, /* where the CPU has protection keys */
};

enum ff_seccomp_mode {
	FF_SECCOMP_ASK,	   /* what of ours a filter allows */
	FF_SECCOMP_REFUSE, /* nothing lazy or lent under a filter */
};

/* All zero, that is off, until ff_options_load() has run. */
struct ff_options {
	bool on;
	enum ff_fork_mode fork_mode;
	enum ff_libc_mode spawn_mode;
	enum ff_libc_mode vfork_mode;
	enum ff_lend_mode lend_mode;
	enum ff_seccomp_mode seccomp_mode;
	uint64_t min_rss_bytes;
	uint64_t commit_max_bytes; /* no child of a bigger one is committed */
	unsigned budget_ms;
	uint64_t warn_rss_bytes; /* real forks of bigger ones are said; 0: no */
	uint64_t deny_bytes;	 /* forks of bigger processes never copy */
	bool inherit;		 /* LD_PRELOAD names us to children, too */
	const char *log;	 /* NULL: no log; "stderr"; else a path */
	const char *stats;	 /* NULL: none; else as log */
	const char *config;	 /* NULL: the usual files, or a path */
	const char *only;	 /* names of programs, or NULL; */
	const char *skip;	 /* both only while options are loaded */
	uint32_t said;		 /* a bit for each that the environment has */
};

extern struct ff_options ff_options;

/*
 * variable, kind, field, flag of `flatfork run`, values, default, what it does
 *
 * A default is written as a value, and parsed as one; "" leaves the field
 * NULL. FLATFORK comes first: where it says off, no other is looked at.
 */
#define FF_OPTIONS(X)                                                          \
	X("FLATFORK", WORD, on, NULL, "off|on", "on",                          \
	  "off: every call goes to libc, nothing else happens")                \
	X("FLATFORK_FORK", WORD, fork_mode, "--fork", "auto|lazy|real|lent",   \
	  "auto", "which way fork() takes; lazy, lent: wherever possible")     \
	X("FLATFORK_SPAWN", WORD, spawn_mode, "--spawn", "auto|libc", "auto",  \
	  "which way posix_spawn and its family take; libc: always libc's")    \
	X("FLATFORK_VFORK", WORD, vfork_mode, "--vfork", "auto|libc", "auto",  \
	  "which way vfork() takes; libc: always libc's")                      \
	X("FLATFORK_LEND", WORD, lend_mode, "--lend", "off|guarded",           \
	  "guarded",                                                           \
	  "whether fork() lends its memory, behind protection keys")           \
	X("FLATFORK_SECCOMP", WORD, seccomp_mode, "--seccomp", "ask|refuse",   \
	  "ask",                                                               \
	  "under a seccomp filter: ask what it allows, or leave all to libc")  \
	X("FLATFORK_MIN_RSS", SIZE, min_rss_bytes, "--min-rss", "SIZE", "16M", \
	  "auto leaves processes with less resident memory to libc's fork")    \
	X("FLATFORK_COMMIT_MAX", SIZE, commit_max_bytes, "--commit-max",       \
	  "SIZE", "4G",                                                        \
	  "children that write before exec are lazy in processes up to it")    \
	X("FLATFORK_BUDGET_MS", MILLISECONDS, budget_ms, "--budget-ms", "N",   \
	  "100", "how long a child may hold its parent before it execs")       \
	X("FLATFORK_FALLBACK", FALLBACK, deny_bytes, "--fallback",             \
	  "copy|deny|deny:SIZE", "copy",                                       \
	  "what fork() does where it is not lazy; deny: ENOMEM above 1G")      \
	X("FLATFORK_WARN_RSS", SIZE, warn_rss_bytes, "--warn-rss", "SIZE",     \
	  "0", "real forks above that resident memory are logged; 0: none")    \
	X("FLATFORK_LOG", PATH, log, "--log", "stderr|PATH", "",               \
	  "one line per decision, and why")                                    \
	X("FLATFORK_STATS", PATH, stats, "--stats", "stderr|PATH", "",         \
	  "one JSON line of counters per process, when it ends or execs")      \
	X("FLATFORK_INHERIT", WORD, inherit, "--inherit", "off|on", "on",      \
	  "off: programs that it starts do not get flatfork")                  \
	X("FLATFORK_CONFIG", CONFIG, config, "--config", "PATH", "",           \
	  "the configuration file to read, in place of the usual ones")        \
	X("FLATFORK_ONLY", NAMES, only, "--only", "NAME,...", "",              \
	  "in programs of these names alone: else as FLATFORK=off")            \
	X("FLATFORK_SKIP", NAMES, skip, "--skip", "NAME,...", "",              \
	  "not in programs of these names: there as FLATFORK=off")

enum ff_option_kind {
	FF_OPTION_WORD,		/* an enum or a bool: its index in the values */
	FF_OPTION_SIZE,		/* 4096, 512K, 32M, 1.5G, 1T: powers of 1024 */
	FF_OPTION_MILLISECONDS, /* 1 to FF_BUDGET_MAX_MS */
	FF_OPTION_FALLBACK,	/* bytes; FF_DENY_NEVER for "copy" */
	FF_OPTION_PATH,		/* shorter than PATH_MAX */
	/* From here on: what counts at the start, and has no place in a file. */
	FF_OPTION_CONFIG, /* as PATH */
	FF_OPTION_NAMES,  /* of programs, with commas; * for anything */
};

#define FF_BUDGET_MAX_MS 3600000
#define FF_DENY_NEVER UINT64_MAX
#define FF_DENY_BYTES ((uint64_t)1 << 30) /* unless a size is said */

struct ff_option {
	const char *env;
	enum ff_option_kind kind;
	size_t offset;	      /* of the field in struct ff_options */
	size_t bytes;	      /* of the field */
	const char *flag;     /* NULL: has none */
	const char *values;   /* what may be said, for people */
	const char *fallback; /* the default, as a value; "": nothing */
	const char *what;
};

#define X(env, kind, field, flag, values, fallback, what) +1
enum {
	FF_OPTION_COUNT = 0 FF_OPTIONS(X)
};
#undef X
_Static_assert(FF_OPTION_COUNT <= 32, "a bit for each");

extern const struct ff_option ff_option_table[FF_OPTION_COUNT];

/* What it is called in a configuration file; NULL: it has no place there. */
const char *ff_option_key(const struct ff_option *option);

/*
 * Parse @value for @option into its field of @ret_options, which borrows a
 * string; returns false, with nothing changed, if it is not a value of that
 * option. Pure.
 */
bool ff_option_parse(const struct ff_option *option, const char *value,
		     struct ff_options *ret_options);

/* Add why that was false: "'12Q' is not a size: 64M, 2G". Pure. */
void ff_option_wrong(struct ff_line *line, const struct ff_option *option,
		     const char *value);

/*
 * Is @name one of @names, with commas between and perhaps blanks around them,
 * in which * stands for any characters? Pure.
 */
bool ff_names_have(const char *names, const char *name);

/*
 * Read FLATFORK* from @envp into ff_options, for a program that is called
 * @program: names, up to a NULL. A variable that is empty counts as not set; of
 * two, the first counts, as with getenv. Makes no system call. If a value is
 * bad, @say gets one warning, a line that names variable and value, and the
 * default stands. Strings are copied into static storage. A relative path is
 * resolved by each process at each use.
 * Context: constructor or first interposed call; no allocation, no lock.
 */
void ff_options_load(char *const envp[], const char *const program[],
		     void (*say)(const char *text, size_t n));

/* These from now on; strings are copied into static storage. Threads that do it
 * at once must bring the same. */
void ff_options_settle(const struct ff_options *options);

#endif
