/*
 * Fuzz target for input from a client. The target splits the input into lines
 * and parses each line as a session does. An accepted request must be valid.
 * request_format() makes a line from the request. This line must parse to the
 * same request. A refused line must have a code and a printable reason.
 */
#include "request.h"
#include "text.h"
#include "wire.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define SHOWN_MAX 256
/* Largest number of parsed lines. More lines would make the target slow. */
#define LINES_MAX 32

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool good)
{
	if (!good)
		abort();
}

/*
 * Return a copy of `s`, with `more` free bytes at its end. The size is exact,
 * so that ASan detects a read beyond the end.
 */
static char *
copy(const char *s, size_t len, size_t more)
{
	char *p;

	must(len < PTRDIFF_MAX - more);
	p = malloc(len + more);
	must(p != NULL || len + more == 0);
	if (len > 0)
		memcpy(p, s, len);
	return p;
}

static void
must_be_plain(const char *s, size_t len)
{
	uint32_t code;
	size_t n;

	for (; len > 0; s += n, len -= n) {
		n = text_utf8(s, len, &code);
		must(n > 0 && !text_unsafe(code));
	}
}

/*
 * Check that text_safe() makes any bytes printable. If the bytes have no NUL,
 * encode and decode the bytes, and check that they stay the same.
 */
static void
encode(const char *s, size_t len)
{
	struct buf b = { 0 };
	size_t i;

	/*
	 * Pass only the first bytes to text_safe(). More bytes would be slow
	 * and test nothing else.
	 */
	text_safe(&b, s, len < SHOWN_MAX ? len : SHOWN_MAX);
	must_be_plain(b.data, b.len);
	buf_reset(&b);
	wire_encode(&b, s, len);
	for (i = 0; i < b.len; i++)
		must((unsigned char)b.data[i] >= 0x20 && b.data[i] != '#' &&
			b.data[i] != 0x7f);
	buf_str(&b);
	if (len > 0 && memchr(s, '\0', len) == NULL) {
		must(wire_decode(b.data, b.len) == (ssize_t)len);
		must(memcmp(b.data, s, len) == 0);
	}
	buf_free(&b);
}

static void
decode(const char *s, size_t len)
{
	char *p = copy(s, len, 1);
	ssize_t n = wire_decode(p, len);

	must(n <= (ssize_t)len);
	if (n >= 0) {
		must(p[n] == '\0' && strlen(p) == (size_t)n);
		encode(p, (size_t)n);
	}
	free(p);
}

static void
split(const char *s, size_t len)
{
	struct wire_field f[WIRE_FIELDS_MAX];
	char *p = copy(s, len, 1), *at = p;
	size_t n = wire_split(p, len, f, WIRE_FIELDS_MAX), i;

	must(n >= 1);
	for (i = 0; i < n && i < WIRE_FIELDS_MAX; i++) {
		must(f[i].s == at);
		must(memchr(at, '#', f[i].len) == NULL);
		at += f[i].len + 1;
	}
	must(n > WIRE_FIELDS_MAX || at == p + len + 1);
	free(p);
}

static void
reply(const char *s, size_t len)
{
	char *p = copy(s, len, 1);
	struct wire_reply r;
	size_t i;

	if (wire_reply(p, len, &r) == 0) {
		must(r.code >= 100 && r.code <= 999);
		must(r.nfields <= WIRE_COLUMNS_MAX);
		must(r.code != CODE_CHUNK ||
			(r.nfields == 0 && r.size >= 1 &&
				r.size <= WIRE_CHUNK_MAX && r.stream <= 2));
		for (i = 0; i < r.nfields; i++)
			must(r.fields[i].s >= p &&
				r.fields[i].s + r.fields[i].len <= p + len);
	}
	free(p);
}

/* Parse a line from request_format(), and fail unless the line is accepted. */
static void
parse_again(const struct buf *line)
{
	char *p = copy(line->data, line->len, 1);
	struct request_error e;
	struct request r;
	struct buf again = { 0 };

	must(request_parse(p, line->len, true, &r, &e) == 0);
	must(request_valid(&r));
	request_format(&r, &again);
	must(again.len == line->len &&
		memcmp(again.data, line->data, again.len) == 0);
	buf_free(&again);
	free(p);
}

static void
parse(const char *s, size_t len, bool ended)
{
	char *p = copy(s, len, 1);
	struct request_error e;
	struct request r;
	struct buf line = { 0 };

	if (request_parse(p, len, ended, &r, &e) != 0) {
		must(wire_code_text(e.code) != NULL && e.code >= 400);
		must(memchr(e.reason, '\0', sizeof(e.reason)) != NULL);
		must(*e.reason != '\0');
	} else {
		must(len <= WIRE_LINE_MAX);
		must(request_valid(&r));
		must(ended || r.explain ||
			!verb_by_number((long)r.verb)->changes);
		request_format(&r, &line);
		/*
		 * The formatted line may exceed the limit, because encoding may
		 * turn one byte into three.
		 */
		if (line.len <= WIRE_LINE_MAX)
			parse_again(&line);
	}
	buf_free(&line);
	free(p);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *s = (const char *)data, *end = s + size, *lf;
	size_t len, lines;

	for (lines = 0; s < end && lines < LINES_MAX; lines++) {
		lf = memchr(s, '\n', (size_t)(end - s));
		len = (size_t)((lf ? lf : end) - s);
		split(s, len);
		decode(s, len);
		encode(s, len);
		reply(s, len);
		parse(s, len, lf != NULL);
		if (lf == NULL)
			break;
		if (len > 0 && s[len - 1] == '\r')
			parse(s, len - 1, true);
		s = lf + 1;
	}
	return 0;
}
