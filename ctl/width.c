#include "width.h"

#include "text.h"

#include <locale.h>
#include <string.h>
#include <wchar.h>

void
width_locale(void)
{
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		setlocale(LC_CTYPE, "");
}

size_t
width_of(const char *s)
{
	size_t left = strlen(s), n, width = 0;
	uint32_t code;
	int w;

	for (; left > 0; s += n, left -= n) {
		if ((n = text_utf8(s, left, &code)) == 0) {
			code = '?';
			n = 1;
		}
		w = wcwidth((wchar_t)code);
		width += w < 0 ? 1 : (size_t)w;
	}
	return width;
}

void
width_pad(struct buf *out, const char *s, size_t width)
{
	size_t w = width_of(s);

	buf_adds(out, s);
	for (; w < width; w++)
		buf_addc(out, ' ');
}
