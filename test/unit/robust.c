/*
 * The word that a child's parent waits for, in the program's robust list and
 * out of it: in a child as test/unit/lost.h makes it, and those of its own that
 * end.
 */
#include "lazy/child/robust.h"

#include <errno.h>
#include <linux/futex.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "pattern.h"
#include "unit.h"

const char unit_subject[] = "robust";

#define LOCKS 3
#define TOO_MANY 2100

/* As libc's: the word, and linked forth and back. */
struct lock {
	_Atomic uint32_t word;
	uint32_t unused;
	struct ff_robust_list *back, entry;
};

struct locks {
	struct ff_robust_head head;
	struct lock lock[TOO_MANY];
};

static struct locks *locks; /* shared: what is left of them is looked at */

static void make_locks(unsigned nr)
{
	memset(locks, 0, sizeof(*locks));
	locks->head.futex_offset = (long)offsetof(struct lock, word) -
				   (long)offsetof(struct lock, entry);
	for (unsigned i = 0; i < nr; i++) {
		locks->lock[i].word = (uint32_t)gettid();
		locks->lock[i].entry.next = i + 1 < nr ?
						    &locks->lock[i + 1].entry :
						    &locks->head.list;
	}
	locks->head.list.next = nr ? &locks->lock[0].entry : &locks->head.list;
}

static uintptr_t at_head(void)
{
	return (uintptr_t)&locks->head;
}

static uintptr_t registered(void)
{
	struct robust_list_head *head = NULL;
	size_t bytes;

	CHILD_ASSERT(!syscall(SYS_get_robust_list, 0, &head, &bytes), "list");
	return (uintptr_t)head;
}

static bool is_marked(const _Atomic uint32_t *word)
{
	return atomic_load(word) & FUTEX_OWNER_DIED;
}

static unsigned marked_locks(void)
{
	unsigned i, n = 0;

	for (i = 0; i < TOO_MANY; i++)
		n += is_marked(&locks->lock[i].word);
	return n;
}

/* One that begins as a lazy child does, and ends behind @body. */
static void one_that(void (*body)(void))
{
	int status;
	pid_t pid = fork();

	CHILD_ASSERT(pid >= 0, "fork");
	if (pid == 0) {
		ff_robust_begin();
		body();
		_exit(0);
	}
	CHILD_ASSERT(waitpid(pid, &status, 0) == pid && status == 0, "%x",
		     (unsigned)status);
}

static void does_nothing(void)
{
}

static void joins(void)
{
	make_locks(LOCKS);
	CHILD_ASSERT(ff_robust_join(at_head()), "join");
	CHILD_ASSERT(registered() == at_head(), "the program's");
}

static void joins_an_empty_one(void)
{
	make_locks(0);
	CHILD_ASSERT(ff_robust_join(at_head()), "join");
}

/* Locks and unlocks as libc does: at the front, and whatever comes. */
static void joins_and_goes_on(void)
{
	joins();
	locks->lock[LOCKS].word = (uint32_t)gettid();
	locks->lock[LOCKS].entry.next = locks->head.list.next;
	locks->head.list.next = &locks->lock[LOCKS].entry;
	locks->lock[0].word = 0;
	locks->lock[LOCKS].entry.next = locks->lock[0].entry.next;
	ff_robust_assure();
	CHILD_ASSERT(registered() == at_head(), "it leads to our word");
}

static void joins_and_leaves(void)
{
	joins();
	ff_robust_leave();
	CHILD_ASSERT(registered() == at_head(), "the program's");
	CHILD_ASSERT(locks->lock[LOCKS - 1].entry.next == &locks->head.list,
		     "without our entry");
}

static void joins_and_breaks_it(void)
{
	joins();
	locks->lock[1].entry.next = (struct ff_robust_list *)8;
	ff_robust_assure();
	CHILD_ASSERT(registered() != at_head(), "a list of its own");
}

static void joins_and_takes_it_back(void)
{
	joins();
	CHILD_ASSERT(ff_robust_join(0), "none");
	CHILD_ASSERT(locks->lock[LOCKS - 1].entry.next == &locks->head.list,
		     "without our entry");
}

static void ends(void)
{
	const struct ff_shared *sh = ff_child.shared;

	one_that(does_nothing);
	CHILD_ASSERT(is_marked(&sh->owner), "our word alone");
	one_that(joins_an_empty_one);
	CHILD_ASSERT(is_marked(&sh->owner) && marked_locks() == 0, "empty");
	one_that(joins);
	CHILD_ASSERT(is_marked(&sh->owner) && marked_locks() == LOCKS, "all");
	one_that(joins_and_goes_on);
	CHILD_ASSERT(is_marked(&sh->owner) && marked_locks() == LOCKS, "all");
	one_that(joins_and_leaves);
	CHILD_ASSERT(!is_marked(&sh->owner) && marked_locks() == LOCKS,
		     "the locks alone");
	one_that(joins_and_breaks_it);
	CHILD_ASSERT(is_marked(&sh->owner), "our word at least");
	one_that(joins_and_takes_it_back);
	CHILD_ASSERT(is_marked(&sh->owner) && marked_locks() == 0, "our word");
}

static void refuses(uintptr_t head, const char *what)
{
	const uintptr_t was = registered();

	CHILD_ASSERT(!ff_robust_join(head), "%s", what);
	CHILD_ASSERT(registered() == was, "%s: another list", what);
}

/* H-J1, H-J3: what can't be followed to its end, or be joined. */
static void what_can_not_be_joined(void)
{
	const long offsets[] = { 0,    4,     -4,      8,	  12,
				 4096, -4096, 1 << 30, -(1 << 30) };

	ff_robust_begin();
	refuses(8, "no memory");
	refuses((uintptr_t)arena + ARENA, "no memory");
	make_locks(LOCKS);
	refuses(at_head() + 4, "not aligned");
	locks->lock[1].entry.next = (struct ff_robust_list *)8;
	refuses(at_head(), "leads to no memory");
	locks->lock[1].entry.next = &locks->lock[1].entry;
	refuses(at_head(), "a circle");
	make_locks(TOO_MANY);
	refuses(at_head(), "longer than the kernel follows");
	make_locks(LOCKS);
	for (size_t i = 0; i < sizeof(offsets) / sizeof(offsets[0]); i++) {
		locks->head.futex_offset = offsets[i];
		if (ff_robust_join(at_head()))
			CHILD_ASSERT(offsets[i] % 8 == 0 &&
					     (uintptr_t)ff_child.entry >=
						     (uintptr_t)ff_child.shared,
				     "offset %ld", offsets[i]);
	}
	mprotect(locks, sizeof(*locks), PROT_READ);
	refuses(at_head(), "not to be written");
}

static void in_a_child(void (*body)(void))
{
	locks = mmap(NULL, sizeof(*locks), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(locks, MAP_FAILED);
	make_arena();
	lose_at(0, 2 * M, RW);
	run_lost(body);
}

START_TEST(the_kernel_releases_what_was_locked_and_tells_the_parent)
{
	in_a_child(ends);
}
END_TEST

START_TEST(a_list_that_can_not_be_followed_is_left_alone)
{
	in_a_child(what_can_not_be_joined);
}
END_TEST

void unit_tests(TCase *tests)
{
	tcase_add_test(
		tests,
		the_kernel_releases_what_was_locked_and_tells_the_parent);
	tcase_add_test(tests, a_list_that_can_not_be_followed_is_left_alone);
}
