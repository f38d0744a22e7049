/*
 * What does the seccomp filter of this thread allow? There is no way to read
 * it: the calls are made, with arguments that do no harm, by a child that may
 * be ended for it.
 */
#ifndef FF_PROCESS_ASK_H
#define FF_PROCESS_ASK_H

#include <stdbool.h>

/* What calls are needed for. */
enum ff_need {
	FF_NEED_LAZY = 1,
	FF_NEED_VFORK = 2,
	FF_NEED_FENCE = 4,
	FF_NEED_SPAWN = 8,
	FF_NEED_IDENTITY = 16,
	FF_NEED_TELL = 32,
	/* and it is for a fork, in which libc, too, waits for other threads */
	FF_FOR_FORK = 64,
};

enum ff_ask {
#define X(id, words, needs, rule, kernel, question) FF_ASK_##id,
#include "process/asks.def"
#undef X
	FF_ASK_COUNT
};

enum ff_answer {
	FF_NOT_ASKED,
	FF_ALLOWED,
	FF_REFUSED, /* another error than the kernel's */
	FF_MADE_UP, /* success, and nothing was done */
	FF_KILLED,  /* who asked was ended */
	FF_SILENT,  /* no answer in time */
};
/* For one question, and for all of a process: a machine may be busy. */
#define FF_ASK_SILENT_MS 2000
#define FF_ASK_ALL_MS 6000

/*
 * Ask what @need needs and is not known yet, up to the first answer that rules
 * it out; @all: everything, whatever the answers are. 0, or -errno: nobody
 * could be made to ask, now. No signal handler of the program may run
 * meanwhile. Context: any thread; one at a time; blocks for some 100 us.
 */
int ff_ask(unsigned need, bool all);

/* Is it known whether all that @need needs is allowed? */
bool ff_ask_is_answered(unsigned need);

/* NULL: what @need needs is allowed, as far as it was asked. Else why not. */
const char *ff_ask_why_not(unsigned need);

/* All that @need needs was asked, and is allowed. */
bool ff_ask_allows(unsigned need);

/* Was a question not answered in time? Then there is no more asking in this
 * process. */
bool ff_ask_is_lost(void);

enum ff_answer ff_ask_answer(enum ff_ask which);
const char *ff_ask_words(enum ff_ask which);
unsigned ff_ask_needs(enum ff_ask which);

/*
 * Whose answers are meant from now on, in this thread: those of all threads that
 * have the same filters, which is where each begins; or its own.
 */
void ff_ask_for_thread(bool own);

/* Other filters: nothing is known. */
void ff_ask_forget(void);

#endif
