#include "session.h"

#include "handshake.h"
#include "input.h"
#include "session_io.h"
#include "text.h"

#include <errno.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define IDLE_MS 50 /* time without work before PRIVSEP_DONE is sent, in ms */
/* time without input before a request without LF is served, in ms */
#define SILENCE_MS 2000
/* maximum number of bytes of an unfinished line in a status text */
#define SHOWN_MAX 64
#define PAGE 4096

static void
finish_reply(struct io *io)
{
	streams_close(&io->streams, &io->status);
	buf_add(&io->out, io->status.data, io->status.len);
	buf_free(&io->status);
	io->exited = false;
	io->state = IO_REPLIED;
}

/*
 * Read from the pipe of an action only once, so that the poll loop notices when
 * the client hangs up.
 */
static void
read_pipe(struct io *io, struct relay *r)
{
	if (io->state != IO_RELAYING || r->pipe == -1)
		return;
	streams_read(r, &io->out);
	if (io->exited && streams_drained(&io->streams))
		finish_reply(io);
}

static void
take_exited(struct io *io, size_t len)
{
	io->exited = true;
	buf_reset(&io->status);
	buf_add(&io->status, io->message.bytes, len);
	streams_limit(&io->streams);
	if (streams_drained(&io->streams))
		finish_reply(io);
}

static void
take_end(struct io *io, size_t len)
{
	io->closing = true;
	io->stopping = true;
	/*
	 * The session cannot send a status in the middle of a reply or
	 * handshake.
	 */
	if (io->state != IO_IDLE && io->state != IO_WAITING &&
		io->state != IO_WATCHING && io->state != IO_LEAVING)
		io_leave();
	io_put(io, io->message.bytes, len);
	io->state = IO_IDLE;
}

/*
 * Send a status that tells the client which part of a line arrived, and what is
 * missing.
 */
static void
take_late(struct io *io, size_t len)
{
	struct buf text = { 0 }, line = { 0 };
	size_t shown = io->inlen < SHOWN_MAX ? io->inlen : SHOWN_MAX;

	buf_addc(&text, '"');
	text_safe(&text, io->in, shown);
	buf_addf(&text, "%s\" came, but %.*s", shown < io->inlen ? "…" : "",
		(int)len, io->message.bytes);
	wire_status(&line, CODE_TOO_SLOW, buf_str(&text));
	wire_end(&line);
	io_put(io, line.data, line.len);
	io->closing = true;
	buf_free(&line);
	buf_free(&text);
}

/*
 * End the watch of a client that is gone or too slow. The parent then sends the
 * final status.
 */
static void
drop_client(struct io *io)
{
	if (privsep_notice(io->parent, PRIVSEP_STALLED) != 0)
		io_leave();
	liveness_cut(&io->out, io->sent);
	io->closing = true;
	io->state = IO_LEAVING;
}

static void
take_events(struct io *io, size_t len)
{
	/*
	 * Drop the bytes that are already sent, because a slow client may never
	 * empty the buffer.
	 */
	buf_drop(&io->out, io->sent);
	io->sent = 0;
	io_put(io, io->message.bytes, len);
	if (io->state == IO_IDLE) {
		memset(&io->liveness, 0, sizeof(io->liveness));
		io->state = IO_WATCHING;
	}
	if (io->state == IO_WATCHING && io->out.len > LIVENESS_QUEUE)
		drop_client(io);
}

static void
take_heartbeat(struct io *io, size_t len)
{
	int unsent = 0;

	/*
	 * Get the number of unsent bytes before sending this heartbeat.
	 * Otherwise the bytes of this heartbeat, which the client cannot have
	 * acknowledged yet, would count as unsent.
	 */
	ioctl(io->client.fd, SIOCOUTQ, &unsent);
	if (io->state == IO_WATCHING &&
		liveness_beat(&io->liveness, io->written - (unsigned)unsent,
			unsent == 0 && io->out.len == 0))
		drop_client(io);
	else
		take_events(io, len);
	io_report_alive(io);
}

/*
 * Receive and obey one message from the parent. The parent knows the state of
 * this session, so each message fits the state.
 */
static void
receive_message(struct io *io)
{
	size_t len;
	int pipe;

	if (privsep_receive(io->parent, &io->message, &len, &pipe) != 1)
		io_leave();
	switch (io->message.head.kind) {
	case PRIVSEP_REPLY:
		io_put(io, io->message.bytes, len);
		io->state = IO_REPLIED;
		break;
	case PRIVSEP_RELAY:
		if (streams_take(&io->streams, &io->message, len, pipe) != 0)
			io_leave();
		io->cut_reported = false;
		io->state = IO_RELAYING;
		break;
	case PRIVSEP_WAIT:
		io->state = IO_WAITING;
		break;
	case PRIVSEP_EXITED:
		take_exited(io, len);
		break;
	case PRIVSEP_EVENTS:
	case PRIVSEP_BEAT:
	case PRIVSEP_PONG:
		if (io->closing)
			/*
			 * the parent sent this message before it knew that the
			 * watch ends
			 */
			break;
		if (io->message.head.kind != PRIVSEP_EVENTS)
			io->liveness.asked = false;
		if (io->message.head.kind == PRIVSEP_BEAT)
			take_heartbeat(io, len);
		else
			take_events(io, len);
		break;
	case PRIVSEP_END:
		take_end(io, len);
		break;
	case PRIVSEP_LATE:
		take_late(io, len);
		break;
	default:
		io_leave();
	}
}

