/*
 * Where a process has very many mappings, to list them may take longer than a
 * lazy fork saves: what both ways cost is learnt, as forks of both kinds are
 * made. It decides nothing but time.
 */
#ifndef FF_WAYS_COST_H
#define FF_WAYS_COST_H

#include <stdbool.h>
#include <stdint.h>

/* Why a fork of this process, with so many bytes resident, is better real; NULL:
 * it is not. Asked once for each fork. */
#define FF_COST_MEASURED "how long a copy takes is measured"
#define FF_COST_MAPPINGS "its mappings take longer than its memory"
const char *ff_cost_why_real(uint64_t resident);

/* A real fork was refused for want of memory. Was that the reason why it was
 * real? Then there is none from now on. */
bool ff_cost_gives_up(const char *why);

/* A lazy fork took @extra_ns besides its clone. */
void ff_cost_of_lazy(int64_t extra_ns, int64_t clone_ns);

/* Is it of use to know how long a real fork takes? And it took that. */
bool ff_cost_is_asked(void);
void ff_cost_of_real(int64_t ns);

#endif
