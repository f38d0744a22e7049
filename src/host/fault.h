/*
 * Ground that tests take away on purpose: FLATFORK_FAULT names what this
 * process must believe to be missing. Nothing in the product depends on it
 * but the question asked at each place.
 */
#ifndef FF_HOST_FAULT_H
#define FF_HOST_FAULT_H

#include <stdbool.h>

#define FF_FAULTS(X)                                                       \
	X(NO_SUD, "no-sud", "no syscall user dispatch")                    \
	X(SUD_OFF, "sud-off", "... since the kernel was asked")            \
	X(SUD_OFF_CHILD, "sud-off-child", "... since the child was made")  \
	X(NO_PROCMAP, "no-procmap", "no PROCMAP_QUERY")                    \
	X(NO_MEM, "no-mem", "/proc/self/{mem,pagemap} can't be opened")    \
	X(NO_READV, "no-readv", "process_vm_readv is refused")             \
	X(NO_WAITV, "no-waitv", "no futex_waitv")                          \
	X(NO_MAPS, "no-maps", "/proc/self/maps can't be opened")           \
	X(CLONE, "clone", "the lazy clone fails with ENOMEM")              \
	X(SIGNAL, "signal", "SIGUSR1 comes to all before a lazy clone")    \
	X(SIGNAL_LATE, "signal-late", "... when it was looked for")        \
	X(SIGNAL_LEAVING, "signal-leaving", "... to who becomes a fork")   \
	X(SIGNAL_LEFT, "signal-left", "... and has become one")            \
	X(RESERVE, "reserve", "the child can't reserve its areas")         \
	X(NO_ARMING, "no-arming", "a committed child can't be armed")      \
	X(SLOW_CHILD, "slow-child", "... or stands up after two seconds")  \
	X(NO_READONLY, "no-readonly", "shared memory stays writable")      \
	X(FETCH, "fetch", "the child can't fetch memory")                  \
	X(LOST, "lost", "the child is lost in libc's fork")                 \
	X(LIES, "lies", "the child tells its parent nonsense")             \
	X(NO_STANDIN, "no-standin", "nobody stands in for the parent")     \
	X(STANDIN_STOPS, "standin-stops", "it is stopped as it begins")    \
	X(NO_ASKING, "no-asking", "... may signal nobody")                 \
	X(NO_CLONE3, "no-clone3", "clone3 is not there")                   \
	X(NO_KEYS, "no-keys", "no memory protection keys")                 \
	X(FENCE_ALL, "fence-all", "each path is known to stray little")    \
	X(COMMIT_ALL, "commit-all", "each site is known to commit")        \
	X(NO_ROOM, "no-room", "becoming a fork is refused at first")       \
	X(NO_WAY_BACK, "no-way-back", "becoming a fork can't be followed") \
	X(NO_SHARE, "no-share", "CLONE_VM shares nothing")                 \
	X(CORE_KILLS, "core-kills", "a core dump kills the parent")

enum ff_fault {
#define X(id, name, what) FF_FAULT_##id,
	FF_FAULTS(X)
#undef X
	FF_FAULT_COUNT
};

extern unsigned ff_faults;

static inline bool ff_fault(enum ff_fault f)
{
	return __builtin_expect((ff_faults >> f) & 1, 0);
}

/* The same, for the first who asks; then no more. */
bool ff_fault_once(enum ff_fault f);

/* Where a program finds them, but a privileged one (host/privilege.h). */
#define FF_FAULT_VARIABLE "FLATFORK_FAULT"

/* Comma-separated names; unknown ones are ignored. NULL: none. */
void ff_faults_load(const char *names);

#endif
