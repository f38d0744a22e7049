/* A call site in words, for the log: "function+0x1c (module)". */
#ifndef FF_SITE_NAME_H
#define FF_SITE_NAME_H

#define FF_SITE_NAME_MAX 160

/* Fills and returns @buffer of FF_SITE_NAME_MAX bytes. */
const char *ff_site_name(const void *address, char *buffer);

#endif
