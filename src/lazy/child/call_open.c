/*
 * Opening files by name. Free is what neither makes, changes nor waits for
 * anything; what is made or emptied is seen by others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>

#include "arch/arch.h"
#include "host/file.h"
#include "host/storage.h"
#include "host/sys.h"
#include "lazy/child/calls.h"
#include "lazy/child/child.h"
#include "lazy/child/own.h"

/* What the kernel says of /proc/self would tell of us. */
static bool tells_of_us(const char *path)
{
	static const char proc[] = "/proc/";
	size_t i;
	int c;

	for (i = 0; proc[i]; i++)
		if (ff_peek(path + i) != proc[i])
			return false;
	/* /proc/self/fd and the like are fine: only a name is opened. */
	for (; (c = ff_peek(path + i)) > 0; i++)
		if (c == '/' && ff_peek(path + i + 1) == 'f' &&
		    ff_peek(path + i + 2) == 'd' && ff_peek(path + i + 3) <= 0)
			return false;
	return true;
}

enum verdict {
	GO_ON,
	GO_ON_OWN,
	SEEN,
	NEVER
};

/* Of the file that @fd stands for. */
static enum verdict judge_file(long fd, long flags)
{
	enum ff_file_system on = FF_FS_OTHER;
	struct stat st;

	if (sys(fstat, fd, &st) < 0)
		return NEVER;
	if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode))
		on = ff_file_system(fd);
	if (S_ISREG(st.st_mode))
		return !ff_is_stored(on) ? NEVER :
		       (flags & O_TRUNC) ? SEEN :
					   GO_ON_OWN;
	/* Who serves a folder hears of it, too. */
	if (S_ISDIR(st.st_mode))
		return ff_is_stored(on) || on == FF_FS_PROC ? GO_ON_OWN : NEVER;
	if (S_ISLNK(st.st_mode) || ff_is_null(&st))
		return GO_ON_OWN;
	if (S_ISCHR(st.st_mode) && (flags & O_NONBLOCK))
		return SEEN;
	return NEVER;
}

static enum verdict judge_open(long dir, const char *path, long flags)
{
	const long kept = O_NOFOLLOW | O_DIRECTORY;
	enum verdict v;
	long fd;

	if (flags & O_PATH)
		return GO_ON;
	if ((flags & O_TMPFILE) == O_TMPFILE)
		return SEEN;
	fd = sys(openat, dir, path, O_PATH | O_CLOEXEC | (flags & kept), 0);
	if (fd == -EMFILE || fd == -ENFILE || fd == -ENOMEM)
		return NEVER;
	if (fd < 0)
		return flags & O_CREAT ? SEEN : GO_ON;
	v = tells_of_us(path) ? NEVER : judge_file(fd, flags);
	sys(close, fd);
	return v;
}

static void open_it(ucontext_t *uc, long nr, long dir, int path_arg, long flags)
{
	const char *path = (const char *)ff_arg(uc, path_arg);
	enum verdict v;
	long fd;

	if (!ff_serve(uc, nr, ff_call(nr)->signature))
		return;
	v = judge_open(dir, path, flags);
	if (v == NEVER || (v == SEEN && !ff_child.committed)) {
		ff_child_leave(
			uc, v == SEEN ? FF_REASON_OUTPUT : FF_REASON_CALL, nr);
		return;
	}
	if (v == SEEN && !ff_next_fd_is_free()) {
		ff_child_leave(uc, FF_REASON_DESCRIPTOR, nr);
		return;
	}
	fd = ff_make(uc, nr);
	ff_set_own(fd, v == GO_ON_OWN ? FF_OWN_FILE : FF_FOREIGN);
	ff_answer_fd(uc, nr, 0, fd);
}

void ff_look_open(ucontext_t *uc, long nr)
{
	open_it(uc, nr, AT_FDCWD, 0, ff_arg(uc, 1));
}

void ff_look_openat(ucontext_t *uc, long nr)
{
	open_it(uc, nr, (int)ff_arg(uc, 0), 1, ff_arg(uc, 2));
}

void ff_look_creat(ucontext_t *uc, long nr)
{
	open_it(uc, nr, AT_FDCWD, 0, O_CREAT | O_TRUNC | O_WRONLY);
}
