/*
 * The generic library, with an address space whose memory is read by the
 * kernel: a wrong guess gives an error, no fault. Its local sibling would
 * look at memory itself.
 *
 * Hazards:
 *  - both open a pipe when first used, keep it, and close those numbers later
 *    whoever owns them by then. That happens here, in the constructor, while
 *    no descriptor may be made: the library then knows of no pipe. We never
 *    ask it for what needs one; a program that uses the same library itself
 *    gets its own at that time, as the library makes it anew
 *  - a later library of the same name may know more accessors than we were
 *    compiled with: there are zeros behind ours
 *  - what the library guesses where there is no unwind information is
 *    dropped
 *
 * No cache is asked for (there is none unless set), so its locks are those
 * of its pools, which it holds with signals blocked. A fork may catch another
 * thread in one: the caller's own lock, copied just so, keeps the child out.
 */
#include "site/walk.h"

#include "libc/weak.h"

FF_WEAK(dlclose)
FF_WEAK(dlerror)
FF_WEAK(dlopen)
FF_WEAK(dlsym)
FF_WEAK(getcontext)

#include <dlfcn.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <ucontext.h>

#include "arch/arch.h"
#include "arch_unwind.h"
#include "host/sys.h"
#include "libc/object.h"
#include "libc/threads.h"

#define FRAMES_MOST 64 /* between us and the site: libc's, and ours */
#define WINDOW 256     /* divides a page */

const char *ff_walk_library = FF_UNWIND_LIBRARY;

static struct {
	unw_addr_space_t (*create_addr_space)(unw_accessors_t *, int);
	int (*init_remote)(unw_cursor_t *, unw_addr_space_t, void *);
	int (*step)(unw_cursor_t *);
	int (*get_reg)(unw_cursor_t *, int, unw_word_t *);
	int (*search_table)(unw_addr_space_t, unw_word_t, unw_dyn_info_t *,
			    unw_proc_info_t *, int, void *);
} lib;

/* One walk at a time: off the program's stack, which may be small. */
static struct {
	unw_addr_space_t space;
	unw_cursor_t cursor;
	ucontext_t context;
	int pid;
	bool guessed;
	uintptr_t window_at; /* 0: none */
	unsigned char window[WINDOW];
} walk;

static bool read_self(uintptr_t address, void *buffer, size_t size)
{
	struct iovec to = { buffer, size };
	struct iovec from = { (void *)address, size };

	return sys(process_vm_readv, walk.pid, &to, 1, &from, 1, 0) ==
	       (long)size;
}

static int access_mem(unw_addr_space_t space, unw_word_t address,
		      unw_word_t *value, int write, void *arg)
{
	uintptr_t at = address & ~(unw_word_t)(WINDOW - 1);

	(void)space;
	(void)arg;
	if (write)
		return -UNW_EINVAL;
	if (address - at > WINDOW - sizeof(*value))
		return read_self(address, value, sizeof(*value)) ? 0 :
								   -UNW_EINVAL;
	if (walk.window_at != at) {
		walk.window_at = 0;
		if (!read_self(at, walk.window, WINDOW))
			return -UNW_EINVAL;
		walk.window_at = at;
	}
	memcpy(value, walk.window + (address - at), sizeof(*value));
	return 0;
}

static int access_reg(unw_addr_space_t space, unw_regnum_t reg,
		      unw_word_t *value, int write, void *arg)
{
	int greg = ff_greg_of(reg);

	(void)space;
	(void)arg;
	if (greg < 0 || write)
		return -UNW_EBADREG;
	*value = ff_registers(&walk.context)[greg];
	return 0;
}

static int access_fpreg(unw_addr_space_t space, unw_regnum_t reg,
			unw_fpreg_t *value, int write, void *arg)
{
	(void)space;
	(void)reg;
	(void)value;
	(void)write;
	(void)arg;
	return -UNW_EBADREG;
}

static int find_proc_info(unw_addr_space_t space, unw_word_t ip,
			  unw_proc_info_t *info, int need_unwind_info,
			  void *arg)
{
	unw_dyn_info_t table = { 0 };
	const struct ff_frame_table *rows;
	struct ff_object object;
	int r = -UNW_ENOINFO;

	rows = ff_object_of(ip, &object) ? ff_frame_table_of(&object) : NULL;
	if (rows) {
		table.format = UNW_INFO_FORMAT_REMOTE_TABLE;
		table.start_ip = object.start;
		table.end_ip = object.end;
		table.u.rti.segbase = object.eh_frame_hdr;
		table.u.rti.table_data = (unw_word_t)rows->row;
		table.u.rti.table_len =
			rows->count * sizeof(rows->row[0]) / sizeof(unw_word_t);
		r = lib.search_table(space, ip, &table, info, need_unwind_info,
				     arg);
	}
	if (r < 0)
		walk.guessed = true;
	return r;
}

