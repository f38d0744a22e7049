/*
 * Start programs: at a cost that does not depend on the size of the process
 * that starts them, with everything said in one description that programs
 * write by hand today between fork and exec.
 *
 *	struct flatfork_spawn *how = flatfork_spawn_new();
 *	struct flatfork_child child;
 *	struct flatfork_error error;
 *
 *	flatfork_spawn_open(how, 1, "/tmp/log", O_WRONLY | O_CREAT, 0600);
 *	flatfork_spawn_death_signal(how, SIGTERM);
 *	if (flatfork_start(how, "/bin/date", argv, environ, &child, &error))
 *		fprintf(stderr, "%s\n", error.text);
 *
 * A description is walked in this order, whatever order it was made in:
 *
 *  attributes	signals to default and to ignore, scheduler, nice value, I/O
 *		priority, cpu affinity, OOM score, id map, session, process
 *		group, umask, reset of effective ids, cgroup of version 1
 *  actions	on descriptors and the directory, in the order of the calls
 *  last	limits, controlling terminal, supplementary groups, gid, uid,
 *		no_new_privs, signal at the parent's death
 *  then	signal mask, and exec
 *
 * Functions that return int return 0 or an error number, like posix_spawn.
 * A description that got an error is as it was. flatfork_start() does not
 * touch errno. What is said twice of an attribute is as said last. Only
 * flatfork_spawn_free() and flatfork_start() take NULL for a description.
 * Linux on x86-64; glibc 2.32 or later. C99 and later, C++; no macro has to be
 * defined. See flatfork(3), too.
 */
#ifndef FLATFORK_FLATFORK_H
#define FLATFORK_FLATFORK_H

#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/select.h> /* sigset_t, also where compilers are strict */
#include <sys/types.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define FLATFORK_API __attribute__((visibility("default")))
#else
#define FLATFORK_API
#endif

/* How a program is to be started. Opaque. */
struct flatfork_spawn;

/*
 * Make a description that changes nothing.
 * Returns it, or NULL: no memory.
 * Owned by the caller, who gives it to flatfork_spawn_free(). Paths and lists
 * that are handed to it later are copied; descriptors are only noted.
 * Context of all functions here but flatfork_start(): as malloc. One
 * description must not be changed by two threads at once, nor while it is
 * being started; any number may start it at once.
 */
FLATFORK_API struct flatfork_spawn *flatfork_spawn_new(void);

/* Free @spawn, which may be NULL. Children started by it are not affected. */
FLATFORK_API void flatfork_spawn_free(struct flatfork_spawn *spawn);

/* What came out of it. */
struct flatfork_child {
	pid_t pid;
	int pidfd; /* close-on-exec; -1 unless flatfork_spawn_pidfd(), or
		      FLATFORK_AUTOKILL */
};

enum flatfork_where {
	FLATFORK_IN_ATTRIBUTE, /* index: of the steps of those that are set */
	FLATFORK_IN_ACTION,    /* index: of the calls that added actions */
	FLATFORK_IN_EXEC,      /* the program could not be executed */
	FLATFORK_IN_PROCESS    /* no process could be made */
};

/* What went wrong, and where. */
struct flatfork_error {
	int error; /* an error number, what flatfork_start() returned */
	enum flatfork_where where;
	unsigned index;	    /* of the step, counted from 0; else 0 */
	const char *step;   /* "open", "setresuid", "exec"; static */
	char argument[128]; /* path, number, or what the kernel lacks, cut to
				     fit; or "" */
	char text[256];	    /* one line: action 3: open "/x/y": No such file
				     or directory; a long path is cut */
};

