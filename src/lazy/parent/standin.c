/*
 * The parent's side: it makes the process, and waits until it is ready.
 * standins.c knows those that are there, and reaps them; serve.c is the process.
 *
 * Hazards
 *  H-D5 To the gate it is a real fork: no marks may stand when it is made, nor
 *       be left.
 */
#include "lazy/parent/standin.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <sched.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#include "arch/arch.h"
#include "host/fault.h"
#include "host/signals.h"
#include "host/sys.h"
#include "lazy/parent/serve.h"
#include "process/fate.h"
#include "process/filter.h"
#include "process/gate.h"
#include "process/handed.h"
#include "process/standins.h"
#include "tell/probe.h"

#define STACK_BYTES ((size_t)64 << 10)
#define READY_SLICES 20

static const struct timespec a_while = { 0, 100L * 1000 * 1000 };

/* False: it is dead, or something holds it up: stopped, or in the kernel. */
static bool is_ready(struct ff_pact *pact, pid_t pid)
{
	int i;

	for (i = 0; i < READY_SLICES && !atomic_load(&pact->ready); i++) {
		sys(futex, &pact->ready, FUTEX_WAIT, 0, &a_while, NULL, 0);
		if (!atomic_load(&pact->ready) && ff_has_ended(pid))
			break;
	}
	return atomic_load(&pact->ready);
}

static void *map_some(size_t bytes, int flags)
{
	long at = sys(mmap, NULL, bytes, PROT_READ | PROT_WRITE,
		      MAP_ANONYMOUS | MAP_NORESERVE | flags, -1, 0);

	return ff_is_error(at) ? NULL : (void *)at;
}

/* Nobody else that is made meanwhile has it. */
static struct ff_pact *make_pact(void)
{
	struct ff_pact *pact = map_some(FF_PAGE, MAP_SHARED);

	if (pact)
		sys(madvise, pact, FF_PAGE, MADV_DONTFORK);
	return pact;
}

/* The clone, on a stack that only the new process keeps. */
static long make_process(struct ff_slot *slot, struct ff_standin *s)
{
	ff_sigset mask;
	long pid = -EAGAIN;

	mask = ff_setmask(~(ff_sigset)0);
	ff_gate_enter_real(); /* H-D5 */
	if (ff_gate_sweep() && !ff_fault(FF_FAULT_NO_STANDIN) && !slot->deny &&
	    ff_slot_open(slot)) {
		sys(madvise, s->pact, FF_PAGE, MADV_DOFORK);
		pid = ff_clone(CLONE_FILES, (char *)s - 64, NULL, NULL,
			       ff_standin_serve, s);
		sys(madvise, s->pact, FF_PAGE, MADV_DONTFORK);
		ff_slot_close(slot);
	}
	ff_gate_leave_real();
	ff_setmask(mask);
	return pid;
}

/* A process that is ready to serve, or -errno. */
static long prepare(struct ff_slot *slot, pid_t pid, struct ff_pact *pact)
{
	const size_t bytes = STACK_BYTES + sizeof(struct ff_standin);
	char *stack = pact ? map_some(bytes, MAP_PRIVATE) : NULL;
	struct ff_standin *s;
	long made = -EAGAIN;

	if (!stack)
		return -ENOMEM;
	s = (struct ff_standin *)(stack + STACK_BYTES);
	s->image = &ff_image_of(slot)->slot;
	s->pact = pact;
	s->tells = !slot->committed;
	s->parent = ff_getpid();
	ff_areas_copy(&s->areas, &slot->areas);
	s->child_pid = pid;
	if (!ff_standins_full())
		made = make_process(slot, s);
	if (made > 0)
		ff_standin_remember((pid_t)made, pid);
	if (made > 0 && !is_ready(pact, (pid_t)made)) {
		ff_standin_dismiss((pid_t)made);
		made = -EAGAIN;
	}
	sys(munmap, stack, bytes);
	return made;
}

/* H-D15 */
static void let_it_serve(struct ff_slot *slot, pid_t child, long standin)
{
	struct ff_shared *sh = slot->shared;

	FF_PROBE(handed_over, child, standin);
	atomic_store(&sh->source, FF_SOURCE_STANDIN);
	sys(futex, &sh->asked, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

bool ff_standin_may_ask(void)
{
	return !ff_fault(FF_FAULT_NO_ASKING) &&
	       ff_filter_allows(FF_ASK_pidfd_send_signal);
}

bool ff_standin_make(struct ff_slot *slot, pid_t pid)
{
	struct ff_pact *pact = make_pact();
	long made = prepare(slot, pid, pact);

	if (pact)
		sys(munmap, pact, FF_PAGE);
	if (made < 0)
		return false;
	let_it_serve(slot, pid, made);
	return true;
}

bool ff_standin_make_for_exec(struct ff_slot *slot, pid_t pid)
{
	uint32_t seen = FF_EXECING;
	struct ff_pact *pact;
	bool alone;
	long made;

	if (slot->areas.shared_code || !ff_handed_add(pid))
		return false;
	pact = make_pact();
	made = prepare(slot, pid, pact);
	alone = made > 0 && atomic_compare_exchange_strong(
				    &slot->shared->state, &seen, FF_EXEC_ALONE);
	if (alone) {
		let_it_serve(slot, pid, made);
	} else {
		if (made > 0)
			ff_standin_dismiss((pid_t)made);
		ff_handed_remove(pid);
	}
	if (pact)
		sys(munmap, pact, FF_PAGE);
	return alone;
}
