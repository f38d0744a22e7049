/* The main function of every file of unit tests. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define TEST_SECONDS 20

long unit_read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	if (fd < 0)
		return -1;
	n = read(fd, text, size - 1);
	close(fd);
	if (n >= 0)
		text[n] = '\0';
	return n;
}

const char *unit_path(void)
{
	static char path[64];

	snprintf(path, sizeof(path), "unit-%s.%d.tmp", unit_subject,
		 (int)getpid());
	unlink(path);
	return path;
}

int main(void)
{
	Suite *suite = suite_create(unit_subject);
	TCase *tests = tcase_create(unit_subject);
	SRunner *runner;
	int failed;

	tcase_set_timeout(tests, TEST_SECONDS);
	unit_tests(tests);
	suite_add_tcase(suite, tests);
	runner = srunner_create(suite);
	srunner_set_fork_status(runner, CK_FORK);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
