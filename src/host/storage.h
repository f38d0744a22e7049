/* What kind of file system a descriptor's file is on. Raw calls only. */
#ifndef FF_HOST_STORAGE_H
#define FF_HOST_STORAGE_H

#include <stdbool.h>

/*
 * Where opening a regular file or a folder to read it, and reading it, does
 * nothing that anybody could see but watchers of files (inotify, leases). Not
 * where somebody serves it (FUSE), or where to read is to take (tracefs), or
 * where it is not known. @settings_too: those of sysfs and the like, where who
 * polls a file may take the answer.
 */
bool ff_is_storage(long fd, bool settings_too);

bool ff_is_proc(long fd);
/* One that pipe() made. */
bool ff_is_pipe(long fd);

#endif
