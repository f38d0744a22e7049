#include "lend/parent/undo.h"

#include <string.h>
#include <sys/prctl.h>

#include "host/sys.h"
#include "lend/child/borrower.h"
#include "lend/loan.h"

void ff_undo_note(struct ff_loan *loan)
{
	memcpy(loan->frame, (void *)loan->caller.sp, loan->frame_bytes);
	memcpy(loan->args, loan->return_slot + 1, loan->args_bytes);
}

/* Where it differs: what others wrote elsewhere must not be lost. */
static void put_frame_back(const struct ff_loan *loan)
{
	uint64_t *frame = (uint64_t *)loan->caller.sp;
	const uint64_t *was = (const uint64_t *)loan->frame;
	size_t i;

	for (i = 0; i < loan->frame_bytes / sizeof(*frame); i++)
		if (frame[i] != was[i])
			frame[i] = was[i];
}

void ff_undo_wrong(struct ff_loan *loan)
{
	if (loan->fenced)
		ff_fence_put_back(loan);
	put_frame_back(loan);
	memcpy(loan->return_slot + 1, loan->args, loan->args_bytes);
	ff_streams_restore(&loan->streams);
}

void ff_undo_fork(struct ff_loan *loan)
{
	loan->put_back = ff_fence_put_back(loan);
	put_frame_back(loan);
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
