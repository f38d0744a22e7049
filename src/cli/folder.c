/* A folder for the files of one run, in TMPDIR. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"

const char *cli_folder_parent(void)
{
	const char *tmp = getenv("TMPDIR");

	return tmp && *tmp ? tmp : "/tmp";
}

bool cli_folder_make(const char *name, char *folder, size_t size)
{
	char parent[PATH_MAX];

	if (!realpath(cli_folder_parent(), parent))
		return false;
	errno = ENAMETOOLONG;
	return snprintf(folder, size, "%s/flatfork-%s.XXXXXX", parent, name) <
		       (int)size &&
	       mkdtemp(folder);
}