/*
 * Start a program.
 * @spawn: how; NULL: nothing is changed
 * @file: path of the program; with flatfork_spawn_search_path(), a name
 *	without a slash is looked for along PATH of the calling process
 * @argv, @envp: as for execve(2), ending in NULL
 * @ret_child: the child, on success; may be NULL: then there is no pidfd
 * @ret_error: filled in on failure; may be NULL
 * Returns 0, or an error number, with no child left behind and *@ret_child
 * as it was:
 *  what the failing step's system call says	see ret_error
 *  EAGAIN, ENOMEM	no process could be made; others as clone(2)
 *  EFAULT	@file is NULL, or nowhere
 *  EINVAL	FLATFORK_AUTOKILL without @ret_child
 *  ENOSYS	a pidfd is asked for, and the kernel has none
 *  ENOTSUP	the kernel is too old for what the description asks for
 *  others	as execve(2): ENOENT, EACCES, ENOEXEC, E2BIG, ETXTBSY, ...
 * The caller owns the child (waits for it) and its pidfd (closes it).
 * Context: thread-safe and async-signal-safe, as long as nothing changes the
 * environment meanwhile, of which PATH is read; no cancellation point, no fork
 * handler runs. The calling thread waits, with signals blocked, until the child
 * has exec'ed or failed; other threads go on.
 * Source: posix_spawn, execve(2).
 */
FLATFORK_API int flatfork_start(const struct flatfork_spawn *spawn,
				const char *file, char *const argv[],
				char *const envp[],
				struct flatfork_child *ret_child,
				struct flatfork_error *ret_error);

/* Look for the program along PATH, as posix_spawnp does, or along
 * /bin:/usr/bin if that is not set: no shell is tried for a file that is no
 * executable. Source: posix_spawnp, but that POSIX leaves the default open. */
FLATFORK_API void flatfork_spawn_search_path(struct flatfork_spawn *spawn,
					     bool on);

/* ---- Actions: done in the order of these calls ----
 *
 * Returns, all of them: 0, or
 *  EBADF	a number that can't be a descriptor of this process: negative,
 *		or not below sysconf(_SC_OPEN_MAX)
 *  EINVAL	no path
 *  ENOMEM	no memory
 * Descriptors are those of the child, which begins with the caller's. What
 * does not work in the child is an error of flatfork_start().
 */

/* Open @path, as open(2) with @flags and @mode, to be descriptor @fd. @fd is
 * closed before. Source: posix_spawn_file_actions_addopen. */
FLATFORK_API int flatfork_spawn_open(struct flatfork_spawn *spawn, int fd,
				     const char *path, int flags, mode_t mode);

/* Make @to the same as @from, to be inherited; also where both are the same
 * number. Source: POSIX.1-2024, posix_spawn_file_actions_adddup2. */
FLATFORK_API int flatfork_spawn_dup2(struct flatfork_spawn *spawn, int from,
				     int to);

/* Close @fd. That it is not open is no error, unless it is not below
 * RLIMIT_NOFILE then. Source: posix_spawn_file_actions_addclose. */
FLATFORK_API int flatfork_spawn_close(struct flatfork_spawn *spawn, int fd);

/* Close @from and all above. Where it can, the child then never has them: it
 * costs the same for a table of 20 descriptors and of 20,000.
 * Source: closefrom(3). */
FLATFORK_API int flatfork_spawn_close_from(struct flatfork_spawn *spawn,
					   int from);

/* One descriptor of the child. */
struct flatfork_fd {
	int from; /* the caller's */
	int to;	  /* the child's number for it */
};

/*
 * Give the child exactly these descriptors: all at once, so that numbers may
 * change places. For flatfork_error.index it counts as several actions: one for
 * each descriptor, one more for each ring of numbers that change places, and
 * with @close_others one for each range that is closed.
 * @map: @count of them, each @to once; copied
 * @close_others: close everything else, but 0, 1 and 2
 * Returns, beyond the above: EINVAL: a @to twice, no @map.
 */
FLATFORK_API int flatfork_spawn_map(struct flatfork_spawn *spawn,
				    const struct flatfork_fd *map, size_t count,
				    bool close_others);

