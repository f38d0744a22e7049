/* What personality(2) is given. */
#ifndef FF_HOST_PERSONA_H
#define FF_HOST_PERSONA_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/personality.h>

#define FF_PERSONA_QUERY UINT32_C(0xffffffff)

/* Does @persona make memory executable that is made readable behind it? */
static inline bool ff_persona_executes(unsigned long persona)
{
	return (uint32_t)persona != FF_PERSONA_QUERY &&
	       (persona & READ_IMPLIES_EXEC) != 0;
}

#endif
