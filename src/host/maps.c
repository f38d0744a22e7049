/*
 * Runs in the parent, in a SIGSYS handler on a small stack, with signals
 * blocked: raw calls only, nothing is allocated.
 */
#include "host/maps.h"

#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/mman.h>

#include "arch/hot.h"
#include "host/fault.h"
#include "host/page.h"
#include "host/sys.h"

/* Of linux/fs.h since 6.11; Debian 12's headers are older. */
struct procmap_query {
	uint64_t size;
	uint64_t query_flags;
	uint64_t query_addr;
	uint64_t vma_start;
	uint64_t vma_end;
	uint64_t vma_flags;
	uint64_t vma_page_size;
	uint64_t vma_offset;
	uint64_t inode;
	uint32_t dev_major;
	uint32_t dev_minor;
	uint32_t vma_name_size;
	uint32_t build_id_size;
	uint64_t vma_name_addr;
	uint64_t build_id_addr;
};

#define QUERY_COVERING_OR_NEXT 0x10
#define QUERY_READABLE 0x01
#define QUERY_WRITABLE 0x02
#define QUERY_EXECUTABLE 0x04
#define QUERY_SHARED 0x08

_Static_assert(sizeof(struct procmap_query) == 104, "the ioctl names 0x68");

/* Answers, or lines, from which on the text is read. */
#define MANY 512

/* So it was when all were read the last time. */
static _Atomic bool are_many FF_HOT;

bool ff_maps_are_many(void)
{
	return atomic_load_explicit(&are_many, memory_order_relaxed);
}

int ff_maps_open(struct ff_maps *maps)
{
	int rc = ff_hold(&maps->file, "/proc/self/maps");

	if (rc < 0)
		return rc;
	maps->text = false;
	maps->whole = maps->writable = maps->shared = false;
	maps->count = 0;
	maps->next = 0;
	maps->have = maps->at = 0;
	maps->from = 0;
	return 0;
}

int ff_maps_open_whole(struct ff_maps *maps)
{
	int rc = ff_maps_open(maps);

	maps->whole = true;
	maps->text = rc == 0 && atomic_load(&are_many);
	return rc;
}

int ff_maps_close(struct ff_maps *maps)
{
	if (maps->whole && ff_maps_are_many() != (maps->count > MANY))
		atomic_store(&are_many, maps->count > MANY);
	return ff_release(&maps->file);
}

static int query_next(struct ff_maps *maps, struct ff_mapping *ret)
{
	struct procmap_query q = {
		.size = sizeof(q),
		.query_flags = QUERY_COVERING_OR_NEXT |
			       (maps->writable ? QUERY_WRITABLE : 0) |
			       (maps->shared ? QUERY_SHARED : 0),
		.query_addr = maps->next,
	};
	long rc = ff_fault(FF_FAULT_NO_PROCMAP) ?
			  -ENOTTY :
			  sys(ioctl, maps->file.fd, FF_MAPS_QUERY, &q);

	if (rc < 0)
		return rc == -ENOENT ? 0 : (int)rc;
	ret->start = q.vma_start;
	ret->end = q.vma_end;
	ret->prot = (q.vma_flags & QUERY_READABLE ? PROT_READ : 0) |
		    (q.vma_flags & QUERY_WRITABLE ? PROT_WRITE : 0) |
		    (q.vma_flags & QUERY_EXECUTABLE ? PROT_EXEC : 0);
	ret->shared = (q.vma_flags & QUERY_SHARED) != 0;
	ret->anonymous = q.inode == 0 && q.dev_major == 0 && q.dev_minor == 0;
	maps->next = q.vma_end;
	return 1;
}

/* The next character of the text; 0 at the end, or -errno. */
static int text_char(struct ff_maps *maps)
{
	long got;

	if (maps->at == maps->have) {
		got = sys(pread64, maps->file.fd, maps->buffer,
			  sizeof(maps->buffer), maps->from);
		if (got <= 0)
			return (int)got;
		maps->from += (uint64_t)got;
		maps->have = (unsigned)got;
		maps->at = 0;
	}
	return (unsigned char)maps->buffer[maps->at++];
}

/* A hexadecimal number and the character behind it. */
static int text_hex(struct ff_maps *maps, uint64_t *ret)
{
	uint64_t value = 0;
	int c;

	while ((c = text_char(maps)) > 0) {
		if (c >= '0' && c <= '9')
			value = value << 4 | (unsigned)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (unsigned)(c - 'a' + 10);
		else
			break;
	}
	*ret = value;
	return c;
}

/* "start-end rwxp offset major:minor inode   name" */
static int text_next(struct ff_maps *maps, struct ff_mapping *ret)
{
	uint64_t start, end, offset, major, minor, inode;
	char flags[5];
	unsigned i;
	int c = text_hex(maps, &start);

	if (c <= 0)
		return c;
	c = text_hex(maps, &end);
	for (i = 0; i < sizeof(flags) && c > 0; i++) {
		c = text_char(maps);
		flags[i] = (char)c;
	}
	if (c > 0)
		c = text_hex(maps, &offset);
	if (c > 0)
		c = text_hex(maps, &major);
	if (c > 0)
		c = text_hex(maps, &minor);
	if (c > 0)
		c = text_hex(maps, &inode);
	while (c > 0 && c != '\n')
		c = text_char(maps);
	if (c <= 0)
		return c < 0 ? c : -EIO;
	ret->start = start;
	ret->end = end;
	ret->prot = ff_prot_of(flags);
	ret->shared = flags[3] == 's';
	ret->anonymous = inode == 0 && major == 0 && minor == 0;
	return 1;
}

static bool is_wanted(const struct ff_maps *maps, const struct ff_mapping *m)
{
	return (!maps->writable || (m->prot & PROT_WRITE)) &&
	       (!maps->shared || m->shared);
}

static int next_of_file(struct ff_maps *maps, struct ff_mapping *ret)
{
	int rc;

	if (!maps->text) {
		maps->count++;
		rc = query_next(maps, ret);
		/* before 6.11, and only at the first question */
		if (rc != -ENOTTY)
			return rc;
		maps->text = true;
	}
	do {
		maps->count++;
		rc = text_next(maps, ret);
	} while (rc > 0 && !is_wanted(maps, ret));
	return rc;
}

int ff_maps_next(struct ff_maps *maps, struct ff_mapping *ret)
{
	int rc = next_of_file(maps, ret);

	return rc <= 0 && !ff_is_held(&maps->file) ? -EBADF : rc;
}

int ff_maps_find(struct ff_maps *maps, struct ff_mapping *m, uintptr_t at)
{
	int rc = 1;

	if (!maps->text) {
		maps->next = at;
		m->end = 0;
	}
	while (rc > 0 && m->end <= at)
		rc = ff_maps_next(maps, m);
	return rc;
}

bool ff_is_droppable(uintptr_t page)
{
	return sys(madvise, page, FF_PAGE, MADV_KEEPONFORK) == -EINVAL;
}
