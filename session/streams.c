#include "streams.h"

#include "fd.h"

#include <string.h>

void
streams_init(struct streams *s)
{
	memset(s, 0, sizeof(*s));
	s->out.pipe = -1;
	s->err.pipe = -1;
	s->in.pipe = -1;
}

/*
 * The parent sends STREAM_OUTPUT before STREAM_ERROR, so the quota is already
 * set when the message for STREAM_ERROR arrives.
 */
static int
take_stream(struct streams *s, const struct privsep_stream *m, int pipe)
{
	switch (m->number) {
	case STREAM_INPUT:
		stdin_relay_open(&s->in, pipe, m->most);
		s->detach = m->detach;
		return 0;
	case STREAM_OUTPUT:
		s->quota = (struct relay_quota){ m->most, 0 };
		s->detach = m->detach;
		relay_open_stream(&s->out, pipe, m->number, &s->quota);
		return 0;
	case STREAM_ERROR:
		relay_open_stream(&s->err, pipe, m->number, &s->quota);
		return 0;
	default:
		return -1;
	}
}

int
streams_take(struct streams *s, const struct privsep_message *message,
	size_t len, int pipe)
{
	struct privsep_stream m;

	if (message->head.relay != RELAY_STREAM) {
		relay_open(
			&s->out, pipe, (enum privsep_relay)message->head.relay);
		return 0;
	}
	if (len != sizeof(m))
		return -1;
	memcpy(&m, message->bytes, sizeof(m));
	return take_stream(s, &m, pipe);
}

void
streams_poll(const struct streams *s, bool room, struct pollfd *p)
{
	p[STREAM_INPUT] =
		(struct pollfd){ s->in.full ? s->in.pipe : -1, POLLOUT, 0 };
	p[STREAM_OUTPUT] =
		(struct pollfd){ room ? s->out.pipe : -1, POLLIN, 0 };
	p[STREAM_ERROR] = (struct pollfd){ room ? s->err.pipe : -1, POLLIN, 0 };
}

void
streams_read(struct relay *r, struct buf *out)
{
	if (relay_read(r, out) == 0 || r->left == 0)
		fd_close(&r->pipe);
}

static void
limit(struct relay *r)
{
	relay_limit(r);
	if (r->left == 0)
		fd_close(&r->pipe);
}

void
streams_limit(struct streams *s)
{
	limit(&s->out);
	limit(&s->err);
}

bool
streams_drained(const struct streams *s)
{
	return s->out.pipe == -1 && s->err.pipe == -1;
}

void
streams_close(struct streams *s, struct buf *status)
{
	relay_close(&s->out, status);
	relay_close(&s->err, status);
	stdin_relay_close(&s->in);
	s->detach = false;
	if (s->quota.dropped == 0 || status->len == 0)
		return;
	status->len--;
	buf_addf(status, "#truncated=%llu\n",
		(unsigned long long)s->quota.dropped);
	s->quota.dropped = 0;
}