/*
 * Send the request to the parent, and wait for the parent's first message in
 * reply. The parent sometimes has to look up the client's groups first.
 */
static void
send_request(struct io *io, size_t len, bool ended)
{
	struct request_error error;
	struct request request;
	int result;

	io->idle_unreported = false;
	io->begun_reported = false;
	if (request_parse(io->in, len, ended, &request, &error) == 0) {
		result = privsep_request(io->parent, &request);
	} else {
		io->closing = io->closing || error.close;
		result = privsep_malformed(io->parent, &error);
	}
	if (result != 0)
		io_leave();
	receive_message(io);
}

/* Send PRIVSEP_DONE or PRIVSEP_BEGUN to the parent. */
static void
report(struct io *io, enum privsep_kind kind)
{
	if (privsep_notice(io->parent, kind) != 0)
		io_leave();
	io->idle_unreported = false;
	io->begun_reported = kind == PRIVSEP_BEGUN;
}

/*
 * Tell the parent that the session is idle. After a TLS handshake, give the
 * freed memory back to the kernel.
 */
static void
go_idle(struct io *io)
{
	report(io, PRIVSEP_DONE);
	if (io->client.tls != NULL)
		malloc_trim(0);
}

static void
drop_input(struct io *io, size_t n)
{
	io->inlen -= n;
	memmove(io->in, io->in + n, io->inlen);
}

/*
 * Pass the client's input on to the command of a `run` request. If the input is
 * incomplete or too long, tell the parent once.
 */
static void
relay_stdin(struct io *io)
{
	struct stdin_relay *in = &io->streams.in;

	if (in->more_chunks)
		drop_input(
			io, stdin_relay_take(in, io->in, io->inlen, io->eof));
	if (in->cut == 0 || io->cut_reported)
		return;
	io->cut_reported = true;
	io->closing = true;
	if (privsep_cut(io->parent, in->cut) != 0)
		io_leave();
}

/* During a watch, pass pings to the parent. Any other line ends the watch. */
static void
take_heartbeat_requests(struct io *io)
{
	static const struct request ping = { .verb = VERB_PING };
	struct input_line line;

	while (!io->liveness.asked && io->inlen > 0 &&
		input_line(io->in, io->inlen, io->eof, &line)) {
		if (!liveness_ping(&io->liveness, io->in, line.len)) {
			io->state = IO_LEAVING;
			report(io, PRIVSEP_DONE);
			return;
		}
		if (privsep_request(io->parent, &ping) != 0)
			io_leave();
		drop_input(io, line.whole);
	}
}

/* Drop the LF of a request that was served before its LF arrived. */
static void
drop_late_lf(struct io *io)
{
	size_t n = io->inlen > 0 && io->in[0] == '\r' ? 2 : 1;

	if (!io->lf_due || io->inlen < n)
		return;
	io->lf_due = false;
	if (io->in[n - 1] == '\n')
		drop_input(io, n);
}

/*
 * Send the next request to the parent. Return false if no request is complete.
 */
static bool
take_request(struct io *io)
{
	struct input_line line;

	relay_stdin(io);
	drop_late_lf(io);
	if (io->closing || io->inlen == 0 ||
		!input_line(io->in, io->inlen, io->eof, &line))
		return false;
	send_request(io, line.len, line.ended);
	drop_input(io, line.whole);
	return true;
}

/* Do all work that does not block. */
static void
advance(struct io *io)
{
	do {
		if (io->state == IO_WATCHING)
			take_heartbeat_requests(io);
		if (io->state == IO_WATCHING || io->state == IO_LEAVING ||
			io->out.len > 0 || io->state == IO_WAITING ||
			io->state == IO_RELAYING || io->state == IO_HANDSHAKE)
			return;
		if (io->state == IO_REPLIED)
			io->idle_unreported = true;
		io->state = IO_IDLE;
	} while (take_request(io));
	if (io->closing || io->eof)
		io_finish(io);
	if (io->inlen > 0 && !io->begun_reported)
		report(io, PRIVSEP_BEGUN);
}

