#include "lost.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "arch/arch.h"
#include "lazy/child/calls.h"
#include "lazy/child/reserve.h"
#include "process/sigsys.h"
#include "unit.h"

static struct ff_slot slot;
static struct ff_shared *shared;
static int shared_mem, shared_pagemap; /* of the parent */

void lose(const void *start, size_t bytes, int prot)
{
	slot.areas.area[slot.areas.count++] = (struct ff_area){
		.start = (uintptr_t)start,
		.end = (uintptr_t)start + bytes,
		.prot = (unsigned)prot,
	};
	slot.areas.absent_bytes += bytes;
}

void lose_by_wiping(void)
{
	for (unsigned i = 0; i < slot.areas.count; i++)
		ck_assert_int_eq(madvise((void *)slot.areas.area[i].start,
					 slot.areas.area[i].end -
						 slot.areas.area[i].start,
					 MADV_WIPEONFORK),
				 0);
	slot.areas.wiped = true;
}

/* Above all numbers the program gets, as the engine has them. */
static int move_high(int fd)
{
	int high = fcntl(fd, F_DUPFD_CLOEXEC, 512);

	CHILD_ASSERT(high >= 0, "descriptor: %d", errno);
	close(fd);
	return high;
}

static _Noreturn void child(void (*body)(void), bool committed)
{
	int mem = move_high(shared_mem), pagemap = move_high(shared_pagemap);

	for (unsigned i = 0; i < slot.areas.count && !slot.areas.wiped; i++)
		munmap((void *)slot.areas.area[i].start,
		       slot.areas.area[i].end - slot.areas.area[i].start);
	ff_child.slot = &slot;
	ff_child.shared = shared;
	ff_child.areas = &slot.areas;
	ff_child.mem = mem;
	ff_child.pagemap = committed ? pagemap : -1;
	ff_child.committed = committed;
	ff_child.stack.ss_flags = SS_DISABLE;
	if (!committed)
		close(pagemap);
	CHILD_ASSERT(ff_reserve() == 0, "no reservation");
	ff_handle(SIGSEGV, ff_on_sigsegv, &ff_child.segv);
	shared->state = FF_RUNNING;
	body();
	shared->state = FF_RELEASED;
	_exit(0);
}

static void run(void (*body)(void), bool committed)
{
	int status;
	pid_t pid;

	shared_mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	shared_pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	ck_assert_int_ge(shared_mem, 0);
	ck_assert_int_ge(shared_pagemap, 0);
	shared = mmap(NULL, FF_PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	pid = fork();
	if (pid == 0)
		child(body, committed);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(shared_mem);
	close(shared_pagemap);
	ck_assert_msg(status == 0, "status %x, state %u, reason %u, call %d",
		      (unsigned)status, shared->state, shared->reason,
		      shared->call);
}

static void expect(enum ff_state state, enum ff_reason reason, long call)
{
	ck_assert_msg(shared->state == state && shared->reason == reason &&
			      shared->call == call,
		      "state %u, reason %u, call %d; not %u, %u, %ld",
		      shared->state, shared->reason, shared->call, state,
		      reason, call);
}

void run_lost(void (*body)(void))
{
	run(body, false);
	expect(FF_RELEASED, FF_REASON_NONE, 0);
}

void run_lost_until(void (*body)(void), enum ff_reason reason, long call)
{
	run(body, false);
	expect(FF_ROLLBACK, reason, call);
}

void run_committed(void (*body)(void))
{
	run(body, true);
	expect(FF_RELEASED, FF_REASON_NONE, 0);
}

void run_committed_past(void (*body)(void), enum ff_reason reason, long call)
{
	run(body, true);
	expect(FF_RELEASED, reason, call);
}

long mediated(long nr, long a, long b, long c, long d, long e, long f)
{
	static ucontext_t uc;
	greg_t *reg = uc.uc_mcontext.gregs;

	reg[REG_RDI] = a;
	reg[REG_RSI] = b;
	reg[REG_RDX] = c;
	reg[REG_R10] = d;
	reg[REG_R8] = e;
	reg[REG_R9] = f;
	ff_child_call(&uc, nr, true);
	return reg[REG_RAX];
}

bool is_accessible(const void *at)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("unit", MFD_CLOEXEC);
	return pwrite(fd, at, 1, 0) == 1;
}
