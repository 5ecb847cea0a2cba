#include "util/message.h"

#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct buf *collected;

static void print_prefixed(const char *host, const char *fmt, va_list)
	__attribute__((format(printf, 2, 0)));

static void
print_prefixed(const char *host, const char *fmt, va_list ap)
{
	struct buf line = { 0 };
	char *text = NULL;

	if (vasprintf(&text, fmt, ap) < 0)
		return;
	buf_adds(&line, "bridlectl: ");
	if (host != NULL) {
		text_safe(&line, host, strlen(host));
		buf_adds(&line, ": ");
	}
	text_safe(&line, text, strlen(text));
	buf_addc(&line, '\n');
	if (collected != NULL)
		buf_add(collected, line.data, line.len);
	else
		fwrite(buf_str(&line), 1, line.len, stderr);
	buf_free(&line);
	free(text);
}

void
message_collect(struct buf *out)
{
	collected = out;
}

void
message_print(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_prefixed(NULL, fmt, ap);
	va_end(ap);
}

void
message_host(const char *host, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	print_prefixed(host, fmt, ap);
	va_end(ap);
}

void
message_lines(const char *host, const char *text)
{
	size_t len;

	for (; *text != '\0'; text += len + (text[len] == '\n')) {
		len = strcspn(text, "\n");
		message_host(host, "%.*s", (int)len, text);
	}
}
