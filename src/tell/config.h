/*
 * Configuration files: options by program name. The object reads them when the
 * first fork, vfork or spawn is about to be decided (ways/settings.h), so that
 * a program that starts nothing makes no system call for them; the command, to
 * say what is wrong with them.
 *
 *	# in all programs
 *	min-rss = 64M
 *	[perl,python3*]
 *	fork = lazy
 *	fork@perl+0x17d6ee = real
 */
#ifndef FF_TELL_CONFIG_H
#define FF_TELL_CONFIG_H

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "tell/line.h"
#include "tell/options.h"
#include "tell/places.h"

#define FF_CONFIG_SYSTEM "/etc/flatfork.conf"
#define FF_CONFIG_IN_HOME "/.config/flatfork.conf" /* behind $HOME */
#define FF_CONFIG_HOME_MAX 96			   /* of $HOME, and its NUL */
#define FF_CONFIG_MAX ((size_t)64 << 10)	   /* bytes of a file */
#define FF_CONFIG_LINE_MAX 512			   /* of a complaint */

/* What a file is read for, and what comes of it. */
struct ff_config {
	/* The names of the program, up to a NULL; NULL: all sections count, for
	 * who looks for mistakes. */
	const char *const *program;
	const uid_t *user; /* whose files count, besides root's; NULL: ours */
	uint32_t said; /* a bit for each option that is set already */
	/* What there was; is changed. A path points into the file's text. */
	struct ff_options options;
	struct ff_places *places; /* added to; NULL: they are only looked at */
	/* A mistake: a line that begins with the file, without a newline. */
	void (*complain)(void *arg, const struct ff_line *line);
	void *arg;
};

/*
 * Take the @n bytes at @text, which are written to, for what the file @path
 * has. A later line goes before an earlier one. What is not understood is
 * complained about and passed over. Pure, but for complaints.
 */
void ff_config_parse(struct ff_config *config, const char *path, char *text,
		     size_t n);

/*
 * The text of @path in memory mapped for it, and *ret_bytes. NULL if there is
 * no such file, which is no mistake where it is @optional, or if it is not to
 * be trusted: another user's than root's or @user's, or others may write it.
 * Context: any; raw system calls, no errno.
 */
char *ff_config_map(const struct ff_config *config, const char *path,
		    bool optional, size_t *ret_bytes);
/* Likewise of one that was opened so, or -errno; closes it. */
#define FF_CONFIG_OPEN (O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
char *ff_config_map_opened(const struct ff_config *config, const char *path,
			   long fd, bool optional, size_t *ret_bytes);
void ff_config_unmap(char *text);

#endif