static void put_unwind_info(unw_addr_space_t space, unw_proc_info_t *info,
			    void *arg)
{
	(void)space;
	(void)info;
	(void)arg;
}

static int get_dyn_info_list_addr(unw_addr_space_t space, unw_word_t *address,
				  void *arg)
{
	(void)space;
	(void)address;
	(void)arg;
	return -UNW_ENOINFO;
}

static int no_resume(unw_addr_space_t space, unw_cursor_t *cursor, void *arg)
{
	(void)space;
	(void)cursor;
	(void)arg;
	return -UNW_EINVAL;
}

static int get_proc_name(unw_addr_space_t space, unw_word_t address, char *name,
			 size_t size, unw_word_t *offset, void *arg)
{
	(void)space;
	(void)address;
	(void)name;
	(void)size;
	(void)offset;
	(void)arg;
	return -UNW_ENOINFO;
}

static bool load_library(void)
{
	void *handle = dlopen(ff_walk_library, RTLD_NOW | RTLD_LOCAL);
	const struct {
		const char *name;
		void *where;
	} wanted[] = {
		{ FF_UNWIND_SYMBOL("create_addr_space"),
		  &lib.create_addr_space },
		{ FF_UNWIND_SYMBOL("init_remote"), &lib.init_remote },
		{ FF_UNWIND_SYMBOL("step"), &lib.step },
		{ FF_UNWIND_SYMBOL("get_reg"), &lib.get_reg },
		{ FF_UNWIND_SYMBOL("dwarf_search_unwind_table"),
		  &lib.search_table },
	};
	void *found;
	size_t i;

	for (i = 0; handle && i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		found = dlsym(handle, wanted[i].name);
		if (!found) {
			dlclose(handle);
			handle = NULL;
			break;
		}
		memcpy(wanted[i].where, &found, sizeof(found));
	}
	if (!handle)
		dlerror(); /* not the program's to find */
	return handle;
}

/* The library's first use, while nothing can be opened. */
static bool first_use(void)
{
	const uint64_t all = ~(uint64_t)0;
	struct rlimit old, none;
	uint64_t mask;
	bool done = false;

	sys(rt_sigprocmask, SIG_BLOCK, &all, &mask, sizeof(mask));
	if (sys(prlimit64, 0, RLIMIT_NOFILE, NULL, &old) == 0) {
		none = old;
		none.rlim_cur = 0;
		if (sys(prlimit64, 0, RLIMIT_NOFILE, &none, NULL) == 0) {
			done = lib.init_remote(&walk.cursor, walk.space,
					       NULL) == 0;
			sys(prlimit64, 0, RLIMIT_NOFILE, &old, NULL);
		}
	}
	sys(rt_sigprocmask, SIG_SETMASK, &mask, NULL, sizeof(mask));
	return done;
}

bool ff_walk_prepare(void)
{
	static union {
		unw_accessors_t known;
		void *room[32];
	} accessors;

	if (!ff_libc_made_no_thread() || !load_library())
		return false;
	accessors.known = (unw_accessors_t){
		.find_proc_info = find_proc_info,
		.put_unwind_info = put_unwind_info,
		.get_dyn_info_list_addr = get_dyn_info_list_addr,
		.access_mem = access_mem,
		.access_reg = access_reg,
		.access_fpreg = access_fpreg,
		.resume = no_resume,
		.get_proc_name = get_proc_name,
	};
	walk.space = lib.create_addr_space(&accessors.known, 0);
	return walk.space && first_use();
}

/* One frame up: false at the end, or where that would be a guess. */
static bool step(uintptr_t *ret_ip)
{
	unw_word_t ip = 0;

	walk.guessed = false;
	if (lib.step(&walk.cursor) <= 0 || walk.guessed ||
	    lib.get_reg(&walk.cursor, UNW_REG_IP, &ip) != 0 || !ip)
		return false;
	*ret_ip = ip;
	return true;
}

unsigned ff_walk_callers(uintptr_t site, uintptr_t *ret_callers, unsigned most)
{
	uintptr_t ip = 0;
	unsigned n;

	walk.pid = ff_getpid();
	walk.window_at = 0;
	if (getcontext(&walk.context) != 0 ||
	    lib.init_remote(&walk.cursor, walk.space, NULL) != 0)
		return 0;
	for (n = 0; ip != site; n++)
		if (n == FRAMES_MOST || !step(&ip))
			return 0;
	for (n = 0; n < most; n++)
		if (!step(&ret_callers[n]))
			break;
	return n;
}
