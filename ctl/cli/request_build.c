#include "cli/request_build.h"

#include "events.h"
#include "text.h"
#include "util/duration.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

/* maximum length of an argument in bytes, as in bridled */
#define RUN_ARG_MAX 256

static int
take_signal(const struct options *o, enum option_number n, int *out,
	struct buf *error)
{
	if (!options_given(o, n) || (*out = text_signal(o->values[n])) > 0)
		return 0;
	buf_addf(error, "unknown signal '%s'", o->values[n]);
	return -1;
}

/*
 * Read the options of `kill` into the request. Returns 0, or -1 with a sentence
 * appended to error.
 */
static int
take_kill(const struct options *o, struct request *r, struct buf *error)
{
	if (options_given(o, OPT_WAIT))
		r->wait = REQUEST_WAIT_DEFAULT;
	if (take_signal(o, OPT_SIGNAL, &r->signal, error) != 0 ||
		take_signal(o, OPT_ESCALATE, &r->escalate, error) != 0 ||
		options_number(
			o, OPT_WAIT, 0, REQUEST_WAIT_MAX, &r->wait, error) != 0)
		return -1;
	if (r->escalate != 0 && !options_given(o, OPT_WAIT))
		r->wait = REQUEST_WAIT_DEFAULT;
	if (r->escalate == 0 || r->wait > 0)
		return 0;
	buf_adds(error, "--escalate needs --wait with at least 1 second");
	return -1;
}

/*
 * Read --in or --at into the request. Returns 0, or -1 with a sentence appended
 * to error.
 */
static int
take_when(const struct options *o, struct request *r,
	struct request_texts *texts, struct buf *error)
{
	const char *in = o->values[OPT_IN];
	const char *at = o->values[OPT_AT];
	long minutes;

	if (in != NULL) {
		if ((minutes = duration_minutes(in)) < 0) {
			buf_addf(error,
				"invalid delay '%s'; use 90s, 10m, 2h or 1d, "
				"at most a week",
				in);
			return -1;
		}
		snprintf(texts->when, sizeof(texts->when), "+%ld", minutes);
		r->strings[REQUEST_WHEN] = texts->when;
	}
	if (at != NULL) {
		if (strchr(at, ':') == NULL ||
			!request_string_valid(REQUEST_WHEN, at)) {
			buf_addf(error,
				"invalid time of day '%s'; use HH:MM, such "
				"as 22:00 or 07:30",
				at);
			return -1;
		}
		r->strings[REQUEST_WHEN] = at;
	}
	return 0;
}

/*
 * Add the arguments of the command that `run` starts to the request. The
 * request then points to these arguments. Returns 0, or -1 with a sentence
 * appended to error.
 */
static int
take_run(struct request *r, char *const *args, struct buf *error)
{
	struct request_arg *arg;

	for (; *args != NULL; args++) {
		arg = &r->args[r->nargs++];
		arg->text = *args;
		arg->named = request_arg_name(*args, strlen(*args));
		if (strlen(*args) - (arg->named ? arg->named + 1 : 0) <=
			RUN_ARG_MAX)
			continue;
		buf_addf(error, "the argument '%.20s...' exceeds %d bytes",
			*args, RUN_ARG_MAX);
		return -1;
	}
	return 0;
}
static int
take_say(const struct options *o, struct request *r, char *const *words,
	struct buf *said, struct buf *error)
{
	char problem[TEXT_PROBLEM_SIZE];
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		buf_addf(said, i ? " %s" : "%s", words[i]);
	r->strings[REQUEST_TEXT] = buf_str(said);
	r->strings[REQUEST_TO] = o->values[OPT_TO];
	r->wall = options_given(o, OPT_WALL);
	if (!request_string_valid(REQUEST_TEXT, r->strings[REQUEST_TEXT])) {
		text_is_prose(buf_str(said), said->len, problem);
		buf_addf(error,
			"the text of 'say' must be one line of at most %d "
			"printable bytes%s",
			REQUEST_TEXT_MAX, problem);
		return -1;
	}
	if (r->strings[REQUEST_TO] != NULL &&
		!request_string_valid(REQUEST_TO, r->strings[REQUEST_TO])) {
		buf_adds(error, "--to needs the name or source of a client, "
				"as 'bridlectl who' shows them");
		return -1;
	}
	return 0;
}

