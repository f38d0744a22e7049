/*
 * Runs in whoever execs: a process, the child of a vfork, a lazy child, which is
 * mediated. No allocation, no lock.
 *
 * The program may hand exec pointers to nowhere, which is an error there and no
 * fault (EFAULT). So each page is asked for before it is read; in a lazy child
 * by a call that its mediator sees, as it may be absent.
 */
#include "preload/heirs.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>

#include "host/page.h"
#include "host/sandbox.h"
#include "host/signals.h"
#include "preload/preload.h"
#include "process/stance.h"

/* More than any program has, and less than any stack. */
#define COPY_MAX ((size_t)16 << 10)

static const char key[] = "LD_PRELOAD=";
#define KEY_BYTES (sizeof(key) - 1)

/* The page that was asked for last: 0, none. */
struct view {
	uintptr_t page;
};

static bool is_page_there(uintptr_t page)
{
	if (!ff_mediated)
		return ff_may_read_word((const void *)page);
	return ff_next_syscall(SYS_rt_sigprocmask, FF_NO_SUCH_WAY, page, NULL,
			       sizeof(ff_sigset)) == 0 ||
	       errno != EFAULT;
}

static bool may_read(struct view *view, const void *at)
{
	const uintptr_t page = ff_page_floor((uintptr_t)at);

	if (page && page == view->page)
		return true;
	view->page = page && is_page_there(page) ? page : 0;
	return view->page != 0;
}

/* The bytes of a string that is to be copied, with its NUL: 0, of one that is
 * not, -1: it can't be read. */
static long bytes_of(struct view *view, const char *at)
{
	size_t n;

	for (n = 0; n < COPY_MAX; n++) {
		if (!may_read(view, at + n))
			return -1;
		if (n < KEY_BYTES && at[n] != key[n])
			return 0;
		if (!at[n])
			return (long)n + 1;
	}
	return -1;
}

static size_t measure(char *const envp[])
{
	struct view array = { 0 }, text = { 0 };
	size_t bytes = sizeof(*envp), copied = 0;
	long n;

	for (; bytes + copied <= COPY_MAX; envp++, bytes += sizeof(*envp)) {
		if (!may_read(&array, envp))
			return 0;
		if (!*envp)
			return copied ? bytes + copied : 0;
		n = bytes_of(&text, *envp);
		if (n < 0)
			return 0;
		copied += (size_t)n;
	}
	return 0;
}

size_t ff_heirs_bytes(char *const envp[])
{
	const int error = errno;
	size_t bytes = 0;

	/* NULL is an empty one. A filter of the program's own may not let us
	 * ask. */
	if (envp && !atomic_load(&ff_sandboxed) &&
	    (!ff_mediated || ff_next_syscall))
		bytes = measure(envp);
	errno = error;
	return bytes;
}

/* Another thread may write to the environment meanwhile: what it has now may
 * need more. */
char *const *ff_heirs_copy(void *to, size_t bytes, char *const envp[])
{
	char **out = to, *end = (char *)to + bytes, *text = end;
	char *const *at;

	for (at = envp; *at; at++) {
		const bool may_be_us = !strncmp(*at, key, KEY_BYTES);
		const size_t n = may_be_us ? strlen(*at) + 1 : 0;

		if ((size_t)(text - (char *)out) < n + 2 * sizeof(*out))
			return envp;
		if (!may_be_us) {
			*out++ = *at;
			continue;
		}
		text -= n;
		memcpy(text, *at, n);
		text[n - 1] = '\0';
		if (!ff_take_us_out(text + KEY_BYTES) || text[KEY_BYTES])
			*out++ = text;
	}
	*out = NULL;
	return to;
}