/* Change the directory, as chdir(2) and fchdir(2). Paths of later actions, and
 * of the program, start there.
 * Source: POSIX.1-2024, posix_spawn_file_actions_addchdir, addfchdir. */
FLATFORK_API int flatfork_spawn_chdir(struct flatfork_spawn *spawn,
				      const char *path);
FLATFORK_API int flatfork_spawn_fchdir(struct flatfork_spawn *spawn, int fd);

/* Make the child's process group the foreground one of the terminal @fd, as
 * tcsetpgrp(3), with SIGTTOU blocked. */
FLATFORK_API int flatfork_spawn_foreground(struct flatfork_spawn *spawn,
					   int fd);

/* ---- Attributes ----
 *
 * What can't be set is an error of flatfork_start(): what the system call says
 * that is named here.
 */

/* The mask of blocked signals; without it, or NULL, the calling thread's.
 * Copied. Source: POSIX_SPAWN_SETSIGMASK. */
FLATFORK_API void flatfork_spawn_signal_mask(struct flatfork_spawn *spawn,
					     const sigset_t *mask);

/* Dispositions. What the caller handles is default in any case; what it
 * ignores stays ignored, unless it is in @set. NULL: none. A signal that is in
 * both sets is ignored; SIGKILL and SIGSTOP are passed over. Copied.
 * Source: POSIX_SPAWN_SETSIGDEF. */
FLATFORK_API void flatfork_spawn_signals_default(struct flatfork_spawn *spawn,
						 const sigset_t *set);
FLATFORK_API void flatfork_spawn_signals_ignore(struct flatfork_spawn *spawn,
						const sigset_t *set);

/* As sched_setscheduler(2), setpriority(2) of the process (an absolute nice
 * value), ioprio_set(2) (@value: class << 13 | level). */
FLATFORK_API void flatfork_spawn_scheduler(struct flatfork_spawn *spawn,
					   int policy, int priority);
FLATFORK_API void flatfork_spawn_nice(struct flatfork_spawn *spawn, int nice);
FLATFORK_API void flatfork_spawn_ioprio(struct flatfork_spawn *spawn,
					int value);

/* As sched_setaffinity(2); @set of @bytes is copied. EINVAL: more than 1024
 * bytes, or none, or no @set. */
FLATFORK_API int flatfork_spawn_affinity(struct flatfork_spawn *spawn,
					 size_t bytes, const cpu_set_t *set);

/* What the OOM killer thinks of it, as /proc/self/oom_score_adj: -1000 to
 * 1000, or EINVAL. */
FLATFORK_API int flatfork_spawn_oom_score(struct flatfork_spawn *spawn,
					  int score);

/*
 * The cgroup the child is born into (Linux 5.7), of the two the one said last.
 * @fd: of a directory of cgroup version 2, which stays the caller's
 * @path: the same, copied, and opened when a child is started; a cgroup of
 *	version 1 is joined by writing to its cgroup.procs. NULL: back to the
 *	caller's
 * Returns 0, ENOMEM, or ENAMETOOLONG: more than 4080 bytes. flatfork_start()
 * then says what open(2) of the path does, EBADF for what is no cgroup, -1
 * included, ENOTSUP for an older kernel.
 * Source: clone3, CLONE_INTO_CGROUP; cgroups(7).
 */
FLATFORK_API void flatfork_spawn_cgroup_fd(struct flatfork_spawn *spawn,
					   int fd);
FLATFORK_API int flatfork_spawn_cgroup_path(struct flatfork_spawn *spawn,
					    const char *path);

/* A new session, as setsid(2). With @tty (a descriptor of the child's, after
 * the actions; or -1) that terminal becomes its controlling one, as TIOCSCTTY.
 * Source: POSIX_SPAWN_SETSID. */
FLATFORK_API void flatfork_spawn_session(struct flatfork_spawn *spawn, int tty);

/* The process group: 0 for one of its own. In a session of its own it can't be
 * set: EPERM. Source: POSIX_SPAWN_SETPGROUP. */
