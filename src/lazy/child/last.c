/*
 * Runs in the child, or in the process that it became.
 *
 * Hazards
 *  H-D10 A child that was on trial has no exit signal until the kernel has
 *       started a program in it. Where that was refused, and it ends, it starts
 *       one that only ends: so the kernel tells its status to every wait, and
 *       sends its SIGCHLD.
 *  H-D13 An exec that fails behind the point of no return kills. What it needs
 *       is little, and looked at before.
 */
#include "lazy/child/last.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "arch/arch.h"
#include "host/page.h"
#include "host/sys.h"
#include "lazy/child/child.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x0010U
#endif

#define TEXT_AT 0x400000
#define TEXT_MAX 64
#define MEMORY_BYTES ((rlim_t)64 << 20)
#define STATUS_MAX 255
#define NAME_BYTES 16

struct program {
	Elf64_Ehdr header;
	Elf64_Phdr load;
	unsigned char text[TEXT_MAX];
};

static const struct program without_text = {
	.header = {
		.e_ident = { ELFMAG0, ELFMAG1, ELFMAG2, ELFMAG3, ELFCLASS64,
			     ELFDATA2LSB, EV_CURRENT },
		.e_type = ET_EXEC,
		.e_machine = FF_ELF_MACHINE,
		.e_version = EV_CURRENT,
		.e_entry = TEXT_AT + offsetof(struct program, text),
		.e_phoff = offsetof(struct program, load),
		.e_ehsize = sizeof(Elf64_Ehdr),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = 1,
	},
	.load = {
		.p_type = PT_LOAD,
		.p_flags = PF_R | PF_X,
		.p_vaddr = TEXT_AT,
		.p_paddr = TEXT_AT,
		.p_filesz = sizeof(struct program),
		.p_memsz = sizeof(struct program),
		.p_align = FF_PAGE,
	},
};

static long make_file(void)
{
	long fd = sys(memfd_create, "end", MFD_CLOEXEC | MFD_EXEC);

	/* before Linux 6.3 */
	return fd == -EINVAL ? sys(memfd_create, "end", MFD_CLOEXEC) : fd;
}

/* H-D13 */
static bool has_room(void)
{
	struct rlimit limit = { 0 };

	return sys(prlimit64, 0, RLIMIT_AS, NULL, &limit) == 0 &&
	       limit.rlim_cur >= MEMORY_BYTES;
}

void ff_end_as_ordinary(int status)
{
	char none[] = "", name[NAME_BYTES] = "", *argv[STATUS_MAX + 2];
	struct program program = without_text;
	int i;
	long fd;

	if (!ff_child.unsent || !has_room())
		return;
	fd = make_file();
	if (fd < 0)
		return;
	memcpy(program.text, ff_last_text,
	       (size_t)(ff_last_text_end - ff_last_text));
	sys(prctl, PR_GET_NAME, name);
	argv[0] = name;
	for (i = 1; i <= (status & STATUS_MAX); i++)
		argv[i] = none;
	argv[i] = NULL;
	if (sys(write, fd, &program, sizeof(program)) == sizeof(program))
		sys(execveat, fd, none, argv, argv + i, AT_EMPTY_PATH);
	sys(close, fd);
}
