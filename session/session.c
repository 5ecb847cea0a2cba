#include "session.h"

#include "greeting.h"
#include "input.h"
#include "session_io.h"

#include <errno.h>
#include <linux/sockios.h>
#include <malloc.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define DONE_MS 50 /* of silence, before the parent is told */
#define PAGE 4096

static void
end_relay(struct io *io)
{
	streams_close(&io->streams, &io->status);
	buf_add(&io->out, io->status.data, io->status.len);
	buf_free(&io->status);
	io->exited = false;
	io->state = IO_ANSWERED;
}

/* One read, so that a client that hangs up is noticed in between. */
static void
read_pipe(struct io *io, struct relay *r)
{
	if (io->state != IO_RELAYING || r->pipe == -1)
		return;
	streams_read(r, &io->out);
	if (io->exited && streams_drained(&io->streams))
		end_relay(io);
}

static void
take_exit(struct io *io, size_t len)
{
	io->exited = true;
	buf_reset(&io->status);
	buf_add(&io->status, io->message.bytes, len);
	streams_limit(&io->streams);
	if (streams_drained(&io->streams))
		end_relay(io);
}

static void
take_end(struct io *io, size_t len)
{
	io->closing = true;
	io->stopping = true;
	/* In the middle of an answer there is no place for another. */
	if (io->state != IO_IDLE && io->state != IO_WAITING &&
		io->state != IO_WATCHING)
		io_leave(); /* nor is there before the handshake is done */
	io_put(io, io->message.bytes, len);
	io->state = IO_IDLE;
}

/* The client is given up, but for what it may yet read. */
static void
give_up(struct io *io)
{
	if (ask_stalled(io->ask) != 0)
		io_leave();
	vigil_cut(&io->out, io->sent);
	io->closing = true;
	io->state = IO_IDLE;
}

static void
take_events(struct io *io, size_t len)
{
	/* What is sent makes way, also where it is never all. */
	buf_drop(&io->out, io->sent);
	io->sent = 0;
	io_put(io, io->message.bytes, len);
	if (io->state == IO_IDLE) {
		memset(&io->vigil, 0, sizeof(io->vigil));
		io->state = IO_WATCHING;
	}
	if (io->state == IO_WATCHING && io->out.len > VIGIL_QUEUE)
		give_up(io);
}

static void
take_beat(struct io *io, size_t len)
{
	int unsent = 0;

	/* Before it is sent, which nobody can have read yet. */
	ioctl(io->client.fd, SIOCOUTQ, &unsent);
	if (io->state == IO_WATCHING &&
		vigil_beat(&io->vigil, io->written - (unsigned)unsent,
			unsent == 0 && io->out.len == 0))
		give_up(io);
	else
		take_events(io, len);
}

/* What the parent says is obeyed: it knows the state we are in. */
static void
read_ask(struct io *io)
{
	size_t len;
	int pipe;

	if (ask_receive(io->ask, &io->message, &len, &pipe) != 1)
		io_leave();
	switch (io->message.head.kind) {
	case ASK_ANSWER:
		io_put(io, io->message.bytes, len);
		io->state = IO_ANSWERED;
		break;
	case ASK_RELAY:
		if (streams_take(&io->streams, &io->message, len, pipe) != 0)
			io_leave();
		io->cut_said = false;
		io->state = IO_RELAYING;
		break;
	case ASK_WAIT:
		io->state = IO_WAITING;
		break;
	case ASK_EXITED:
		take_exit(io, len);
		break;
	case ASK_EVENTS:
	case ASK_BEAT:
		if (io->state == IO_IDLE && io->closing)
			break; /* it was given up */
		if (io->message.head.kind == ASK_BEAT)
			take_beat(io, len);
		else
			take_events(io, len);
		break;
	case ASK_END:
		take_end(io, len);
		break;
	default:
		io_leave();
	}
}

/* Asks the parent, which answers at once, or as soon as it knows the groups. */
static void
ask(struct io *io, size_t len, bool ended)
{
	struct request_error error;
	struct request request;
	int result;

	io->unsaid = false;
	if (request_parse(io->in, len, ended, &request, &error) == 0) {
		result = ask_request(io->ask, &request);
	} else {
		io->closing = io->closing || error.close;
		result = ask_malformed(io->ask, &error);
	}
	if (result != 0)
		io_leave();
	read_ask(io);
}

static void
say_done(struct io *io)
{
	if (ask_done(io->ask) != 0)
		io_leave();
	io->unsaid = false;
}

/* A handshake leaves much that nobody needs any more, in pages of our own. */
static void
rest(struct io *io)
{
	say_done(io);
	if (io->client.tls != NULL)
		malloc_trim(0);
}

static void
drop_input(struct io *io, size_t n)
{
	io->inlen -= n;
	memmove(io->in, io->in + n, io->inlen);
}

/* What the client sends for a run goes there, or nowhere. */
static void
feed_run(struct io *io)
{
	struct feed *f = &io->streams.in;

	if (f->due)
		drop_input(io, feed_take(f, io->in, io->inlen, io->eof));
	if (f->cut == 0 || io->cut_said)
		return;
	io->cut_said = true;
	io->closing = true;
	if (ask_cut(io->ask, f->cut) != 0)
		io_leave();
}

