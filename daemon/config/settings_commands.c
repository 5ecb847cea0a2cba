#include "config/settings_schema.h"

#include "request.h"
#include "text.h"
#include "trusted_path.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define TIMEOUT_MAX 86400
#define QUEUE_MAX 1000
#define NICE_MAX 19
#define BYTES_MAX (1u << 30) /* maximum value of max_input and max_output */
#define OUTPUT_DEFAULT (1u << 20)
#define HELP_MAX 80

/*
 * Functions for templates: the argv of a command, or of a program of `power`.
 */

static bool
is_known(const char *const *names, const char *s, size_t len)
{
	for (; *names != NULL; names++)
		if (strlen(*names) == len && strncmp(*names, s, len) == 0)
			return true;
	return false;
}

/*
 * Report each brace that does not begin a known placeholder, because the name
 * may be misspelled.
 */
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

/*
 * True if the program is an interpreter. The file name may end with a version,
 * as in "python3.11".
 */
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
			"%s can run any program that its arguments name: "
			"write that program instead of %s",
			program, program);
	if (settings_looks(r) && !trusted_path(program, &why))
		conf_warn(r->conf, at, "%s", buf_str(&why));
	else if (settings_looks(r) && access(program, X_OK) != 0)
		conf_warn(r->conf, at, "%s cannot be run: %s", program,
			strerror(errno));
	buf_free(&why);
}

/* Warn if an interpreter's argument is a script that other users can change. */
static void
check_script(struct reader *r, const config_setting_t *at, const char *arg)
{
	struct buf why = { 0 };

	if (settings_looks(r) && *arg == '/' && access(arg, F_OK) == 0 &&
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
has_placeholder(char *const *argv, const char *name)
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
read_argv(struct reader *r, const config_setting_t *at, void *field)
{
	char ***argv = field, **fresh;

	if (!conf_strings(r->conf, at, &fresh, NULL))
		return;
	conf_strings_free(*argv);
	*argv = fresh;
}

static void
print_argv(struct printer *p, const void *field)
{
	char *const *argv = *(char *const *const *)field;
	size_t n = 0;

	if (argv == NULL)
		return;
	while (argv[n] != NULL)
		n++;
	print_strings(p, argv, n);
}

static void
free_argv(void *field)
{
	conf_strings_free(*(char ***)field);
}

static const struct kind kind_argv = { read_argv, print_argv, free_argv };

/*
 * Read and check the argv of a program. If the key's `min` is 0, an empty argv
 * () is allowed.
 */
static void
read_program(struct reader *r, const config_setting_t *at, void *field)
{
	char ***argv = field;

	read_argv(r, at, field);
	if (*argv == NULL || (**argv == NULL && r->key->min == 0))
		return;
	check_argv(r, at, *argv, r->key->placeholders);
	if (r->key->placeholders[0] != NULL && !has_placeholder(*argv, "when"))
		conf_warn(r->conf, at,
			"has no {when}, so clients can only halt immediately");
}

const struct kind kind_program = { read_program, print_argv, free_argv };

const struct settings_command *
settings_find_command(const struct settings *s, const char *name)
{
	size_t i;

	/*
	 * Skip commands without a name, which may exist while the settings are
	 * being checked.
	 */
	for (i = 0; i < s->ncommands; i++)
		if (s->commands[i].name != NULL &&
			strcmp(s->commands[i].name, name) == 0)
			return &s->commands[i];
	return NULL;
}

/*
 * Append a warning for each command that needs another user or group, if the
 * daemon does not run as root.
 */
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
			"a daemon with user = \"%s\" cannot run a command as "
			"%s: remove that key, or let the program itself change "
			"its user",
			s->user, c->user ? c->user : c->group);
	}
}

/*
 * Functions for the key "environment", a group of NAME = "value". No value
 * comes from a client.
 */

static bool
is_variable(const char *name)
{
	return !isdigit((unsigned char)*name) &&
	       name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				 "abcdefghijklmnopqrstuvwxyz0123456789_")] ==
		       '\0';
}

/*
 * Return the text "NAME=value", which the caller frees. After an error, return
 * NULL.
 */
