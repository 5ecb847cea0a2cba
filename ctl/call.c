#include "call.h"

#include "clock.h"
#include "own_key.h"
#include "trust.h"

#include <string.h>
#include <unistd.h>

/*
 * How long an answer may take when nobody said. The daemon ends a request
 * after request_seconds (60 as shipped) and says so; we wait a bit longer,
 * to hear it.
 */
#define ANSWER_SECONDS 90
#define RUN_SECONDS (86400 + ANSWER_SECONDS) /* a day is the most */

/* --timeout bounds it too, being that of the whole. */
static unsigned
connect_seconds(const struct invocation *inv)
{
	unsigned seconds = CLIENT_CONNECT_SECONDS;

	if (inv->connect_timeout > 0)
		seconds = inv->connect_timeout;
	else if (inv->timeout > 0)
		seconds = inv->timeout;
	return inv->timeout > 0 && inv->timeout < seconds ? inv->timeout
							  : seconds;
}

/*
 * Connects, and sees that it is the host that is meant. A new one is asked
 * about with no connection open, since the daemon waits for nobody so long.
 */
static int
reach(struct client *c, const struct invocation *inv,
	struct tls_context *context)
{
	unsigned seconds = connect_seconds(inv);
	char fingerprint[TLS_FINGERPRINT_SIZE];
	int64_t begin;

	while (begin = clock_ms(),
		client_open(c, &inv->target, context, seconds) == 0) {
		if (inv->timeout > 0)
			client_time_from(c, begin, inv->timeout);
		if (inv->target.kind != TARGET_TLS)
			return 0;
		switch (trust_check(inv, c->peer, &c->problem)) {
		case TRUST_YES:
			return 0;
		case TRUST_NO:
			return -1;
		case TRUST_ASK:
			memcpy(fingerprint, c->peer, sizeof(fingerprint));
			client_close(c, false);
			if (trust_ask(inv, fingerprint, &c->problem) != 0)
				return -1;
		}
	}
	return -1;
}

int
call_open(struct client *c, const struct invocation *inv, const char *lines,
	size_t len)
{
	struct tls_context *context = NULL;

	client_init(c);
	if (inv->target.kind == TARGET_TLS &&
		(context = own_key_context(inv, OWN_KEY_LATE, &c->problem)) ==
			NULL)
		return -1;
	if (reach(c, inv, context) != 0)
		return -1;
	client_send(c, lines, len);
	return 0;
}

void
call_extend(struct client *c, const struct invocation *inv)
{
	const struct request *r = &inv->request;

	/* An escalation waits once more. */
	if (inv->timeout > 0)
		return;
	/* A command has its own time, which the daemon knows. */
	if (r->verb == VERB_RUN && !r->explain)
		client_time(c, RUN_SECONDS);
	else
		client_time(
			c, ANSWER_SECONDS + r->wait * (r->escalate ? 2 : 1));
}

int
call_failed(const struct client *c)
{
	return client_late(c) ? CALL_LATE : CALL_FAILED;
}

int
call_garbled(struct client *c, const char *why)
{
	buf_addf(&c->problem, "not a valid answer: %s", why);
	return -1;
}

int
call_cut(struct client *c)
{
	buf_adds(&c->problem, "the connection ended before the answer did");
	return -1;
}

static int
take_chunk(struct client *c, struct reply *r)
{
	char *data;
	size_t len;
	int got;

	while (r->chunk > 0) {
		if ((got = client_bytes(c, r->chunk, &data, &len)) <= 0)
			return got == 0 ? call_cut(c) : -1;
		if (reply_chunk(r, data, len))
			continue;
		if (r->problem != NULL)
			return call_garbled(c, r->problem);
		buf_adds(&c->problem, "its output cannot be written");
		return -1;
	}
	return 0;
}

int
call_answer(struct client *c, const struct invocation *inv, struct reply *r)
{
	enum reply_state state = REPLY_MORE;
	char *line;
	size_t len;
	int got;

	call_extend(c, inv);
	while (state == REPLY_MORE) {
		if ((got = client_line(c, &line, &len)) <= 0)
			return got == 0 ? call_cut(c) : -1;
		state = reply_line(r, line, len);
		if (state == REPLY_CHUNK) {
			if (take_chunk(c, r) != 0)
				return -1;
			state = REPLY_MORE;
		}
	}
	return state == REPLY_DONE ? 0 : call_garbled(c, r->problem);
}

void
call_unsure(const struct request *r, struct buf *problem)
{
	if (!r->dry_run && !r->explain &&
		(r->verb == VERB_KILL || r->verb == VERB_HALT ||
			r->verb == VERB_CANCEL || r->verb == VERB_RUN))
		buf_adds(problem, "; it may have been done nevertheless");
}

static int
unopened(const struct client *c)
{
	if (*c->peer != '\0')
		return CALL_UNTRUSTED;
	return c->tried ? call_failed(c) : CALL_UNABLE;
}

/* A command that reads its input has what is given to it, or nothing. */
static void
begin_run(struct client *c, const struct invocation *inv, struct reply *r)
{
	r->chunked = true;
	if (invocation_has(inv, OPT_STDIN))
		client_feed(c, STDIN_FILENO);
	else
		client_end(c);
}

int
call_ask(const struct invocation *inv, const struct request *request,
	struct reply *r, struct buf *problem)
{
	struct buf line = { 0 };
	struct client client;
	int opened, result;

	request_format(request, &line);
	buf_addc(&line, '\n');
	opened = call_open(&client, inv, buf_str(&line), line.len);
	if (opened == 0 && request->verb == VERB_RUN && !request->explain)
		begin_run(&client, inv, r);
	result = opened == 0 ? call_answer(&client, inv, r) : -1;
	if (result != 0) {
		result = opened == 0 ? call_failed(&client) : unopened(&client);
		buf_adds(problem, buf_str(&client.problem));
	}
	if (result != 0 && opened == 0)
		call_unsure(request, problem);
	client_close(&client, result == 0);
	buf_free(&line);
	return result;
}
