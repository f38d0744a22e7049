/*
 * What the parent keeps of the memory that it lends, and makes as it was when
 * it has that again. On the loan's stack, with raw system calls.
 */
#ifndef FF_LEND_PARENT_UNDO_H
#define FF_LEND_PARENT_UNDO_H

struct ff_loan;

/* Before the clone. */
void ff_undo_note(struct ff_loan *loan);

/* The child became a fork, or was killed on its way there: the frames that it
 * worked in, and what it printed. Its other writes are vfork's sharing. */
void ff_undo_wrong(struct ff_loan *loan);

/* A child of fork came to exec, or ended: its parent sees nothing of what it
 * wrote. loan->put_back says how many pages that were. */
void ff_undo_fork(struct ff_loan *loan);

/* What its change of ids did to all who share the memory. */
void ff_undo_ids(const struct ff_loan *loan);

#endif
