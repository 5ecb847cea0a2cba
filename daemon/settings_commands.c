#include "settings_keys.h"

#include "trusted.h"
#include "wire.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Arguments that a request has room for, past version, verb and command. */
#define ARGS_MAX (WIRE_FIELDS_MAX - 3)

#define TIMEOUT_MAX 86400

#define PLACEHOLDER_BYTES "abcdefghijklmnopqrstuvwxyz0123456789_-"

static bool
is_placeholder_name(const char *s, size_t len)
{
	return islower((unsigned char)*s) &&
	       strspn(s, PLACEHOLDER_BYTES) >= len;
}

/* Templates: the argv of a command or of a power program. */

static bool
is_known(const char *const *names, const char *s, size_t len)
{
	for (; *names != NULL; names++)
		if (strlen(*names) == len && strncmp(*names, s, len) == 0)
			return true;
	return false;
}

/* A brace always opens a placeholder, so that a misspelt one is noticed. */
static void
check_braces(struct reader *r, const config_setting_t *at, const char *arg,
	const char *const *names)
{
	const char *brace = arg;
	size_t len;

	while ((brace = strchr(brace, '{')) != NULL) {
		len = strspn(++brace, PLACEHOLDER_BYTES);
		if (brace[len] != '}' || !is_placeholder_name(brace, len))
			conf_error(r->conf, at,
				"\"%s\": a brace begins a {placeholder} of "
				"lower-case letters, digits, \"_\" and \"-\"",
				arg);
		else if (!is_known(names, brace, len))
			conf_error(r->conf, at,
				"there is no value for {%.*s} here", (int)len,
				brace);
	}
}

/* python3.11 is python. */
static bool
is_interpreter(const char *program)
{
	static const char *const names[] = { "sh", "bash", "dash", "zsh", "ksh",
		"mksh", "csh", "tcsh", "fish", "rbash", "busybox", "env",
		"xargs", "perl", "python", "ruby", "lua", "node", "php", "awk",
		"gawk", "mawk", "tclsh", "expect", "sudo", "su", "doas", NULL };
	const char *base = strrchr(program, '/');
	size_t len;

	base = base != NULL ? base + 1 : program;
	len = strlen(base);
	while (len > 0 &&
		(isdigit((unsigned char)base[len - 1]) || base[len - 1] == '.'))
		len--;
	return is_known(names, base, len);
}

static void
check_program(struct reader *r, const config_setting_t *at, const char *program)
{
	struct buf why = { 0 };

	if (*program != '/') {
		conf_error(r->conf, at,
			"must begin with a program's absolute path");
		return;
	}
	if (strchr(program, '{') != NULL)
		conf_error(r->conf, at,
			"the program itself must not be a placeholder");
	if (is_interpreter(program))
		conf_warn(r->conf, at,
			"%s runs whatever it is given: name the program itself",
			program);
	if (r->resolve && !trusted_path(program, &why))
		conf_warn(r->conf, at, "%s", buf_str(&why));
	else if (r->resolve && access(program, X_OK) != 0)
		conf_warn(r->conf, at, "%s cannot be run: %s", program,
			strerror(errno));
	buf_free(&why);
}

static void
check_argv(struct reader *r, const config_setting_t *at, char *const *argv,
	const char *const *names)
{
	size_t i;

	if (argv[0] == NULL) {
		conf_error(r->conf, at,
			"must begin with a program's absolute path");
		return;
	}
	check_program(r, at, argv[0]);
	for (i = 1; argv[i] != NULL; i++)
		check_braces(r, at, argv[i], names);
}

static bool
uses(char *const *argv, const char *name)
{
	size_t len = strlen(name), i;
	const char *at;

	for (i = 0; argv[i] != NULL; i++)
		for (at = argv[i]; (at = strchr(at, '{')) != NULL;)
			if (strncmp(++at, name, len) == 0 && at[len] == '}')
				return true;
	return false;
}

static void
print_argv(struct printer *p, const struct key *key, const void *base)
{
	char *const *const *field = key_field(key, base);
	size_t n = 0;

	if (*field == NULL)
		return;
	while ((*field)[n] != NULL)
		n++;
	print_begin(p, key->name);
	print_strings(p, *field, n);
	print_end(p);
}

static void
free_argv(const struct key *key, void *base)
{
	char ***field = key_field(key, base);

	conf_strings_free(*field);
}

static void
read_argv(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	char ***field = key_field(key, base), **argv = NULL;

	if (!conf_strings(r->conf, group, key->name, &argv, NULL) ||
		argv == NULL)
		return;
	conf_strings_free(*field);
	*field = argv;
}

static const struct kind kind_argv = { read_argv, print_argv, free_argv };

/* One of `power`: read over the default, and checked by itself. */
static void
read_program(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	char ***field = key_field(key, base);
	const config_setting_t *at =
		config_setting_get_member(group, key->name);

	read_argv(r, group, key, base);
	if (at == NULL || *field == NULL)
		return;
	check_argv(r, at, *field, key->placeholders);
	if (key->placeholders[0] != NULL && !uses(*field, "when"))
		conf_warn(r->conf, at,
			"has no {when}, so that it can only be done at once");
}

