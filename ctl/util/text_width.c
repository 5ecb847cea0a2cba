#include "util/text_width.h"

#include "text.h"

#include <locale.h>
#include <string.h>
#include <sys/ioctl.h>
#include <wchar.h>

#define COLUMNS_DEFAULT 80

void
text_width_locale(void)
{
	if (setlocale(LC_CTYPE, "C.UTF-8") == NULL)
		setlocale(LC_CTYPE, "");
}

unsigned
text_width_terminal(int fd)
{
	struct winsize size;

	if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
		return COLUMNS_DEFAULT;
	return size.ws_col;
}

size_t
text_width(const char *s)
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
text_pad(struct buf *out, const char *s, size_t width)
{
	size_t w = text_width(s);

	buf_adds(out, s);
	for (; w < width; w++)
		buf_addc(out, ' ');
}
