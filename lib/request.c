#include "request.h"

#include "text.h"
#include "wire.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int reject(struct request_error *, int code, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int
reject(struct request_error *e, int code, const char *fmt, ...)
{
	va_list ap;

	e->code = code;
	e->close = code == CODE_TOO_LONG || code == CODE_UNKNOWN_VERSION;
	va_start(ap, fmt);
	vsnprintf(e->reason, sizeof(e->reason), fmt, ap);
	va_end(ap);
	return -1;
}

void
request_init(struct request *r, enum verb_number verb)
{
	memset(r, 0, sizeof(*r));
	r->verb = verb;
	if (verb == VERB_KILL)
		r->signal = SIGTERM;
	if (verb == VERB_HALT)
		r->strings[REQUEST_WHEN] = "now";
}

static bool
take_signal(const char *s, int *out)
{
	int sig = text_signal(s);

	if (sig < 1)
		return false;
	*out = sig;
	return true;
}

static const struct key {
	const char *key;
	enum verb_option option;
	int string; /* index of the value in `strings`; -1 if not there */
	const char *wanted;
} keys[] = { { "name", OPTION_NAME, REQUEST_NAME, "a pattern" },
	{ "user", OPTION_USER, REQUEST_USER, "a user's name or number" },
	{ "signal", OPTION_SIGNAL, -1, "a signal's name or number" },
	{ "wait", OPTION_WAIT, -1, "seconds, 0 to 600" },
	{ "escalate", OPTION_ESCALATE, -1, "a signal's name or number" },
	{ "only", OPTION_ONLY, REQUEST_ONLY, "tokens from a kill's records" },
	{ "mode", OPTION_MODE, -1,
		"halt, poweroff, reboot, suspend or hibernate" },
	{ "when", OPTION_WHEN, REQUEST_WHEN,
		"now, +MINUTES (a week at most) or HH:MM" },
	{ "message", OPTION_MESSAGE, REQUEST_MESSAGE,
		"at most 200 printable bytes without a leading dash" },
	{ "events", OPTION_EVENTS, REQUEST_EVENTS,
		"kinds of events, separated by commas" },
	{ "since", OPTION_SINCE, REQUEST_SINCE,
		"a record's place: RUN-NUMBER or NUMBER" },
	{ "to", OPTION_TO, REQUEST_TO, "a name or a source" },
	{ "wall", OPTION_WALL, -1, "yes" },
	{ "dry-run", OPTION_DRY_RUN, -1, "" } };

#define NKEYS (sizeof(keys) / sizeof(keys[0]))

static bool
take_value(struct request *r, const struct key *k, const char *value)
{
	long v;

	if (k->string >= 0) {
		if (!request_string_valid(
			    (enum request_string)k->string, value))
			return false;
		r->strings[k->string] = value;
		return true;
	}
	switch (k->option) {
	case OPTION_SIGNAL:
		return take_signal(value, &r->signal);
	case OPTION_ESCALATE:
		return take_signal(value, &r->escalate);
	case OPTION_MODE:
		return (r->mode = text_index(halt_mode_names, value)) >= 0;
	case OPTION_WALL:
		return r->wall = strcmp(value, "yes") == 0;
	case OPTION_WAIT:
		if (text_number(value, 0, REQUEST_WAIT_MAX, &v) != 0)
			return false;
		r->wait = (unsigned)v;
		return true;
	default:
		return false;
	}
}

static const struct key *
find_key(const struct verb *verb, const char *s, size_t len)
{
	size_t i;

	for (i = 0; i < NKEYS; i++)
		if ((verb->options & keys[i].option) &&
			strlen(keys[i].key) == len &&
			memcmp(keys[i].key, s, len) == 0)
			return &keys[i];
	return NULL;
}

/*
 * Reject an unknown option, and return -1. If the verb is `say`, do not quote
 * the option, because it can be a part of a private message.
 */
static int
reject_option(const struct verb *verb, const struct wire_field *f, size_t len,
	struct request_error *e)
{
	struct buf shown = { 0 };

	if (verb->number == VERB_SAY)
		return reject(e, CODE_MALFORMED,
			"say takes only to= and wall=; write a # in the text "
			"as %%23");
	text_safe(&shown, f->s, len < 40 ? len : 40);
	reject(e, CODE_MALFORMED, "%s does not take '%s'", verb->name,
		buf_str(&shown));
	buf_free(&shown);
	return -1;
}

