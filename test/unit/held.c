/* A file of ours in a table that others change. */
#include "host/held.h"
#include "host/newborn.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "unit.h"

const char unit_subject[] = "held";

static bool alone;

static bool is_shared(void)
{
	return !alone;
}

static struct ff_held file;

static void hold(void)
{
	ff_table_may_be_shared = is_shared;
	ff_new_process_silently();
	ck_assert_int_eq(ff_hold(&file, "/proc/self/status"), 0);
	ck_assert(ff_is_held(&file));
	ck_assert(!ff_others_close_ours());
}

START_TEST(released)
{
	const int fd = (hold(), file.fd);

	ck_assert_int_eq(ff_release(&file), 0);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert(!ff_others_close_ours());
}
END_TEST

START_TEST(closed_by_another)
{
	hold();
	ck_assert_int_eq(close(file.fd), 0);
	ck_assert_int_eq(ff_release(&file), -EBADF);
	ck_assert(ff_others_close_ours());
	/* a process that is alone has nobody who would */
	alone = true;
	ck_assert(!ff_others_close_ours());
	alone = false;
	ff_new_process_silently();
	ck_assert(!ff_others_close_ours());
}
END_TEST

START_TEST(number_of_anothers)
{
	int fd;

	hold();
	fd = file.fd;
	ck_assert_int_eq(close(fd), 0);
	ck_assert_int_eq(open("/dev/null", O_RDONLY | O_CLOEXEC), fd);
	ck_assert_int_eq(ff_release(&file), -EBADF);
	ck_assert(ff_others_close_ours());
	ck_assert_int_ge(fcntl(fd, F_GETFD), 0);
	ck_assert_int_eq(close(fd), 0);
}
END_TEST

START_TEST(to_write)
{
	const char *path = unit_path();

	hold();
	ck_assert_int_eq(ff_release(&file), 0);
	ck_assert_int_eq(ff_hold_any(&file, path, O_WRONLY | O_APPEND | O_CREAT,
				     0600),
			 0);
	/* whoever turns the file over does not make it another's */
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_int_eq(write(file.fd, "x", 1), 1);
	ck_assert_int_eq(ff_release(&file), 0);
	ck_assert(!ff_others_close_ours());
	ck_assert_int_eq(ff_hold_any(&file, "/missing/x", O_WRONLY, 0),
			 -ENOENT);
	ck_assert(!ff_is_held(&file));
	ck_assert_int_eq(ff_release(&file), -EBADF);
	ck_assert(!ff_others_close_ours());
}
END_TEST

/* By a filter: nobody tells which file a descriptor is. */
static void refuse_looks(int error)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS,
			 offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_fstat, 1, 0),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_newfstatat, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (unsigned)error),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { sizeof(code) / sizeof(*code),
					    code };

	ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program),
			 0);
}

START_TEST(looks_refused)
{
	int fd;

	hold();
	fd = file.fd;
	ck_assert_int_eq(ff_release(&file), 0);
	refuse_looks(EPERM);
	/* a log has many lines: none leaves a descriptor */
	ck_assert_int_eq(ff_hold_any(&file, "/dev/null", O_WRONLY, 0), -EPERM);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert(!ff_is_held(&file));
	ck_assert(!ff_others_close_ours());
}
END_TEST

START_TEST(closed_before_the_first_look)
{
	hold();
	ck_assert_int_eq(ff_release(&file), 0);
	refuse_looks(EBADF); /* as it is said of one that is gone */
	ck_assert_int_eq(ff_hold_any(&file, "/dev/null", O_WRONLY, 0), -EBADF);
	ck_assert(!ff_is_held(&file));
	ck_assert(ff_others_close_ours());
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(tests, released);
	tcase_add_test(tests, closed_by_another);
	tcase_add_test(tests, number_of_anothers);
	tcase_add_test(tests, to_write);
	tcase_add_test(tests, looks_refused);
	tcase_add_test(tests, closed_before_the_first_look);
}
