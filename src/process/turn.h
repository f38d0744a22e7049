/*
 * One thread at a time has the turn to fork. From its last prepare handler to
 * its first parent handler a fork is libc's, which takes locks there that other
 * forks wait for. Whoever waited for them armed would hold a slot, with its
 * signals blocked; and a real fork would count long before it clones, which
 * makes lazy ones wait. So forks wait here, before, with nothing of ours and
 * the program's signals.
 *
 * It keeps nobody out: what must not happen at once, the gate keeps apart.
 *
 * Hazards
 *  H-E5 Who has the turn may wait for what a waiting thread holds (a stream
 *       whose write function forks), or never give it back (a signal handler
 *       that leaves by longjmp). So it is taken from who keeps it for longer
 *       than a fork of this process might take.
 */
#ifndef FF_PROCESS_TURN_H
#define FF_PROCESS_TURN_H

#include <stdint.h>

/* What a thread that waits has seen; zero before. */
struct ff_turn_wait {
	uint32_t seen;
	int64_t since_ns;
	int64_t patience_ns;
};

/* Take the turn: not 0, for ff_turn_give(). 0: another has it. */
uint32_t ff_turn_try(struct ff_turn_wait *wait);
/* Until it is worth a try. Returns at a signal, too, and now and then. */
void ff_turn_await(struct ff_turn_wait *wait);
/* Nothing happens where it was taken from who gives. */
void ff_turn_give(uint32_t turn);

/* In a new process: nobody else is here. */
void ff_turn_reset(void);

#endif
