/*
 * The arguments of a command, and what each may be: name = "pattern", or a
 * group of a pattern, choices or type = "int", with more to say of them.
 */
#include "settings_keys.h"

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

static bool
has(const config_setting_t *group, const char *key)
{
	return config_setting_get_member(group, key) != NULL;
}

/* One of the three says what it may be, and min and max go with one alone. */
static void
check_rule(struct reader *r, const config_setting_t *at,
	const struct settings_arg *arg)
{
	int rules = has(at, "pattern") + has(at, "choices") + has(at, "type");

	if (rules == 0)
		conf_error(r->conf, at,
			"has no pattern, no choices and no type = \"int\"");
	else if (rules > 1)
		conf_error(r->conf, at,
			"has more than one of pattern, choices and type");
	if ((has(at, "min") || has(at, "max")) && arg->type != ARG_INT)
		conf_error(r->conf, at, "min and max go with type = \"int\"");
	if (arg->min > arg->max)
		conf_error(r->conf, at, "min is above max");
	if (arg->dash && arg->type == ARG_INT)
		conf_error(r->conf, at,
			"numbers are from 0 on: for one with a dash, "
			"write a pattern");
}

/* One that begins with a dash would be refused all the same. */
static void
check_choices(struct reader *r, const config_setting_t *at,
	const struct settings_arg *arg)
{
	const config_setting_t *list = config_setting_get_member(at, "choices");
	size_t i;

	if (!arg->choices.set)
		return;
	if (arg->choices.n == 0)
		conf_error(r->conf, list, "has nothing to choose from");
	for (i = 0; i < arg->choices.n; i++) {
		if (arg->choices.v[i][0] == '-' && !arg->dash)
			conf_error(r->conf, list,
				"\"%s\" begins with a dash: say dash = true "
				"to let it through",
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

static bool
read_pattern(
	struct reader *r, const config_setting_t *at, struct settings_arg *arg)
{
	if (!pattern_check(r, at, arg->pattern))
		return false;
	pattern_warn(r, at, arg->pattern);
	return true;
}

/* False if it is nothing that an argument could be judged by. */
static bool
read_arg(struct reader *r, const config_setting_t *at, struct settings_arg *arg)
{
	const char *name = config_setting_name(at);
	const struct key pattern = ARG(pattern, name, text);

	if (!is_placeholder_name(name, strlen(name))) {
		conf_error(r->conf, at,
			"an argument's name is of lower-case letters, digits, "
			"\"_\" and \"-\", and begins with a letter");
		return false;
	}
	if (config_setting_is_group(at))
		read_group(r, at, arg);
	else
		kind_text.read(r, config_setting_parent(at), &pattern, arg);
	if (arg->pattern == NULL && !arg->choices.set && arg->type != ARG_INT)
		return false;
	if ((arg->name = strdup(name)) == NULL) {
		conf_error(r->conf, at, "out of memory");
		return false;
	}
	return arg->pattern == NULL || read_pattern(r, at, arg);
}

/* All but the expression, which may not have been compiled. */
static void
free_arg(struct settings_arg *arg)
{
	free(arg->name);
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
read_args(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct settings_command *command = base;
	const config_setting_t *args =
		config_setting_get_member(group, key->name);

	if (args == NULL)
		return;
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
print_args(struct printer *p, const struct key *key, const void *base)
{
	const struct settings_command *command = base;
	const struct settings_arg *arg;
	size_t i;

	if (command->nargs == 0)
		return;
	print_begin(p, key->name);
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
	print_end(p);
}

static void
free_args(const struct key *key, void *base)
{
	struct settings_command *command = base;
	size_t i;

	(void)key;
	for (i = 0; i < command->nargs; i++)
		free_arg(&command->args[i]);
	free(command->args);
}

const struct kind kind_args = { read_args, print_args, free_args };

static bool
is_choice(const struct settings_names *choices, const char *text)
{
	size_t i;

	for (i = 0; i < choices->n; i++)
		if (strcmp(choices->v[i], text) == 0)
			return true;
	return false;
}

/* As one writes a number: 007 would be another to a program. */
static bool
is_number(const struct settings_arg *arg, const char *text)
{
	long v;

	if (text[strspn(text, "0123456789")] != '\0' ||
		(text[0] == '0' && text[1] != '\0'))
		return false;
	return text_number(text, (long)arg->min, (long)arg->max, &v) == 0;
}

bool
settings_arg_matches(const struct settings_arg *arg, const char *text)
{
	if (arg->type == ARG_INT)
		return is_number(arg, text);
	if (arg->pattern != NULL)
		return pattern_matches(arg->pattern, text);
	return is_choice(&arg->choices, text);
}