FLATFORK_API void flatfork_spawn_process_group(struct flatfork_spawn *spawn,
					       pid_t group);

/* The file mode creation mask, as umask(2); open actions come after it. */
FLATFORK_API void flatfork_spawn_umask(struct flatfork_spawn *spawn,
				       mode_t mask);

/* As setrlimit(2), after the actions; one for each resource; copied. EINVAL:
 * no such resource, no limit. */
FLATFORK_API int flatfork_spawn_limit(struct flatfork_spawn *spawn,
				      int resource, const struct rlimit *limit);

/* Effective ids back to the real ones. Source: POSIX_SPAWN_RESETIDS. */
FLATFORK_API void flatfork_spawn_reset_ids(struct flatfork_spawn *spawn);

/* All three uids and gids, as setresuid(2) and setresgid(2), and the
 * supplementary groups, as setgroups(2): @count of them, copied; 0: none.
 * EINVAL: more than NGROUPS_MAX, no @groups. ENOMEM: no memory. Done after the
 * actions: those have the caller's rights. The caller's dumpable flag is what
 * it was afterwards. An id of -1, as of a look-up that failed, is nobody's:
 * flatfork_start() says EINVAL. */
FLATFORK_API void flatfork_spawn_uid(struct flatfork_spawn *spawn, uid_t uid);
FLATFORK_API void flatfork_spawn_gid(struct flatfork_spawn *spawn, gid_t gid);
FLATFORK_API int flatfork_spawn_groups(struct flatfork_spawn *spawn,
				       size_t count, const gid_t *groups);

/* As PR_SET_NO_NEW_PRIVS of prctl(2). */
FLATFORK_API void flatfork_spawn_no_new_privs(struct flatfork_spawn *spawn);

/* The signal the child gets when the *thread* that starts it ends, as
 * prctl(PR_SET_PDEATHSIG); also if its process has ended before it was set,
 * in whatever pid namespace either is (Linux 5.3). 0: none. */
FLATFORK_API void flatfork_spawn_death_signal(struct flatfork_spawn *spawn,
					      int signal);

/* Hand out a pidfd in flatfork_child (Linux 5.4; ENOSYS before).
 * Source: pidfd_open(2). */
FLATFORK_API void flatfork_spawn_pidfd(struct flatfork_spawn *spawn, bool on);

/*
 * New namespaces: CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID and
 * NEWNET, or'ed; 0: none. EINVAL: another flag. flatfork_start() says EPERM
 * where that is not allowed.
 * Source: clone(2), namespaces(7).
 */
FLATFORK_API int flatfork_spawn_namespaces(struct flatfork_spawn *spawn,
					   int flags);

/* With CLONE_NEWUSER: the effective ids that the caller has now are these
 * inside, and setgroups(2) is denied there. Returns 0.
 * Source: user_namespaces(7). */
FLATFORK_API int flatfork_spawn_map_ids(struct flatfork_spawn *spawn, uid_t uid,
					gid_t gid);

/*
 * What Linux 7.1 has; flatfork_start() says ENOTSUP before.
 * FLATFORK_AUTOREAP	the child leaves no zombie and sends no SIGCHLD
 * FLATFORK_AUTOKILL	it is killed when its last pidfd from here is closed;
 *			wants AUTOREAP, and BORN_NNP or CAP_SYS_ADMIN; hands
 *			out a pidfd, whatever flatfork_spawn_pidfd() said
 * FLATFORK_BORN_NNP	no_new_privs from its birth
 * EINVAL: another flag, or AUTOKILL without AUTOREAP.
 */
#define FLATFORK_AUTOREAP 1
#define FLATFORK_AUTOKILL 2
#define FLATFORK_BORN_NNP 4
FLATFORK_API int flatfork_spawn_flags(struct flatfork_spawn *spawn, int flags);

#ifdef __cplusplus
}
#endif

#endif
