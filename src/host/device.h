/* The numbers of a device, as the kernel puts them into one. libc's are macros
 * with some, functions with others, and not everywhere of the same name. */
#ifndef FF_HOST_DEVICE_H
#define FF_HOST_DEVICE_H

#include <stdint.h>

static inline uint32_t ff_major(uint64_t device)
{
	return (uint32_t)((device >> 8 & 0xfff) | (device >> 32 & 0xfffff000));
}

static inline uint32_t ff_minor(uint64_t device)
{
	return (uint32_t)((device & 0xff) | (device >> 12 & 0xffffff00));
}

#endif
