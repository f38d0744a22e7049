/* The signal at the parent's death: in pid namespaces of all kinds, and when
 * the parent is dead before it could be asked for. H-S5, H-S19. */
#include "flatfork/flatfork.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "how.h"
#include "unit.h"

const char unit_subject[] = "flatfork_orphan";

static int own_namespace(void)
{
	return CLONE_NEWPID | (geteuid() ? CLONE_NEWUSER : 0);
}

/* The status of `sh -c @script`, started by this process; -1: not started. */
static int status_of(const char *script)
{
	char *argv[] = { "sh", "-c", (char *)script, NULL };
	struct flatfork_child child;
	struct flatfork_error error;
	int status = -1;

	if (flatfork_start(how, "/bin/sh", argv, environ, &child, &error)) {
		fprintf(stderr, "%s\n", error.text);
		return -1;
	}
	return waitpid(child.pid, &status, 0) == child.pid ? status : -1;
}

/* Its children are in a namespace in which it has no pid. The first is the
 * init of it and can't be killed so; the second can. */
static int two_elsewhere(void)
{
	char *argv[] = { "sh", "-c", "read x", NULL };
	struct flatfork_child init;
	int gate[2], status;

	if (unshare(own_namespace()))
		return 77;
	ck_assert_int_eq(pipe2(gate, O_CLOEXEC), 0);
	flatfork_spawn_dup2(how, gate[0], 0);
	flatfork_spawn_death_signal(how, SIGTERM);
	if (flatfork_start(how, "/bin/sh", argv, environ, &init, NULL))
		return 4;
	status = status_of("exit 5");
	close(gate[1]);
	return status == 5 << 8 && waitpid(init.pid, NULL, 0) == init.pid ? 3 :
									    5;
}

START_TEST(a_parent_in_another_namespace_is_alive)
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(two_elsewhere());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status));
	ck_assert(WEXITSTATUS(status) == 3 || WEXITSTATUS(status) == 77);
}
END_TEST

START_TEST(a_child_in_its_own_namespace_lives)
{
	struct flatfork_child child;
	int status;

	flatfork_spawn_namespaces(how, own_namespace());
	flatfork_spawn_death_signal(how, SIGKILL);
	if (flatfork_start(how, "/bin/sh",
			   (char *[]){ "sh", "-c", "exit 6", NULL }, environ,
			   &child, NULL))
		return; /* not everybody may */
	ck_assert_int_eq(waitpid(child.pid, &status, 0), child.pid);
	ck_assert_int_eq(status, 6 << 8);
}
END_TEST

/*
 * The parent is killed while its child waits for a FIFO to be opened, before
 * it can ask for the signal: it must end all the same. What it would run
 * writes to a pipe that has no other writer.
 */
static void orphan_before(int namespaces, int sig)
{
	char *argv[] = { "sh", "-c", "echo lives", NULL };
	char there[64], gate[64], text[16] = "";
	int out[2], fd, opened;
	pid_t parent;

	snprintf(there, sizeof(there), "/tmp/ff-orphan.%d.there", getpid());
	snprintf(gate, sizeof(gate), "/tmp/ff-orphan.%d.gate", getpid());
	ck_assert_int_eq(mkfifo(there, 0600), 0);
	ck_assert_int_eq(mkfifo(gate, 0600), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	fd = open(there, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_eq(flatfork_spawn_namespaces(how, namespaces), 0);
	flatfork_spawn_dup2(how, out[1], 1);
	flatfork_spawn_open(how, 3, there, O_WRONLY, 0);
	flatfork_spawn_open(how, 0, gate, O_RDONLY, 0);
	flatfork_spawn_death_signal(how, sig);
	parent = fork();
	if (parent == 0) {
		flatfork_start(how, "/bin/sh", argv, environ, NULL, NULL);
		_exit(77); /* no such namespace is to be had */
	}
	close(out[1]);
	/* 0 as long as nobody has it open to write */
	while (read(fd, text, 1) == 0 && waitpid(parent, NULL, WNOHANG) == 0)
		usleep(1000);
	kill(parent, SIGKILL);
	waitpid(parent, NULL, 0);
	opened = open(gate, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
	ck_assert_int_eq(read(out[0], text, sizeof(text)), 0);
	if (opened >= 0)
		close(opened);
	unlink(there);
	unlink(gate);
}

START_TEST(an_orphan_ends)
{
	orphan_before(0, SIGTERM);
}
END_TEST

START_TEST(an_orphan_ends_in_its_own_namespace)
{
	/* an init: nothing less does */
	orphan_before(own_namespace(), SIGKILL);
}
END_TEST

/* No number of the program's is taken by what tells of the parent. */
START_TEST(descriptors_are_the_programs)
{
	static const char list[] =
		"cd /proc/self/fd && for i in *; do "
		"[ -e $i ] && case $(readlink $i) in *pidfd*) exit 9; esac;"
		"done; [ -e 40 ] && ! [ -e 41 ] && [ -e 3 ]";
	struct rlimit limit;
	int n;

	flatfork_spawn_death_signal(how, SIGTERM);
	ck_assert_int_eq(status_of("! ls -l /proc/self/fd | grep pidfd"), 0);
	/* whichever number it has, it is in the way once */
	for (n = 3; n <= 40; n++)
		ck_assert_int_eq(flatfork_spawn_dup2(how, 0, n), 0);
	ck_assert_int_eq(status_of(list), 0);
	ck_assert_int_eq(flatfork_spawn_close_from(how, 41), 0);
	ck_assert_int_eq(status_of(list), 0);
	/* it does not exist for who asks for it either */
	n = dup(0);
	close(n);
	drop();
	make();
	flatfork_spawn_death_signal(how, SIGTERM);
	ck_assert_int_eq(flatfork_spawn_dup2(how, n, 1), 0);
	ck_assert_int_eq(status_of("exit 0"), -1);
	/* nor is it in the way of a program that may open nothing */
	drop();
	make();
	flatfork_spawn_death_signal(how, SIGTERM);
	ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = 0;
	ck_assert_int_eq(flatfork_spawn_limit(how, RLIMIT_NOFILE, &limit), 0);
	n = status_of("exit 0");
	ck_assert(n >= 0); /* it was started; its libraries it can't open */
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_checked_fixture(tests, make, drop);
	tcase_add_test(tests, a_parent_in_another_namespace_is_alive);
	tcase_add_test(tests, a_child_in_its_own_namespace_lives);
	tcase_add_test(tests, an_orphan_ends);
	tcase_add_test(tests, an_orphan_ends_in_its_own_namespace);
	tcase_add_test(tests, descriptors_are_the_programs);
}
