#include "invocation.h"

#include "await.h"
#include "clock.h"
#include "delay.h"
#include "fanout.h"
#include "run_args.h"
#include "spoken.h"
#include "text.h"
#include "tls.h"
#include "wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MAX 86400
#define OWN_FAILURE 255
#define WATCH_SECONDS 2

/* Of each of these sets one at most may be given. */
static const option_set excluding[] = {
	OPT_BIT(OPT_TREE) | OPT_BIT(OPT_JSON) | OPT_BIT(OPT_RAW),
	OPT_BIT(OPT_GATHER) | OPT_BIT(OPT_JSON) | OPT_BIT(OPT_RAW),
	OPT_BIT(OPT_DRY_RUN) | OPT_BIT(OPT_YES),
	OPT_BIT(OPT_FINGERPRINT) | OPT_BIT(OPT_ACCEPT_NEW),
	OPT_BIT(OPT_IN) | OPT_BIT(OPT_AT),
	OPT_BIT(OPT_UP) | OPT_BIT(OPT_DOWN),
	OPT_BIT(OPT_WATCH) | OPT_BIT(OPT_GATHER) | OPT_BIT(OPT_JSON) |
		OPT_BIT(OPT_RAW),
	OPT_BIT(OPT_HOW_MANY) | OPT_BIT(OPT_FOLD) | OPT_BIT(OPT_FORMAT) |
		OPT_BIT(OPT_GROUPS) | OPT_BIT(OPT_JSON),
};

/* Whether the command takes all that was given, and they go together. */
static int
check_options(const struct options *o, const struct command *command,
	struct buf *error)
{
	option_set extra = o->given & ~(command->options | OPT_ALWAYS);
	option_set both;
	size_t i;

	if (extra != 0) {
		buf_addf(error, "%s takes no --%s", command->name,
			option_rows[__builtin_ctzll(extra)].name);
		return -1;
	}
	for (i = 0; i < sizeof(excluding) / sizeof(excluding[0]); i++) {
		both = o->given & excluding[i];
		if ((both & (both - 1)) == 0)
			continue;
		buf_addf(error, "--%s and --%s exclude each other",
			option_rows[__builtin_ctzll(both)].name,
			option_rows[__builtin_ctzll(both & (both - 1))].name);
		return -1;
	}
	return 0;
}

/* wait has to be told for what. */
static int
check_wait(struct invocation *inv, struct buf *error)
{
	if (!(inv->command->options & OPT_BIT(OPT_UP)))
		return 0;
	/* What the configuration says of time is about one answer. */
	inv->await = inv->timeout ? inv->timeout : AWAIT_SECONDS;
	if (invocation_has(inv, OPT_UP) || invocation_has(inv, OPT_DOWN))
		return 0;
	buf_addf(error, "%s needs --up or --down", inv->command->name);
	return -1;
}

static int
check_args(const struct command *command, int nargs, char **args,
	struct buf *error)
{
	int i;

	if (nargs < command->args_min) {
		buf_addf(error, "%s needs %s", command->name, command->args);
		return -1;
	}
	if (nargs > command->args_max) {
		buf_addf(error, "%s does not know what to do with '%s'",
			command->name, args[command->args_max]);
		return -1;
	}
	for (i = 0; i < nargs; i++) {
		/* Whether a command may have one is for its owner to say. */
		if (*args[i] == '\0' && (command->verb != VERB_RUN || i == 0)) {
			buf_addf(error, "%s: an argument is empty",
				command->name);
			return -1;
		}
	}
	return 0;
}

static int
take_number(const struct options *o, enum option_number n, long least,
	long most, unsigned *out, struct buf *error)
{
	long v;

	if (!options_given(o, n) || o->values[n] == NULL)
		return 0;
	if (text_number(o->values[n], least, most, &v) != 0) {
		buf_addf(error, "--%s needs a number from %ld to %ld",
			option_rows[n].name, least, most);
		return -1;
	}
	*out = (unsigned)v;
	return 0;
}

static int
take_signal(const struct options *o, enum option_number n, int *out,
	struct buf *error)
{
	if (!options_given(o, n) || (*out = text_signal(o->values[n])) > 0)
		return 0;
	buf_addf(error, "there is no signal '%s'", o->values[n]);
	return -1;
}

