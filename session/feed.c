#include "feed.h"

#include "fd.h"
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BEGINNING "1#101#"
#define HEADER "1#101#0#"
#define HEADER_MAX 16 /* bytes, with CR LF */

void
feed_open(struct feed *f, int pipe, uint64_t most)
{
	memset(f, 0, sizeof(*f));
	f->pipe = pipe;
	f->due = true;
	f->left = most;
}

static void
cut(struct feed *f, int code)
{
	if (f->cut == 0 && f->pipe != -1)
		f->cut = code;
	f->full = false; /* nothing more is written */
}

/* Where the command has closed its end, the rest is nobody's. */
static size_t
pass_on(struct feed *f, const char *in, size_t len)
{
	size_t most = len < f->left ? len : (size_t)f->left;
	ssize_t n;

	if (f->pipe == -1 || f->cut != 0)
		return len;
	if (most == 0) {
		cut(f, CODE_TOO_LONG);
		return len;
	}
	if ((n = write(f->pipe, in, most)) >= 0) {
		f->left -= (size_t)n;
		return (size_t)n;
	}
	f->full = errno == EAGAIN;
	if (errno == EPIPE)
		fd_close(&f->pipe);
	return 0;
}

/* The size that a chunk's line gives; -1 if it is not of that form. */
static long
header_size(const char *s, size_t len)
{
	size_t i = sizeof(HEADER) - 1;
	long size = 0;

	if (len <= i || memcmp(s, HEADER, i) != 0)
		return -1;
	for (; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		size = size * 10 + (s[i] - '0');
		if (size > WIRE_CHUNK_MAX)
			return -1;
	}
	return size;
}

/* It is whole, as far as it was meant to come. */
static void
end(struct feed *f)
{
	f->due = false;
	if (f->cut == 0)
		fd_close(&f->pipe);
}

static bool
is_chunk(const char *in, size_t len)
{
	size_t n = sizeof(BEGINNING) - 1;

	return memcmp(in, BEGINNING, len < n ? len : n) == 0;
}

/* What is neither is a chunk that is longer than its line said. */
static bool
is_request(const char *in, size_t len)
{
	return len > 2 && memcmp(in, "1#", 2) == 0 && in[2] >= '0' &&
	       in[2] <= '9';
}

/*
 * A line that is not of this form leaves nothing to go by. Where nobody reads
 * the input, it is answered as what it is.
 */
static size_t
take_broken(struct feed *f, size_t len)
{
	cut(f, CODE_MALFORMED);
	f->due = false;
	return f->pipe != -1 ? len : 0;
}

/* The line before a chunk; 0 if it is not there, or not whole. */
static size_t
take_header(struct feed *f, const char *in, size_t len, bool eof)
{
	const char *lf = memchr(in, '\n', len < HEADER_MAX ? len : HEADER_MAX);
	size_t n = lf != NULL ? (size_t)(lf - in) : 0;
	long size;

	if (!is_chunk(in, len)) {
		if (f->begun && !is_request(in, len))
			return take_broken(f, len);
		end(f); /* another request ends it, too */
		return 0;
	}
	if (lf == NULL)
		return len >= HEADER_MAX || eof ? take_broken(f, len) : 0;
	f->begun = true;
	size = header_size(in, n > 0 && in[n - 1] == '\r' ? n - 1 : n);
	if (size < 0)
		return take_broken(f, len);
	if (size == 0)
		end(f);
	f->chunk = (size_t)size;
	return n + 1;
}

/* What never begun is empty; what has begun, and not been ended, is cut. */
static void
take_end(struct feed *f)
{
	if (f->begun)
		cut(f, CODE_MALFORMED);
	end(f);
}

size_t
feed_take(struct feed *f, const char *in, size_t len, bool eof)
{
	size_t used = 0, n;

	f->full = false;
	while (f->due && used < len) {
		if (f->chunk == 0) {
			n = take_header(f, in + used, len - used, eof);
		} else {
			n = len - used < f->chunk ? len - used : f->chunk;
			n = pass_on(f, in + used, n);
			f->chunk -= n;
			if (n == 0 && f->pipe == -1)
				continue;
		}
		if (n == 0)
			return used;
		used += n;
	}
	if (f->due && eof && used == len)
		take_end(f);
	return used;
}

void
feed_lose(struct feed *f)
{
	if (f->due)
		cut(f, CODE_MALFORMED);
	f->due = false;
}

void
feed_close(struct feed *f)
{
	fd_close(&f->pipe);
	f->full = false;
}
