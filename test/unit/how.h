/* How a program is started, made and freed around each test of the library. */
#ifndef FF_TEST_HOW_H
#define FF_TEST_HOW_H

#include "flatfork/flatfork.h"
#include "unit.h"

static struct flatfork_spawn *how;

static void make(void)
{
	how = flatfork_spawn_new();
	ck_assert_ptr_nonnull(how);
}

static void drop(void)
{
	flatfork_spawn_free(how);
}

#endif
