#include "remote/call.h"

#include "clock.h"
#include "remote/client_key.h"
#include "remote/host_trust.h"
#include "util/problem.h"

#include <string.h>

/*
 * Time limit in seconds for a reply, if --timeout is not given. After
 * request_seconds (60 by default), the daemon ends a request and sends a
 * status. ANSWER_SECONDS is longer, so that bridlectl can receive this status.
 */
#define ANSWER_SECONDS 90
#define RUN_SECONDS (86400 + ANSWER_SECONDS) /* time limit for `run` */

/*
 * Return the time limit in seconds for connecting. The limit is at most the
 * value of --timeout.
 */
static unsigned
connect_seconds(const struct endpoint *e)
{
	unsigned seconds = CONN_CONNECT_SECONDS;

	if (e->connect_timeout > 0)
		seconds = e->connect_timeout;
	else if (e->timeout > 0)
		seconds = e->timeout;
	return e->timeout > 0 && e->timeout < seconds ? e->timeout : seconds;
}

/*
 * Connect, and check the host's key. Returns 0, or -1 with a sentence in
 * c->problem.
 *
 * The daemon does not wait until a user has answered a question. Therefore
 * close the connection before asking about an unknown key, and connect again
 * after the answer. If the daemon refuses without TLS, return 0. Then the
 * caller reads the refusal as the reply.
 */
static int
connect_and_trust(
	struct conn *c, const struct endpoint *e, struct tls_context *context)
{
	int64_t patience = connect_seconds(e) * 1000LL;
	char fingerprint[TLS_FINGERPRINT_SIZE];
	int64_t begin;

	while (begin = clock_ms(),
		conn_open(c, e->target, context, begin + patience) == 0) {
		if (e->timeout > 0)
			conn_seconds(c, begin, e->timeout);
		if (e->target->kind != TARGET_TLS)
			return 0;
		switch (host_trust_check(e, c->peer, &c->problem)) {
		case HOST_TRUST_YES:
			return 0;
		case HOST_TRUST_NO:
			return -1;
		case HOST_TRUST_ASK:
			memcpy(fingerprint, c->peer, sizeof(fingerprint));
			conn_close(c, false);
			if (host_trust_ask(e, fingerprint, &c->problem) != 0)
				return -1;
		}
	}
	if (!c->refused)
		return -1;
	conn_take_refusal(c);
	return 0;
}

void
call_send(struct conn *c, const struct request *r)
{
	request_format(r, &c->out);
	conn_send(c, "\n", 1);
}

/* Store the host's address, or an address of length 0 on failure. */
static void
note_address(const struct conn *c, struct net_addr *reached)
{
	memset(reached, 0, sizeof(*reached));
	reached->len = sizeof(reached->ss);
	if (getpeername(c->fd, &reached->sa, &reached->len) != 0)
		reached->len = 0;
}

int
call_open(struct conn *c, const struct endpoint *e, const struct request *r)
{
	struct tls_context *context = NULL;

	conn_init(c);
	if (e->target->kind == TARGET_TLS &&
		(context = client_key_context(
			 e, CLIENT_KEY_LATE, &c->problem)) == NULL)
		return -1;
	if (connect_and_trust(c, e, context) != 0)
		return -1;
	if (e->reached != NULL)
		note_address(c, e->reached);
	if (r != NULL)
		call_send(c, r);
	return 0;
}

void
call_extend(struct conn *c, const struct endpoint *e, const struct request *r)
{
	unsigned seconds = ANSWER_SECONDS + r->wait;

	if (e->timeout > 0)
		return;
	/*
	 * Add the time again, because the daemon waits for the same time again
	 * after an escalation.
	 */
	if (r->escalate != 0)
		seconds += r->wait;
	/*
	 * Wait longer than the longest time of a command, because the daemon
	 * ends the command after that time.
	 */
	if (r->verb == VERB_RUN && !r->explain)
		seconds = RUN_SECONDS;
	conn_seconds(c, clock_ms(), seconds);
}

int
call_garbled(struct conn *c, const char *why)
{
	return problem_add(&c->problem, "invalid reply: %s", why);
}

int
call_cut(struct conn *c)
{
	return problem_add(&c->problem,
		"the connection ended before the end of the reply");
}

static int
take_chunk(struct conn *c, struct reply *r)
{
	char *data;
	size_t len;
	int got;

	while (r->chunk > 0) {
		if ((got = conn_bytes(c, r->chunk, &data, &len)) <= 0)
			return got == 0 ? call_cut(c) : -1;
		if (reply_chunk(r, data, len))
			continue;
		if (r->problem != NULL)
			return call_garbled(c, r->problem);
		return problem_add(
			&c->problem, "cannot write the output of the command");
	}
	return 0;
}

int
call_reply(struct conn *c, const struct endpoint *e,
	const struct request *request, struct reply *r)
{
	enum reply_state state = REPLY_MORE;
	char *line;
	size_t len;
	int got;

	call_extend(c, e, request);
	while (state == REPLY_MORE) {
		if ((got = conn_line(c, &line, &len)) <= 0)
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

static bool
changes_something(const struct request *r)
{
	return !r->dry_run && !r->explain &&
	       (r->verb == VERB_KILL || r->verb == VERB_HALT ||
		       r->verb == VERB_CANCEL || r->verb == VERB_RUN);
}

/* Return the call_result that says why the connection has failed. */
static int
failure(const struct conn *c)
{
	if (!c->sent && *c->peer != '\0')
		return CALL_UNTRUSTED;
	if (!c->sent && !c->tried)
		return CALL_UNABLE;
	return conn_late(c) ? CALL_LATE : CALL_FAILED;
}

int
call_close(struct conn *c, const struct request *r, int result,
	struct buf *problem)
{
	if (result != 0) {
		result = failure(c);
		buf_adds(problem, buf_str(&c->problem));
		if (c->sent && changes_something(r))
			buf_adds(problem,
				"; the request may have been carried out");
	}
	conn_close(c, result == 0);
	return result;
}

int
call_ask_with_input(const struct endpoint *e, const struct request *request,
	int input, struct reply *r, struct buf *problem)
{
	struct conn conn;
	int result = call_open(&conn, e, request);

	if (result == 0 && request->verb == VERB_RUN && !request->explain) {
		r->chunked = true;
		conn_feed(&conn, input);
	}
	if (result == 0)
		result = call_reply(&conn, e, request, r);
	return call_close(&conn, request, result, problem);
}

int
call_ask(const struct endpoint *e, const struct request *request,
	struct reply *r, struct buf *problem)
{
	return call_ask_with_input(e, request, -1, r, problem);
}