/*
 * Set the MAC address of `explain wake`. Returns 0, or -1 with a sentence
 * appended to error.
 */
static int
take_mac(struct request *r, const char *mac, struct buf *error)
{
	if (mac != NULL && request_string_valid(REQUEST_MAC, mac)) {
		r->strings[REQUEST_MAC] = mac;
		return 0;
	}
	buf_adds(error, "'explain wake' needs the MAC address of a machine, "
			"such as 52:54:00:12:34:56");
	return -1;
}

static int
take_watch(const struct options *o, struct request *r, struct buf *error)
{
	const char *events = o->values[OPT_EVENTS];
	const char *client = o->values[OPT_CLIENT];
	int i;

	r->strings[REQUEST_EVENTS] = events;
	r->strings[REQUEST_NAME] = client;
	if (events != NULL && !request_string_valid(REQUEST_EVENTS, events)) {
		buf_adds(error, "--events needs kinds of events, separated by "
				"commas:");
		for (i = 0; i < EVENT_KINDS; i++)
			buf_addf(error, "%s %s", i ? "," : "", event_names[i]);
		return -1;
	}
	if (client != NULL && *client == '\0') {
		buf_adds(error, "--client needs the name of a client, as "
				"'bridlectl who' shows it");
		return -1;
	}
	return 0;
}

static int
check_strings(const struct request *r, struct buf *error)
{
	const char *message = r->strings[REQUEST_MESSAGE];
	char problem[TEXT_PROBLEM_SIZE];
	struct buf line = { 0 };
	size_t len;

	if (r->strings[REQUEST_USER] && *r->strings[REQUEST_USER] == '\0') {
		buf_adds(error, "--user needs the name or number of a user");
		return -1;
	}
	if (message != NULL &&
		!request_string_valid(REQUEST_MESSAGE, message)) {
		text_is_prose(message, strlen(message), problem);
		buf_addf(error,
			"the text of --message must have at most %d printable "
			"bytes and no leading dash%s",
			REQUEST_MESSAGE_MAX, problem);
		return -1;
	}
	request_format(r, &line);
	len = line.len;
	buf_free(&line);
	if (len <= WIRE_LINE_MAX)
		return 0;
	buf_addf(error, "the request exceeds %d bytes; shorten the arguments",
		WIRE_LINE_MAX);
	return -1;
}

int
request_build(struct request *r, const struct command *command,
	const struct options *o, char *const *args, struct request_texts *texts,
	struct buf *error)
{
	int result = 0;

	r->dry_run = options_given(o, OPT_DRY_RUN);
	r->mode = (int)command->mode;
	if (r->verb == VERB_WAKE)
		return take_mac(r, args[0], error);
	if (command->args_max > 0 && r->verb != VERB_SAY)
		r->strings[REQUEST_NAME] = args[0];
	r->strings[REQUEST_USER] = o->values[OPT_USER];
	r->strings[REQUEST_MESSAGE] = o->values[OPT_MESSAGE];
	if (r->verb == VERB_RUN)
		result = take_run(r, args + 1, error);
	else if (r->verb == VERB_KILL)
		result = take_kill(o, r, error);
	else if (r->verb == VERB_HALT)
		result = take_when(o, r, texts, error);
	else if (r->verb == VERB_SAY)
		result = take_say(o, r, args, &texts->said, error);
	else if (r->verb == VERB_WATCH)
		result = take_watch(o, r, error);
	return result == 0 ? check_strings(r, error) : -1;
}
