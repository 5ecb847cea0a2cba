#include "wire.h"

#include "text.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	int code;
	const char *text;
} codes[] = { { CODE_RECORD, "record" }, { CODE_CHUNK, "chunk" },
	{ CODE_OK, "done" }, { CODE_ACCEPTED, "accepted" },
	{ CODE_PARTLY, "partly done" }, { CODE_MALFORMED, "malformed" },
	{ CODE_NO_IDENTITY, "no identity" },
	{ CODE_NOT_ALLOWED, "not allowed" },
	{ CODE_NO_MATCH, "nothing matches" }, { CODE_TOO_SLOW, "too slow" },
	{ CODE_CONFLICT, "conflict" }, { CODE_TOO_LONG, "too long" },
	{ CODE_TOO_MANY, "too many" }, { CODE_FAILED, "failed" },
	{ CODE_UNKNOWN_VERB, "unknown verb" },
	{ CODE_UNAVAILABLE, "unavailable" },
	{ CODE_UNKNOWN_VERSION, "unknown version" } };

const char *
wire_code_text(int code)
{
	size_t i;

	for (i = 0; i < sizeof(codes) / sizeof(codes[0]); i++)
		if (codes[i].code == code)
			return codes[i].text;
	return NULL;
}

size_t
wire_split(char *line, size_t len, struct wire_field *fields, size_t max)
{
	char *end = line + len, *hash;
	size_t n = 0;

	for (;; line = hash + 1) {
		hash = memchr(line, '#', (size_t)(end - line));
		if (n < max) {
			fields[n].s = line;
			fields[n].len = (size_t)((hash ? hash : end) - line);
		}
		n++;
		if (hash == NULL)
			return n;
	}
}

static int
hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return -1;
}

ssize_t
wire_decode(char *s, size_t len)
{
	char *out = s;
	size_t i;
	int hi, lo;

	for (i = 0; i < len; i++) {
		if ((unsigned char)s[i] < 0x20)
			return -1;
		if (s[i] != '%') {
			*out++ = s[i];
			continue;
		}
		if (len - i < 3 ||
			(hi = hex_digit((unsigned char)s[i + 1])) < 0 ||
			(lo = hex_digit((unsigned char)s[i + 2])) < 0 ||
			(hi == 0 && lo == 0))
			return -1;
		*out++ = (char)(hi << 4 | lo);
		i += 2;
	}
	*out = '\0';
	return out - s;
}

static void
encode_byte(struct buf *b, unsigned char c)
{
	static const char hex[] = "0123456789ABCDEF";
	char x[3] = { '%', hex[c >> 4], hex[c & 15] };

	buf_add(b, x, sizeof(x));
}

/* Return the number of bytes at the start of s that need no encoding. */
static size_t
plain_run(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] >= 0x20 && s[n] < 0x7f && s[n] != '%' &&
		s[n] != '#')
		n++;
	return n;
}

void
wire_encode(struct buf *b, const char *s, size_t len)
{
	uint32_t code;
	size_t n;

	while (len > 0) {
		if ((n = plain_run(s, len)) > 0) {
			buf_add(b, s, n);
		} else if ((n = text_utf8(s, len, &code)) > 1 && code >= 0xa0) {
			buf_add(b, s, n);
		} else {
			encode_byte(b, (unsigned char)*s);
			n = 1;
		}
		s += n;
		len -= n;
	}
}

void
wire_record(struct buf *b)
{
	buf_add(b, "1#100", 5);
}

void
wire_put(struct buf *b, const char *s, size_t len)
{
	buf_addc(b, '#');
	wire_encode(b, s, len);
}

void
wire_puts(struct buf *b, const char *s)
{
	wire_put(b, s, strlen(s));
}

void
wire_putu(struct buf *b, unsigned long long v)
{
	buf_addc(b, '#');
	buf_addu(b, v);
}

void
wire_status(struct buf *b, int code, const char *text)
{
	buf_addf(b, "1#%d", code);
	wire_puts(b, text);
}

void
wire_pair(struct buf *b, const char *key, const char *value)
{
	buf_addc(b, '#');
	buf_adds(b, key);
	buf_addc(b, '=');
	wire_encode(b, value, strlen(value));
}

void
wire_end(struct buf *b)
{
	buf_addc(b, '\n');
}

void
wire_columns(struct buf *b, const char *const *names)
{
	wire_record(b);
	for (; *names != NULL; names++)
		wire_puts(b, *names);
	wire_end(b);
}

/*
 * Return the value of a decimal field without leading zeros. Return -1 if the
 * field is malformed or above `most`.
 */
static long
field_number(const struct wire_field *f, long most)
{
	long v = 0;
	size_t i;

	if (f->len == 0 || (f->s[0] == '0' && f->len > 1))
		return -1;
	for (i = 0; i < f->len; i++) {
		if (f->s[i] < '0' || f->s[i] > '9')
			return -1;
		v = v * 10 + (f->s[i] - '0');
		if (v > most)
			return -1;
	}
	return v;
}

int
wire_reply(char *line, size_t len, struct wire_reply *r)
{
	struct wire_field f[WIRE_COLUMNS_MAX + 2];
	size_t n, max = sizeof(f) / sizeof(f[0]);
	long v;

	memset(r, 0, sizeof(*r));
	n = wire_split(line, len, f, max);
	if (n < 3 || n > max || f[0].len != 1 || f[0].s[0] != '1')
		return -1;
	if (f[1].len != 3 || (v = field_number(&f[1], 999)) < 100)
		return -1;
	r->code = (int)v;
	if (r->code != CODE_CHUNK) {
		r->nfields = n - 2;
		memcpy(r->fields, f + 2, r->nfields * sizeof(f[0]));
		return 0;
	}
	if (n != 4 || (v = field_number(&f[2], 2)) < 0)
		return -1;
	r->stream = (unsigned)v;
	if ((v = field_number(&f[3], WIRE_CHUNK_MAX)) < 1)
		return -1;
	r->size = (size_t)v;
	return 0;
}