/*
 * True if the input is a list or ping request (three bytes) that lacks only its
 * LF. Such a request changes nothing. Programs in socket tutorials often send
 * only the three bytes, and wait for the reply.
 */
static bool
lacks_only_lf(const struct io *io)
{
	return io->state == IO_IDLE && !io->closing && io->inlen == 3 &&
	       (memcmp(io->in, "1#2", 3) == 0 || memcmp(io->in, "1#4", 3) == 0);
}

/*
 * Serve a request without its LF, after a time without input. The LF may still
 * arrive.
 */
static void
serve_without_lf(struct io *io)
{
	send_request(io, io->inlen, false);
	drop_input(io, io->inlen);
	io->lf_due = true;
}

/* Reply without TLS to a client that does not speak TLS at a TLS port. */
static void
answer_without_tls(struct io *io)
{
	io->client.tls = NULL;
	io_put(io, HANDSHAKE_REPLY, sizeof(HANDSHAKE_REPLY) - 1);
	io->closing = true;
	io_finish(io);
}

static void
continue_handshake(struct io *io)
{
	switch (handshake_step(&io->client, io->parent)) {
	case HANDSHAKE_MORE:
		return;
	case HANDSHAKE_DONE:
		io->state = IO_IDLE;
		return;
	case HANDSHAKE_PLAIN:
		answer_without_tls(io);
		return;
	default:
		io_leave();
	}
}

static bool
wants_input(const struct io *io)
{
	return io->state != IO_HANDSHAKE && !io->eof &&
	       (!io->closing || io->streams.in.more_chunks) &&
	       io->inlen < IO_IN_MAX;
}

static void
wait_and_serve(struct io *io)
{
	struct pollfd p[2 + STREAMS] = { { io->client_gone ? -1 : io->client.fd,
						 0, 0 },
		{ io->parent, POLLIN, 0 } };
	bool reading = wants_input(io);
	int n, timeout = io->idle_unreported ? IDLE_MS
			 : lacks_only_lf(io) ? SILENCE_MS
					     : -1;

	if (reading || io->state == IO_HANDSHAKE)
		p[0].events |= io->client.to_read;
	if (io->out.len > 0)
		p[0].events |= io->client.to_write;
	/*
	 * poll(2) does not see input that OpenSSL has already read from the
	 * socket.
	 */
	if (reading && stream_pending(&io->client))
		timeout = 0;
	streams_poll(&io->streams,
		io->state == IO_RELAYING && io->out.len < IO_OUT_HIGH, p + 2);
	/*
	 * Usually, a client closes the connection or sends a request right
	 * after a reply. Wait for IDLE_MS before reporting to the parent, so
	 * that the parent is not woken in this case.
	 */
	n = poll(p, 2 + STREAMS, timeout);
	if (n < 0 && errno != EINTR)
		io_leave();
	if (n == 0 && timeout == IDLE_MS)
		go_idle(io);
	if (n == 0 && timeout == SILENCE_MS)
		serve_without_lf(io);
	if (n < 0 || (n == 0 && timeout > 0))
		return;
	/*
	 * A client can send bytes that are not TLS, and then reset the
	 * connection. The handshake reads these bytes and reports the client to
	 * the parent.
	 */
	if (io->state == IO_HANDSHAKE && p[0].revents)
		continue_handshake(io);
	else if (p[0].revents & (POLLERR | POLLHUP | POLLNVAL))
		io_lose(io);
	else if (reading &&
		 (timeout == 0 || (p[0].revents & io->client.to_read)))
		io_read(io);
	if (p[1].revents)
		receive_message(io);
	if (p[2 + STREAM_OUTPUT].revents)
		read_pipe(io, &io->streams.out);
	if (p[2 + STREAM_ERROR].revents)
		read_pipe(io, &io->streams.err);
	if (io->state == IO_RELAYING)
		relay_stdin(io);
	if (io->out.failed)
		io_leave();
	if (io->out.len > 0)
		io_write(io);
}

static void
open_client(struct io *io, int fd, struct tls_context *context)
{
	struct tls *tls = NULL;

	io->state = context != NULL ? IO_HANDSHAKE : IO_IDLE;
	if (context != NULL && (tls = tls_open(context, fd)) == NULL)
		io_leave();
	stream_init(&io->client, fd, tls);
	/*
	 * Read now, because the client's first bytes usually arrive before the
	 * session starts.
	 */
	if (context != NULL)
		continue_handshake(io);
	if (io->state == IO_IDLE)
		io_read(io);
}

void
session_run(int client, int parent, struct tls_context *tls)
{
	/*
	 * This struct is static, because the pages of a static struct need no
	 * memory before their first use.
	 */
	static _Alignas(PAGE) struct io io;

	io.parent = parent;
	streams_init(&io.streams);
	open_client(&io, client, tls);
	for (;;) {
		advance(&io);
		wait_and_serve(&io);
	}
}
