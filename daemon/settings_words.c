#include "settings_keys.h"

#include "text.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define WORDS_MAX 64
#define SIGNAL_SUGGESTED 31 /* the last before the real-time ones */

struct word {
	const char *name;
	int number;
};

/* Without "kern", which syslog(3) turns into "user". */
static const struct word facilities[] = { { "auth", LOG_AUTH },
	{ "authpriv", LOG_AUTHPRIV }, { "cron", LOG_CRON },
	{ "daemon", LOG_DAEMON }, { "ftp", LOG_FTP }, { "lpr", LOG_LPR },
	{ "mail", LOG_MAIL }, { "news", LOG_NEWS }, { "syslog", LOG_SYSLOG },
	{ "user", LOG_USER }, { "uucp", LOG_UUCP }, { "local0", LOG_LOCAL0 },
	{ "local1", LOG_LOCAL1 }, { "local2", LOG_LOCAL2 },
	{ "local3", LOG_LOCAL3 }, { "local4", LOG_LOCAL4 },
	{ "local5", LOG_LOCAL5 }, { "local6", LOG_LOCAL6 },
	{ "local7", LOG_LOCAL7 }, { NULL, -1 } };

static const struct word levels[] = { { "emerg", LOG_EMERG },
	{ "alert", LOG_ALERT }, { "crit", LOG_CRIT }, { "err", LOG_ERR },
	{ "warning", LOG_WARNING }, { "notice", LOG_NOTICE },
	{ "info", LOG_INFO }, { "debug", LOG_DEBUG }, { NULL, -1 } };

static int
number_of(const struct word *list, const char *name)
{
	while (list->name != NULL && strcmp(list->name, name) != 0)
		list++;
	return list->number;
}

static const char *
name_of(const struct word *list, int number)
{
	while (list->name != NULL && list->number != number)
		list++;
	return list->name;
}

static int
facility_number(const char *name)
{
	return number_of(facilities, name);
}

static const char *
facility_name(int number)
{
	return name_of(facilities, number);
}

static int
level_number(const char *name)
{
	return number_of(levels, name);
}

static const char *
level_name(int number)
{
	return name_of(levels, number);
}

const struct words facility_words = { "log facility", facility_number,
	facility_name, 0, LOG_LOCAL7 };
const struct words level_words = { "log level", level_number, level_name, 0,
	LOG_DEBUG };

static const char *const arg_types[] = {
	[ARG_TEXT] = "text", [ARG_INT] = "int"
};
static const char *const inputs[] = {
	[INPUT_NONE] = "none", [INPUT_CLIENT] = "client"
};

/* What is said of text is said by a pattern. */
static int
arg_type_number(const char *name)
{
	return strcmp(name, arg_types[ARG_INT]) == 0 ? ARG_INT : -1;
}

static const char *
arg_type_name(int type)
{
	return arg_types[type];
}

static int
input_number(const char *name)
{
	int i;

	for (i = INPUT_CLIENT; i >= 0 && strcmp(inputs[i], name) != 0; i--)
		;
	return i;
}

static const char *
input_name(int input)
{
	return inputs[input];
}

const struct words arg_type_words = { "type", arg_type_number, arg_type_name,
	ARG_INT, ARG_INT };
const struct words input_words = { "kind of standard input", input_number,
	input_name, INPUT_NONE, INPUT_CLIENT };

static const char *
verb_name(int number)
{
	const struct verb *verb = verb_by_number(number);

	return verb != NULL ? verb->name : NULL;
}

static int
verb_number(const char *name)
{
	const struct verb *verb = verb_by_name(name);

	return verb != NULL ? (int)verb->number : -1;
}

static const char *
mode_name(int mode)
{
	return halt_mode_names[mode];
}

/* The C library keeps two signals to itself, which have only a number. */
static const char *
signal_name(int number)
{
	const char *name = text_signal_name(number);

	return *name != '0' ? name : NULL;
}

const struct words verb_words = { "verb", verb_number, verb_name, 1,
	VERB_LAST };
const struct words mode_words = { "halt mode", halt_mode_by_name, mode_name, 0,
	HALT_MODES - 1 };
const struct words signal_words = { "signal", text_signal, signal_name, 1,
	SIGNAL_SUGGESTED };

