/*
 * A call site in words, for the log: module and offset, and where libunwind
 * is there and at the first sight of the site, the function and its callers:
 * "perl+0x17dd7d in Perl_pp_system < Perl_runops_standard < perl_run". Names
 * are those of the object files; what has none is "module+0xoffset" as well.
 */
#ifndef FF_SITE_NAME_H
#define FF_SITE_NAME_H

#define FF_SITE_NAME_MAX 256

/* Where a log is wanted, in a constructor: loads libunwind. Without it, sites
 * are named by module and offset. */
void ff_site_names_prepare(void);

/*
 * Is @address, a return address, at @place? UNKNOWN: it can't be told now.
 * As below.
 */
enum ff_match {
	FF_MATCH_UNKNOWN,
	FF_MATCH_NO,
	FF_MATCH_YES
};
struct ff_place;
enum ff_match ff_site_is_at(const void *address, const struct ff_place *place);

/*
 * Fills and returns @buffer of FF_SITE_NAME_MAX bytes. @address: a return
 * address of the running stack. The callers are those of the first call from
 * there. Keeps errno; async-signal-safe, waits for nobody.
 */
const char *ff_site_name(const void *address, char *buffer);

/*
 * @place, of FF_SITE_NAME_MAX bytes: module and offset of @address; @function,
 * of FF_SITE_FUNCTION_MAX: what that is in, or "". Async-signal-safe, waits for
 * nobody.
 */
#define FF_SITE_FUNCTION_MAX 48
void ff_site_place(const void *address, char *place, char *function);

#endif
