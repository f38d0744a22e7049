/*
 * The log. Runs in the program's processes, wherever a decision is made: in
 * the parent with libc's locks held, in a child before exec, in our signal
 * handlers.
 *
 * Rules: raw system calls only; no lock, no allocation, no errno.
 *
 * Hazards:
 *  - a write to a pipe nobody reads, or over RLIMIT_FSIZE, raises a signal
 *    the program never asked for: both are blocked meanwhile, and taken back
 *  - the file's descriptor exists for the time of one write: another thread
 *    of the program that opens a file in it gets the next number
 */
#include "tell/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "host/sandbox.h"
#include "host/sys.h"
#include "tell/line.h"
#include "tell/options.h"

/* The kernel's signal set: 64 bits, signal n in bit n-1. */
#define BIT(sig) (UINT64_C(1) << ((sig)-1))
#define WRITE_SIGNALS (BIT(SIGPIPE) | BIT(SIGXFSZ))

static int write_quietly(int fd, const void *bytes, size_t n)
{
	const uint64_t ours = WRITE_SIGNALS;
	const struct timespec now = { 0, 0 };
	uint64_t old, before = 0, raised;
	long r;

	sys(rt_sigprocmask, SIG_BLOCK, &ours, &old, sizeof(ours));
	sys(rt_sigpending, &before, sizeof(before));
	do {
		r = sys(write, fd, bytes, n);
	} while (r == -EINTR);
	if (r == -EPIPE || r == -EFBIG) {
		raised = (r == -EPIPE ? BIT(SIGPIPE) : BIT(SIGXFSZ)) & ~before;
		if (raised)
			sys(rt_sigtimedwait, &raised, NULL, &now,
			    sizeof(raised));
	}
	sys(rt_sigprocmask, SIG_SETMASK, &old, NULL, sizeof(old));
	return r < 0 ? (int)r : 0;
}

int ff_log_append(const char *path, const void *bytes, size_t n)
{
	long fd;
	int r;

	if (atomic_load(&ff_sandboxed))
		return -EPERM;
	if (!strcmp(path, "stderr"))
		return write_quietly(2, bytes, n);
	fd = sys(openat, AT_FDCWD, path,
		 O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK |
			 O_NOCTTY,
		 0666);
	if (fd < 0)
		return (int)fd;
	r = write_quietly((int)fd, bytes, n);
	sys(close, fd);
	return r;
}

/*
 * One conversion; @at is behind its '%'. Returns where the text goes on, NULL
 * for a conversion that is not in the subset: the arguments behind it can't
 * be found.
 */
static const char *convert(struct ff_line *line, const char *at, va_list *args)
{
	bool is_long = *at == 'l';
	const char *s;

	at += is_long;
	switch (*at) {
	case '%':
		ff_line_char(line, '%');
		break;
	case 'c':
		ff_line_char(line, (char)va_arg(*args, int));
		break;
	case 's':
		s = va_arg(*args, const char *);
		ff_line_foreign(line, s ? s : "(null)", FF_LOG_LINE_MAX);
		break;
	case 'd':
		ff_line_signed(line, is_long ? va_arg(*args, long) :
					       va_arg(*args, int));
		break;
	case 'u':
	case 'x':
		ff_line_unsigned(line,
				 is_long ? va_arg(*args, unsigned long) :
					   va_arg(*args, unsigned),
				 *at == 'x' ? 16 : 10);
		break;
	case 'p':
		ff_line_str(line, "0x");
		ff_line_unsigned(line, (uintptr_t)va_arg(*args, void *), 16);
		break;
	default:
		return NULL;
	}
	return at + 1;
}

size_t ff_log_format(char text[FF_LOG_LINE_MAX], int pid, const char *fmt,
		     va_list args)
{
	struct ff_line line = ff_line_start(text, FF_LOG_LINE_MAX);
	va_list rest;

	va_copy(rest, args);
	ff_line_str(&line, "flatfork[");
	ff_line_signed(&line, pid);
	ff_line_str(&line, "]: ");
	while (*fmt) {
		const char *next = fmt;

		if (*fmt != '%') {
			ff_line_char(&line, *fmt++);
			continue;
		}
		next = convert(&line, fmt + 1, &rest);
		if (!next) {
			ff_line_str(&line, fmt);
			break;
		}
		fmt = next;
	}
	va_end(rest);
	return ff_line_end(&line);
}

bool ff_log_wanted(void)
{
	return ff_options.on && ff_options.log && !atomic_load(&ff_sandboxed);
}

void ff_log(const char *fmt, ...)
{
	char text[FF_LOG_LINE_MAX];
	va_list args;
	size_t n;

	if (!ff_log_wanted())
		return;
	va_start(args, fmt);
	n = ff_log_format(text, (int)sys(getpid), fmt, args);
	va_end(args);
	ff_log_append(ff_options.log, text, n);
}
