/* Memory protection keys: the PKRU register, the calling thread's. Makes no
 * system call; async-signal-safe. */
#pragma weak __x86_get_cpuid_feature_leaf /* glibc's since 2.33 */

#include <cpuid.h>
#include <stdbool.h>
#include <string.h>
#include <sys/platform/x86.h>

#include "arch/arch.h"
#include "arch/hot.h"

#define XSTATE 0xd
#define PKRU 9 /* its number among the states that XSAVE keeps */

/* Where a signal frame says what follows the 512 bytes of FXSAVE. */
#define SOFTWARE_AT 464
#define MAGIC 0x46505853u
#define STATES_AT 512 /* which states are not as in a new process */

static _Atomic uint32_t pkru_at FF_HOT; /* of the frame's state; 0: unknown */

/* libc has asked the CPU, which takes 20 us in a guest. */
static bool has_keys(void)
{
	return __x86_get_cpuid_feature_leaf && CPU_FEATURE_PRESENT(OSPKE);
}

int ff_keys_possible(void)
{
	static _Atomic int answer FF_HOT; /* 1: yes, 2: no */
	unsigned a, b = 0, c, d;
	int known = answer;

	if (!known) {
		known = 2;
		if (has_keys() &&
		    __get_cpuid_count(XSTATE, PKRU, &a, &b, &c, &d) && b) {
			pkru_at = b;
			known = 1;
		}
		answer = known;
	}
	return known == 1;
}

uint32_t ff_keys(void)
{
	uint32_t keys, zero;

	__asm__ volatile("rdpkru" : "=a"(keys), "=d"(zero) : "c"(0));
	return keys;
}

static struct {
	bool noted;
	uint32_t keys;
} at_start;

void ff_keys_note_start(void)
{
	if (!has_keys())
		return;
	at_start.keys = ff_keys();
	at_start.noted = true;
}

int ff_keys_are_as_at_start(void)
{
	return at_start.noted && ff_keys() == at_start.keys;
}

void ff_set_keys(uint32_t keys)
{
	__asm__ volatile("wrpkru" : : "a"(keys), "c"(0), "d"(0) : "memory");
}

/* What the register will be when the handler returns; NULL: not told. */
static uint32_t *keys_in(const ucontext_t *uc)
{
	char *state = (char *)uc->uc_mcontext.fpregs;
	uint32_t magic, bytes;
	uint64_t states;

	if (!state)
		return NULL;
	memcpy(&magic, state + SOFTWARE_AT, sizeof(magic));
	memcpy(&bytes, state + SOFTWARE_AT + 16, sizeof(bytes));
	if (magic != MAGIC || bytes < pkru_at + sizeof(uint32_t))
		return NULL;
	memcpy(&states, state + STATES_AT, sizeof(states));
	if (!(states & (1u << PKRU))) {
		/* All are open: the CPU keeps no nought. */
		memset(state + pkru_at, 0, sizeof(uint32_t));
		states |= 1u << PKRU;
		memcpy(state + STATES_AT, &states, sizeof(states));
	}
	return (uint32_t *)(state + pkru_at);
}

int ff_keys_as_in(const ucontext_t *uc)
{
	const uint32_t *keys;

	if (!ff_keys_possible())
		return 1;
	keys = keys_in(uc);
	if (!keys || *keys & (FF_KEY_NO_ACCESS(0) | FF_KEY_NO_WRITE(0)))
		return 0;
	ff_set_keys(*keys);
	return 1;
}

void ff_keys_into(ucontext_t *uc)
{
	uint32_t *keys = ff_keys_possible() ? keys_in(uc) : NULL;

	if (keys)
		*keys = ff_keys();
}
