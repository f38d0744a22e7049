/*
 * The log. Runs in the program's processes, wherever a decision is made: in
 * the parent with libc's locks held, in a child before exec, in our signal
 * handlers.
 *
 * Rules: raw system calls only; no lock, no allocation, no errno.
 *
 * Hazards
 *  H-G1 "stderr" is the file that descriptor 2 was when we were loaded. By
 *       now it may be a data base. It is looked at before each line, and
 *       nothing is written elsewhere. Where another thread may close it in
 *       between, a copy is looked at and written to; but not of an ordinary
 *       file, as its closing would drop the program's locks (fcntl) on it:
 *       there the moment between the two calls is left.
 *  H-G2 No signal of ours: one write to a pipe nobody reads, over
 *       RLIMIT_FSIZE, or to a terminal from the background raises one. All
 *       are blocked meanwhile; those that it raised are taken back.
 *  H-G3 Nothing to wait for: a FIFO without a reader, a pipe or terminal that
 *       is full, a disk that is: the line is lost.
 *  H-G4 A path is a file of its own, not a link: /dev/stderr and
 *       /proc/self/fd/N are descriptors of the program's, and in a directory
 *       that others may write to, a link leads to any file. Its descriptor
 *       exists for the time of one write: another thread of the program that
 *       opens a file in it gets the next number.
 */
#include "tell/log.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "arch/hot.h"
#include "host/held.h"
#include "host/sandbox.h"
#include "host/signals.h"
#include "host/sys.h"
#include "libc/threads.h"
#include "tell/line.h"
#include "tell/options.h"

/* Above the numbers that a program counts on. */
#define HIGH_FD 512

/* H-G1: what descriptor 2 was when we were loaded. */
static struct {
	bool known;
	mode_t type;
	int access;
	dev_t dev, rdev;
	ino_t ino;
} stderr_was FF_HOT;

static bool look_at(int fd, struct stat *ret_stat, int *ret_access)
{
	long flags = sys(fcntl, fd, F_GETFL, 0);

	*ret_access = (int)flags & (O_ACCMODE | O_PATH);
	return flags >= 0 && sys(fstat, fd, ret_stat) == 0;
}

void ff_log_note_stderr(void)
{
	struct stat s;

	stderr_was.known = look_at(2, &s, &stderr_was.access);
	if (!stderr_was.known)
		return;
	stderr_was.type = s.st_mode & S_IFMT;
	stderr_was.dev = s.st_dev;
	stderr_was.rdev = s.st_rdev;
	stderr_was.ino = s.st_ino;
}

bool ff_log_knows_stderr(void)
{
	return stderr_was.known;
}

static bool is_stderr(int fd)
{
	struct stat s;
	int access;

	return stderr_was.known && look_at(fd, &s, &access) &&
	       access == stderr_was.access &&
	       (s.st_mode & S_IFMT) == stderr_was.type &&
	       s.st_dev == stderr_was.dev && s.st_rdev == stderr_was.rdev &&
	       s.st_ino == stderr_was.ino;
}

/* H-G2; signals are blocked. One call: EINTR is not worth another. */
static int write_line(int fd, const void *bytes, size_t n)
{
	const struct timespec now = { 0, 0 };
	ff_sigset before = ff_pending(), raised;
	long r = sys(write, fd, bytes, n);

	if (r == -EPIPE || r == -EFBIG) {
		raised = FF_SIG(r == -EPIPE ? SIGPIPE : SIGXFSZ) & ~before;
		if (raised)
			sys(rt_sigtimedwait, &raised, NULL, &now,
			    sizeof(raised));
	}
	return r < 0 ? (int)r : 0;
}

static int write_to_stderr(const void *bytes, size_t n)
{
	struct pollfd ready = { .fd = 2, .events = POLLOUT };
	long copy = -EMFILE;
	int r = -EBADF;

	if (stderr_was.type != S_IFREG && ff_may_have_threads())
		copy = sys(fcntl, 2, F_DUPFD_CLOEXEC, HIGH_FD);
	if (copy >= 0)
		ready.fd = (int)copy;
	if (is_stderr(ready.fd))
		r = sys(poll, &ready, 1, 0) == 1 ?
			    write_line(ready.fd, bytes, n) :
			    -EAGAIN;
	if (copy >= 0)
		sys(close, copy);
	return r;
}

static int write_to_file(const char *path, const void *bytes, size_t n)
{
	struct ff_held file;
	int r = ff_others_close_ours() ? -EBADF : 0;

	if (r == 0)
		r = ff_hold_any(&file, path,
				O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK |
					O_NOCTTY | O_NOFOLLOW,
				0666);
	if (r < 0)
		return r;
	r = write_line(file.fd, bytes, n);
	ff_release(&file);
	return r;
}

int ff_log_append(const char *path, const void *bytes, size_t n)
{
	ff_sigset mask;
	int r;

	if (atomic_load(&ff_sandboxed))
		return -EPERM;
	mask = ff_block_signals();
	r = ff_log_is_stderr(path) ? write_to_stderr(bytes, n) :
				     write_to_file(path, bytes, n);
	ff_setmask(mask);
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

static void say(const char *path, const char *fmt, va_list args)
{
	char text[FF_LOG_LINE_MAX];
	size_t n = ff_log_format(text, (int)sys(getpid), fmt, args);

	ff_log_append(path, text, n);
}

void ff_log(const char *fmt, ...)
{
	va_list args;

	if (!ff_log_wanted())
		return;
	va_start(args, fmt);
	say(ff_options.log, fmt, args);
	va_end(args);
}

bool ff_warn_wanted(void)
{
	return ff_options.on && ff_options.warn_rss_bytes &&
	       !atomic_load(&ff_sandboxed);
}

void ff_warn(const char *fmt, ...)
{
	va_list args;

	if (!ff_warn_wanted())
		return;
	va_start(args, fmt);
	say(ff_options.log ? ff_options.log : "stderr", fmt, args);
	va_end(args);
}
