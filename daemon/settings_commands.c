#include "settings_keys.h"

#include "request.h"
#include "text.h"
#include "trusted.h"

#include <ctype.h>
#include <errno.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MAX 86400
#define QUEUE_MAX 1000
#define NICE_MAX 19
#define BYTES_MAX (1u << 30) /* of input and output */
#define OUTPUT_DEFAULT (1u << 20)
#define HELP_MAX 80

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

/* What it is given may be what it runs, and so what others could change. */
static void
check_script(struct reader *r, const config_setting_t *at, const char *arg)
{
	struct buf why = { 0 };

	if (r->resolve && *arg == '/' && access(arg, F_OK) == 0 &&
		!trusted_path(arg, &why))
		conf_warn(r->conf, at, "%s", buf_str(&why));
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
	for (i = 1; argv[i] != NULL; i++) {
		check_braces(r, at, argv[i], names);
		if (is_interpreter(argv[0]))
			check_script(r, at, argv[i]);
	}
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

/* Only root becomes somebody else; the daemon may be started as `user`, too. */
void
settings_check_commands(struct reader *r)
{
	const config_setting_t *list =
		config_lookup(&r->conf->config, "commands");
	const struct settings *s = r->settings;
	const struct settings_command *c;
	size_t i;

	for (i = 0; list != NULL && i < s->ncommands; i++) {
		c = &s->commands[i];
		if (strcmp(s->user, "root") == 0 ||
			(c->group == NULL &&
				(c->user == NULL ||
					strcmp(c->user, s->user) == 0)))
			continue;
		conf_warn(r->conf, config_setting_get_elem(list, (unsigned)i),
			"a daemon with user = \"%s\" cannot run it as %s: "
			"leave that out, or let the program itself change",
			s->user, c->user ? c->user : c->group);
	}
}

/* Environment: NAME = "value", as they are; nothing of a client's is there. */

static bool
is_variable(const char *name)
{
	return !isdigit((unsigned char)*name) &&
	       name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz0123456789_")] ==
		       '\0';
}

/* NULL with an error. */
static char *
read_variable(struct reader *r, const config_setting_t *at)
{
	const char *name = config_setting_name(at);
	struct buf both = { 0 };

	if (!is_variable(name)) {
		conf_error(r->conf, at,
			"a variable's name is of letters, digits and \"_\"");
		return NULL;
	}
	if (config_setting_type(at) != CONFIG_TYPE_STRING) {
		conf_error(r->conf, at, "must be text in double quotes");
		return NULL;
	}
	buf_addf(&both, "%s=%s", name, config_setting_get_string(at));
	buf_str(&both);
	return both.data;
}

static void
read_environment(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct settings_command *command = base;
	const config_setting_t *list =
		config_setting_get_member(group, key->name);
	const config_setting_t *at;
	char *text;
	unsigned i;

	if (list == NULL)
		return;
	if (!config_setting_is_group(list)) {
		conf_error(r->conf, list,
			"must be a group: { NAME = \"value\"; }");
		return;
	}
	command->environment = calloc((size_t)config_setting_length(list) + 1,
		sizeof(*command->environment));
	if (command->environment == NULL) {
		conf_error(r->conf, list, "out of memory");
		return;
	}
	for (i = 0; (at = config_setting_get_elem(list, i)) != NULL; i++)
		if ((text = read_variable(r, at)) != NULL)
			command->environment[command->nenvironment++] = text;
}

static void
print_environment(struct printer *p, const struct key *key, const void *base)
{
	const struct settings_command *command = base;
	const char *text;
	size_t i;
	int len;

	if (command->nenvironment == 0)
		return;
	print_begin(p, key->name);
	buf_addc(&p->out, '{');
	for (i = 0; i < command->nenvironment; i++) {
		text = command->environment[i];
		len = (int)strcspn(text, "=");
		buf_addf(&p->out, " %.*s = ", len, text);
		print_text(p, text + len + 1);
		buf_addc(&p->out, ';');
	}
	buf_adds(&p->out, " }");
	print_end(p);
}

static void
free_environment(const struct key *key, void *base)
{
	struct settings_command *command = base;

	(void)key;
	conf_strings_free(command->environment);
}

static const struct kind kind_environment = { read_environment,
	print_environment, free_environment };

#define COMMAND(field, ...) KEY(struct settings_command, field, __VA_ARGS__)

static const struct key keys[] = {
	COMMAND(name, "name", text),
	COMMAND(help, "help", text),
	COMMAND(argv, "argv", argv),
	COMMAND(args, "args", args),
	COMMAND(input, "stdin", word, .words = &input_words),
	COMMAND(max_input, "max_input", number, .min = 1, .max = BYTES_MAX),
	COMMAND(user, "user", text),
	COMMAND(group, "group", text),
	COMMAND(directory, "directory", path),
	COMMAND(environment, "environment", environment),
	COMMAND(timeout, "timeout", number, .min = 1, .max = TIMEOUT_MAX),
	COMMAND(max_output, "max_output", number, .min = 1, .max = BYTES_MAX),
	COMMAND(nice, "nice", number, .min = 1, .max = NICE_MAX),
	COMMAND(exclusive, "exclusive", flag),
	COMMAND(queue, "queue", number, .min = 1, .max = QUEUE_MAX),
	COMMAND(detach, "detach", flag),
	COMMAND(secret, "secret", flag),
	{ .name = NULL },
};

static const struct settings_command initial = { .max_output = OUTPUT_DEFAULT };

/* By the names as they stand there, whether or not their rules are good. */
static void
check_placeholders(struct reader *r, const config_setting_t *at,
	const struct settings_command *command)
{
	const config_setting_t *args = config_setting_get_member(at, "args");
	const config_setting_t *arg;
	const char *names[REQUEST_ARGS_MAX + 1] = { NULL };
	unsigned i;

	if (command->argv == NULL) {
		if (config_setting_get_member(at, "argv") == NULL)
			conf_error(r->conf, at, "has no argv");
		return;
	}
	for (i = 0; args != NULL && config_setting_is_group(args) &&
		    i < REQUEST_ARGS_MAX;
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

/* It stands in a line of an answer, and in completion. */
static void
check_help(struct reader *r, const config_setting_t *at,
	const struct settings_command *command)
{
	const char *s = command->help;
	uint32_t code;
	size_t left = s != NULL ? strlen(s) : 0, n;

	if (left > HELP_MAX)
		conf_error(r->conf, config_setting_get_member(at, "help"),
			"is longer than %d bytes", HELP_MAX);
	for (; left > 0; s += n, left -= n) {
		if ((n = text_utf8(s, left, &code)) > 0 && !text_unsafe(code))
			continue;
		conf_error(r->conf, config_setting_get_member(at, "help"),
			"must be one line of text");
		return;
	}
}

/* Keys that do nothing alone are thought to do something. */
static void
check_together(struct reader *r, const config_setting_t *at,
	const struct settings_command *command)
{
	if (config_setting_get_member(at, "queue") != NULL &&
		!command->exclusive)
		conf_error(r->conf, config_setting_get_member(at, "queue"),
			"goes with exclusive = true");
	if (config_setting_get_member(at, "max_input") != NULL &&
		command->input == INPUT_NONE)
		conf_error(r->conf, config_setting_get_member(at, "max_input"),
			"goes with stdin = \"client\"");
}

/* The user's group comes from his entry, unless one is named. */
static void
resolve_user(struct reader *r, const config_setting_t *at,
	struct settings_command *command)
{
	struct passwd *pw;

	if (command->user != NULL) {
		settings_user(r, config_setting_get_member(at, "user"),
			command->user, &command->uid);
		if (r->resolve && (pw = getpwuid(command->uid)) != NULL)
			command->gid = pw->pw_gid;
		else if (command->group == NULL && r->resolve)
			conf_error(r->conf,
				config_setting_get_member(at, "user"),
				"has no entry that tells its group: name one "
				"by group = \"…\"");
	}
	if (command->group != NULL)
		settings_group(r, config_setting_get_member(at, "group"),
			command->group, &command->gid);
}

static void
check(struct reader *r, const config_setting_t *at, size_t i)
{
	struct settings_command *command = &r->settings->commands[i];

	command->line = entry_line(r, at);
	check_placeholders(r, at, command);
	check_help(r, at, command);
	check_together(r, at, command);
	resolve_user(r, at, command);
	entry_name_check(r, at);
}

const struct entries settings_command_entries = {
	.count = offsetof(struct settings, ncommands),
	.size = sizeof(struct settings_command),
	.initial = &initial,
	.keys = keys,
	.check = check,
};
