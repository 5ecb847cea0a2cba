#include "request/verb_handlers.h"

#include "clock.h"
#include "config/argv_template.h"
#include "events/event_publish.h"
#include "request/penalize.h"
#include "request/request_log.h"
#include "request/run_queue.h"
#include "request/status_tables.h"
#include "request/subscribers.h"
#include "text.h"
#include "wire.h"

#include "config.h"

#include <stdio.h>
#include <string.h>

#define NAME_SHOWN 64 /* maximum number of bytes of a name in a status text */

static void
handle_ping(struct exchange *x)
{
	int64_t up = (clock_boot_ms() - x->parent->started) / 1000;
	char seconds[24];

	snprintf(seconds, sizeof(seconds), "%lld", (long long)up);
	wire_status(&x->reply, CODE_OK, "pong");
	wire_pair(&x->reply, "version", PACKAGE_VERSION);
	wire_pair(&x->reply, "uptime", seconds);
	wire_pair(&x->reply, "id", x->log.id);
	wire_end(&x->reply);
	request_log_end(x->parent, &x->log, CODE_OK, "pong");
	session_reply(x->parent, x->session, PRIVSEP_REPLY, &x->reply);
}

/*
 * Reply with the counters. If the limits allow an action, an action adds the
 * scheduled shutdown to the reply.
 */
static void
handle_status(struct exchange *x)
{
	status_table_status(x->parent, &x->reply);
	if (!session_may_act(x->parent, x->session) ||
		x->parent->settings->scheduled[0] == NULL)
		exchange_finish(x, CODE_OK, "done", NULL);
	else
		exchange_start_action(x, NULL, "done");
}

/*
 * Finish the exchange. If the reply is too large for one message, an action
 * sends the reply.
 */
static void
finish_rows(struct exchange *x, const char *text)
{
	if (x->reply.len + WIRE_LINE_MAX < PRIVSEP_BYTES_MAX)
		exchange_finish(x, CODE_OK, text, NULL);
	else
		exchange_start_action(x, NULL, text);
}

static void
handle_verbs(struct exchange *x)
{
	status_table_verbs(x->parent->settings, x->verdict.client, &x->reply);
	finish_rows(x, "done");
}

static void
handle_who(struct exchange *x)
{
	char text[32];

	snprintf(text, sizeof(text), "%u connected", x->parent->nsessions);
	status_table_who(x->parent, &x->reply);
	finish_rows(x, text);
}

/*
 * Start a watch. The status line is made now, and sent at the end of the watch.
 */
static void
handle_watch(struct exchange *x)
{
	request_log_status(
		&x->reply, &x->log, CODE_OK, "the watch has ended", NULL);
	request_log_end(x->parent, &x->log, CODE_OK, "watching");
	if (!subscribers_add(
		    x->parent, x->session, x->request, x->log.id, &x->reply))
		session_kill(x->parent, x->session);
}

static void
deliver_message(struct exchange *x, const char *to, unsigned reached)
{
	struct parent *p = x->parent;
	char text[64];

	x->log.said = true;
	x->log.reached = reached;
	event_publish(
		&p->history, &(struct event){ .kind = EVENT_MESSAGE,
				     .name = x->log.client,
				     .source = x->log.source,
				     .transport = x->session->transport,
				     .text = x->request->strings[REQUEST_TEXT],
				     .id = x->log.id,
				     .to = to });
	snprintf(text, sizeof(text), "sent to %u subscriber%s%s", reached,
		reached == 1 ? "" : "s",
		x->request->wall ? "; wall has run" : "");
	if (x->request->wall)
		exchange_start_action(x, p->settings->wall, text);
	else
		exchange_finish(x, CODE_OK, text, NULL);
}

static void
handle_say(struct exchange *x)
{
	const char *to = x->request->strings[REQUEST_TO];
	unsigned reached = subscribers_reach(
		x->parent, x->session->name, to != NULL ? to : "");

	if (to != NULL && reached == 0)
		exchange_finish(x, CODE_NO_MATCH,
			"no subscriber has this name or source", NULL);
	else if (to != NULL && x->request->wall)
		exchange_finish(x, CODE_MALFORMED,
			"wall= reaches all terminals: leave out to= or wall=",
			NULL);
	else if (x->request->wall && x->parent->settings->wall[0] == NULL)
		exchange_finish(x, CODE_FAILED,
			"the setting wall names no program", NULL);
	else
		deliver_message(x, to != NULL ? to : "", reached);
}

static void
handle_explain(struct exchange *x)
{
	struct request subject = *x->request;
	struct verdict v;

	subject.explain = false;
	policy_decide(x->parent->settings, &x->session->peer, &subject,
		clock_real_ms(), &v);
	if (v.call.undecided)
		penalize(x->parent, x->session, PENALTY_MALFORMED);
	status_table_explain(&v, &x->reply);
	exchange_finish(x, CODE_OK, "done", NULL);
}

