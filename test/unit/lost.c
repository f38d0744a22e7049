#include "lost.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "arch/arch.h"
#include "lazy/trap.h"
#include "unit.h"

static struct ff_areas areas;
static struct ff_shared *shared;

void lose(const void *start, size_t bytes, int prot)
{
	areas.area[areas.count++] = (struct ff_area){
		.start = (uintptr_t)start,
		.end = (uintptr_t)start + bytes,
		.prot = (unsigned)prot,
	};
	areas.absent_bytes += bytes;
}

static _Noreturn void child(void (*body)(void), int mem, int pagemap)
{
	for (unsigned i = 0; i < areas.count; i++)
		munmap((void *)areas.area[i].start,
		       areas.area[i].end - areas.area[i].start);
	ff_child.shared = shared;
	ff_child.areas = &areas;
	ff_child.mem = mem;
	ff_child.pagemap = pagemap;
	CHILD_ASSERT(ff_pager_reserve() == 0, "no reservation");
	ff_handle(SIGSEGV, ff_on_sigsegv, &ff_child.segv);
	shared->state = FF_RUNNING;
	body();
	shared->state = FF_RELEASED;
	_exit(0);
}

static void run(void (*body)(void))
{
	int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	int status;
	pid_t pid;

	ck_assert_int_ge(mem, 0);
	ck_assert_int_ge(pagemap, 0);
	shared = mmap(NULL, FF_PAGE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ck_assert_ptr_ne(shared, MAP_FAILED);
	pid = fork();
	if (pid == 0)
		child(body, mem, pagemap);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	close(mem);
	close(pagemap);
	ck_assert_int_eq(status, 0);
}

void run_lost(void (*body)(void))
{
	run(body);
	ck_assert_msg(shared->state == FF_RELEASED,
		      "state %u, reason %u, call %d", shared->state,
		      shared->reason, shared->call);
}

void run_lost_until(void (*body)(void), enum ff_reason reason, long call)
{
	run(body);
	ck_assert_uint_eq(shared->state, FF_ROLLBACK);
	ck_assert_uint_eq(shared->reason, reason);
	ck_assert_int_eq(shared->call, call);
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
	ff_child_call(&uc, nr);
	return reg[REG_RAX];
}

bool is_accessible(const void *at)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("unit", MFD_CLOEXEC);
	return pwrite(fd, at, 1, 0) == 1;
}
