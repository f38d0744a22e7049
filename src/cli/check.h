/* flatfork check: what one run of a command did, and how two differ. */
#ifndef FF_CLI_CHECK_H
#define FF_CLI_CHECK_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CHECK_WAYS 5

struct check_way {
	const char *name;
	const char *fork; /* FLATFORK_FORK, NULL: not set */
	bool preload, off;
};

/* A file of a folder: what must be the same in each run. */
struct check_file {
	char *path; /* below the folder; malloc'ed */
	unsigned mode, user, group;
	uint64_t bytes;
	uint64_t content; /* a hash: of its bytes, or where a link leads */
};

struct check_folder {
	struct check_file *file; /* by path; malloc'ed */
	size_t count;
};

struct check_run {
	const struct check_way *way;
	char where[PATH_MAX]; /* its files begin with that */
	int status;	      /* as of wait */
	double seconds;
	unsigned left;
	char left_names[256];
	struct check_folder files;
	unsigned long forks, lazy; /* of forks, spawns and vforks; not copied */
};

struct check {
	char top[PATH_MAX / 2]; /* a folder of ours */
	const char *from;	/* what is copied; NULL: nothing */
	char **command;
	double patience;
	struct check_run run[CHECK_WAYS];
};

/*
 * Run the command once, in the way that @run names, and note what it did. 0, or
 * an exit status after a complaint.
 */
int check_run_once(struct check *check, struct check_run *run);

/* False with errno: it can't be read. Folders in it that their owner may not use
 * are opened. */
bool check_folder_read(const char *path, struct check_folder *ret_folder);
void check_folder_remove(const char *path);
void check_folder_free(struct check_folder *folder);

/* Say in @text what is different; false: nothing is. */
bool check_folders_differ(const struct check_folder *plain,
			  const struct check_folder *ours, char *text,
			  size_t size);

/* The same of two files; a path that can't be read is an empty file. */
bool check_texts_differ(const char *plain, const char *ours, char *text,
			size_t size);

/*
 * The command has ended: which processes of it are still there, once no more
 * of them end? Their names into @names, which is "" if there are none; they are
 * killed and reaped. This process must be their subreaper.
 */
unsigned check_leftovers(char *names, size_t size);

/* From now on signals that end a command from outside are only noted: 0, or the
 * last of them. */
void check_heed_signals(void);
int check_was_stopped(void);

#endif
