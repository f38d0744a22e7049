#include "lend/objects.h"

#include "lazy/areas.h"
#include "lazy/hooks.h"

#include <link.h>
#include <sys/auxv.h>
#include <unistd.h>

#define RANGES 256
#define PER_OBJECT 64 /* guard words */
#define ENVIRON_MOST 64
#define COUNTED_MOST 64 /* functions bound by one child */

struct range {
	uintptr_t start, end;
};

static struct {
	unsigned count;
	struct range range[RANGES];
} data, bindings;

static struct range own, linker;
static uintptr_t own_writable; /* where own is so, behind RELRO */

/* Ours changes around every fork. */
#define LINKER_SYMBOL __attribute__((visibility("hidden")))
extern LINKER_SYMBOL char ff_image_start[] __asm__("__bss_start");

static void add(__typeof__(data) *to, uintptr_t start, uintptr_t end)
{
	if (start < end && to->count < RANGES)
		to->range[to->count++] = (struct range){ start, end };
}

static uintptr_t dynamic(const ElfW(Dyn) * dyn, ElfW(Sxword) tag)
{
	for (; dyn->d_tag != DT_NULL; dyn++)
		if (dyn->d_tag == tag)
			return dyn->d_un.d_val;
	return 0;
}

/* Three words of the linker's, then one for each function. */
static void note_bindings(uintptr_t base, const ElfW(Dyn) * dyn)
{
	uintptr_t got = dynamic(dyn, DT_PLTGOT);
	size_t count = dynamic(dyn, DT_PLTRELSZ) / sizeof(ElfW(Rela));

	if (!got)
		return;
	if (got < base)
		got += base; /* glibc has relocated it, others have not */
	add(&bindings, got, got + (3 + count) * sizeof(uintptr_t));
}

static int note_object(struct dl_phdr_info *info, size_t size, void *arg)
{
	uintptr_t base = info->dlpi_addr, relro_end = 0, start, end;
	const ElfW(Phdr) *p = info->dlpi_phdr, *last = p + info->dlpi_phnum;

	(void)size;
	(void)arg;
	for (; p < last; p++) {
		if (p->p_type == PT_GNU_RELRO)
			relro_end = base + p->p_vaddr + p->p_memsz;
		else if (p->p_type == PT_DYNAMIC)
			note_bindings(base,
				      (const ElfW(Dyn) *)(base + p->p_vaddr));
	}
	for (p = info->dlpi_phdr; p < last; p++) {
		if (p->p_type != PT_LOAD || !(p->p_flags & PF_W))
			continue;
		start = base + p->p_vaddr;
		end = start + p->p_memsz;
		if (start <= (uintptr_t)ff_image_start &&
		    (uintptr_t)ff_image_start < end) {
			own_writable = (start < relro_end ? relro_end : start) &
				       ~(FF_PAGE - 1);
			own = (struct range){ start & ~(FF_PAGE - 1),
					      (end + FF_PAGE - 1) &
						      ~(FF_PAGE - 1) };
			continue;
		}
		if (base == getauxval(AT_BASE))
			linker = (struct range){ start, end };
		else
			add(&data, start < relro_end ? relro_end : start, end);
	}
	return 0;
}

void ff_objects_prepare(void)
{
	dl_iterate_phdr(note_object, NULL);
}

bool ff_is_ours(uintptr_t page)
{
	return own.start <= page && page < own.end;
}

void ff_own_data(uintptr_t *ret_start, uintptr_t *ret_end)
{
	*ret_start = own_writable;
	*ret_end = own.end;
}

static bool is_slot(uintptr_t word)
{
	unsigned i;

	for (i = 0; i < bindings.count; i++)
		if (bindings.range[i].start <= word &&
		    word < bindings.range[i].end)
			return true;
	return false;
}

bool ff_is_binding(uintptr_t word, uint64_t difference)
{
	return is_slot(word) || (linker.start <= word && word < linker.end &&
				 difference <= COUNTED_MOST);
}

static void guard_word(struct ff_guard *guard, uintptr_t at)
{
	if (guard->count == FF_GUARDS || is_slot(at))
		return;
	guard->at[guard->count] = at;
	guard->value[guard->count++] = *(const uint64_t *)at;
}

static void guard_range(struct ff_guard *guard, const struct range *r)
{
	uintptr_t at = (r->start + 7) & ~(uintptr_t)7, step;

	step = ((r->end - at) / PER_OBJECT + 7) & ~(uintptr_t)7;
	if (!step)
		step = 8;
	for (; at + 8 <= r->end; at += step)
		guard_word(guard, at);
}

void ff_guard_take(struct ff_guard *guard)
{
	unsigned i;

	guard->count = 0;
	guard_word(guard, (uintptr_t)&environ);
	for (i = 0; environ && i < ENVIRON_MOST; i++) {
		guard_word(guard, (uintptr_t)&environ[i]);
		if (!environ[i])
			break;
	}
	for (i = 0; i < data.count; i++)
		guard_range(guard, &data.range[i]);
}

unsigned ff_guard_put_back(const struct ff_guard *guard)
{
	unsigned i, changed = 0;

	for (i = 0; i < guard->count; i++) {
		if (*(uint64_t *)guard->at[i] == guard->value[i])
			continue;
		*(uint64_t *)guard->at[i] = guard->value[i];
		changed++;
	}
	return changed;
}
