/* What is in a folder, and in two files, compared. */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/check.h"

#define OPEN_AT_ONCE 32
#define SHOWN 60 /* bytes of a line */

struct text {
	char *at; /* mapped, or NULL */
	size_t bytes;
};

static struct text map_text(const char *path)
{
	struct text text = { NULL, 0 };
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat s;

	if (fd >= 0 && !fstat(fd, &s) && S_ISREG(s.st_mode) && s.st_size > 0) {
		text.bytes = (size_t)s.st_size;
		text.at = mmap(NULL, text.bytes, PROT_READ, MAP_PRIVATE, fd, 0);
		if (text.at == MAP_FAILED)
			text = (struct text){ NULL, 0 };
	}
	if (fd >= 0)
		close(fd);
	return text;
}

static void unmap_text(struct text text)
{
	if (text.at)
		munmap(text.at, text.bytes);
}

/* FNV-1a: the runs are not each other's enemies. */
static uint64_t hash(const char *bytes, size_t n)
{
	uint64_t h = 14695981039346656037u;

	for (size_t i = 0; i < n; i++)
		h = (h ^ (unsigned char)bytes[i]) * 1099511628211u;
	return h;
}

static uint64_t content_of(const char *path, const struct stat *s)
{
	char target[PATH_MAX];
	struct text text;
	uint64_t h;
	ssize_t n;

	if (S_ISLNK(s->st_mode)) {
		n = readlink(path, target, sizeof(target));
		return n < 0 ? 0 : hash(target, (size_t)n);
	}
	/* Its owner may have closed it to himself. The mode has been noted. */
	if (S_ISREG(s->st_mode) && access(path, R_OK))
		chmod(path, 0400);
	text = map_text(path);
	h = hash(text.at, text.bytes);
	unmap_text(text);
	return h;
}

/* A folder that its owner may not look into, or not remove from, is opened, and
 * what is in it is passed to @each, where nftw() could not. Its mode has been
 * noted. */
static int open_folder(const char *path, int type, __nftw_func_t each)
{
	if ((type != FTW_D && type != FTW_DNR) ||
	    !access(path, R_OK | W_OK | X_OK))
		return 0;
	if (!chmod(path, 0700) && type == FTW_DNR)
		return nftw(path, each, OPEN_AT_ONCE, FTW_PHYS);
	return 0;
}

static int open_one(const char *path, const struct stat *s, int type,
		    struct FTW *where)
{
	(void)s, (void)where;
	return open_folder(path, type, open_one);
}

static int remove_one(const char *path, const struct stat *s, int type,
		      struct FTW *where)
{
	(void)s, (void)type, (void)where;
	return remove(path);
}

void check_folder_remove(const char *path)
{
	nftw(path, open_one, OPEN_AT_ONCE, FTW_PHYS);
	nftw(path, remove_one, OPEN_AT_ONCE, FTW_DEPTH | FTW_PHYS);
}

/* nftw() has no argument for us. */
static struct check_folder *reading;
static size_t root_bytes;

static int add_file(const char *path, const struct stat *s, int type,
		    struct FTW *where)
{
	struct check_file *more, *file;

	if (!where->level)
		return open_folder(path, type, add_file);
	more = reallocarray(reading->file, reading->count + 1, sizeof(*more));
	if (!more)
		return -1;
	reading->file = more;
	file = &more[reading->count];
	file->path = strdup(path + root_bytes + 1);
	if (!file->path)
		return -1;
	file->mode = s->st_mode;
	file->user = s->st_uid;
	file->group = s->st_gid;
	file->bytes = S_ISREG(s->st_mode) ? (uint64_t)s->st_size : 0;
	file->content = content_of(path, s);
	reading->count++;
	return open_folder(path, type, add_file);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct check_file *)a)->path,
		      ((const struct check_file *)b)->path);
}