/* --in and --at */
static int
take_when(struct invocation *inv, struct request *r, struct buf *error)
{
	const char *in = inv->options.values[OPT_IN];
	const char *at = inv->options.values[OPT_AT];
	long minutes;

	if (in != NULL) {
		if ((minutes = delay_minutes(in)) < 0) {
			buf_addf(error,
				"'%s' is no time to wait: write 10m, "
				"2h or 90s, a week at most",
				in);
			return -1;
		}
		snprintf(inv->when, sizeof(inv->when), "+%ld", minutes);
		r->strings[REQUEST_WHEN] = inv->when;
	}
	if (at != NULL) {
		if (strchr(at, ':') == NULL || !request_when_valid(at)) {
			buf_addf(error,
				"'%s' is no time of day: write HH:MM, "
				"as 22:00 or 07:30",
				at);
			return -1;
		}
		r->strings[REQUEST_WHEN] = at;
	}
	return 0;
}

/* reboot --wait */
static int
take_await(struct invocation *inv, struct buf *error)
{
	const struct options *o = &inv->options;

	if (!options_given(o, OPT_WAIT))
		return 0;
	if (options_given(o, OPT_IN) || options_given(o, OPT_AT)) {
		buf_adds(error, "--wait is for a reboot that is now");
		return -1;
	}
	inv->await = AWAIT_SECONDS;
	return take_number(o, OPT_WAIT, 1, TIMEOUT_MAX, &inv->await, error);
}

/* The options of kill that are not mere strings. */
static int
take_kill(const struct options *o, struct request *r, struct buf *error)
{
	if (options_given(o, OPT_WAIT))
		r->wait = REQUEST_WAIT_DEFAULT;
	if (take_signal(o, OPT_SIGNAL, &r->signal, error) != 0 ||
		take_signal(o, OPT_ESCALATE, &r->escalate, error) != 0 ||
		take_number(
			o, OPT_WAIT, 0, REQUEST_WAIT_MAX, &r->wait, error) != 0)
		return -1;
	if (r->escalate != 0 && !options_given(o, OPT_WAIT))
		r->wait = REQUEST_WAIT_DEFAULT;
	if (r->escalate == 0 || r->wait > 0)
		return 0;
	buf_adds(error, "--escalate needs a --wait above 0");
	return -1;
}

static int
check_strings(const struct request *r, struct buf *error)
{
	const char *message = r->strings[REQUEST_MESSAGE];
	struct buf line = { 0 };
	size_t len;

	if (r->strings[REQUEST_USER] && *r->strings[REQUEST_USER] == '\0') {
		buf_adds(error, "--user needs a user");
		return -1;
	}
	if (message != NULL && !request_message_valid(message)) {
		buf_addf(error,
			"a message has at most %d printable bytes and "
			"no leading dash",
			REQUEST_MESSAGE_MAX);
		return -1;
	}
	request_format(r, &line);
	len = line.len;
	buf_free(&line);
	if (len <= WIRE_LINE_MAX)
		return 0;
	buf_adds(error, "that is too long for one request");
	return -1;
}

/* What can be done on one host alone. */
static int
check_single(const struct invocation *inv, struct buf *error)
{
	option_set single = inv->options.given &
			    (OPT_BIT(OPT_STDIN) | OPT_BIT(OPT_EXIT_STATUS));

	if (!inv->several || single == 0)
		return 0;
	buf_addf(error, "--%s is for one host, named alone",
		option_rows[__builtin_ctzll(single)].name);
	return -1;
}

static int
fill_request(struct invocation *inv, const struct command *what,
	char *const *args, struct buf *error)
{
	const struct options *o = &inv->options;
	struct request *r = &inv->request;

	request_init(r, what->verb);
	r->explain = inv->command != what;
	r->dry_run = options_given(o, OPT_DRY_RUN);
	r->mode = (int)what->mode;
	if (what->args_max > 0 && r->verb != VERB_SAY)
		r->strings[REQUEST_NAME] = args[0];
	if (r->verb == VERB_RUN && run_args_take(r, args + 1, error) != 0)
		return -1;
	r->strings[REQUEST_USER] = o->values[OPT_USER];
	r->strings[REQUEST_MESSAGE] = o->values[OPT_MESSAGE];
	if ((r->verb == VERB_HALT ? take_await(inv, error)
				  : take_kill(o, r, error)) != 0 ||
		take_when(inv, r, error) != 0 ||
		spoken_fill(inv, r, args, error) != 0)
		return -1;
	return check_strings(r, error);
}

