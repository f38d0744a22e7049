/* The lines of FLATFORK_STATS that tell of places. */
#ifndef FF_SITE_TALLY_LINE_H
#define FF_SITE_TALLY_LINE_H

/*
 * Append a line for each place of which something was counted since the last
 * time; nothing without the option. Async-signal-safe, keeps errno.
 */
void ff_tally_write(void);

#endif
