#include "pattern.h"

#include "unit.h"

char *arena;

char byte_at(size_t offset)
{
	return (char)(offset / FF_PAGE * 7 + offset % 251 + 1);
}

void fill(size_t offset, size_t bytes)
{
	mprotect(arena + offset, bytes, RW);
	for (size_t i = offset; i < offset + bytes; i++)
		arena[i] = byte_at(i);
}

void lose_at(size_t offset, size_t bytes, int prot)
{
	fill(offset, bytes);
	mprotect(arena + offset, bytes, prot);
	lose(arena + offset, bytes, prot);
}

void make_arena(void)
{
	char *p = mmap(NULL, ARENA + CLUSTER, PROT_NONE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	ck_assert_ptr_ne(p, MAP_FAILED);
	arena = p + (-(uintptr_t)p & (CLUSTER - 1));
}

size_t absent(size_t offset, size_t bytes)
{
	return ff_absent_bytes((uintptr_t)arena + offset, bytes);
}

int fetch(size_t offset, size_t bytes)
{
	return ff_fetch((uintptr_t)arena + offset, bytes);
}

void holds_pattern(size_t offset, size_t bytes)
{
	for (size_t i = offset; i < offset + bytes; i++)
		CHILD_ASSERT(arena[i] == byte_at(i), "byte %zx", i);
}