/* What is about keys would be thought to be of use where there are none. */
static int
check_tls(const struct invocation *inv, struct buf *error)
{
	option_set given = inv->options.given & OPT_TLS;
	size_t i;

	if (invocation_has(inv, OPT_FINGERPRINT) && inv->hosts.n > 1) {
		buf_addf(error,
			"--fingerprint is one host's, and these are "
			"%zu",
			inv->hosts.n);
		return -1;
	}
	for (i = 0; given != 0 && i < inv->hosts.n; i++)
		if (inv->hosts.v[i].target.kind == TARGET_TLS)
			given = 0;
	if (given == 0)
		return 0;
	buf_addf(error, "--%s is for TLS, which '%s' is reached without",
		option_rows[__builtin_ctzll(given)].name, inv->target.name);
	return -1;
}

/*
 * A list is shown as one even if only one host has come of it, lest a script
 * see another form on the day when a group has but one.
 */
static bool
is_list(const struct invocation *inv)
{
	const option_set many = OPT_WHERE | OPT_FANNED | OPT_STAGED;
	const option_set one =
		OPT_BIT(OPT_HOSTS) | OPT_BIT(OPT_CONNECT_TIMEOUT);
	const char *written = inv->options.values[OPT_HOSTS];

	if (written == NULL)
		written = inv->conf.default_hosts;
	return inv->hosts.n > 1 || (inv->options.given & many & ~one) != 0 ||
	       (written != NULL && strcmp(written, inv->hosts.v[0].label) != 0);
}

static int
take_share(const struct options *o, enum option_number n, size_t least,
	struct stage_share *out, struct buf *error)
{
	if (!options_given(o, n) || stage_share(o->values[n], least, out) == 0)
		return 0;
	buf_addf(error,
		"--%s needs a number of hosts, from %zu on, or a share "
		"such as 25%%",
		option_rows[n].name, least);
	return -1;
}

/* What is for many hosts. */
static int
take_fanned(struct invocation *inv, struct buf *error)
{
	const struct options *o = &inv->options;

	if (take_number(o, OPT_FANOUT, 1, FANOUT_MAX, &inv->fanout, error) !=
			0 ||
		take_number(o, OPT_CONNECT_TIMEOUT, 1, TIMEOUT_MAX,
			&inv->connect_timeout, error) != 0 ||
		take_number(o, OPT_TOTAL_TIMEOUT, 1, TIMEOUT_MAX,
			&inv->total_timeout, error) != 0 ||
		take_number(o, OPT_PAUSE, 0, TIMEOUT_MAX, &inv->pause, error) !=
			0 ||
		take_share(o, OPT_BATCH, 1, &inv->batch, error) != 0 ||
		take_share(o, OPT_MAX_FAILURES, 0, &inv->max_failures, error) !=
			0)
		return -1;
	if (invocation_has(inv, OPT_WATCH))
		inv->watch = WATCH_SECONDS;
	if (take_number(o, OPT_WATCH, 1, TIMEOUT_MAX, &inv->watch, error) != 0)
		return -1;
	if (invocation_has(inv, OPT_RESUME) && *o->values[OPT_RESUME] == '\0') {
		buf_adds(error, "--resume needs a file");
		return -1;
	}
	if (invocation_has(inv, OPT_PAUSE) && !invocation_has(inv, OPT_BATCH)) {
		buf_adds(error, "--pause needs a --batch");
		return -1;
	}
	return 0;
}

/* What commands have in common, whether they ask a daemon or not. */
static int
take_common(struct invocation *inv, struct buf *error)
{
	const char *pin = inv->options.values[OPT_FINGERPRINT];

	if (pin != NULL && !tls_fingerprint_valid(pin)) {
		buf_addf(error,
			"'%s' is no fingerprint: it is \"SHA256:\" and 43 "
			"characters of base64",
			pin);
		return -1;
	}
	if (inv->options.values[OPT_EXIT_STATUS] != NULL &&
		take_number(&inv->options, OPT_EXIT_STATUS, 0, 255,
			&inv->own_failure, error) != 0)
		return -1;
	return take_number(&inv->options, OPT_TIMEOUT, 1, TIMEOUT_MAX,
		&inv->timeout, error);
}

