/*
 * suite-look: what a child and its parent have open, as the child sees it.
 *
 * Runs as the child of the program under test. Prints its own descriptors,
 * its parent's, and how many children the parent has, in a form that is the
 * same from run to run (no inode numbers). The parent may still be tidying
 * up when a child starts, so it looks until eight looks in a row agree.
 *
 *	suite-look [parent|self]     both by default
 *
 * Rules: opens nothing before it has looked at itself; inherits, changes
 * nothing.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define VIEW_BYTES 16384

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* "3=pipe 4=/etc/passwd", numbers rising. */
static void view(const char *pid, char *out)
{
	char path[300], target[256], *bracket;
	int fds[1024], n = 0, at = 0;
	struct dirent *d;
	DIR *dir;
	ssize_t len;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	dir = opendir(path);
	out[0] = 0;
	if (!dir)
		return;
	while (n < 1024 && (d = readdir(dir)) != NULL)
		if (d->d_name[0] != '.' &&
		    (strcmp(pid, "self") || atoi(d->d_name) != dirfd(dir)))
			fds[n++] = atoi(d->d_name);
	qsort(fds, n, sizeof(fds[0]), by_number);
	for (int i = 0; i < n && at < VIEW_BYTES - 300; i++) {
		snprintf(path, sizeof(path), "/proc/%s/fd/%d", pid, fds[i]);
		len = readlink(path, target, sizeof(target) - 1);
		if (len < 0)
			continue;
		target[len] = 0;
		bracket = strstr(target, ":[");
		if (bracket && target[0] != '/')
			*bracket = 0;
		at += sprintf(out + at, " %d=%s", fds[i], target);
	}
	closedir(dir);
}

static int children_of(int pid)
{
	char path[64];
	int child, n = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	f = fopen(path, "re");
	if (!f)
		return -1;
	while (fscanf(f, "%d", &child) == 1)
		n++;
	fclose(f);
	return n;
}

int main(int argc, char **argv)
{
	static char now[VIEW_BYTES], before[VIEW_BYTES];
	const char *who = argc > 1 ? argv[1] : "both";
	char parent[16];
	int same = 0;

	view("self", now);
	if (strcmp(who, "parent"))
		printf("self:%s\n", now);
	if (!strcmp(who, "self"))
		return 0;
	snprintf(parent, sizeof(parent), "%d", (int)getppid());
	for (int i = 0; i < 200 && same < 8; i++) {
		usleep(10000);
		view(parent, now);
		same = strcmp(now, before) ? 0 : same + 1;
		strcpy(before, now);
	}
	printf("parent:%s\nchildren: %d\n", now, children_of(getppid()));
	return 0;
}
