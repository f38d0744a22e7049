#include "host/ground.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <string.h>

#include "arch/arch.h"
#include "host/file.h"
#include "host/held.h"
#include "host/page.h"
#include "host/privilege.h"
#include "host/sys.h"

bool ff_process_size(uint64_t *ret_resident, uint64_t *ret_writable)
{
	char text[128];
	const char *s = text;
	int field;

	if (ff_read_file("/proc/self/statm", text, sizeof(text)) <= 0)
		return false;
	/* size resident shared text lib data dt, in pages */
	for (field = 0; field < 5 && s; field++) {
		if (field == 1)
			*ret_resident = ff_number_at(s) * FF_PAGE;
		s = strchr(s, ' ');
		if (s)
			s++;
	}
	*ret_writable = s ? ff_number_at(s) * FF_PAGE : 0;
	return true;
}

/* Somebody's, where a sanitizer's runtime is loaded; else NULL. */
void __asan_init(void) __attribute__((weak, visibility("default")));
void __tsan_init(void) __attribute__((weak, visibility("default")));
void __msan_init(void) __attribute__((weak, visibility("default")));
void __hwasan_init(void) __attribute__((weak, visibility("default")));

const char *ff_ground_at_start(void)
{
	unsigned long shadow_stack = 0;

	if (ff_is_privileged())
		return "secure-execution mode";
	if (ff_on_valgrind())
		return "under valgrind";
	if (__asan_init || __tsan_init || __msan_init || __hwasan_init)
		return "a sanitizer is at work";
	if (ff_shadow_stack_status(&shadow_stack) == 0 && shadow_stack)
		return "shadow stacks are on";
	return NULL;
}

static const char *value_of(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	return at ? at + strlen(key) : NULL;
}

/* Drop the one line that may have any length and lies before what is asked
 * for. False: that was done before. */
static bool drop_groups(char *status, size_t *have)
{
	char *from = strstr(status, "\nGroups:"), *to;

	if (!from)
		return false;
	from += strlen("\nGroups:");
	to = strchr(from, '\n');
	if (!to)
		to = status + *have;
	if (from == to)
		return false;
	memmove(from, to, (size_t)(status + *have - to) + 1);
	*have -= (size_t)(to - from);
	return true;
}

int ff_ground_read(char *status)
{
	const size_t room = FF_GROUND_BYTES - 1;
	size_t have = 0, from = 0;
	struct ff_held file;
	int rc = ff_hold(&file, "/proc/thread-self/status");
	long got;

	if (rc < 0)
		return rc;
	do {
		got = sys(pread64, file.fd, status + have, room - have, from);
		if (got <= 0)
			break;
		have += (size_t)got;
		from += (size_t)got;
		status[have] = 0;
	} while (have < room || drop_groups(status, &have));
	rc = ff_release(&file);
	status[have] = 0;
	return got < 0 ? (int)got : rc;
}

bool ff_ground_is_traced(const char *status)
{
	const char *value = value_of(status, "\nTracerPid:");

	return !value || ff_number_at(value) != 0;
}

const char *ff_ground_now(char *status)
{
	if (ff_ground_read(status) < 0)
		return "/proc/thread-self/status can't be read";
	return ff_ground_is_traced(status) ? "a tracer is attached" : NULL;
}

/* Round robin: the others of its priority have it for as long as an
 * administrator says. Who asked for it (SCHED_RESET_ON_FORK) has children that
 * any such thread takes it from. */
static bool keeps_processor(int64_t policy, bool if_unsure)
{
	switch (policy) {
	case SCHED_OTHER:
	case SCHED_BATCH:
	case SCHED_IDLE:
		return false;
	case SCHED_FIFO:
	case SCHED_RR:
		return true;
	default:
		return policy < 0 || if_unsure;
	}
}

bool ff_ground_keeps_processor(void)
{
	return keeps_processor(sys(sched_getscheduler, 0), false);
}

bool ff_ground_may_keep_processor(void)
{
	char stat[1024];
	int64_t policy = -1;

	if (ff_read_file("/proc/thread-self/stat", stat, sizeof(stat)) > 0)
		policy = ff_stat_number(stat, 41);
	return keeps_processor(policy, true);
}

/* A kernel without seccomp has no such line; what did not fit may have. */
int ff_ground_filters(const char *status)
{
	const char *mode = value_of(status, "\nSeccomp:"),
		   *filters = value_of(status, "\nSeccomp_filters:");

	if (!mode)
		return strlen(status) == FF_GROUND_BYTES - 1 ? -1 : 0;
	switch (ff_number_at(mode)) {
	case SECCOMP_MODE_DISABLED:
		return 0;
	case SECCOMP_MODE_FILTER:
		return filters && ff_number_at(filters) ?
			       (int)ff_number_at(filters) :
			       -1;
	default:
		return -1;
	}
}

static uint64_t hex_at(const char *s)
{
	uint64_t n = 0;

	while (*s == ' ' || *s == '\t')
		s++;
	for (;; s++) {
		if (*s >= '0' && *s <= '9')
			n = n << 4 | (uint64_t)(*s - '0');
		else if (*s >= 'a' && *s <= 'f')
			n = n << 4 | (uint64_t)(*s - 'a' + 10);
		else
			return n;
	}
}

/* Real, effective, saved and that for files are one? */
static bool is_one_id(const char *value)
{
	const uint64_t first = ff_number_at(value);
	int i;

	for (i = 0; i < 4; i++) {
		while (*value == ' ' || *value == '\t')
			value++;
		if (*value < '0' || *value > '9' ||
		    ff_number_at(value) != first)
			return false;
		while (*value >= '0' && *value <= '9')
			value++;
	}
	return true;
}

bool ff_ground_may_lower(const char *status)
{
	const char *uid = value_of(status, "\nUid:"),
		   *gid = value_of(status, "\nGid:"),
		   *caps = value_of(status, "\nCapPrm:");

	return !uid || !gid || !caps || !is_one_id(uid) || !is_one_id(gid) ||
	       hex_at(caps) != 0;
}

unsigned ff_ground_threads(const char *status)
{
	const char *value = value_of(status, "\nThreads:");

	return value ? (unsigned)ff_number_at(value) : 0;
}

uint64_t ff_ground_pending(const char *status)
{
	const char *own = value_of(status, "\nSigPnd:"),
		   *shared = value_of(status, "\nShdPnd:");

	return (own ? hex_at(own) : 0) | (shared ? hex_at(shared) : 0);
}

uint64_t ff_ground_caught(const char *status)
{
	const char *value = value_of(status, "\nSigCgt:");

	return value ? hex_at(value) : 0;
}