bool check_folder_read(const char *path, struct check_folder *ret_folder)
{
	*ret_folder = (struct check_folder){ NULL, 0 };
	reading = ret_folder;
	root_bytes = strlen(path);
	if (nftw(path, add_file, OPEN_AT_ONCE, FTW_PHYS))
		return false;
	if (ret_folder->count)
		qsort(ret_folder->file, ret_folder->count,
		      sizeof(struct check_file), by_path);
	return true;
}

void check_folder_free(struct check_folder *folder)
{
	for (size_t i = 0; i < folder->count; i++)
		free(folder->file[i].path);
	free(folder->file);
}

static bool files_differ(const struct check_file *a, const struct check_file *b,
			 char *text, size_t size)
{
	if (a->mode != b->mode)
		snprintf(text, size, "%s: mode %o instead of %o", b->path,
			 b->mode, a->mode);
	else if (a->user != b->user || a->group != b->group)
		snprintf(text, size, "%s: owner %u:%u instead of %u:%u",
			 b->path, b->user, b->group, a->user, a->group);
	else if (a->bytes != b->bytes)
		snprintf(text, size,
			 "%s: %" PRIu64 " bytes instead of %" PRIu64, b->path,
			 b->bytes, a->bytes);
	else if (a->content != b->content)
		snprintf(text, size, "%s: other content", b->path);
	else
		return false;
	return true;
}

bool check_folders_differ(const struct check_folder *plain,
			  const struct check_folder *ours, char *text,
			  size_t size)
{
	size_t i = 0, j = 0;

	while (i < plain->count || j < ours->count) {
		int order = i == plain->count ?
				    1 :
			    j == ours->count ?
				    -1 :
				    by_path(&plain->file[i], &ours->file[j]);

		if (order) {
			snprintf(text, size, "%s: %s",
				 order < 0 ? plain->file[i].path :
					     ours->file[j].path,
				 order < 0 ? "is missing" :
					     "should not be there");
			return true;
		}
		if (files_differ(&plain->file[i++], &ours->file[j++], text,
				 size))
			return true;
	}
	return false;
}

/* The line of @text that begins at @start, as far as it is shown. */
static void show_line(struct text text, size_t start, char shown[SHOWN + 1])
{
	const char *end;
	size_t n = start < text.bytes ? text.bytes - start : 0;

	end = n ? memchr(text.at + start, '\n', n) : NULL;
	if (end)
		n = (size_t)(end - text.at) - start;
	snprintf(shown, SHOWN + 1, "%.*s", n < SHOWN ? (int)n : SHOWN,
		 n ? text.at + start : "");
}

static const char *byte_of(struct text text, size_t at, char said[8])
{
	if (at >= text.bytes)
		return "the end";
	snprintf(said, 8, "0x%02x", (unsigned char)text.at[at]);
	return said;
}

/* They differ in byte @at, which is in line @line, which begins at @start. */
static void say_line(struct text plain, struct text ours, size_t line,
		     size_t start, size_t at, char *text, size_t size)
{
	char a[SHOWN + 1], b[SHOWN + 1], byte[2][8];

	show_line(plain, start, a);
	show_line(ours, start, b);
	if (strcmp(a, b) != 0)
		snprintf(text, size, "line %zu: '%s' instead of '%s'", line, b,
			 a);
	else
		snprintf(text, size, "line %zu, byte %zu: %s instead of %s",
			 line, at - start + 1, byte_of(ours, at, byte[0]),
			 byte_of(plain, at, byte[1]));
}

bool check_texts_differ(const char *plain, const char *ours, char *text,
			size_t size)
{
	struct text a = map_text(plain), b = map_text(ours);
	size_t n = a.bytes < b.bytes ? a.bytes : b.bytes, at, start = 0,
	       line = 1;
	bool differ;

	for (at = 0; at < n && a.at[at] == b.at[at]; at++) {
		if (a.at[at] == '\n') {
			line++;
			start = at + 1;
		}
	}
	differ = at < n || a.bytes != b.bytes;
	if (differ)
		say_line(a, b, line, start, at, text, size);
	unmap_text(a);
	unmap_text(b);
	return differ;
}
