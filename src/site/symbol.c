/*
 * Names from the file an object was loaded from: .symtab where it was not
 * stripped, else .dynsym. Read by pread into a buffer of ours, as a file
 * that is mapped and then truncated kills its reader.
 *
 * Rules: raw system calls, no allocation, no lock; nothing stays open. The
 * static buffer is the caller's reason to let one thread in at a time.
 */
#include "site/symbol.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>

#include "host/held.h"
#include "host/sys.h"

#define SYMBOLS_AT_ONCE 512
#define SECTIONS_MOST 4096

static Elf64_Sym symbols[SYMBOLS_AT_ONCE];

static bool read_at(int fd, void *buffer, size_t size, uint64_t offset)
{
	return sys(pread64, fd, buffer, size, offset) == (long)size;
}

static bool section_at(int fd, const Elf64_Ehdr *header, unsigned index,
		       Elf64_Shdr *ret)
{
	return index < header->e_shnum && index < SECTIONS_MOST &&
	       read_at(fd, ret, sizeof(*ret),
		       header->e_shoff + index * sizeof(*ret));
}

static bool find_section(int fd, const Elf64_Ehdr *header, uint32_t type,
			 Elf64_Shdr *ret)
{
	unsigned i;

	for (i = 0; section_at(fd, header, i, ret); i++)
		if (ret->sh_type == type)
			return true;
	return false;
}

static bool covers(const Elf64_Sym *s, uint64_t address)
{
	unsigned type = ELF64_ST_TYPE(s->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC) &&
	       s->st_shndx != SHN_UNDEF && address >= s->st_value &&
	       address - s->st_value < s->st_size;
}

/* Of several names for one function the global one: its place in the string
 * table; 0, where the empty name is: none. */
static uint32_t find_symbol(int fd, const Elf64_Shdr *table, uint64_t address)
{
	uint64_t count = table->sh_size / sizeof(Elf64_Sym), done, i, n;
	uint32_t name = 0;

	for (done = 0; done < count; done += n) {
		n = count - done;
		if (n > SYMBOLS_AT_ONCE)
			n = SYMBOLS_AT_ONCE;
		if (!read_at(fd, symbols, n * sizeof(Elf64_Sym),
			     table->sh_offset + done * sizeof(Elf64_Sym)))
			return name;
		for (i = 0; i < n; i++) {
			if (!covers(&symbols[i], address))
				continue;
			name = symbols[i].st_name;
			if (ELF64_ST_BIND(symbols[i].st_info) == STB_GLOBAL)
				return name;
		}
	}
	return name;
}

static bool name_in_table(int fd, const Elf64_Ehdr *header, uint32_t type,
			  uint64_t address, char *name, size_t size)
{
	Elf64_Shdr table, strings;
	uint32_t at;
	long got;

	if (!find_section(fd, header, type, &table) ||
	    !section_at(fd, header, table.sh_link, &strings))
		return false;
	at = find_symbol(fd, &table, address);
	if (at == 0 || at >= strings.sh_size)
		return false;
	got = sys(pread64, fd, name, size - 1, strings.sh_offset + at);
	if (got <= 0)
		return false;
	name[got] = 0;
	return *name != 0;
}

bool ff_symbol_of(const struct ff_object *object, uintptr_t address, char *name,
		  size_t size)
{
	uint64_t in_file = address - object->bias;
	Elf64_Ehdr header;
	struct ff_held file;
	bool found;
	int fd;

	if (ff_hold_any(&file, object->path, O_RDONLY | O_NONBLOCK | O_NOCTTY,
			0) < 0)
		return false;
	fd = file.fd;
	/* A file that was replaced since has its sections elsewhere. */
	found = read_at(fd, &header, sizeof(header), 0) &&
		!memcmp(&header, (const void *)object->start, sizeof(header)) &&
		header.e_shentsize == sizeof(Elf64_Shdr) &&
		(name_in_table(fd, &header, SHT_SYMTAB, in_file, name, size) ||
		 name_in_table(fd, &header, SHT_DYNSYM, in_file, name, size));
	return ff_release(&file) == 0 && found;
}
