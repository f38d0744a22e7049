/*
 * What is known of a filter, and who asks for what is not (asker.c).
 *
 * Hazards
 *  H-Y4 The child would be a pid namespace's init, and end that with itself:
 *       whether it would be is asked by a call that a process makes to be
 *       started.
 *  H-Y7 Who asks waits for the child without any call at first, and a thread
 *       that keeps its processor keeps it from the child, too.
 */
#include "process/ask.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>

#include "arch/hot.h"
#include "host/coredump.h"
#include "host/file.h"
#include "host/ground.h"
#include "host/held.h"
#include "host/sys.h"
#include "process/asker.h"
#include "process/questions.h"

#define ALL_NS ((int64_t)FF_ASK_ALL_MS * 1000 * 1000)

/* An asking that took no longer is no reason to ask no more. */
#define LATE_NS ((int64_t)100 * 1000 * 1000)

static struct ff_asking of_all;
static _Thread_local struct ff_asking of_thread
	__attribute__((tls_model("initial-exec")));
static _Thread_local bool has_own __attribute__((tls_model("initial-exec")));
static _Atomic bool is_lost FF_HOT;

static struct ff_asking *known(void)
{
	return has_own ? &of_thread : &of_all;
}

static struct ff_asking *shared_copy(void)
{
	struct ff_asking *a;
	long at = sys(mmap, NULL, sizeof(*a), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (ff_is_error(at))
		return NULL;
	a = (struct ff_asking *)at;
	memcpy(a, known(), sizeof(*a));
	return a;
}

static bool is_answered(unsigned need, bool all)
{
	unsigned i;

	if (ff_ask_is_lost() || (!all && ff_ask_why_not(need)))
		return true;
	/* Who can't do these can't ask. */
	for (i = 0; i < FF_ASK_PREPARATIONS; i++)
		if (ff_answer_rules_out(i, ff_ask_answer(i)))
			return true;
	for (i = 0; i < FF_ASK_COUNT; i++)
		if (ff_asks_wants(i, need, all) &&
		    ff_ask_answer(i) == FF_NOT_ASKED)
			return false;
	return true;
}

/* H-Y4 */
static bool would_be_init(void)
{
	struct ff_held file;
	int rc = ff_hold(&file, "/proc/thread-self/ns/pid_for_children");

	if (rc == 0)
		ff_release(&file);
	return rc < 0;
}

bool ff_ask_is_answered(unsigned need)
{
	return is_answered(need, false);
}

/* Is more to be asked, or how to reap who asked? */
static bool is_over(unsigned need, bool all)
{
	return is_answered(need, all) &&
	       (ff_ask_is_lost() || !ff_askers_are_left(known()));
}

static bool is_unanswered(void)
{
	unsigned i;

	for (i = 0; i < FF_ASK_COUNT; i++)
		if (ff_ask_answer(i) == FF_SILENT)
			return true;
	return false;
}

static long ask(struct ff_asking *a)
{
	static int64_t spent_ns;
	const int64_t from_ns = ff_asker_watch();
	int64_t took_ns;
	long rc = 0;

	while (rc == 0 && !is_over(a->need, a->all)) {
		rc = ff_asker_run(a, from_ns + ALL_NS - spent_ns);
		if (!a->shares)
			memcpy(known(), a, sizeof(*a));
	}
	took_ns = ff_asker_watched_ns() - from_ns;
	if (took_ns > LATE_NS)
		spent_ns += took_ns;
	if (rc != -ETIMEDOUT && !is_unanswered())
		return rc;
	atomic_store(&is_lost, true);
	return 0;
}

int ff_ask(unsigned need, bool all)
{
	struct ff_asking *a = known();
	char release[64];
	bool shares;
	long rc;

	if (is_answered(need, all))
		return 0;
	/* H-Y4, H-Y7. Who has no vDSO asks for the time by a call. */
	if (would_be_init() || ff_ground_may_keep_processor() ||
	    !getauxval(AT_SYSINFO_EHDR))
		return -EAGAIN;
	if (ff_read_file("/proc/sys/kernel/osrelease", release,
			 sizeof(release)) > 0)
		ff_core_dump_learn(release);
	shares = !ff_core_dump_kills_sharers();
	if (!shares)
		a = shared_copy();
	if (!a)
		return -ENOMEM;
	a->shares = shares;
	a->need = need;
	a->all = all;
	rc = ask(a);
	if (!shares)
		sys(munmap, a, sizeof(*a));
	return (int)rc;
}

bool ff_ask_is_lost(void)
{
	return atomic_load(&is_lost);
}

const char *ff_ask_why_not(unsigned need)
{
	enum ff_answer answer;
	unsigned i;

	for (i = 0; i < FF_ASK_COUNT; i++) {
		if (!(ff_ask_needs(i) & need))
			continue;
		answer = ff_ask_answer(i);
		if (ff_answer_rules_out(i, answer))
			return ff_answer_why(i, answer);
	}
	return NULL;
}

bool ff_ask_allows(unsigned need)
{
	enum ff_answer answer;
	unsigned i;

	for (i = 0; i < FF_ASK_COUNT; i++) {
		answer = ff_ask_answer(i);
		if (ff_asks_wants(i, need, false) &&
		    (answer == FF_NOT_ASKED || ff_answer_rules_out(i, answer)))
			return false;
	}
	return true;
}

enum ff_answer ff_ask_answer(enum ff_ask which)
{
	return (enum ff_answer)atomic_load(&known()->answer[which]);
}

void ff_ask_for_thread(bool own)
{
	has_own = own;
}

void ff_ask_forget(void)
{
	unsigned i;

	for (i = 0; i < FF_ASK_COUNT; i++)
		atomic_store(&known()->answer[i], FF_NOT_ASKED);
}