static int
take_option(struct request *r, const struct verb *verb, struct wire_field *f,
	unsigned *seen, struct request_error *e)
{
	char *value = memchr(f->s, '=', f->len);
	size_t len = value ? (size_t)(value - f->s) : f->len;
	const struct key *k = find_key(verb, f->s, len);
	char problem[TEXT_PROBLEM_SIZE] = "";
	ssize_t n;

	if (k == NULL)
		return reject_option(verb, f, len, e);
	if (*seen & k->option)
		return reject(e, CODE_MALFORMED, "%s is given twice", k->key);
	*seen |= k->option;
	if (k->option == OPTION_DRY_RUN) {
		if (value != NULL)
			return reject(
				e, CODE_MALFORMED, "dry-run takes no value");
		r->dry_run = true;
		return 0;
	}
	if (value != NULL) {
		value++;
		n = wire_decode(value, f->len - len - 1);
		if (n > 0 && take_value(r, k, value))
			return 0;
		if (n > 0 && k->option == OPTION_MESSAGE)
			text_is_prose(value, (size_t)n, problem);
	}
	return reject(e, CODE_MALFORMED, "%s= needs %s%s", k->key, k->wanted,
		problem);
}

/*
 * Read a number [1-9][0-9]* from the field. Return the number, or 0 if the
 * field is malformed.
 */
static long
verb_number(const struct wire_field *f)
{
	if (f->s[0] == '0' || strspn(f->s, "0123456789") != f->len)
		return 0;
	return strtol(f->s, NULL, 10);
}

static const struct verb *
take_verb(const struct wire_field *f, struct request_error *e)
{
	long number = verb_number(f);
	const struct verb *verb = verb_by_number(number);

	if (number == 0)
		reject(e, CODE_MALFORMED, "the verb is not a number");
	else if (verb == NULL)
		reject(e, CODE_UNKNOWN_VERB, "unknown verb");
	else
		return verb;
	return NULL;
}

/*
 * Return the number of the request string in which the verb's positional field
 * is stored. A verb has at most one positional field.
 */
static enum request_string
arg_of(const struct verb *verb)
{
	return verb->number == VERB_SAY    ? REQUEST_TEXT
	       : verb->number == VERB_WAKE ? REQUEST_MAC
					   : REQUEST_NAME;
}

static int
take_arg(struct request *r, const struct verb *verb, struct wire_field *f,
	size_t n, struct request_error *e)
{
	enum request_string arg = arg_of(verb);
	const char *what = arg == REQUEST_TEXT        ? "text"
			   : verb->number == VERB_RUN ? "command"
			   : arg == REQUEST_MAC       ? "MAC address"
						      : "name";
	char problem[TEXT_PROBLEM_SIZE] = "";

	if (n < 1 || f->len == 0)
		return reject(
			e, CODE_MALFORMED, "%s needs a %s", verb->name, what);
	if (wire_decode(f->s, f->len) < 0)
		return reject(
			e, CODE_MALFORMED, "bad encoding in the %s", what);
	if (arg == REQUEST_MAC && !request_string_valid(arg, f->s))
		return reject(e, CODE_MALFORMED,
			"wake needs the word own, or a MAC address such as "
			"52:54:00:12:34:56");
	if (!request_string_valid(arg, f->s)) {
		text_is_prose(f->s, strlen(f->s), problem);
		return reject(e, CODE_MALFORMED,
			"%s needs a %s of at most %d printable bytes%s",
			verb->name, what, REQUEST_TEXT_MAX, problem);
	}
	r->strings[arg] = f->s;
	return 0;
}

/*
 * Store the arguments of `run`. Return 0, or -1 if an argument is badly
 * encoded. The daemon checks the values, because only the daemon knows the
 * command's rules.
 */
static int
take_args(struct request *r, struct wire_field *f, size_t n,
	struct request_error *e)
{
	struct request_arg *arg;

	for (; n > 0; f++, n--) {
		arg = &r->args[r->nargs++];
		/*
		 * Look for '=' before decoding, because an encoded '=' (%3D)
		 * does not end a name.
		 */
		arg->named = request_arg_name(f->s, f->len);
		arg->text = f->s;
		if (wire_decode(f->s, f->len) < 0)
			return reject(e, CODE_MALFORMED,
				"bad encoding in argument %zu", r->nargs);
	}
	return 0;
}

/* True unless the request is a delayed suspend or hibernate. */
static bool
is_now_if_sleep(const struct request *r)
{
	return r->verb != VERB_HALT || !halt_mode_sleeps(r->mode) ||
	       strcmp(r->strings[REQUEST_WHEN], "now") == 0;
}

