#include "libc/rseq.h"

#include "libc/weak.h"

FF_WEAK(__rseq_offset)
FF_WEAK(__rseq_size)

#include <sys/rseq.h>

#include "arch/arch.h"
#include "host/sys.h"

uintptr_t ff_rseq_area(void)
{
	return ff_thread_pointer() + (uintptr_t)__rseq_offset;
}

void ff_rseq_register(void)
{
#ifdef RSEQ_SIG
	struct rseq *area = (struct rseq *)ff_rseq_area();
	const unsigned least = FF_RSEQ_BYTES;

	if (__rseq_size &&
	    sys(rseq, area, __rseq_size < least ? least : __rseq_size, 0,
		RSEQ_SIG) < 0)
		area->cpu_id = (uint32_t)RSEQ_CPU_ID_REGISTRATION_FAILED;
#endif
}