/* While it watches: heartbeats are asked for, all else ends the watch. */
static void
watch_input(struct io *io)
{
	static const struct request ping = { .verb = VERB_PING };
	struct input_line line;

	while (!io->vigil.asked && io->inlen > 0 &&
		input_line(io->in, io->inlen, io->eof, &line)) {
		if (!vigil_ping(&io->vigil, io->in, line.len)) {
			io->state = IO_LEAVING;
			say_done(io);
			return;
		}
		if (ask_request(io->ask, &ping) != 0)
			io_leave();
		drop_input(io, line.whole);
	}
}

/* Takes the next request from the input, if one is whole, and asks. */
static bool
take_request(struct io *io)
{
	struct input_line line;

	feed_run(io);
	if (io->closing || io->inlen == 0 ||
		!input_line(io->in, io->inlen, io->eof, &line))
		return false;
	ask(io, line.len, line.ended);
	drop_input(io, line.whole);
	return true;
}

/* What can be done without waiting for the client. */
static void
advance(struct io *io)
{
	do {
		if (io->state == IO_WATCHING)
			watch_input(io);
		if (io->state == IO_WATCHING || io->state == IO_LEAVING ||
			io->out.len > 0 || io->state == IO_WAITING ||
			io->state == IO_RELAYING || io->state == IO_GREETING)
			return;
		if (io->state == IO_ANSWERED)
			io->unsaid = true;
		io->state = IO_IDLE;
	} while (take_request(io));
	if (io->closing || io->eof)
		io_finish(io);
	/* It sends its next request by and by. */
	if (io->unsaid && io->inlen > 0)
		say_done(io);
}

/* Whoever speaks plainly to a port of TLS is told so, plainly. */
static void
answer_plain(struct io *io)
{
	io->client.tls = NULL;
	io_put(io, GREETING_ANSWER, sizeof(GREETING_ANSWER) - 1);
	io->closing = true;
	io_finish(io);
}

static void
greet(struct io *io)
{
	switch (greeting_step(&io->client, io->ask)) {
	case GREETING_MORE:
		return;
	case GREETING_DONE:
		io->state = IO_IDLE;
		return;
	case GREETING_PLAIN:
		answer_plain(io);
		return;
	default:
		io_leave();
	}
}

static bool
wants_more(const struct io *io)
{
	return io->state != IO_GREETING && !io->eof &&
	       (!io->closing || io->streams.in.due) && io->inlen < IO_IN_MAX;
}

static void
wait_and_serve(struct io *io)
{
	struct pollfd p[2 + STREAMS] = {
		{ io->gone ? -1 : io->client.fd, 0, 0 }, { io->ask, POLLIN, 0 }
	};
	bool reading = wants_more(io);
	int n, timeout = io->unsaid ? DONE_MS : -1;

	if (reading || io->state == IO_GREETING)
		p[0].events |= io->client.to_read;
	if (io->out.len > 0)
		p[0].events |= io->client.to_write;
	/* It has come, but in a record of which poll(2) knows nothing. */
	if (reading && stream_pending(&io->client))
		timeout = 0;
	streams_poll(&io->streams,
		io->state == IO_RELAYING && io->out.len < IO_OUT_HIGH, p + 2);
	/*
	 * Most clients close, or ask again, as soon as they have their
	 * answer: the parent is not woken up for the moment in between.
	 */
	n = poll(p, 2 + STREAMS, timeout);
	if (n < 0 && errno != EINTR)
		io_leave();
	if (n == 0 && timeout > 0)
		rest(io);
	if (n < 0 || (n == 0 && timeout > 0))
		return;
	if (p[0].revents & (POLLERR | POLLHUP | POLLNVAL))
		io_lose(io);
	if (io->state == IO_GREETING && p[0].revents)
		greet(io);
	else if (reading &&
		 (timeout == 0 || (p[0].revents & io->client.to_read)))
		io_read(io);
	if (p[1].revents)
		read_ask(io);
	if (p[2 + STREAM_OUTPUT].revents)
		read_pipe(io, &io->streams.out);
	if (p[2 + STREAM_ERROR].revents)
		read_pipe(io, &io->streams.err);
	if (io->state == IO_RELAYING)
		feed_run(io);
	if (io->out.failed)
		io_leave();
	if (io->out.len > 0)
		io_write(io);
}

static void
open_client(struct io *io, int fd, struct tls_context *context)
{
	struct tls *tls = NULL;

	io->state = context != NULL ? IO_GREETING : IO_IDLE;
	if (context != NULL && (tls = tls_open(context, fd)) == NULL)
		io_leave();
	stream_init(&io->client, fd, tls);
	/* Most often the client's first bytes are there before we are. */
	if (context != NULL)
		greet(io);
	if (io->state == IO_IDLE)
		io_read(io);
}

void
session_run(int client, int ask, struct tls_context *tls)
{
	/* Not on the stack: most of it is never touched, and costs nothing. */
	static _Alignas(PAGE) struct io io;

	io.ask = ask;
	streams_init(&io.streams);
	open_client(&io, client, tls);
	for (;;) {
		advance(&io);
		wait_and_serve(&io);
	}
}