/* Store the fields after the verb. Return 0, or -1 with the error filled in. */
static int
take_fields(struct request *r, const struct verb *verb, struct wire_field *f,
	size_t n, struct request_error *e)
{
	unsigned seen = 0;
	size_t i = 0;

	if (verb->args > 0) {
		if (take_arg(r, verb, &f[0], n, e) != 0)
			return -1;
		i = 1;
	}
	if (verb->number == VERB_RUN)
		return take_args(r, f + i, n - i, e);
	for (; i < n; i++)
		if (take_option(r, verb, &f[i], &seen, e) != 0)
			return -1;
	if (!is_now_if_sleep(r))
		return reject(e, CODE_MALFORMED,
			"%s is always immediate: leave out when=",
			halt_mode_names[r->mode]);
	if (r->escalate != 0 && !(seen & OPTION_WAIT))
		r->wait = REQUEST_WAIT_DEFAULT;
	if (r->escalate != 0 && r->wait == 0)
		return reject(
			e, CODE_MALFORMED, "escalate= needs a wait= above 0");
	return 0;
}

/*
 * True if the line is the header of a chunk (1#101#0#SIZE), even if the header
 * is malformed. A chunk is a part of the input for a command that `run` has
 * started. If no command reads this input, the caller ends the connection.
 * Otherwise the bytes of the chunk would be read as requests.
 */
static bool
is_chunk(const struct wire_field *f)
{
	return f->len >= 3 && memcmp(f->s, "101", 3) == 0 &&
	       (f->len == 3 || f->s[3] < '0' || f->s[3] > '9');
}

static bool
has_control(const char *s, size_t len)
{
	for (; len > 0; s++, len--)
		if ((unsigned char)*s < 0x20)
			return true;
	return false;
}

int
request_parse(char *line, size_t len, bool ended, struct request *r,
	struct request_error *e)
{
	struct wire_field f[WIRE_FIELDS_MAX];
	const struct verb *verb;
	size_t n, i = 1;
	bool explain;

	line[len] = '\0';
	if (len > WIRE_LINE_MAX)
		return reject(e, CODE_TOO_LONG,
			"a request has at most %d bytes", WIRE_LINE_MAX);
	if (len == 0)
		return reject(e, CODE_MALFORMED, "the line is empty");
	n = wire_split(line, len, f, WIRE_FIELDS_MAX);
	if (f[0].len != 1 || f[0].s[0] != '1')
		return reject(e, CODE_UNKNOWN_VERSION,
			"a request begins with its version, 1");
	if (n > WIRE_FIELDS_MAX)
		return reject(e, CODE_TOO_LONG,
			"a request has at most %d fields", WIRE_FIELDS_MAX);
	if (n > 1 && is_chunk(&f[1])) {
		reject(e, CODE_MALFORMED,
			"input for a run, but no run takes input");
		e->close = true;
		return -1;
	}
	if (has_control(line, len))
		return reject(
			e, CODE_MALFORMED, "a control byte: encode it as %%XX");
	if (n < 2)
		return reject(e, CODE_MALFORMED, "the verb is missing");
	if ((verb = take_verb(&f[i], e)) == NULL)
		return -1;
	if (!ended && verb->changes)
		return reject(e, CODE_MALFORMED,
			"the line was cut short: %s needs its LF", verb->name);
	if ((explain = verb->number == VERB_EXPLAIN)) {
		if (++i >= n)
			return reject(e, CODE_MALFORMED,
				"explain needs the number of a verb");
		if ((verb = take_verb(&f[i], e)) == NULL)
			return -1;
		if (verb->number == VERB_EXPLAIN)
			return reject(e, CODE_MALFORMED,
				"explain cannot explain itself");
	}
	request_init(r, verb->number);
	r->explain = explain;
	return take_fields(r, verb, f + i + 1, n - i - 1, e);
}

static bool
args_valid(const struct request *r)
{
	const struct request_arg *arg = r->args;
	size_t i;

	if (r->nargs > (r->verb == VERB_RUN ? REQUEST_ARGS_MAX : 0))
		return false;
	for (i = 0; i < r->nargs; i++, arg++)
		if (arg->text == NULL ||
			(arg->named != 0 &&
				request_arg_name(arg->text,
					strlen(arg->text)) != arg->named))
			return false;
	return true;
}

