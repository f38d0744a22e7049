/* Rules: as line.h. */
#include "tell/json.h"

#include <stddef.h>

/* Length of the UTF-8 sequence at @s, 0 if there is none. */
static size_t utf8_length(const unsigned char *s)
{
	size_t n;

	if (s[0] < 0x80)
		n = 1;
	else if (s[0] >= 0xc2 && s[0] <= 0xdf)
		n = 2;
	else if (s[0] >= 0xe0 && s[0] <= 0xef)
		n = 3;
	else if (s[0] >= 0xf0 && s[0] <= 0xf4)
		n = 4;
	else
		n = 0;
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	}
	/* Overlong, a surrogate, or beyond U+10FFFF. */
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

void ff_json_string(struct ff_line *line, const char *s)
{
	static const char hex[] = "0123456789abcdef";

	ff_line_char(line, '"');
	while (*s) {
		unsigned char c = (unsigned char)*s;
		size_t n = utf8_length((const unsigned char *)s);

		if (!n) {
			ff_line_str(line, "\\ufffd");
			n = 1;
		} else if (c < 0x20 || c == 0x7f) {
			ff_line_str(line, "\\u00");
			ff_line_char(line, hex[c >> 4]);
			ff_line_char(line, hex[c & 15]);
		} else {
			if (c == '"' || c == '\\')
				ff_line_char(line, '\\');
			ff_line_bytes(line, s, n);
		}
		s += n;
	}
	ff_line_char(line, '"');
}
