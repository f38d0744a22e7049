#include "host/storage.h"

#include <linux/magic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/vfs.h>

#include "host/sys.h"

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

#define IS_AMONG(types, type) \
	is_among(types, sizeof(types) / sizeof(types[0]), type)

enum ff_file_system ff_file_system(long fd)
{
	struct statfs fs;
	uint32_t type;

	if (sys(fstatfs, fd, &fs) < 0)
		return FF_FS_OTHER;
	type = (uint32_t)fs.f_type;
	return IS_AMONG(storage, type)	? FF_FS_STORAGE :
	       IS_AMONG(settings, type) ? FF_FS_SETTINGS :
	       type == PROC_SUPER_MAGIC ? FF_FS_PROC :
	       type == PIPEFS_MAGIC	? FF_FS_PIPE :
					  FF_FS_OTHER;
}
