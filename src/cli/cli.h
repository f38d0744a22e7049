/* The parts of the flatfork command. */
#ifndef FF_CLI_CLI_H
#define FF_CLI_CLI_H

#include <stdbool.h>
#include <stdio.h>

#include "cli/flags.h"
#include "process/ask.h"

/* Exit codes, as env(1) has them. */
enum {
	CLI_FAILED = 125,     /* we, not the command */
	CLI_CANNOT_RUN = 126, /* found, but not to be executed */
	CLI_NOT_FOUND = 127,
};

/* "flatfork run: what", to standard error, with a newline. */
void cli_complain(const char *where, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/* What another process says, to a terminal: without control characters. */
void cli_print_words(const char *text);

/* flatfork run: @argv is the command. Returns only if it fails. */
int cli_run(char **argv);

/* Its flags, and what is done about one; false after a complaint. */
const struct cli_flag *cli_run_flags(void);
bool cli_run_take(size_t i, const char *value);

/* The number of a process that is there, as PID or words for it; 0 after a
 * complaint. */
long cli_pid(const char *where, const char *text);

/* "'X': no argument is taken"; returns CLI_FAILED. */
int cli_needless(const char *where, const char *argument);

/* @candidate becomes *nearest if @word may be meant for it, and more so than
 * for what that is, or it is NULL. */
void cli_nearer(const char *word, const char *candidate, const char **nearest);

/* flatfork status PID: 0 if we are in force there, 1 if not. */
int cli_status(const char *where, const char *pid);

/* flatfork check: 0 if the command does the same in all ways, 1 if not, 2 if
 * that can't be told of all it does. */
int cli_check(char **argv);

/* flatfork doctor: 0 if lazy forks work here, 1 if not. */
int cli_doctor(bool json);

/* The counters of a process, as the object in it names them. */
#define CLI_COUNTERS_MAX 16
struct cli_counters {
	size_t count;
	bool is_aside; /* there are none: the object is not in force there */
	char name[CLI_COUNTERS_MAX][24];
	long value[CLI_COUNTERS_MAX];
};

/* False: they can't be read, or there are none. */
bool cli_counters_read(long pid, struct cli_counters *ret_counters);
bool cli_counters_print(long pid);

/* flatfork top: processes and what they count, again and again. */
int cli_top(char **argv);

/* flatfork report: what files of logs and statistics add up to. */
int cli_report(char **argv);

/* flatfork trace: the same of one command, whose exit status it has. */
int cli_trace(char **argv);

/* flatfork bench: fork and exec on this machine, plain and with the object. */
int cli_bench(char **argv);

/* Its processes (a hidden subcommand, not for people). */
#define CLI_BENCH_ONE "bench-one"
int cli_bench_one(char **argv);

/* flatfork enable, disable and status --system. */
int cli_enable(char **argv);
int cli_disable(char **argv);
int cli_system_status(char **argv);

/* Absolute path of the interposer, malloc'ed; NULL after a complaint. */
char *cli_object(const char *where);

/*
 * Put the interposer at the head of LD_PRELOAD in this process's
 * environment. Complains for @where and returns false if it can't be.
 */
bool cli_preload(const char *where);

/* Can it be? False after a complaint. */
bool cli_preload_can(const char *where);

/*
 * A folder "flatfork-NAME." and more in cli_folder_parent(), by a path that
 * leads there from everywhere; false with errno.
 */
bool cli_folder_make(const char *name, char *folder, size_t size);
const char *cli_folder_parent(void);

/*
 * A seccomp filter around us. ask: once, before what it may end us for;
 * allows: true, too, where nothing was asked; print: a line, one more for each
 * call that is not allowed, and whether lazy forks are possible.
 */
void cli_filter_ask(void);
bool cli_filter_allows(enum ff_ask which);
bool cli_filter_print(FILE *out);

/*
 * What the machine allows, one line per fact. Returns false if one of them
 * rules lazy forks out.
 */
bool cli_ground_print(FILE *out);

/*
 * What process @pid finds by the name @path, opened to be read, or -errno:
 * -EBADF if it is neither a file nor an empty device.
 */
long cli_open_as(long pid, const char *path);
bool cli_is_kernels(long pid);

/* Which configuration files there are, and the mistakes in them. */
void cli_config_print(FILE *out);

/* Can @path be read, and has no mistake? Complains for run. */
bool cli_config_is_good(const char *path);

/*
 * Make one lazy fork in a process of its own, under the interposer; prints a
 * line with the result and, if it failed, why. Returns whether it worked.
 */
bool cli_proof(FILE *out);

/* For completion: @verb names the subcommands, NULL behind the last. */
#define CLI_COMPLETE "complete"
int cli_complete(char **words, const char *(*verb)(size_t i),
		 const struct cli_flag *(*flags)(const char *verb));

/* That process (hidden subcommands, not for people): returns its status. */
#define CLI_PROOF_PARENT "proof-parent"
#define CLI_PROOF_CHILD "proof-child"
int cli_proof_parent(void);

#endif
