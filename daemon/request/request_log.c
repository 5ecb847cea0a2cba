#include "request/request_log.h"

#include "clock.h"
#include "events/event_publish.h"
#include "request/state.h"
#include "verbs.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

/* Store the arguments in log->args, truncated to the size of log->args. */
static void
set_arguments(struct logger_request *log, const struct request *r)
{
	struct buf args = { 0 };

	request_arguments(r, &args);
	snprintf(log->args, sizeof(log->args), "%s", buf_str(&args));
	buf_free(&args);
}

void
request_log_begin(struct parent *p, const struct session *s,
	const struct request *r, struct logger_request *log)
{
	struct request shown;

	log->started = clock_ms();
	log->transport = s->transport;
	snprintf(log->id, sizeof(log->id), "%llx-%llu",
		(unsigned long long)p->run, (unsigned long long)++p->last_id);
	snprintf(log->source, sizeof(log->source), "%s", peer_text(&s->peer));
	if (r == NULL)
		return;
	log->verb = (int)r->verb;
	log->explain = r->explain;
	shown = *r;
	/* Hide a message to a single client from readers of the log. */
	if (shown.strings[REQUEST_TO] != NULL)
		shown.strings[REQUEST_TEXT] = "...";
	set_arguments(log, &shown);
}

void
request_log_name(struct logger_request *log, const struct request *r)
{
	struct request shown = *r;

	shown.nargs = 0;
	set_arguments(log, &shown);
}

/*
 * Return the verb that the status suggests to the client: `verbs` shows the
 * allowed requests, `list` shows the targets. Return 0 if no verb helps.
 */
static enum verb_number
helpful_verb(const struct logger_request *log, int code, const char *rule)
{
	/*
	 * Only a rule of a client contains a dot. The verb `verbs` does not
	 * explain a denial by the kernel, or by a rule for all clients.
	 */
	if (code == CODE_NOT_ALLOWED)
		return rule != NULL && strchr(rule, '.') ? VERB_VERBS : 0;
	if (code != CODE_NO_MATCH)
		return 0;
	if (log->verb == VERB_KILL || log->verb == VERB_LIST)
		return VERB_LIST;
	return log->verb == VERB_RUN ? VERB_VERBS : 0;
}

void
request_log_status(struct buf *out, const struct logger_request *log, int code,
	const char *text, const char *rule)
{
	enum verb_number see = helpful_verb(log, code, rule);
	char reached[16];

	wire_status(out, code, text);
	if (rule != NULL && *rule != '\0')
		wire_pair(out, "rule", rule);
	if (log->said) {
		snprintf(reached, sizeof(reached), "%u", log->reached);
		wire_pair(out, "reached", reached);
	}
	if (*log->end != '\0')
		buf_addf(out, "#%s", log->end);
	if (see != 0 && (log->verbs & VERB_BIT(see)))
		wire_pair(out, "see", verb_by_number((long)see)->name);
	wire_pair(out, "id", log->id);
	wire_end(out);
}

/*
 * True if the request started, scheduled or cancelled a halt. Such a request is
 * also published as EVENT_HALT.
 */
static bool
is_about_halt(const struct logger_request *log, int code)
{
	return !log->explain &&
	       ((log->verb == VERB_HALT && code == CODE_ACCEPTED) ||
		       (log->verb == VERB_CANCEL && code == CODE_OK));
}

void
request_log_end(struct parent *p, const struct logger_request *log, int code,
	const char *text)
{
	const struct verb *verb = log->verb ? verb_by_number(log->verb) : NULL;
	char name[32];
	struct event e = { .kind = EVENT_REQUEST,
		.name = log->client,
		.source = log->source,
		.transport = log->transport,
		.request = name,
		.arguments = log->args,
		.verdict = logger_verdict_names[log->verdict],
		.code = code,
		.text = log->secret ? wire_code_text(code) : text,
		.id = log->id };

	logger_request(p->logger, log, code, e.text);
	/* deliver_message() has already published the text as an event. */
	if (log->said && code == CODE_OK)
		return;
	snprintf(name, sizeof(name), "%s%s", log->explain ? "explain " : "",
		verb != NULL ? verb->name : "");
	event_publish(&p->history, &e);
	if (is_about_halt(log, code)) {
		e.kind = EVENT_HALT;
		event_publish(&p->history, &e);
	}
}
