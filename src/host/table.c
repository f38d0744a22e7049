#include "host/table.h"

#include <sys/mman.h>

#include "host/sys.h"

void *ff_table(_Atomic(void *) *place, size_t bytes)
{
	void *have = atomic_load(place), *none = NULL;
	long at;

	if (have)
		return have;
	at = sys(mmap, NULL, bytes, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (at < 0 && at > -4096)
		return NULL;
	have = (void *)at;
	if (!atomic_compare_exchange_strong(place, &none, have)) {
		sys(munmap, have, bytes);
		have = none;
	}
	return have;
}
