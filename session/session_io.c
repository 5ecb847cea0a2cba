#include "session_io.h"

#include "farewell.h"

#include <errno.h>
#include <unistd.h>

void
io_leave(void)
{
	_exit(0);
}

void
io_finish(struct io *io)
{
	if (io->gone)
		io_leave();
	if (!io->eof || io->client.tls != NULL)
		stream_end(&io->client);
	if (!io->eof)
		farewell_linger(io->client.fd);
	if (io->stopping)
		farewell_flush(io->client.fd);
	io_leave();
}

void
io_lose(struct io *io)
{
	feed_lose(&io->streams.in);
	if (io->state != IO_RELAYING ||
		(!io->streams.detach && io->streams.in.cut == 0))
		io_leave();
	io->gone = true;
	io->eof = true;
	io->closing = true;
	buf_reset(&io->out);
	io->sent = 0;
}

void
io_read(struct io *io)
{
	ssize_t n = stream_read(
		&io->client, io->in + io->inlen, IO_IN_MAX - io->inlen);

	if (n > 0)
		io->inlen += (size_t)n;
	else if (n == 0)
		io->eof = true;
	else if (errno != EAGAIN && errno != EINTR)
		io_lose(io);
}

/* How much of it the socket took; all of it, where nobody is there. */
static size_t
send_some(struct io *io, const char *data, size_t len)
{
	ssize_t n = io->gone ? -1 : stream_write(&io->client, data, len);

	if (n < 0 && !io->gone && errno != EAGAIN && errno != EINTR)
		io_lose(io);
	if (n < 0)
		return io->gone ? len : 0;
	io->written += (size_t)n;
	return (size_t)n;
}

/* What can be sent at once is not copied. */
void
io_put(struct io *io, const char *data, size_t len)
{
	size_t n = io->out.len == 0 ? send_some(io, data, len) : 0;

	buf_add(&io->out, data + n, len - n);
}

void
io_write(struct io *io)
{
	size_t left = io->out.len - io->sent;

	io->sent += send_some(io, io->out.data + io->sent, left);
	if (!io->gone && io->sent < io->out.len)
		return;
	io->sent = 0;
	/* A long answer's buffer is not kept by an idle session. */
	if (io->out.cap > IO_OUT_HIGH)
		buf_free(&io->out);
	buf_reset(&io->out);
}
