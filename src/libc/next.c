#include "libc/next.h"

#include "libc/libc.h"
#include "libc/weak.h"

FF_WEAK(dlerror)
FF_WEAK(dlsym)

#include <dlfcn.h>
#include <elf.h>
#include <link.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "host/page.h"
#include "host/sys.h"

#define LINKER_SYMBOL __attribute__((visibility("hidden")))
extern LINKER_SYMBOL const char own_start[] __asm__("__ehdr_start");
extern LINKER_SYMBOL const ElfW(Dyn) own_dynamic[] __asm__("_DYNAMIC");

/* A version that only those are given who ask for it. */
#define HIDDEN_VERSION 0x8000

struct symbols {
	uintptr_t base;
	const ElfW(Sym) * table;
	const char *strings;
	const uint32_t *gnu_hash; /* or NULL */
	const uint32_t *hash;	  /* or NULL */
	const uint16_t *version;  /* or NULL */
	uintptr_t code;		  /* 0: unknown */
};

/* Some dynamic linkers add the base in memory, some do not. */
static uintptr_t address_of(uintptr_t base, uintptr_t value)
{
	return value < base ? base + value : value;
}

static bool read_dynamic(uintptr_t base, const ElfW(Dyn) * d,
			 struct symbols *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->base = base;
	for (; d->d_tag != DT_NULL; d++) {
		const uintptr_t at = address_of(base, d->d_un.d_ptr);

		if (d->d_tag == DT_SYMTAB)
			ret->table = (const void *)at;
		else if (d->d_tag == DT_STRTAB)
			ret->strings = (const void *)at;
		else if (d->d_tag == DT_GNU_HASH)
			ret->gnu_hash = (const void *)at;
		else if (d->d_tag == DT_HASH)
			ret->hash = (const void *)at;
		else if (d->d_tag == DT_VERSYM)
			ret->version = (const void *)at;
		else if (d->d_tag == DT_INIT)
			ret->code = at;
	}
	return ret->table && ret->strings && (ret->gnu_hash || ret->hash);
}

static bool is_it(const struct symbols *s, uint32_t i, const char *name)
{
	const ElfW(Sym) *symbol = &s->table[i];
	const int type = symbol->st_info & 0xf;

	return symbol->st_value && symbol->st_shndx != SHN_UNDEF &&
	       (type == STT_FUNC || type == STT_NOTYPE ||
		type == STT_GNU_IFUNC) &&
	       !(s->version && s->version[i] & HIDDEN_VERSION) &&
	       !strcmp(s->strings + symbol->st_name, name);
}

static const ElfW(Sym) * find_gnu(const struct symbols *s, const char *name)
{
	const uint32_t buckets = s->gnu_hash[0], first = s->gnu_hash[1],
		       words = s->gnu_hash[2];
	const uint32_t *bucket =
		s->gnu_hash + 4 + words * (sizeof(uintptr_t) / sizeof(words));
	const uint32_t *chain = bucket + buckets;
	uint32_t hash = 5381, i;
	const char *c;

	for (c = name; *c; c++)
		hash = hash * 33 + (unsigned char)*c;
	i = bucket[hash % buckets];
	if (i < first)
		return NULL;
	for (;; i++) {
		if ((chain[i - first] | 1) == (hash | 1) && is_it(s, i, name))
			return &s->table[i];
		if (chain[i - first] & 1)
			return NULL;
	}
}

static const ElfW(Sym) * find_plain(const struct symbols *s, const char *name)
{
	const uint32_t buckets = s->hash[0];
	const uint32_t *bucket = s->hash + 2, *chain = bucket + buckets;
	uint32_t hash = 0, i;
	const char *c;

	for (c = name; *c; c++) {
		hash = (hash << 4) + (unsigned char)*c;
		hash = (hash ^ (hash >> 24 & 0xf0)) & 0x0fffffff;
	}
	for (i = bucket[hash % buckets]; i; i = chain[i])
		if (is_it(s, i, name))
			return &s->table[i];
	return NULL;
}

static const ElfW(Sym) * find(const struct symbols *s, const char *name)
{
	return s->gnu_hash ? find_gnu(s, name) : find_plain(s, name);
}

static void *value_of(const struct symbols *s, const ElfW(Sym) * symbol)
{
	const uintptr_t at = s->base + symbol->st_value;

	if ((symbol->st_info & 0xf) == STT_GNU_IFUNC)
		return ((void *(*)(void))at)();
	return (void *)at;
}

struct search {
	const char *name;
	bool is_behind_us;
	void *found;
};

/* For each object, in the order in which they are searched. */
static int look(struct dl_phdr_info *info, size_t size, void *arg)
{
	struct search *search = arg;
	const ElfW(Sym) * symbol;
	struct symbols s;
	int i;

	(void)size;
	if (!search->is_behind_us) {
		search->is_behind_us = info->dlpi_addr == (uintptr_t)own_start;
		return 0;
	}
	for (i = 0; i < info->dlpi_phnum; i++) {
		if (info->dlpi_phdr[i].p_type != PT_DYNAMIC ||
		    !read_dynamic(info->dlpi_addr,
				  (const void *)(info->dlpi_addr +
						 info->dlpi_phdr[i].p_vaddr),
				  &s))
			continue;
		symbol = find(&s, search->name);
		if (symbol)
			search->found = value_of(&s, symbol);
	}
	return search->found != NULL;
}

void *ff_libc_next_by_tables(const char *name)
{
	struct search search = { name, false, NULL };

	dl_iterate_phdr(look, &search);
	return search.found;
}

void *ff_libc_next(const char *name)
{
	void *found;

	if (!ff_libc_is_known())
		return ff_libc_next_by_tables(name);
	found = dlsym(RTLD_NEXT, name);
	if (!found)
		dlerror(); /* it is not the program's to find */
	return found;
}

void ff_libc_withdraw(const char *name)
{
	struct symbols own;
	const ElfW(Sym) * symbol;
	uintptr_t start, end;

	if (!read_dynamic((uintptr_t)own_start, own_dynamic, &own))
		return;
	symbol = find(&own, name);
	if (!symbol)
		return;
	start = ff_page_floor((uintptr_t)symbol);
	end = ff_page_ceiling((uintptr_t)(symbol + 1));
	/* Code is not made writable, nor what was written made code. */
	if (own.code < end ||
	    sys(mprotect, start, end - start, PROT_READ | PROT_WRITE) < 0)
		return;
	__atomic_store_n((ElfW(Addr) *)&symbol->st_value, 0, __ATOMIC_RELEASE);
	sys(mprotect, start, end - start, PROT_READ);
}
