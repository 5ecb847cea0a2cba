#include "session_io.h"

#include "linger.h"

#include <errno.h>
#include <unistd.h>

#define ALIVE_BYTES (16u << 20)

void
io_leave(void)
{
	_exit(0);
}

void
io_report_alive(struct io *io)
{
	io->moved = 0;
	if ((io->state == IO_RELAYING || io->state == IO_WATCHING) &&
		privsep_notice(io->parent, PRIVSEP_ALIVE) != 0)
		io_leave();
}

/*
 * Count bytes that were received or sent. After each ALIVE_BYTES, report to the
 * parent, which grants CPU time in portions.
 */
static void
count_moved(struct io *io, size_t n)
{
	io->moved += n;
	if (io->moved >= ALIVE_BYTES)
		io_report_alive(io);
}

void
io_finish(struct io *io)
{
	if (io->client_gone)
		io_leave();
	if (!io->eof || io->client.tls != NULL)
		stream_end(&io->client);
	if (!io->eof)
		linger(io->client.fd);
	if (io->stopping)
		linger_flush(io->client.fd);
	io_leave();
}

void
io_lose(struct io *io)
{
	stdin_relay_lose(&io->streams.in);
	if (io->state != IO_RELAYING ||
		(!io->streams.detach && io->streams.in.cut == 0))
		io_leave();
	io->client_gone = true;
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

	if (n > 0) {
		io->inlen += (size_t)n;
		count_moved(io, (size_t)n);
	} else if (n == 0) {
		io->eof = true;
	} else if (errno != EAGAIN && errno != EINTR) {
		io_lose(io);
	}
}

/*
 * Send bytes to the client. Return the number of bytes that the socket
 * accepted, or `len` if the client is gone.
 */
static size_t
send_some(struct io *io, const char *data, size_t len)
{
	ssize_t n = io->client_gone ? -1 : stream_write(&io->client, data, len);

	if (n < 0 && !io->client_gone && errno != EAGAIN && errno != EINTR)
		io_lose(io);
	if (n < 0)
		return io->client_gone ? len : 0;
	io->written += (size_t)n;
	count_moved(io, (size_t)n);
	return (size_t)n;
}

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
	if (!io->client_gone && io->sent < io->out.len)
		return;
	io->sent = 0;
	/*
	 * Free the buffer of a long reply, because an idle session does not
	 * need it.
	 */
	if (io->out.cap > IO_OUT_HIGH)
		buf_free(&io->out);
	buf_reset(&io->out);
}
