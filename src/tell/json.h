/* A string as JSON has it. */
#ifndef FF_TELL_JSON_H
#define FF_TELL_JSON_H

#include "tell/line.h"

/* In quotes, escaped; bytes that are not UTF-8 become U+FFFD. */
void ff_json_string(struct ff_line *line, const char *s);

#endif
