/* What kind of file system a descriptor's file is on. Raw calls only. */
#ifndef FF_HOST_STORAGE_H
#define FF_HOST_STORAGE_H

#include <stdbool.h>

enum ff_file_system {
	/* Nobody knows it, or somebody serves it (FUSE), or to read is to take
	 * (tracefs), or it can't be told. */
	FF_FS_OTHER,
	/* Opening a regular file or a folder to read it, and reading it, does
	 * nothing that anybody could see but watchers of files (inotify,
	 * leases). */
	FF_FS_STORAGE,
	/* The same, but who polls a file there may take the answer: sysfs and
	 * the like. */
	FF_FS_SETTINGS,
	FF_FS_PROC,
	FF_FS_PIPE, /* of pipe() */
};

enum ff_file_system ff_file_system(long fd);

/* Reading is seen by nobody there. */
static inline bool ff_is_stored(enum ff_file_system on)
{
	return on == FF_FS_STORAGE || on == FF_FS_SETTINGS;
}

#endif
