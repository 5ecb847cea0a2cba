#include "buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUF_START 256

char *
buf_room(struct buf *b, size_t n)
{
	size_t cap = b->cap ? b->cap : BUF_START;
	char *data;

	if (b->failed || n > SIZE_MAX / 2 - b->len)
		goto fail;
	if (b->data != NULL && b->cap - b->len >= n)
		return b->data + b->len;
	while (cap - b->len < n)
		cap *= 2;
	if ((data = realloc(b->data, cap)) == NULL)
		goto fail;
	b->data = data;
	b->cap = cap;
	return b->data + b->len;
fail:
	b->failed = true;
	return NULL;
}

void
buf_add(struct buf *b, const void *p, size_t n)
{
	char *at;

	if (n == 0 || (at = buf_room(b, n)) == NULL)
		return;
	memcpy(at, p, n);
	b->len += n;
}

void
buf_adds(struct buf *b, const char *s)
{
	buf_add(b, s, strlen(s));
}

void
buf_addc(struct buf *b, char c)
{
	buf_add(b, &c, 1);
}

void
buf_addu(struct buf *b, unsigned long long v)
{
	char digits[24], *p = digits + sizeof(digits);

	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	buf_add(b, p, (size_t)(digits + sizeof(digits) - p));
}

void
buf_addv(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;
	char *at;
	int n;

	va_copy(again, ap);
	n = vsnprintf(NULL, 0, fmt, ap);
	if (n < 0) {
		b->failed = true;
	} else if ((at = buf_room(b, (size_t)n + 1)) != NULL) {
		vsnprintf(at, (size_t)n + 1, fmt, again);
		b->len += (size_t)n;
	}
	va_end(again);
}

void
buf_addf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_addv(b, fmt, ap);
	va_end(ap);
}

void
buf_drop(struct buf *b, size_t n)
{
	if (n >= b->len) {
		b->len = 0;
		return;
	}
	memmove(b->data, b->data + n, b->len - n);
	b->len -= n;
}

const char *
buf_str(struct buf *b)
{
	char *at = buf_room(b, 1);

	if (at == NULL)
		return "";
	*at = '\0';
	return b->data;
}

void
buf_reset(struct buf *b)
{
	b->len = 0;
	b->failed = false;
}

void
buf_free(struct buf *b)
{
	free(b->data);
	memset(b, 0, sizeof(*b));
}
