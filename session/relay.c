#include "relay.h"

#include "fd.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* maximum bytes of one read(2), which is the usual capacity of a pipe */
#define READ_MAX WIRE_CHUNK_MAX
#define CAPTURE_MAX 256

void
relay_open(struct relay *r, int pipe, enum privsep_relay mode)
{
	memset(r, 0, sizeof(*r));
	r->pipe = pipe;
	r->mode = mode;
	r->left = SIZE_MAX;
}

void
relay_open_stream(
	struct relay *r, int pipe, unsigned stream, struct relay_quota *quota)
{
	relay_open(r, pipe, RELAY_STREAM);
	r->stream = stream;
	r->quota = quota;
}

void
relay_limit(struct relay *r)
{
	int n = 0;

	if (r->pipe != -1 && ioctl(r->pipe, FIONREAD, &n) == 0)
		r->left = (size_t)n;
}

static void
take_lines(struct relay *r, struct buf *out, const char *data, size_t len)
{
	const char *lf;
	size_t whole;

	if (r->skip) {
		if ((lf = memchr(data, '\n', len)) == NULL)
			return;
		len -= (size_t)(lf + 1 - data);
		data = lf + 1;
		r->skip = false;
	}
	lf = memrchr(data, '\n', len);
	whole = lf ? (size_t)(lf + 1 - data) : 0;
	if (whole > 0) {
		buf_add(out, r->line.data, r->line.len);
		buf_add(out, data, whole);
		buf_reset(&r->line);
	}
	if (r->line.len + len - whole <= WIRE_REPLY_MAX) {
		buf_add(&r->line, data + whole, len - whole);
	} else {
		/*
		 * Drop this line. No built-in action writes such a long line.
		 */
		buf_reset(&r->line);
		r->skip = true;
	}
}

static void
take_capture(struct relay *r, const char *data, size_t len)
{
	size_t room = CAPTURE_MAX - r->capture.len;

	buf_add(&r->capture, data, len < room ? len : room);
}

/*
 * Append the bytes as a chunk, so that no output can look like a status. Drop
 * the bytes beyond the quota.
 */
static void
take_chunk(struct relay *r, struct buf *out, const char *data, size_t len)
{
	struct relay_quota *quota = r->quota;
	size_t n = len < quota->left ? len : (size_t)quota->left;

	quota->left -= n;
	quota->dropped += len - n;
	if (n == 0)
		return;
	buf_addf(out, "1#%d#%u#%zu\n", CODE_CHUNK, r->stream, n);
	buf_add(out, data, n);
}

int
relay_read(struct relay *r, struct buf *out)
{
	struct buf data = { 0 };
	size_t want = r->left < READ_MAX ? r->left : READ_MAX;
	ssize_t n;
	char *at;

	if (want == 0)
		return 0;
	if ((at = buf_room(&data, want)) == NULL)
		return 0;
	do
		n = read(r->pipe, at, want);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		if (r->left != SIZE_MAX)
			r->left -= (size_t)n;
		if (r->mode == RELAY_LINES)
			take_lines(r, out, at, (size_t)n);
		else if (r->mode == RELAY_STREAM)
			take_chunk(r, out, at, (size_t)n);
		else
			take_capture(r, at, (size_t)n);
	}
	if (n < 0)
		n = errno == EAGAIN && r->left == SIZE_MAX ? -1 : 0;
	buf_free(&data);
	return n < 0 ? -1 : n > 0;
}

/*
 * Insert the first non-empty line of the output into the status line, before
 * the LF.
 */
static void
put_output(struct relay *r, struct buf *status)
{
	const char *s = r->capture.data, *end = s + r->capture.len;
	size_t len;

	while (s < end && (*s == '\n' || *s == ' '))
		s++;
	len = (size_t)(end - s);
	if (memchr(s, '\n', len) != NULL)
		len = (size_t)((const char *)memchr(s, '\n', len) - s);
	if (len == 0 || status->len == 0)
		return;
	status->len--;
	buf_adds(status, "#output=");
	wire_encode(status, s, len);
	wire_end(status);
}

void
relay_close(struct relay *r, struct buf *status)
{
	if (r->mode == RELAY_CAPTURE && r->capture.len > 0)
		put_output(r, status);
	fd_close(&r->pipe);
	buf_free(&r->line);
	buf_free(&r->capture);
}
