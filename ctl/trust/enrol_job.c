#include "trust/enrol_job.h"

#include "clock.h"
#include "remote/call.h"
#include "remote/client_key.h"
#include "remote/key_create.h"
#include "text.h"
#include "trust/enrol_ssh.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define PING_SECONDS 15

static const enum result_kind kinds[] = { [ENROL_DONE] = RESULT_OK,
	[ENROL_UNREACHED] = RESULT_UNREACHED,
	[ENROL_LATE] = RESULT_TIMED_OUT,
	[ENROL_REFUSED] = RESULT_REFUSED,
	[ENROL_FAILED] = RESULT_FAILED };

/*
 * Read the fingerprint of the key that the user shows to this host. Returns 0,
 * or -1 with a sentence appended to problem.
 */
static int
read_key(const struct endpoint *e, char fingerprint[TLS_FINGERPRINT_SIZE],
	struct buf *problem)
{
	struct buf path = { 0 };
	int result = 0;

	if (e->identity != NULL)
		buf_adds(&path, e->identity);
	else
		result = client_key_path(&path, problem);
	if (result == 0)
		result = key_create_read(buf_str(&path), fingerprint, problem);
	buf_free(&path);
	return result;
}

/*
 * Choose a TLS port of the host. If the host listens at the port of the target,
 * choose this port. Otherwise choose the first port in the reply. Returns 0, or
 * -1 if there is no valid port.
 */
static int
choose_port(struct target *t, struct buf *listeners)
{
	const char *line = buf_str(listeners), *colon;
	long port, first = 0;
	char text[8];
	size_t len;

	for (; *line != '\0'; line += len + (line[len] == '\n')) {
		len = strcspn(line, "\n");
		colon = memrchr(line, ':', len);
		if (colon == NULL)
			continue;
		snprintf(text, sizeof(text), "%.*s",
			(int)(line + len - colon - 1), colon + 1);
		if (text_number(text, 1, 65535, &port) != 0)
			continue;
		if (strcmp(text, t->port) == 0)
			return 0;
		if (first == 0)
			first = port;
	}
	if (first == 0)
		return -1;
	snprintf(t->port, sizeof(t->port), "%ld", first);
	return 0;
}

/*
 * Set the status line of the result. The pairs have the state, the fingerprint
 * and the port of the host.
 */
static void
set_status(struct result *r, const struct enrol_reply *reply, const char *port)
{
	struct buf line = { 0 };

	wire_status(&line, CODE_OK, "enrolled");
	wire_pair(&line, ENROL_PAIR_STATE, reply->state);
	wire_pair(&line, ENROL_PAIR_FINGERPRINT, reply->fingerprint);
	wire_pair(&line, ENROL_PAIR_PORT, port);
	wire_end(&line);
	if (!line.failed)
		reply_line(&r->reply, line.data, line.len - 1);
	buf_free(&line);
}

/*
 * Append the next step after a test that has failed. A firewall usually drops
 * packets, while a host without a listener refuses the connection.
 */
static void
add_unreached(const struct target *t, struct buf *problem)
{
	bool refused = strstr(buf_str(problem), strerror(ECONNREFUSED)) != NULL;

	buf_adds(problem, "\nthe host has admitted your key, but ");
	if (refused)
		buf_addf(problem,
			"bridled does not run on %s: run there 'systemctl "
			"enable --now bridled.socket'",
			t->host);
	else
		buf_adds(problem, "a test over TLS has failed; is the port "
				  "blocked by a firewall?");
}

/*
 * Ping the host by TLS. Accept only the host key that the host has sent over
 * ssh. If the host refuses the verb ping, the test succeeds too, because the
 * host has accepted the user's key.
 */
static void
prove(struct endpoint e, struct result *r, struct enrol_reply *reply)
{
	struct request request;
	struct reply pong = { 0 };

	request_init(&request, VERB_PING);
	e.pin = reply->fingerprint;
	e.pin_source = "bridled on the host";
	e.timeout = PING_SECONDS;
	if (call_ask(&e, &request, &pong, &r->problem) != 0) {
		add_unreached(e.target, &r->problem);
		if (reply->said.len > 0)
			buf_addf(&r->problem, "\nthe host said:%s",
				buf_str(&reply->said));
		r->result_kind = RESULT_UNREACHED;
	} else if (pong.code != CODE_OK && pong.code != CODE_NOT_ALLOWED) {
		buf_addf(&r->problem,
			"the host has admitted your key, but refuses requests "
			"by TLS: %s (%d)",
			pong.said, pong.code);
		r->result_kind = result_kind_of(pong.code);
	}
	reply_free(&pong);
}

/*
 * Take the reply of a host that has admitted the key, and ping the host by TLS.
 */
static void
take_admission(const struct invocation *inv, struct result *r,
	struct enrol_reply *reply)
{
	struct endpoint e = endpoint_of(inv, r->host);
	struct target target = *e.target;

	if (choose_port(&target, &reply->listeners) != 0) {
		result_fail(r, RESULT_FAILED,
			"the host's reply has no address with TLS");
		return;
	}
	r->result_kind = RESULT_OK;
	e.target = &target;
	set_status(r, reply, target.port);
	if (e.pin != NULL && strcmp(e.pin, reply->fingerprint) != 0) {
		buf_addf(&r->problem,
			"the host has the key %s, but %s requires %s",
			reply->fingerprint, e.pin_source, e.pin);
		r->result_kind = RESULT_FAILED;
		return;
	}
	prove(e, r, reply);
}

static void
take_plan(struct result *r, struct enrol_reply *reply)
{
	buf_add(&r->reply.kept[REPLY_OUTPUT], reply->plan.data,
		reply->plan.len);
	if (reply_conclude(&r->reply, CODE_OK, "dry run", NULL) == 0)
		r->result_kind = RESULT_OK;
	else
		result_fail(r, RESULT_FAILED, "out of memory");
}

void
enrol_job(const struct invocation *inv, struct result *r, const void *context)
{
	const struct enrol *enrol = context;
	struct endpoint e = endpoint_of(inv, r->host);
	struct enrol_ssh ssh = { .user = enrol->user,
		.host = e.target->host,
		.via = enrol->via,
		.may_ask = enrol->may_ask,
		.deadline = clock_ms() + e.timeout * 1000LL };
	struct admit admit = enrol->admit;
	char key[TLS_FINGERPRINT_SIZE];
	struct enrol_reply reply = { 0 };
	enum enrol_result result;

	if (read_key(&e, key, &r->problem) != 0) {
		r->result_kind = RESULT_FAILED;
		return;
	}
	admit.key = key;
	result = enrol_ssh(&ssh, &admit, &reply, &r->problem);
	r->result_kind = kinds[result];
	if (result == ENROL_DONE && admit.dry_run)
		take_plan(r, &reply);
	else if (result == ENROL_DONE)
		take_admission(inv, r, &reply);
	enrol_reply_free(&reply);
}