const struct kind kind_program = { read_program, print_argv, free_argv };

/* The same for one that may be left out, by (). */
static void
read_query(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	char ***field = key_field(key, base);
	const config_setting_t *at =
		config_setting_get_member(group, key->name);

	read_argv(r, group, key, base);
	if (at != NULL && *field != NULL && **field != NULL)
		check_argv(r, at, *field, key->placeholders);
}

const struct kind kind_query = { read_query, print_argv, free_argv };

/* Arguments: name = "pattern", or name = { pattern = "…"; dash = true; } */

#define ARG(field, ...) KEY(struct settings_arg, field, __VA_ARGS__)

static const struct key arg_keys[] = {
	ARG(pattern, "pattern", text),
	ARG(dash, "dash", flag),
	{ .name = NULL },
};

static void
free_arg(struct settings_arg *arg)
{
	free(arg->name);
	free(arg->pattern);
}

/* False if there is no compiled expression in it at the end. */
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
		keys_read(r, at, arg_keys, arg);
	else
		kind_text.read(r, config_setting_parent(at), &pattern, arg);
	if (arg->pattern == NULL) {
		if (config_setting_is_group(at))
			conf_error(r->conf, at, "has no pattern");
		return false;
	}
	if ((arg->name = strdup(name)) == NULL) {
		conf_error(r->conf, at, "out of memory");
		return false;
	}
	return pattern_compile(r, at, arg->pattern, &arg->regex);
}

static void
read_args(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct settings_command *command = base;
	const config_setting_t *args =
		config_setting_get_member(group, key->name);
	const config_setting_t *at;
	struct settings_arg *arg;
	unsigned i;

	if (args == NULL)
		return;
	if (!config_setting_is_group(args)) {
		conf_error(r->conf, args,
			"must be a group: { name = \"pattern\"; }");
		return;
	}
	if (config_setting_length(args) > ARGS_MAX) {
		conf_error(
			r->conf, args, "has more than %d arguments", ARGS_MAX);
		return;
	}
	command->args = calloc(ARGS_MAX, sizeof(*command->args));
	if (command->args == NULL) {
		conf_error(r->conf, args, "out of memory");
		return;
	}
	for (i = 0; (at = config_setting_get_elem(args, i)) != NULL; i++) {
		arg = &command->args[command->nargs];
		if (!read_arg(r, at, arg)) {
			free_arg(arg);
			memset(arg, 0, sizeof(*arg));
			continue;
		}
		command->nargs++;
		if (pattern_matches_all(&arg->regex))
			conf_warn(r->conf, at, "\"%s\" lets everything through",
				arg->pattern);
	}
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
		buf_addf(&p->out,
			arg->dash ? " %s = { pattern = " : " %s = ", arg->name);
		print_text(p, arg->pattern);
		buf_adds(&p->out, arg->dash ? "; dash = true; };" : ";");
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
	for (i = 0; i < command->nargs; i++) {
		regfree(&command->args[i].regex);
		free_arg(&command->args[i]);
	}
	free(command->args);
}

static const struct kind kind_args = { read_args, print_args, free_args };

#define COMMAND(field, ...) KEY(struct settings_command, field, __VA_ARGS__)

static const struct key keys[] = {
	COMMAND(name, "name", text),
	COMMAND(argv, "argv", argv),
	COMMAND(args, "args", args),
	COMMAND(timeout, "timeout", number, .min = 1, .max = TIMEOUT_MAX),
	COMMAND(detach, "detach", flag),
	COMMAND(secret, "secret", flag),
	{ .name = NULL },
};

static const struct settings_command initial;

/* By the names as they stand there, whether or not their rules are good. */
static void
check_placeholders(struct reader *r, const config_setting_t *at,
	const struct settings_command *command)
{
	const config_setting_t *args = config_setting_get_member(at, "args");
	const config_setting_t *arg;
	const char *names[ARGS_MAX + 1] = { NULL };
	unsigned i;

	if (command->argv == NULL) {
		if (config_setting_get_member(at, "argv") == NULL)
			conf_error(r->conf, at, "has no argv");
		return;
	}
	for (i = 0;
		args != NULL && config_setting_is_group(args) && i < ARGS_MAX;
		i++) {
		if ((arg = config_setting_get_elem(args, i)) == NULL)
			break;
		names[i] = config_setting_name(arg);
		if (!uses(command->argv, names[i]))
			conf_error(r->conf, arg,
				"is not used: argv has no {%s}", names[i]);
	}
	check_argv(
		r, config_setting_get_member(at, "argv"), command->argv, names);
}

static void
check(struct reader *r, const config_setting_t *at, size_t i)
{
	struct settings_command *command = &r->settings->commands[i];

	command->line = entry_line(r, at);
	check_placeholders(r, at, command);
	if (i == 0)
		conf_warn(r->conf, config_setting_parent(at),
			"this version does not serve run yet");
	entry_name_check(r, at);
}

const struct entries settings_command_entries = {
	.count = offsetof(struct settings, ncommands),
	.size = sizeof(struct settings_command),
	.initial = &initial,
	.keys = keys,
	.check = check,
};
