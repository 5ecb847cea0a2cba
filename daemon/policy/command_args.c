#include "policy/command_args.h"

#include "text.h"
#include "wire.h"

#include <string.h>

#define SHOWN 64 /* maximum bytes of an argument that a message quotes */

static void
quote(struct buf *out, const char *text)
{
	size_t len = strlen(text);

	buf_addc(out, '"');
	text_safe(out, text, len < SHOWN ? len : SHOWN);
	buf_adds(out, len < SHOWN ? "\"" : "…\"");
}

static void
print_rule(const struct settings_arg *arg, struct buf *out)
{
	size_t i;

	if (arg->type == ARG_INT) {
		buf_addf(out, "%u..%u", arg->min, arg->max);
		return;
	}
	if (arg->pattern != NULL) {
		text_safe(out, arg->pattern, strlen(arg->pattern));
		return;
	}
	for (i = 0; i < arg->choices.n; i++) {
		buf_adds(out, i > 0 ? "|" : "");
		text_safe(out, arg->choices.v[i], strlen(arg->choices.v[i]));
	}
}

/*
 * True if the rule allows the argument. If the result is false, append the
 * reason to `reason`.
 */
static bool
check_value(struct command_call *call, const struct settings_arg *arg,
	const char *text, struct buf *reason)
{
	enum pattern_result result;

	if (strlen(text) > SETTINGS_ARG_MAX) {
		buf_addf(reason, "%s has more than %d bytes", arg->name,
			SETTINGS_ARG_MAX);
		return false;
	}
	if (*text == '-' && !arg->dash) {
		buf_addf(reason, "%s must not begin with a dash: ", arg->name);
		quote(reason, text);
		return false;
	}
	result = settings_arg_match(arg, text, &call->steps);
	call->undecided = result == PATTERN_UNDECIDED;
	if (result == PATTERN_MATCHES)
		return true;
	if (call->undecided) {
		buf_addf(reason,
			"%s: matching this argument takes more than %d steps; "
			"use a shorter argument",
			arg->name, PATTERN_STEPS);
		return false;
	}
	buf_addf(reason, "%s: ", arg->name);
	quote(reason, text);
	buf_adds(reason, " is not allowed; it must match ");
	print_rule(arg, reason);
	return false;
}

/*
 * Return the index of the argument named in "name=value". Return -1 if the
 * command has no such argument.
 */
static int
find_arg(const struct settings_command *c, const struct request_arg *arg)
{
	size_t i;

	for (i = 0; arg->named > 0 && i < c->nargs; i++)
		if (strlen(c->args[i].name) == arg->named &&
			memcmp(c->args[i].name, arg->text, arg->named) == 0)
			return (int)i;
	return -1;
}

static int
take_named(
	const struct request *r, struct command_call *call, struct buf *reason)
{
	const struct settings_command *c = call->command;
	size_t i;
	int at;

	for (i = 0; i < r->nargs; i++) {
		if ((at = find_arg(c, &r->args[i])) < 0)
			continue;
		if (call->values[at].value != NULL) {
			buf_addf(reason, "%s is given twice", c->args[at].name);
			return CODE_MALFORMED;
		}
		call->values[at].value = r->args[i].text + r->args[i].named + 1;
	}
	return CODE_OK;
}

/* Print the usage of a command, such as "restart unit=…". */
static void
print_usage(const struct settings_command *c, struct buf *out)
{
	size_t i;

	buf_adds(out, c->name);
	for (i = 0; i < c->nargs; i++)
		buf_addf(out, " %s=…", c->args[i].name);
}

/*
 * Assign each value without a name to the first argument that has no value yet.
 */
static int
take_placed(
	const struct request *r, struct command_call *call, struct buf *reason)
{
	const struct settings_command *c = call->command;
	size_t i, at = 0;

	for (i = 0; i < r->nargs; i++) {
		if (find_arg(c, &r->args[i]) >= 0)
			continue;
		while (at < c->nargs && call->values[at].value != NULL)
			at++;
		if (at == c->nargs) {
			quote(reason, r->args[i].text);
			buf_adds(reason, " is one argument too many; usage: ");
			print_usage(c, reason);
			return CODE_MALFORMED;
		}
		call->values[at].value = r->args[i].text;
	}
	return CODE_OK;
}

static int
judge_all(struct command_call *call, struct buf *reason)
{
	const struct settings_command *c = call->command;
	size_t i;

	for (i = 0; i < c->nargs; i++) {
		call->wrong = &c->args[i];
		if (call->values[i].value == NULL) {
			buf_addf(reason,
				"%s is missing; usage: ", c->args[i].name);
			print_usage(c, reason);
			return CODE_MALFORMED;
		}
		if (!check_value(
			    call, &c->args[i], call->values[i].value, reason))
			return CODE_MALFORMED;
	}
	call->wrong = NULL;
	return CODE_OK;
}

int
command_args_bind(const struct settings *s, const struct request *r,
	struct command_call *call, struct buf *reason)
{
	const char *name = r->strings[REQUEST_NAME];
	size_t i;
	int code;

	memset(call, 0, sizeof(*call));
	call->steps = PATTERN_STEPS;
	if ((call->command = settings_find_command(s, name)) == NULL) {
		buf_adds(reason, "there is no command ");
		quote(reason, name);
		return CODE_NO_MATCH;
	}
	for (i = 0; i < call->command->nargs; i++)
		call->values[i].name = call->command->args[i].name;
	if ((code = take_named(r, call, reason)) == CODE_OK)
		code = take_placed(r, call, reason);
	return code == CODE_OK ? judge_all(call, reason) : code;
}

void
command_args_print(const struct settings_command *c, struct buf *out)
{
	size_t i;

	for (i = 0; i < c->nargs; i++) {
		buf_addf(out, i > 0 ? " %s=" : "%s=", c->args[i].name);
		print_rule(&c->args[i], out);
	}
}
