#include "stdin_relay.h"

#include "fd.h"
#include "input.h"
#include "request.h"
#include "wire.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define BEGINNING "1#101#"
#define HEADER "1#101#0#"
#define HEADER_MAX 16 /* maximum length of a header in bytes, with CR LF */

void
stdin_relay_open(struct stdin_relay *f, int pipe, uint64_t most)
{
	memset(f, 0, sizeof(*f));
	f->pipe = pipe;
	f->more_chunks = true;
	f->left = most;
}

static void
cut(struct stdin_relay *f, int code)
{
	if (f->cut == 0 && f->pipe != -1)
		f->cut = code;
	f->full = false; /* cut() stops all writes to the pipe */
}

/*
 * Write bytes to the command. If `cut` is set, or the command has closed its
 * input, drop the bytes. Return the number of bytes that were written or
 * dropped.
 */
static size_t
pass_on(struct stdin_relay *f, const char *in, size_t len)
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

/*
 * Return the size of the chunk from its header, or -1 if the header is
 * malformed.
 */
static long
header_size(const char *s, size_t len)
{
	size_t i = sizeof(HEADER) - 1;
	long size = 0;

	if (len <= i || memcmp(s, HEADER, i) != 0)
		return -1;
	if (s[i] == '0' && len > i + 1)
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

/* End the input. Close the pipe, unless a part of the input is missing. */
static void
complete(struct stdin_relay *f)
{
	f->more_chunks = false;
	if (f->cut == 0)
		fd_close(&f->pipe);
}

static bool
is_chunk(const char *in, size_t len)
{
	size_t n = sizeof(BEGINNING) - 1;

	return memcmp(in, BEGINNING, len < n ? len : n) == 0;
}

/* True if the bytes can be the beginning of a request. */
static bool
may_be_request(const char *in, size_t len)
{
	return memcmp(in, "1#", len < 2 ? len : 2) == 0 &&
	       (len < 3 || (in[2] >= '1' && in[2] <= '9'));
}

/*
 * True if the line is a valid request, which ends the input. A damaged header
 * of a chunk must not end the input as if the input were complete.
 */
static bool
is_request(const char *in, const struct input_line *line)
{
	char copy[WIRE_LINE_MAX + 1];
	struct request_error error;
	struct request request;

	if (line->len > WIRE_LINE_MAX)
		return false;
	memcpy(copy, in, line->len);
	return request_parse(copy, line->len, line->ended, &request, &error) ==
	       0;
}

/*
 * Handle a malformed header, after which the end of the chunk is unknown. Set
 * `cut`, and return `len` to drop all bytes. If the command reads no input,
 * return 0, so that the caller parses the line as a request.
 */
static size_t
take_malformed(struct stdin_relay *f, size_t len)
{
	cut(f, CODE_MALFORMED);
	f->more_chunks = false;
	return f->pipe != -1 ? len : 0;
}

/*
 * Handle a line that begins no chunk. If the line is a request, end the
 * command's input, and leave the request to the caller. Any other line is
 * malformed. Return the number of bytes to drop.
 */
static size_t
take_other(struct stdin_relay *f, const char *in, size_t len, bool eof)
{
	struct input_line line;

	if (!may_be_request(in, len))
		return take_malformed(f, len);
	if (!input_line(in, len, eof, &line))
		return 0;
	if (!is_request(in, &line))
		return take_malformed(f, len);
	complete(f);
	return 0;
}

/*
 * Read the header of a chunk. Return the number of bytes that were used, or 0
 * if the header is missing or incomplete.
 */
static size_t
take_header(struct stdin_relay *f, const char *in, size_t len, bool eof)
{
	const char *lf = memchr(in, '\n', len < HEADER_MAX ? len : HEADER_MAX);
	size_t n = lf != NULL ? (size_t)(lf - in) : 0;
	long size;

	if (!is_chunk(in, len))
		return take_other(f, in, len, eof);
	if (lf == NULL)
		return len >= HEADER_MAX || eof ? take_malformed(f, len) : 0;
	f->begun = true;
	size = header_size(in, n > 0 && in[n - 1] == '\r' ? n - 1 : n);
	if (size < 0)
		return take_malformed(f, len);
	if (size == 0)
		complete(f);
	f->chunk = (size_t)size;
	return n + 1;
}

/*
 * Handle a client that stops sending before the end of the input. If a chunk
 * has begun, the input is incomplete. Otherwise, the command gets empty input.
 */
static void
take_end(struct stdin_relay *f)
{
	if (f->begun)
		cut(f, CODE_MALFORMED);
	complete(f);
}

size_t
stdin_relay_take(struct stdin_relay *f, const char *in, size_t len, bool eof)
{
	size_t used = 0, n;

	f->full = false;
	while (f->more_chunks && used < len) {
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
	if (f->more_chunks && eof && used == len)
		take_end(f);
	return used;
}

void
stdin_relay_lose(struct stdin_relay *f)
{
	if (f->more_chunks)
		cut(f, CODE_MALFORMED);
	f->more_chunks = false;
}

void
stdin_relay_close(struct stdin_relay *f)
{
	fd_close(&f->pipe);
	f->full = false;
}
