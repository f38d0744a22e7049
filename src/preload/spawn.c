/*
 * The names that spawn. They forward: to ff_posix_spawn(), or to libc where
 * its objects say what is not known, or the user wants that. In the thread that
 * spawns, or in a signal handler of it.
 */
#include <errno.h>
#include <sched.h>
#include <spawn.h>
#include <stdatomic.h>
#include <sys/syscall.h>

#include "arch/arch.h"
#include "host/identity.h"
#include "host/sandbox.h"
#include "lend/child/borrower.h"
#include "preload/heirs.h"
#include "preload/next.h"
#include "preload/preload.h"
#include "process/filter.h"
#include "process/stance.h"
#include "site/site.h"
#include "spawn/parent/posix.h"
#include "spawn/parent/spawn.h"
#include "tell/options.h"
#include "ways/account.h"
#include "ways/decide.h"
#include "ways/settings.h"

#define CALLER __builtin_return_address(0)

/* Names that headers may be too old for. */
int pidfd_spawn(int *pidfd, const char *path,
		const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attr, char *const argv[],
		char *const envp[]);
int pidfd_spawnp(int *pidfd, const char *file,
		 const posix_spawn_file_actions_t *actions,
		 const posix_spawnattr_t *attr, char *const argv[],
		 char *const envp[]);

static bool is_wanted(void)
{
	static _Atomic int known; /* 0, or 1 + the answer */

	if (!atomic_load(&known)) {
		ff_fork_setup();
		ff_settings_complete();
		atomic_store(&known, 1 + (ff_options.on &&
					  ff_may_be_ours(FF_PLACE_SPAWN,
							 FF_MODE_AUTO) &&
					  !ff_on_valgrind()));
	}
	return atomic_load(&known) == 2;
}

/* First of all: what a file says of the environment counts from now on. */
#define START(envp)             \
	do {                    \
		is_wanted();    \
		FF_HEIRS(envp); \
	} while (0)

/*
 * A lazy child can't spawn: our calls pass by its mediator. A call that is
 * refused to any process, made where the mediator sees it, ends that: on
 * trial the child is taken back, committed it becomes an ordinary process.
 * They pass by a fence, too.
 */
void ff_leave_lazy_child(void)
{
	int error = errno;

	ff_leave_fence("spawns");
	if (ff_mediated && ff_next_syscall)
		ff_next_syscall(SYS_clone, (long)CLONE_THREAD, 0L, 0L, 0L, 0L);
	errno = error;
}

/* By a filter, or by who said so of this place. */
static bool is_refused(const char *name, const void *caller)
{
	const struct ff_tally_call call = { caller, name };
	const char *why;

	if (!ff_filter_lets_us(false, false))
		return true;
	why = ff_filter_why_not(FF_NEED_SPAWN);
	if (!why && ff_places.count &&
	    ff_mode_at(ff_site_of(caller), FF_PLACE_SPAWN) != FF_MODE_AUTO)
		why = "asked for";
	if (why)
		ff_account_libc(&call, why);
	else if (!ff_filter_allows(FF_ASK_clone3))
		ff_spawn_without_clone3();
	return why != NULL;
}

/*
 * True: in a flight, which spawn() ends. In borrowed memory libc does it, which
 * copies nothing either and keeps nothing: what is ours would stay half done
 * there if the caller were killed.
 */
static bool is_ours(const struct ff_posix_call *call, enum ff_next which,
		    const void *caller)
{
	if (!is_wanted() || atomic_load(&ff_sandboxed) ||
	    ff_next_is_anothers(which) || !ff_posix_knows(call))
		return false;
	ff_leave_lazy_child();
	if (ff_is_borrower() || !ff_flight_begin())
		return false;
	if (ff_mediated || (!is_refused(ff_next_name(which), caller) &&
			    ff_identity() != FF_BORROWED))
		return true;
	ff_flight_end();
	return false;
}

static int spawn(int *ret, const struct ff_posix_call *call, const char *name,
		 const void *caller)
{
	int error = ff_posix_spawn(ret, call, name, caller);

	ff_flight_end();
	return error;
}

FF_EXPORT int posix_spawn(pid_t *pid, const char *path,
			  const posix_spawn_file_actions_t *actions,
			  const posix_spawnattr_t *attr, char *const argv[],
			  char *const envp[])
{
	struct ff_posix_call call;

	START(envp);
	call = (struct ff_posix_call){ path, actions, attr, argv,
				       envp, false,   false };

	if (!is_ours(&call, FF_NEXT_posix_spawn, CALLER))
		return FF_NEXT(posix_spawn)(pid, path, actions, attr, argv,
					    envp);
	return spawn(pid, &call, "posix_spawn", CALLER);
}

FF_EXPORT int posix_spawnp(pid_t *pid, const char *file,
			   const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attr, char *const argv[],
			   char *const envp[])
{
	struct ff_posix_call call;

	START(envp);
	call = (struct ff_posix_call){ file, actions, attr, argv,
				       envp, true,    false };

	if (!is_ours(&call, FF_NEXT_posix_spawnp, CALLER))
		return FF_NEXT(posix_spawnp)(pid, file, actions, attr, argv,
					     envp);
	return spawn(pid, &call, "posix_spawnp", CALLER);
}

FF_EXPORT int pidfd_spawn(int *pidfd, const char *path,
			  const posix_spawn_file_actions_t *actions,
			  const posix_spawnattr_t *attr, char *const argv[],
			  char *const envp[])
{
	struct ff_posix_call call;

	START(envp);
	call = (struct ff_posix_call){ path, actions, attr, argv,
				       envp, false,   true };

	if (is_ours(&call, FF_NEXT_pidfd_spawn, CALLER))
		return spawn(pidfd, &call, "pidfd_spawn", CALLER);
	return FF_NEXT(pidfd_spawn) ? FF_NEXT(pidfd_spawn)(pidfd, path, actions,
							   attr, argv, envp) :
				      ENOSYS;
}

FF_EXPORT int pidfd_spawnp(int *pidfd, const char *file,
			   const posix_spawn_file_actions_t *actions,
			   const posix_spawnattr_t *attr, char *const argv[],
			   char *const envp[])
{
	struct ff_posix_call call;

	START(envp);
	call = (struct ff_posix_call){ file, actions, attr, argv,
				       envp, true,    true };

	if (is_ours(&call, FF_NEXT_pidfd_spawnp, CALLER))
		return spawn(pidfd, &call, "pidfd_spawnp", CALLER);
	return FF_NEXT(pidfd_spawnp) ?
		       FF_NEXT(pidfd_spawnp)(pidfd, file, actions, attr, argv,
					     envp) :
		       ENOSYS;
}
