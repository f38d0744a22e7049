#include "lend/undo.h"

#include <string.h>
#include <sys/prctl.h>

#include "host/sys.h"
#include "lend/borrower.h"
#include "lend/loan.h"

/* A fork, lent because of what its path is known to do. */
static bool is_learnt(const struct ff_loan *loan)
{
	return loan->record && !loan->fenced;
}

static uint32_t *word_at(const struct ff_loan *loan, int32_t offset)
{
	return (uint32_t *)(loan->caller.rsp + (uintptr_t)(intptr_t)offset);
}

static void take_words(struct ff_loan *loan)
{
	const struct ff_record *r = loan->record;
	uint32_t i, count = atomic_load(&r->count);

	for (i = 0; i < count; i++)
		loan->word[i] = *word_at(loan, r->at[i]);
	if (loan->alone)
		ff_guard_take(&loan->guard);
}

void ff_undo_note(struct ff_loan *loan)
{
	memcpy(loan->frame, (void *)loan->caller.rsp, loan->frame_bytes);
	memcpy(loan->args, loan->return_slot + 1, loan->args_bytes);
	if (is_learnt(loan))
		take_words(loan);
}

/* Words that children of this path are known to change, where they differ:
 * another thread's write beside them must not be lost. */
static void put_words_back(const struct ff_loan *loan)
{
	const struct ff_record *r = loan->record;
	uint32_t i, count = atomic_load(&r->count);
	uint32_t *word;

	for (i = 0; i < count; i++) {
		word = word_at(loan, r->at[i]);
		if (*word != loan->word[i])
			*word = loan->word[i];
	}
}

/* What else differs in the calling frame; how many words. */
static unsigned put_frame_back(struct ff_loan *loan)
{
	uint64_t *frame = (uint64_t *)loan->caller.rsp;
	const uint64_t *was = (const uint64_t *)loan->frame;
	unsigned changed = 0;
	size_t i;

	for (i = 0; i < loan->frame_bytes / sizeof(*frame); i++) {
		if (frame[i] == was[i])
			continue;
		frame[i] = was[i];
		changed++;
	}
	return changed;
}

void ff_undo_wrong(struct ff_loan *loan)
{
	if (loan->fenced)
		ff_fence_put_back(loan);
	if (is_learnt(loan)) {
		put_words_back(loan);
		if (loan->alone)
			ff_guard_put_back(&loan->guard);
	}
	put_frame_back(loan);
	memcpy(loan->return_slot + 1, loan->args, loan->args_bytes);
	ff_streams_restore(&loan->streams);
}

/* What no child of this path changed before is a surprise; put back if no
 * other thread can have written it. */
void ff_undo_fork(struct ff_loan *loan)
{
	if (loan->fenced) {
		loan->surprises = ff_fence_put_back(loan);
		put_frame_back(loan);
		return;
	}
	put_words_back(loan);
	if (!loan->alone)
		return;
	loan->surprises = put_frame_back(loan) +
			  ff_guard_put_back(&loan->guard);
	if (loan->surprises)
		ff_record_bar(loan->record);
}

/* Unless ours changed as well. */
void ff_undo_ids(const struct ff_loan *loan)
{
	struct ff_ids now = { 0 };

	ff_ids_note(&now);
	if (memcmp(now.uid, loan->ids.uid, sizeof(now.uid)) == 0 &&
	    memcmp(now.gid, loan->ids.gid, sizeof(now.gid)) == 0 &&
	    now.dumpable != loan->ids.dumpable)
		sys(prctl, PR_SET_DUMPABLE, loan->ids.dumpable, 0, 0, 0);
}
