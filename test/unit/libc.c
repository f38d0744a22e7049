/* Which libc is known. */
#include "libc/libc.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <stddef.h>

#include "libc/next.h"
#include "unit.h"

const char unit_subject[] = "libc";

START_TEST(versions_that_every_test_ran_with_are_known)
{
	static const char *const known[] = { "2.35", "2.36",	  "2.41",
					     "2.43", "2.36.9000", "2.41-12" };
	static const char *const unknown[] = {
		"2.34", "2.17", "2.44", "2.4",	 "2.",		"2",
		"3.36", "",	"1.36", "2.3x6", "2.4294967332"
	};
	size_t i;

	for (i = 0; i < sizeof(known) / sizeof(*known); i++)
		ck_assert_msg(ff_libc_version_is_known(known[i]), "%s",
			      known[i]);
	for (i = 0; i < sizeof(unknown) / sizeof(*unknown); i++)
		ck_assert_msg(!ff_libc_version_is_known(unknown[i]), "%s",
			      unknown[i]);
	ck_assert(!ff_libc_version_is_known(NULL));
}
END_TEST

START_TEST(the_libc_here_is_known)
{
	ck_assert(ff_libc_is_known());
	ck_assert_str_eq(ff_libc_version(), gnu_get_libc_version());
	ck_assert(ff_libc_is_before(FF_LIBC_NEWEST + 1));
	ck_assert(!ff_libc_is_before(FF_LIBC_OLDEST));
}
END_TEST

START_TEST(the_next_definition_is_found_with_dlsym_and_without)
{
#define FF_NAME(name, why) #name,
	static const char *const names[] = {
#include "preload/names.def"
	};
#undef FF_NAME
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(*names); i++) {
		void *want = dlsym(RTLD_NEXT, names[i]);

		ck_assert_msg(ff_libc_next(names[i]) == want, "%s", names[i]);
		ck_assert_msg(ff_libc_next_by_tables(names[i]) == want,
			      "%s by tables", names[i]);
	}
	ck_assert_ptr_null(ff_libc_next("flatfork_has_no_such_name"));
	ck_assert_ptr_null(ff_libc_next_by_tables("flatfork_has_no_such_name"));
	ck_assert_ptr_null(dlerror());
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, versions_that_every_test_ran_with_are_known);
	tcase_add_test(tests, the_libc_here_is_known);
	tcase_add_test(tests,
		       the_next_definition_is_found_with_dlsym_and_without);
}
