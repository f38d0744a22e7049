/* The kernel's list of what is released when the child ends or execs: the
 * word that its parent waits for, and the program's robust mutexes. */
#ifndef FF_LAZY_CHILD_ROBUST_H
#define FF_LAZY_CHILD_ROBUST_H

#include <stdbool.h>
#include <stdint.h>

/* The child stands up: our word alone. */
void ff_robust_begin(void);

/* set_robust_list(@head) of the program: its list, with our word in it. False:
 * that can't be done, nothing has changed. */
bool ff_robust_join(uintptr_t head);

/* Before exec: our word is in the list that the kernel has, whatever the
 * program did to it. */
void ff_robust_assure(void);

/* The list is the program's again. */
void ff_robust_leave(void);

#endif
