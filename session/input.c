#include "input.h"

#include "wire.h"

#include <string.h>

/* True if a line without LF is not too long yet. */
static bool
may_continue(const char *in, size_t inlen)
{
	return inlen <= WIRE_LINE_MAX ||
	       (inlen == WIRE_LINE_MAX + 1 && in[WIRE_LINE_MAX] == '\r');
}

bool
input_line(const char *in, size_t inlen, bool eof, struct input_line *line)
{
	const char *lf = memchr(in, '\n', inlen);

	line->ended = lf != NULL;
	line->len = lf ? (size_t)(lf - in) : inlen;
	line->whole = line->len + line->ended;
	if (!line->ended && may_continue(in, inlen) && !eof)
		return false;
	if (line->ended && line->len > 0 && in[line->len - 1] == '\r')
		line->len--;
	return true;
}