/* Says which word was probably meant, or which there are. */
static void
unknown_word(struct reader *r, const config_setting_t *at,
	const struct words *words, const char *word)
{
	const char *known[WORDS_MAX + 1], *name;
	struct buf all = { 0 };
	size_t n = 0;
	int i;

	for (i = words->first; i <= words->last && n < WORDS_MAX; i++) {
		if ((name = words->name(i)) == NULL)
			continue;
		buf_addf(&all, "%s %s", n > 0 ? "," : "", name);
		known[n++] = name;
	}
	known[n] = NULL;
	if ((name = text_nearest(word, known)) != NULL)
		conf_error(r->conf, at,
			"no %s is called \"%s\"; did you mean \"%s\"?",
			words->what, word, name);
	else
		conf_error(r->conf, at, "no %s is called \"%s\"; there are%s",
			words->what, word, buf_str(&all));
	buf_free(&all);
}

/* -1, with an error at `at`, if there is no such word. */
static int
look_up(struct reader *r, const config_setting_t *at, const struct words *words,
	const char *word)
{
	int number = words->number(word);

	if (number < 0)
		unknown_word(r, at, words, word);
	return number;
}

static void
read_word(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	int *field = key_field(key, base), number;
	char *word = NULL;

	if (!conf_string(r->conf, group, key->name, &word) || word == NULL)
		return;
	number = look_up(r, config_setting_get_member(group, key->name),
		key->words, word);
	if (number >= 0)
		*field = number;
	free(word);
}

static void
print_word(struct printer *p, const struct key *key, const void *base)
{
	const int *field = key_field(key, base);

	print_begin(p, key->name);
	print_text(p, key->words->name(*field));
	print_end(p);
}

const struct kind kind_word = { read_word, print_word, NULL };

/* Sets of words, which only clients have. */

/* The bit of a word is its number less that of the first word. */
static bool
read_bits(struct reader *r, const config_setting_t *group,
	const struct key *key, unsigned long long *bits)
{
	const config_setting_t *at =
		config_setting_get_member(group, key->name);
	char **texts = NULL;
	size_t n = 0, i;
	int number;

	if (at == NULL || !conf_strings(r->conf, group, key->name, &texts, &n))
		return false;
	for (i = 0; i < n; i++) {
		if (key->words == &verb_words && strcmp(texts[i], "*") == 0) {
			*bits |= VERB_ALL >> 1;
			continue;
		}
		number = look_up(r, at, key->words, texts[i]);
		if (number >= key->words->first)
			*bits |= 1ULL << (number - key->words->first);
	}
	conf_strings_free(texts);
	return true;
}

static void
print_bits(struct printer *p, const struct key *key, unsigned long long bits)
{
	const char *name, *comma = "";
	int i;

	print_begin(p, key->name);
	buf_addc(&p->out, '(');
	for (i = key->words->first; bits != 0; i++, bits >>= 1) {
		if ((bits & 1) == 0)
			continue;
		if ((name = key->words->name(i)) != NULL)
			buf_addf(&p->out, "%s\"%s\"", comma, name);
		else
			buf_addf(&p->out, "%s\"%d\"", comma, i);
		comma = ", ";
	}
	buf_addc(&p->out, ')');
	print_end(p);
}

static void
read_verbs(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct settings_client *client = base;
	unsigned long long bits = 0;

	if (config_setting_get_member(group, key->name) == NULL)
		conf_error(r->conf, group,
			"has no allow; say allow = (\"*\") for every verb, "
			"allow = () for none");
	if (read_bits(r, group, key, &bits))
		client->verbs = (unsigned)bits << 1;
}

static void
print_verbs(struct printer *p, const struct key *key, const void *base)
{
	const struct settings_client *client = base;

	if (client->verbs != VERB_ALL) {
		print_bits(p, key, client->verbs >> 1);
		return;
	}
	print_begin(p, key->name);
	buf_adds(&p->out, "(\"*\")");
	print_end(p);
}

static void
read_modes(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct settings_client *client = base;
	unsigned long long bits = 0;

	if (!read_bits(r, group, key, &bits))
		return;
	client->modes_set = true;
	client->modes = (unsigned)bits;
}

static void
print_modes(struct printer *p, const struct key *key, const void *base)
{
	const struct settings_client *client = base;

	if (client->modes_set)
		print_bits(p, key, client->modes);
}

static void
read_signals(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct settings_client *client = base;

	if (read_bits(r, group, key, &client->signals))
		client->signals_set = true;
}

static void
print_signals(struct printer *p, const struct key *key, const void *base)
{
	const struct settings_client *client = base;

	if (client->signals_set)
		print_bits(p, key, client->signals);
}

const struct kind kind_verbs = { read_verbs, print_verbs, NULL };
const struct kind kind_modes = { read_modes, print_modes, NULL };
const struct kind kind_signals = { read_signals, print_signals, NULL };