static void
handle_kill(struct exchange *x)
{
	const char *name = x->request->strings[REQUEST_NAME];
	struct buf safe = { 0 }, about = { 0 };

	text_safe(&safe, name, strlen(name));
	buf_addf(&about, "\"%.*s%s\"", NAME_SHOWN, buf_str(&safe),
		safe.len > NAME_SHOWN ? "…" : "");
	exchange_start_action(x, NULL, buf_str(&about));
	buf_free(&safe);
	buf_free(&about);
}

/*
 * True if an action must first ask logind, for example for scheduled shutdowns
 * or inhibitors.
 */
static bool
asks_first(const struct settings *s)
{
	return s->scheduled[0] != NULL || s->can_suspend[0] != NULL ||
	       s->can_hibernate[0] != NULL ||
	       (s->inhibitors[0] != NULL && !s->override_inhibitors);
}

/*
 * Reply to the dry run of a `halt` request with the program that the request
 * would run. If logind is configured, an action first checks that nothing
 * forbids the halt.
 */
static void
handle_dry_halt(struct exchange *x, char *const *argv)
{
	struct buf text = { 0 };

	buf_adds(&text, "would run ");
	argv_template_print(argv, &text);
	if (text.len > WIRE_COMMAND_MAX)
		text.len = WIRE_COMMAND_MAX;
	if (asks_first(x->parent->settings))
		exchange_start_action(x, argv, buf_str(&text));
	else
		exchange_finish(x, CODE_OK, buf_str(&text), NULL);
	buf_free(&text);
}

/* Append "reboot now", "reboot in 5 minutes" or "reboot at 22:00". */
static void
print_halt(const struct request *r, struct buf *out)
{
	const char *when = r->strings[REQUEST_WHEN];

	buf_adds(out, halt_mode_names[r->mode]);
	if (*when == '+')
		buf_addf(out, " in %s minute%s", when + 1,
			strcmp(when, "+1") == 0 ? "" : "s");
	else
		buf_addf(out, *when == 'n' ? " %s" : " at %s", when);
}

static void
handle_halt(struct exchange *x)
{
	const struct request *r = x->request;
	const struct argv_template_value values[] = {
		{ "when", r->strings[REQUEST_WHEN] },
		{ "message", r->strings[REQUEST_MESSAGE] }, { NULL, NULL }
	};
	char **argv = argv_template_expand(
		x->parent->settings->power[r->mode], values);
	struct buf about = { 0 };

	if (argv == NULL) {
		exchange_finish(x, CODE_FAILED, "out of memory", NULL);
	} else if (argv[0] == NULL) {
		buf_addf(&about, "power.%s of the configuration is empty",
			halt_mode_names[r->mode]);
		exchange_finish(x, CODE_CONFLICT, buf_str(&about), NULL);
	} else if (r->dry_run) {
		handle_dry_halt(x, argv);
	} else {
		print_halt(r, &about);
		exchange_start_action(x, argv, buf_str(&about));
	}
	buf_free(&about);
	argv_template_free(argv);
}

static void
handle_run(struct exchange *x)
{
	const struct command_call *call = &x->verdict.call;
	char **argv, text[160];
	int code;

	switch (run_queue_turn(x->parent, x->session, call->command, &code,
		text, sizeof(text))) {
	case RUNS_LATER:
		x->waits = true;
		return;
	case RUNS_NEVER:
		exchange_finish(x, code, text, NULL);
		return;
	default:
		break;
	}
	if ((argv = argv_template_expand(call->command->argv, call->values)) ==
		NULL)
		exchange_finish(x, CODE_FAILED, "out of memory", NULL);
	else
		exchange_start_action(x, argv, call->command->name);
	argv_template_free(argv);
}

static void
handle_wake(struct exchange *x)
{
	const char *mac = x->request->strings[REQUEST_MAC];
	char text[80];

	snprintf(text, sizeof(text), "would send a packet for %s", mac);
	if (x->request->dry_run && strcmp(mac, REQUEST_MAC_OWN) != 0)
		exchange_finish(x, CODE_OK, text, NULL);
	else
		exchange_start_action(x, NULL, mac);
}

static void
handle_cancel(struct exchange *x)
{
	exchange_start_action(x, x->parent->settings->cancel, "cancel");
}

static void
handle_list(struct exchange *x)
{
	exchange_start_action(x, NULL, "");
}

static void (*const handlers[VERB_LAST + 1])(struct exchange *) = {
	[VERB_HALT] = handle_halt,
	[VERB_LIST] = handle_list,
	[VERB_KILL] = handle_kill,
	[VERB_PING] = handle_ping,
	[VERB_RUN] = handle_run,
	[VERB_CANCEL] = handle_cancel,
	[VERB_STATUS] = handle_status,
	[VERB_WHO] = handle_who,
	[VERB_WATCH] = handle_watch,
	[VERB_SAY] = handle_say,
	[VERB_VERBS] = handle_verbs,
	[VERB_WAKE] = handle_wake,
};

void
verb_handler_run(struct exchange *x)
{
	if (x->request->explain)
		handle_explain(x);
	else if (handlers[x->request->verb] != NULL)
		handlers[x->request->verb](x);
	else
		exchange_finish(x, CODE_UNKNOWN_VERB, "unknown verb", NULL);
}
