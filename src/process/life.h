/* What the lazy room asks of whoever drives it (fork.c). */
#ifndef FF_PROCESS_LIFE_H
#define FF_PROCESS_LIFE_H

/* This process is new and on its own: forget what was the parent's, and
 * give SIGSYS back if it was ours there. Raw calls only. */
void ff_new_process(void);

#endif
