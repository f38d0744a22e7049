/*
 * Opening files by name. Free is what neither makes, changes nor waits for
 * anything; what is made or emptied is seen by others.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "arch/arch.h"
#include "host/file.h"
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

/*
 * Where opening a regular file to read it, and reading it, does nothing that
 * anybody could see but watchers of files (inotify, leases). Not where somebody
 * serves the file (FUSE), or where to read is to take (tracefs).
 */
static const uint32_t storage[] = {
	0xef53,	    /* ext2 to ext4 */
	0x58465342, /* xfs */
	0x9123683e, /* btrfs */
	0x01021994, /* tmpfs */
	0x858458f6, /* ramfs */
	0x794c7630, /* overlayfs */
	0x73717368, /* squashfs */
	0xe0f5e1e2, /* erofs */
	0x9660,	    /* isofs */
	0x15013346, /* udf */
	0x2fc12fc1, /* zfs */
	0xca451a4e, /* bcachefs */
	0xf2f52010, /* f2fs */
	0x3153464a, /* jfs */
	0x52654973, /* reiserfs */
	0x4d44,	    /* vfat */
	0x2011bab0, /* exfat */
	0x7366746e, /* ntfs3 */
	0xf15f,	    /* ecryptfs */
	0x61756673, /* aufs */
	0x6969,	    /* nfs */
	0xff534d42, /* cifs */
	0xfe534d42, /* smb2 */
	0x00c36400, /* ceph */
	0x01021997, /* 9p */
	0x01161970, /* gfs2 */
	0x7461636f, /* ocfs2 */
	0x958458f6, /* hugetlbfs */
};

/* The same, but who polls a file there may take the answer. */
static const uint32_t settings[] = {
	0x62656572, /* sysfs */
	0x27e0eb,   /* cgroup */
	0x63677270, /* cgroup2 */
	0xf97cff8c, /* selinuxfs */
};

static bool is_among(const uint32_t *types, size_t count, uint32_t type)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (types[i] == type)
			return true;
	return false;
}

bool ff_is_storage(long fd, bool settings_too)
{
	struct statfs fs;

	if (sys(fstatfs, fd, &fs) < 0)
		return false;
	return is_among(storage, sizeof(storage) / sizeof(storage[0]),
			(uint32_t)fs.f_type) ||
	       (settings_too &&
		is_among(settings, sizeof(settings) / sizeof(settings[0]),
			 (uint32_t)fs.f_type));
}

/* Of the file that @fd stands for. */
static enum verdict judge_file(long fd, long flags)
{
	struct stat st;

	if (sys(fstat, fd, &st) < 0)
		return NEVER;
	if (S_ISREG(st.st_mode))
		return !ff_is_storage(fd, true) ? NEVER :
		       (flags & O_TRUNC) ? SEEN :
					   GO_ON_OWN;
	if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode) || ff_is_null(&st))
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
