/*
 * flatfork enable|disable|status --system: all programs of this machine, by
 * /etc/ld.so.preload, or of an image of one.
 *
 * What is written there is loaded by every program from then on, the one that
 * would repair it included. So the object is looked at and tried beforehand;
 * the new file takes the place of the old one in one step; and every program
 * that is tried afterwards must work, or the old file comes back, by this
 * process, which has been loaded already.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cli/cli.h"
#include "cli/system_list.h"

#define TRIAL_SECONDS 20

/* What $LIB stands for, in Debian. */
#define FOLDER_64 "/lib/x86_64-linux-gnu"
#define FOLDER_32 "/lib/i386-linux-gnu"

/* Programs that are tried: small, of all kinds, and harmless. */
static char *const trials[][4] = {
	{ "/bin/true", NULL },
	{ "/bin/sh", "-c", "/bin/true && (exit 0) && : $(/bin/true)", NULL },
	{ "/bin/ls", "/", NULL },
	{ "/bin/cat", "/dev/null", NULL },
};

/* Only root may change it, or any folder above it. */
static bool is_trusted(const char *where, const char *root, const char *object)
{
	char path[2 * PATH_MAX];
	struct stat s;

	snprintf(path, sizeof(path), "%s%s", root, object);
	for (;;) {
		if (stat(*path ? path : "/", &s)) {
			cli_complain(where, "%s: %s", path, strerror(errno));
			return false;
		}
		if (s.st_uid ||
		    (s.st_mode & (S_IWGRP | S_IWOTH) &&
		     !(S_ISDIR(s.st_mode) && s.st_mode & S_ISVTX))) {
			cli_complain(where,
				     "%s can be changed by others than root",
				     *path ? path : "/");
			return false;
		}
		if (strlen(path) <= strlen(root))
			return true;
		*strrchr(path, '/') = '\0';
	}
}

/* Whoever is asked to end between the new list and its trial would leave what
 * nobody has tried: it ends afterwards. */
static sigset_t mask_before;

static void hold_signals(void)
{
	static const int signals[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM };
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, &mask_before);
}

static void let_signals(void)
{
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
}

/* In a process of its own; @preload, or what the system's list has. */
static bool try_one(const char *where, char *const argv[], const char *preload)
{
	int status = -1, ends[2];
	char said[256];
	ssize_t n = 0, got;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC))
		return false;
	pid = fork();
	if (!pid) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 0);
		dup2(null, 1);
		dup2(ends[1], 2);
		unsetenv("LD_PRELOAD");
		if (preload)
			setenv("LD_PRELOAD", preload, 1);
		let_signals();
		alarm(TRIAL_SECONDS);
		execv(argv[0], argv);
		_exit(CLI_NOT_FOUND);
	}
	close(ends[1]);
	while (n < (ssize_t)sizeof(said) - 1 &&
	       (got = read(ends[0], said + n, sizeof(said) - 1 - (size_t)n)) >
		       0)
		n += got;
	close(ends[0]);
	if (pid > 0)
		waitpid(pid, &status, 0);
	said[n > 0 ? n : 0] = '\0';
	said[strcspn(said, "\n")] = '\0';
	if (!status && !*said)
		return true;
	cli_complain(where, "tried: %s: status %#x %s", argv[0], status, said);
	return false;
}

static bool try_all(const char *where, const char *preload)
{
	for (size_t i = 0; i < sizeof(trials) / sizeof(trials[0]); i++)
		if (!try_one(where, trials[i], preload))
			return false;
	return true;
}

static int add(struct system_list *list, const char *object)
{
	static char text[SYSTEM_LIST_MAX + PATH_MAX];
	size_t n = strlen(list->text);

	snprintf(text, sizeof(text), "%s%s%s\n", list->text,
		 n && list->text[n - 1] != '\n' ? "\n" : "", object);
	if (!system_list_replace(list, text))
		return CLI_FAILED;
	if (!*list->root && !try_all(list->where, NULL)) {
		system_list_replace(list, list->exists ? list->text : NULL);
		cli_complain(list->where, "%s is as it was", list->path);
		return CLI_FAILED;
	}
	printf("%s: %s\n", list->path, object);
	puts("back: flatfork disable --system; or, in a shell that runs:\n"
	     "      : >" SYSTEM_LIST);
	return 0;
}

/*
 * @object, malloc'ed, or what means it and the one for programs of 32 bits
 * beside it, which would complain about the other: ld.so of either kind puts
 * its own folder in the place of $LIB.
 */
