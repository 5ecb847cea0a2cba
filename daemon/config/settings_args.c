/*
 * The arguments of a command and their rules. A rule is either name =
 * "pattern", or a group with a pattern, choices or type = "int". A group may
 * have further keys.
 */
#include "config/settings_schema.h"

#include "request.h"
#include "text.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

bool
is_placeholder_name(const char *s, size_t len)
{
	return islower((unsigned char)*s) &&
	       strspn(s, PLACEHOLDER_BYTES) >= len;
}

#define ARG(field, ...) KEY(struct settings_arg, field, __VA_ARGS__)

static const struct key arg_keys[] = {
	ARG(pattern, "pattern", text),
	ARG(choices, "choices", names),
	ARG(type, "type", word, .words = &arg_type_words),
	ARG(min, "min", number, .max = INT_MAX),
	ARG(max, "max", number, .max = INT_MAX),
	ARG(dash, "dash", flag),
	{ .name = NULL },
};

static const struct settings_arg initial = { .max = INT_MAX };

/*
 * Check that a rule has exactly one of pattern, choices and type. Report other
 * keys that do not belong to the chosen rule.
 */
static void
check_rule(struct reader *r, const config_setting_t *at,
	const struct settings_arg *arg)
{
	int rules = (conf_member(at, "pattern") != NULL) +
		    (conf_member(at, "choices") != NULL) +
		    (conf_member(at, "type") != NULL);

	if (rules == 0)
		conf_error(r->conf, at,
			"has no pattern, no choices and no type = \"int\"");
	else if (rules > 1)
		conf_error(r->conf, at,
			"has more than one of pattern, choices and type");
	if ((conf_member(at, "min") || conf_member(at, "max")) &&
		arg->type != ARG_INT)
		conf_error(r->conf, at, "min and max need type = \"int\"");
	if (arg->min > arg->max)
		conf_error(r->conf, at, "min is above max");
	if (arg->dash && arg->type == ARG_INT)
		conf_error(r->conf, at,
			"type = \"int\" has no negative numbers: for a dash, "
			"use a pattern");
}

/* Report choices that no request could ever use. */
static void
check_choices(struct reader *r, const config_setting_t *at,
	const struct settings_arg *arg)
{
	const config_setting_t *list = conf_member(at, "choices");
	size_t i;

	if (!arg->choices.set)
		return;
	if (arg->choices.n == 0)
		conf_error(r->conf, list, "must not be an empty list");
	for (i = 0; i < arg->choices.n; i++) {
		if (arg->choices.v[i][0] == '-' && !arg->dash)
			conf_error(r->conf, list,
				"\"%s\" begins with a dash: set dash = true "
				"to allow this choice",
				arg->choices.v[i]);
		if (strlen(arg->choices.v[i]) > SETTINGS_ARG_MAX)
			conf_error(r->conf, list,
				"\"%.20s…\" is longer than %d bytes",
				arg->choices.v[i], SETTINGS_ARG_MAX);
	}
}

static void
read_group(
	struct reader *r, const config_setting_t *at, struct settings_arg *arg)
{
	arg->type = -1;
	keys_read(r, at, arg_keys, arg);
	check_rule(r, at, arg);
	check_choices(r, at, arg);
	if (arg->type == -1)
		arg->type = ARG_TEXT;
}

/*
 * Read an argument with its rule. Return false if the name or the rule is
 * wrong.
 */
static bool
read_arg(struct reader *r, const config_setting_t *at, struct settings_arg *arg)
{
	const char *name = config_setting_name(at);

	if (!is_placeholder_name(name, strlen(name))) {
		conf_error(r->conf, at,
			"an argument's name may have lower-case letters, "
			"digits, \"_\" and \"-\", and must begin with a "
			"letter");
		return false;
	}
	if (config_setting_is_group(at))
		read_group(r, at, arg);
	else
		kind_text.read(r, at, &arg->pattern);
	if (arg->pattern == NULL && !arg->choices.set && arg->type != ARG_INT)
		return false;
	if ((arg->name = strdup(name)) == NULL) {
		conf_error(r->conf, at, "out of memory");
		return false;
	}
	return arg->pattern == NULL || settings_read_pattern(r, at, arg);
}

