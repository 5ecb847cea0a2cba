#include "cli/host_share.h"

#include "text.h"

#include <limits.h>
#include <string.h>

int
host_share_parse(const char *text, size_t least, struct host_share *out)
{
	size_t len = strlen(text);
	bool share = len > 0 && text[len - 1] == '%';
	char digits[12];
	long v;

	if (len >= sizeof(digits))
		return -1;
	memcpy(digits, text, len + 1);
	if (share)
		digits[len - 1] = '\0';
	if (text_number(digits, (long)least, share ? 100 : INT_MAX, &v) != 0)
		return -1;
	*out = (struct host_share){ .least = least };
	*(share ? &out->percent : &out->number) = (size_t)v;
	return 0;
}

size_t
host_share_count(const struct host_share *s, size_t total)
{
	if (s->percent == 0)
		return s->number;
	return (s->percent * total + (s->least ? 99 : 0)) / 100;
}