static char *entry_for(const struct system_list *list, const char *object)
{
	const char *ours = strstr(object, FOLDER_64);
	char path[2 * PATH_MAX], *entry = NULL;

	if (!ours)
		return strdup(object);
	snprintf(path, sizeof(path), "%s%.*s" FOLDER_32 "%s", list->root,
		 (int)(ours - object), object, ours + sizeof(FOLDER_64) - 1);
	if (access(path, R_OK) || !is_trusted(list->where, "", path))
		return strdup(object);
	if (asprintf(&entry, "%.*s/$LIB%s", (int)(ours - object), object,
		     ours + sizeof(FOLDER_64) - 1) < 0)
		return NULL;
	return entry;
}

/* Where an entry leads for programs of 64 bits. */
static void expand(const char *entry, char path[PATH_MAX])
{
	const char *lib = strstr(entry, "/$LIB/");

	if (lib)
		snprintf(path, PATH_MAX, "%.*s" FOLDER_64 "%s",
			 (int)(lib - entry), entry, lib + 5);
	else
		snprintf(path, PATH_MAX, "%s", entry);
}

static int enable(struct system_list *list)
{
	char *object = cli_object(list->where);
	const char *name = object;
	size_t n;
	int status = CLI_FAILED;

	if (!object)
		return CLI_FAILED;
	n = strlen(list->root);
	if (n && !strncmp(object, list->root, n) && object[n] == '/')
		name += n;
	if (system_list_ours(list, &n)) {
		printf("%s: enabled already\n", list->path);
		status = 0;
	} else if (name[strcspn(name, " \t\n:#")]) {
		cli_complain(list->where, "%s: the list can't hold such a path",
			     name);
	} else if (is_trusted(list->where, list->root, name) &&
		   try_all(list->where, object)) {
		char *entry = entry_for(list, name);

		status = entry ? add(list, entry) : CLI_FAILED;
		free(entry);
	}
	free(object);
	return status;
}

static int disable(struct system_list *list)
{
	static char text[SYSTEM_LIST_MAX];
	const char *entry;
	bool any = false;
	size_t n;

	while ((entry = system_list_ours(list, &n))) {
		char *from = list->text + (entry - list->text), *to = from + n;

		/* The whole line, if it is alone there. */
		if ((from == list->text || from[-1] == '\n') && *to == '\n')
			to++;
		memmove(from, to, strlen(to) + 1);
		any = true;
	}
	if (!any) {
		printf("%s: not enabled\n", list->path);
		return 0;
	}
	memcpy(text, list->text, strlen(list->text) + 1);
	if (!system_list_replace(list,
				 text[strspn(text, " \t\n:")] ? text : NULL))
		return CLI_FAILED;
	printf("%s: disabled\n", list->path);
	return 0;
}

static int status(struct system_list *list)
{
	char object[PATH_MAX], where[PATH_MAX], path[2 * PATH_MAX];
	size_t n;
	const char *entry = system_list_ours(list, &n);

	if (!entry || n >= sizeof(object)) {
		printf("%s: not enabled\n", list->path);
		return 1;
	}
	memcpy(object, entry, n);
	object[n] = '\0';
	expand(object, where);
	snprintf(path, sizeof(path), "%s%s", list->root, where);
	if (*object == '/' && access(path, R_OK)) {
		printf("%s: %s, which can't be read: %s\n", list->path, object,
		       strerror(errno));
		return 1;
	}
	printf("%s: %s\n", list->path, object);
	return 0;
}

/* As paths in it begin, "" of this machine: not /mnt/image/, nor a link to it.
 * NULL after a complaint. */
static const char *root_of(const char *where, const char *said)
{
	static char root[PATH_MAX];

	if (!said)
		return "";
	if (*said != '/') {
		cli_complain(where,
			     "--root: '%s' is not an absolute path: /mnt/image",
			     said);
		return NULL;
	}
	if (!realpath(said, root)) {
		cli_complain(where, "%s: %s", said, strerror(errno));
		return NULL;
	}
	return strcmp(root, "/") != 0 ? root : "";
}

static int go(const char *where, char **argv,
	      int (*what)(struct system_list *list))
{
	static struct system_list list;
	int done;

	list.where = where;
	if (!cli_flag("--system")) {
		cli_complain(where, "what? %s --system", where);
		return CLI_FAILED;
	}
	if (*argv)
		return cli_needless(where, *argv);
	list.root = root_of(where, cli_flag("--root"));
	if (!list.root)
		return CLI_FAILED;
	if (!system_list_read(&list, what != status))
		return CLI_FAILED;
	hold_signals();
	done = what(&list);
	fflush(stdout);
	let_signals();
	return done;
}

int cli_enable(char **argv)
{
	return go("enable", argv, enable);
}

int cli_disable(char **argv)
{
	return go("disable", argv, disable);
}

int cli_system_status(char **argv)
{
	return go("status", argv, status);
}