static const struct command *
find_command(const char *name, struct buf *error)
{
	const struct command *command = command_find(name);
	const char *nearest;

	if (command != NULL)
		return command;
	buf_addf(error, "there is no command '%s'", name);
	if ((nearest = command_nearest(name)) != NULL)
		buf_addf(error, ": is it '%s'?", nearest);
	return NULL;
}

/* The command whose request it is: the one that is to be explained, too. */
static const struct command *
find_asked(const struct invocation *inv, struct buf *error)
{
	const struct command *what = inv->command;

	if (what->verb != VERB_EXPLAIN)
		return what;
	if (check_args(what, inv->nargs, inv->args, error) != 0 ||
		(what = find_command(inv->args[0], error)) == NULL)
		return NULL;
	if (what->verb != 0 && what->verb != VERB_EXPLAIN)
		return what;
	buf_addf(error, "'%s' is nothing that a daemon does", what->name);
	return NULL;
}

/* All that a daemon will be asked, and which daemon. */
static int
parse_request(struct invocation *inv, struct buf *error)
{
	const struct command *what = find_asked(inv, error);
	int skip = what != inv->command;

	if (what == NULL || check_options(&inv->options, what, error) != 0 ||
		check_args(what, inv->nargs - skip, inv->args + skip, error) !=
			0 ||
		take_common(inv, error) != 0 || take_fanned(inv, error) != 0 ||
		check_wait(inv, error) != 0 ||
		invocation_select(inv, error) != 0)
		return -1;
	invocation_turn(inv, &inv->hosts.v[0]);
	inv->several = is_list(inv) || inv->command->run == NULL;
	if (check_tls(inv, error) != 0 || check_single(inv, error) != 0)
		return -1;
	return fill_request(inv, what, inv->args + skip, error);
}

void
invocation_turn(struct invocation *inv, const struct host *host)
{
	inv->host = host;
	inv->target = host->target;
	if (invocation_has(inv, OPT_TIMEOUT))
		return;
	inv->timeout =
		host->timeout ? host->timeout : inv->conf.default_timeout;
}

int
invocation_select(struct invocation *inv, struct buf *error)
{
	if (hosts_need_conf(&inv->options) &&
		client_conf_read(&inv->conf, error) != 0)
		return -1;
	if (!invocation_has(inv, OPT_FANOUT))
		inv->fanout = inv->conf.default_fanout;
	if (!invocation_has(inv, OPT_CONNECT_TIMEOUT))
		inv->connect_timeout = inv->conf.default_connect_timeout;
	return hosts_select(&inv->hosts, &inv->conf, &inv->options, error);
}

int64_t
invocation_deadline(const struct invocation *inv)
{
	return inv->total_timeout > 0 ? clock_ms() + inv->total_timeout * 1000LL
				      : INT64_MAX;
}

void
invocation_free(struct invocation *inv)
{
	hosts_free(&inv->hosts);
	buf_free(&inv->text);
	client_conf_free(&inv->conf);
}

int
invocation_parse(
	struct invocation *inv, int argc, char **argv, struct buf *error)
{
	int first;

	memset(inv, 0, sizeof(*inv));
	inv->own_failure = OWN_FAILURE;
	if ((first = options_parse(argc, argv, &inv->options, error)) < 0)
		return -1;
	if (first < argc &&
		(inv->command = find_command(argv[first], error)) == NULL)
		return -1;
	if (inv->options.given & OPT_ALWAYS)
		return 0;
	if (inv->command == NULL) {
		buf_adds(error, "say what to do");
		return -1;
	}
	inv->args = argv + first + 1;
	inv->nargs = argc - first - 1;
	if (inv->command->verb != 0)
		return parse_request(inv, error);
	if (check_options(&inv->options, inv->command, error) != 0 ||
		take_common(inv, error) != 0)
		return -1;
	return check_args(inv->command, inv->nargs, inv->args, error);
}
