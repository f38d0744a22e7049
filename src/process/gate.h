/*
 * While marks stand on memory (marks.c), no other fork of this process may
 * happen, and no memory may be moved by mremap(); while real forks or moves
 * happen, no marks may be made. Lazy forks wait only so long for real ones and
 * for moves, and become real themselves then; both of these wait for marks,
 * which stand for some tens of microseconds with their owner's signals
 * blocked.
 *
 * A mark that could not be taken away stays behind the gate (refused.c). Who
 * makes a copy of this memory sweeps, and makes none where one is left.
 */
#ifndef FF_PROCESS_GATE_H
#define FF_PROCESS_GATE_H

#include <stdbool.h>
#include <stdint.h>

/* Waits @ns at most for the real forks under way. False: they are still, or a
 * move does not end. True: the caller may mark; all of its signals are blocked
 * until ff_gate_leave_lazy(). */
bool ff_gate_try_lazy(int64_t ns);
void ff_gate_leave_lazy(void);

/* The real forks under way now do not end soon: until none is under way they
 * are not worth waiting for. */
void ff_gate_give_up(void);
bool ff_gate_is_given_up(void);

/* Around a real fork. Context: any thread, signal handlers too. */
void ff_gate_enter_real(void);
void ff_gate_leave_real(void);

/*
 * Before a copy, or before marks, with the gate entered: take away what is left
 * of marks. False: something can't be, and may be missing in a copy.
 */
bool ff_gate_sweep(void);
#define FF_GATE_UNCLEAN "a mark on memory can't be taken away"
/* Is something left, as far as is known? The same without a call. */
bool ff_gate_is_unclean(void);

/* For who marks: what sweeps, and that it will have something to do. */
void ff_gate_swept_by(bool (*sweep)(void));
void ff_gate_note_unclean(void);

/* Around a move, where there are threads. Context: signals blocked, if ever a
 * mark was made: see ff_gate_was_used(). */
void ff_gate_enter_move(void);
void ff_gate_leave_move(void);
bool ff_gate_was_used(void);

/* In a new process: nobody else is here. */
void ff_gate_reset(void);

#endif