static void
free_arg(struct settings_arg *arg)
{
	free(arg->name);
	pattern_free(arg->compiled);
	keys_free(arg_keys, arg);
}

static void
read_all(struct reader *r, const config_setting_t *args,
	struct settings_command *command)
{
	const config_setting_t *at;
	struct settings_arg *arg;
	unsigned i;

	for (i = 0; (at = config_setting_get_elem(args, i)) != NULL; i++) {
		arg = &command->args[command->nargs];
		*arg = initial;
		if (read_arg(r, at, arg))
			command->nargs++;
		else
			free_arg(arg);
	}
}

static void
read_args(struct reader *r, const config_setting_t *args, void *base)
{
	struct settings_command *command = base;

	if (!config_setting_is_group(args)) {
		conf_error(r->conf, args,
			"must be a group: { name = \"pattern\"; }");
		return;
	}
	if (config_setting_length(args) > REQUEST_ARGS_MAX) {
		conf_error(r->conf, args, "has more than %d arguments",
			REQUEST_ARGS_MAX);
		return;
	}
	command->args = calloc(REQUEST_ARGS_MAX + 1, sizeof(*command->args));
	if (command->args == NULL)
		conf_error(r->conf, args, "out of memory");
	else
		read_all(r, args, command);
}

static void
print_rule(struct printer *p, const struct settings_arg *arg)
{
	if (arg->type == ARG_INT) {
		buf_addf(&p->out, "type = \"int\"; min = %u; max = %u",
			arg->min, arg->max);
	} else if (arg->pattern != NULL) {
		buf_adds(&p->out, "pattern = ");
		print_text(p, arg->pattern);
	} else {
		buf_adds(&p->out, "choices = ");
		print_strings(p, arg->choices.v, arg->choices.n);
	}
	buf_adds(&p->out, arg->dash ? "; dash = true; }" : "; }");
}

static void
print_args(struct printer *p, const void *base)
{
	const struct settings_command *command = base;
	const struct settings_arg *arg;
	size_t i;

	if (command->nargs == 0)
		return;
	buf_addc(&p->out, '{');
	for (i = 0; i < command->nargs; i++) {
		arg = &command->args[i];
		buf_addf(&p->out, " %s = ", arg->name);
		if (arg->pattern != NULL && !arg->dash) {
			print_text(p, arg->pattern);
		} else {
			buf_adds(&p->out, "{ ");
			print_rule(p, arg);
		}
		buf_addc(&p->out, ';');
	}
	buf_adds(&p->out, " }");
}

static void
free_args(void *base)
{
	struct settings_command *command = base;
	size_t i;

	for (i = 0; i < command->nargs; i++)
		free_arg(&command->args[i]);
	free(command->args);
}

const struct kind kind_args = { read_args, print_args, free_args };

/*
 * True if the text is a number within the limits of the rule. Leading zeros are
 * not allowed, because some programs read 007 as an octal number.
 */
static bool
is_number(const struct settings_arg *arg, const char *text)
{
	long v;

	if (text[strspn(text, "0123456789")] != '\0' ||
		(text[0] == '0' && text[1] != '\0'))
		return false;
	return text_number(text, (long)arg->min, (long)arg->max, &v) == 0;
}

enum pattern_result
settings_arg_match(
	const struct settings_arg *arg, const char *text, unsigned *steps)
{
	if (arg->pattern != NULL)
		return pattern_match(arg->compiled, text, steps);
	if (arg->type == ARG_INT
			? is_number(arg, text)
			: settings_has_name(&arg->choices, text, strlen(text)))
		return PATTERN_MATCHES;
	return PATTERN_DIFFERS;
}
