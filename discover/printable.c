#include "printable.h"

void
printable_add(struct buf *out, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] >= 0x20 && s[i] <= 0x7e && s[i] != '\\')
			buf_addc(out, s[i]);
		else
			buf_addf(out, "\\x%02x", (unsigned char)s[i]);
}