static char *
read_variable(struct reader *r, const config_setting_t *at)
{
	const char *name = config_setting_name(at);
	struct buf both = { 0 };

	if (!is_variable(name)) {
		conf_error(r->conf, at,
			"a variable's name may have letters, digits and \"_\", "
			"and must not begin with a digit");
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
read_environment(struct reader *r, const config_setting_t *group, void *field)
{
	char ***environment = field, *text;
	const config_setting_t *at;
	size_t n = 0;
	unsigned i;

	if (!config_setting_is_group(group)) {
		conf_error(r->conf, group,
			"must be a group: { NAME = \"value\"; }");
		return;
	}
	*environment = calloc((size_t)config_setting_length(group) + 1,
		sizeof(**environment));
	if (*environment == NULL) {
		conf_error(r->conf, group, "out of memory");
		return;
	}
	for (i = 0; (at = config_setting_get_elem(group, i)) != NULL; i++)
		if ((text = read_variable(r, at)) != NULL)
			(*environment)[n++] = text;
}

static void
print_environment(struct printer *p, const void *field)
{
	char *const *text = *(char *const *const *)field;
	int len;

	if (text == NULL || *text == NULL)
		return;
	buf_addc(&p->out, '{');
	for (; *text != NULL; text++) {
		len = (int)strcspn(*text, "=");
		buf_addf(&p->out, " %.*s = ", len, *text);
		print_text(p, *text + len + 1);
		buf_addc(&p->out, ';');
	}
	buf_adds(&p->out, " }");
}

static const struct kind kind_environment = { read_environment,
	print_environment, free_argv };

#define COMMAND(field, ...) KEY(struct settings_command, field, __VA_ARGS__)

static const struct key keys[] = {
	COMMAND(name, "name", text),
	COMMAND(help, "help", text),
	COMMAND(argv, "argv", argv),
	WHOLE_KEY("args", args),
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

static const struct settings_command initial = {
	.max_output = OUTPUT_DEFAULT, .uid = (uid_t)-1, .gid = (gid_t)-1
};

/*
 * Check that each placeholder has an argument of the same name, and that argv
 * uses each argument. Do this even if the rules of the arguments are wrong.
 */
static void
check_placeholders(struct reader *r, const config_setting_t *at,
	const struct settings_command *command)
{
	const config_setting_t *args = conf_member(at, "args");
	const config_setting_t *arg;
	const char *names[REQUEST_ARGS_MAX + 1] = { NULL };
	unsigned i;

	if (command->argv == NULL) {
		if (conf_member(at, "argv") == NULL)
			conf_error(r->conf, at, "has no argv");
		return;
	}
	for (i = 0; args != NULL && config_setting_is_group(args) &&
		    i < REQUEST_ARGS_MAX;
		i++) {
		if ((arg = config_setting_get_elem(args, i)) == NULL)
			break;
		names[i] = config_setting_name(arg);
		if (!has_placeholder(command->argv, names[i]))
			conf_error(r->conf, arg,
				"is not used: argv has no {%s}", names[i]);
	}
	check_argv(r, conf_member(at, "argv"), command->argv, names);
}

/*
 * Check that the help is one short line, because replies and shell completion
 * need one line.
 */
static void
check_help(struct reader *r, const config_setting_t *at,
	const struct settings_command *command)
{
	const char *s = command->help;
	uint32_t code;
	size_t left = s != NULL ? strlen(s) : 0, n;

	if (left > HELP_MAX)
		conf_error(r->conf, conf_member(at, "help"),
			"is longer than %d bytes", HELP_MAX);
	for (; left > 0; s += n, left -= n) {
		if ((n = text_utf8(s, left, &code)) > 0 && !text_unsafe(code))
			continue;
		conf_error(r->conf, conf_member(at, "help"),
			"must be one line of text");
		return;
	}
}

/* Report keys that have no effect without another key. */
static void
check_together(struct reader *r, const config_setting_t *at,
	const struct settings_command *command)
{
	if (conf_member(at, "queue") != NULL && !command->exclusive)
		conf_error(r->conf, conf_member(at, "queue"),
			"needs exclusive = true");
	if (conf_member(at, "max_input") != NULL &&
		command->input == INPUT_NONE)
		conf_error(r->conf, conf_member(at, "max_input"),
			"needs stdin = \"client\"");
}

/*
 * Look up the user and the group of a command. The default group is the user's
 * primary group.
 */
static void
resolve_user(struct reader *r, const config_setting_t *at,
	struct settings_command *command)
{
	const config_setting_t *user = conf_member(at, "user");

	if (command->user != NULL)
		settings_user(r, user, command->user, &command->uid);
	if (command->group != NULL)
		settings_group(r, conf_member(at, "group"), command->group,
			&command->gid);
	else if (command->user != NULL && command->uid != (uid_t)-1)
		settings_user_group(r, user, command->uid, &command->gid);
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
	.items = offsetof(struct settings, commands),
	.count = offsetof(struct settings, ncommands),
	.size = sizeof(struct settings_command),
	.initial = &initial,
	.keys = keys,
	.check = check,
};
