/* What is asked of a filter, and what its answers mean. */
#ifndef FF_PROCESS_QUESTIONS_H
#define FF_PROCESS_QUESTIONS_H

#include <stdbool.h>

#include "process/ask.h"

/* Child: make the call. Its own end may be the answer. */
enum ff_answer ff_child_ask(enum ff_ask which);

/* With this answer, can what needs the call not be done? */
bool ff_answer_rules_out(enum ff_ask which, enum ff_answer answer);

/* For the log; of an answer that is none or FF_ALLOWED there is nothing to
 * say. */
const char *ff_answer_why(enum ff_ask which, enum ff_answer answer);

#endif