bool
request_valid(const struct request *r)
{
	const struct verb *verb = verb_by_number((long)r->verb);
	unsigned options;
	int i;

	if (verb == NULL || verb->number == VERB_EXPLAIN)
		return false;
	options = verb->options;
	if (verb->args > 0 && r->strings[arg_of(verb)] == NULL)
		return false;
	if (verb->args > 0 && arg_of(verb) == REQUEST_NAME)
		options |= OPTION_NAME;
	if (verb->number != VERB_SAY &&
		(r->wall || r->strings[REQUEST_TEXT] != NULL))
		return false;
	if (verb->number != VERB_WAKE && r->strings[REQUEST_MAC] != NULL)
		return false;
	for (i = 0; i < REQUEST_STRINGS; i++)
		if (r->strings[i] != NULL &&
			!request_string_valid(
				(enum request_string)i, r->strings[i]))
			return false;
	for (i = 0; i < (int)NKEYS; i++)
		if (keys[i].string >= 0 && !(options & keys[i].option) &&
			r->strings[keys[i].string] != NULL)
			return false;
	if ((r->dry_run && !(options & OPTION_DRY_RUN)) || !args_valid(r))
		return false;
	if (verb->number == VERB_HALT)
		return r->strings[REQUEST_WHEN] != NULL && r->mode >= 0 &&
		       r->mode < HALT_MODES && is_now_if_sleep(r);
	if (verb->number == VERB_KILL)
		return r->signal >= 1 && r->signal <= SIGRTMAX &&
		       r->escalate >= 0 && r->escalate <= SIGRTMAX &&
		       r->wait <= REQUEST_WAIT_MAX &&
		       (r->escalate == 0 || r->wait > 0);
	return true;
}

/*
 * Set *value to the value of one key, as text. Return false if the value is the
 * default. `number` is memory for the text of a number.
 */
static bool
value_of(const struct request *r, const struct key *k, char *number,
	size_t size, const char **value)
{
	*value = number;
	if (k->string >= 0) {
		*value = r->strings[k->string];
		return *value != NULL &&
		       !(k->option == OPTION_WHEN && !strcmp(*value, "now"));
	}
	switch (k->option) {
	case OPTION_SIGNAL:
		*value = text_signal_name(r->signal);
		return r->signal != SIGTERM;
	case OPTION_ESCALATE:
		*value = text_signal_name(r->escalate);
		return r->escalate != 0;
	case OPTION_MODE:
		*value = halt_mode_names[r->mode];
		return r->mode != HALT_HALT;
	case OPTION_WALL:
		*value = "yes";
		return r->wall;
	case OPTION_WAIT:
		snprintf(number, size, "%u", r->wait);
		return r->wait != 0;
	default:
		return false;
	}
}

/*
 * Append an argument of `run`. If the argument has no name but looks like
 * "name=value", encode the '='.
 */
static void
put_arg(struct buf *out, const struct request_arg *arg)
{
	size_t len = strlen(arg->text), n = 0;

	buf_addc(out, '#');
	if (arg->named == 0 && (n = request_arg_name(arg->text, len)) > 0) {
		buf_add(out, arg->text, n);
		buf_adds(out, "%3D");
		n++;
	}
	wire_encode(out, arg->text + n, len - n);
}

void
request_arguments(const struct request *r, struct buf *out)
{
	const struct verb *verb = verb_by_number((long)r->verb);
	size_t start = out->len, i;
	const char *value;
	char number[16];

	if (verb->args > 0)
		wire_puts(out, r->strings[arg_of(verb)]);
	for (i = 0; i < r->nargs; i++)
		put_arg(out, &r->args[i]);
	/*
	 * Append dry-run before all other options, because a log can truncate
	 * the line.
	 */
	if (r->dry_run)
		buf_adds(out, "#dry-run");
	for (i = 0; i < NKEYS; i++)
		if ((verb->options & keys[i].option) &&
			value_of(r, &keys[i], number, sizeof(number), &value))
			wire_pair(out, keys[i].key, value);
	/* Remove the first '#', because each field was added with a '#'. */
	if (out->len > start) {
		memmove(out->data + start, out->data + start + 1,
			out->len - start - 1);
		out->len--;
	}
}

void
request_format(const struct request *r, struct buf *out)
{
	size_t mark;

	buf_addf(out, r->explain ? "1#%d#%d" : "1#%d",
		r->explain ? VERB_EXPLAIN : (int)r->verb, (int)r->verb);
	mark = out->len;
	buf_addc(out, '#');
	request_arguments(r, out);
	if (out->len == mark + 1)
		out->len = mark;
}
