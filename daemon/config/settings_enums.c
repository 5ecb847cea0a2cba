#include "config/settings_schema.h"

#include "text.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

#define WORDS_MAX 64
/* number of the last signal before the real-time signals */
#define SIGNAL_SUGGESTED 31

/* All facilities except "kern", because syslog(3) replaces "kern" by "user". */
static const char *const facilities[] = { [LOG_AUTH] = "auth",
	[LOG_AUTHPRIV] = "authpriv",
	[LOG_CRON] = "cron",
	[LOG_DAEMON] = "daemon",
	[LOG_FTP] = "ftp",
	[LOG_LPR] = "lpr",
	[LOG_MAIL] = "mail",
	[LOG_NEWS] = "news",
	[LOG_SYSLOG] = "syslog",
	[LOG_USER] = "user",
	[LOG_UUCP] = "uucp",
	[LOG_LOCAL0] = "local0",
	[LOG_LOCAL1] = "local1",
	[LOG_LOCAL2] = "local2",
	[LOG_LOCAL3] = "local3",
	[LOG_LOCAL4] = "local4",
	[LOG_LOCAL5] = "local5",
	[LOG_LOCAL6] = "local6",
	[LOG_LOCAL7] = "local7" };
static const char *const levels[] = { "emerg", "alert", "crit", "err",
	"warning", "notice", "info", "debug" };
static const char *const arg_types[] = {
	[ARG_TEXT] = "text", [ARG_INT] = "int"
};
static const char *const inputs[] = {
	[INPUT_NONE] = "none", [INPUT_CLIENT] = "client"
};

static const char *
verb_name(int number)
{
	const struct verb *verb = verb_by_number(number);

	return verb != NULL ? verb->name : NULL;
}

/*
 * Return the name of a signal. Return NULL for a number without a name, such as
 * the two signals of the C library.
 */
static const char *
signal_name(int number)
{
	const char *name = text_signal_name(number);

	return *name != '0' ? name : NULL;
}

const struct words facility_words = {
	.what = "log facility", .names = facilities, .last = LOG_LOCAL7
};
const struct words level_words = {
	.what = "log level", .names = levels, .last = LOG_DEBUG
};
/*
 * The word "text" is not allowed here, because an argument with a pattern is
 * always text.
 */
const struct words arg_type_words = {
	.what = "type", .names = arg_types, .first = ARG_INT, .last = ARG_INT
};
const struct words input_words = {
	.what = "kind of standard input", .names = inputs, .last = INPUT_CLIENT
};
const struct words mode_words = {
	.what = "halt mode", .names = halt_mode_names, .last = HALT_MODES - 1
};
const struct words verb_words = {
	.what = "verb", .name = verb_name, .last = VERB_LAST
};
const struct words signal_words = { .what = "signal",
	.name = signal_name,
	.number = text_signal,
	.first = 1,
	.last = SIGNAL_SUGGESTED };

/* Return the word for a number, or NULL if no word stands for the number. */
static const char *
name_of(const struct words *words, int number)
{
	return words->names != NULL ? words->names[number]
				    : words->name(number);
}

/* Return the number of a word, or -1 if the word is unknown. */
static int
number_of(const struct words *words, const char *word)
{
	const char *name;
	int i;

	if (words->number != NULL)
		return words->number(word);
	for (i = words->first; i <= words->last; i++)
		if ((name = name_of(words, i)) != NULL &&
			strcmp(name, word) == 0)
			return i;
	return -1;
}

/*
 * Report an unknown word. The message suggests a similar word, or lists all
 * known words.
 */
static void
unknown_word(struct reader *r, const config_setting_t *at,
	const struct words *words, const char *word)
{
	const char *known[WORDS_MAX + 1], *name;
	struct buf all = { 0 };
	size_t n = 0;
	int i;

	for (i = words->first; i <= words->last && n < WORDS_MAX; i++) {
		if ((name = name_of(words, i)) == NULL)
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

/*
 * Return the number of a word. If the word is unknown, report an error at `at`
 * and return -1.
 */
static int
look_up(struct reader *r, const config_setting_t *at, const struct words *words,
	const char *word)
{
	int number = number_of(words, word);

	if (number < 0)
		unknown_word(r, at, words, word);
	return number;
}

static void
read_word(struct reader *r, const config_setting_t *at, void *field)
{
	char *word;
	int number;

	if (!conf_string(r->conf, at, &word))
		return;
	number = look_up(r, at, r->key->words, word);
	if (number >= 0)
		*(int *)field = number;
	free(word);
}

static void
print_word(struct printer *p, const void *field)
{
	print_text(p, name_of(p->key->words, *(const int *)field));
}

const struct kind kind_word = { read_word, print_word, NULL };

/*
 * Functions for sets of words. Bit 0 of a set stands for the number
 * words->first.
 */

static void
read_set(struct reader *r, const config_setting_t *at, void *field)
{
	const struct words *words = r->key->words;
	struct settings_set *set = field;
	char **texts = NULL;
	size_t n = 0, i;
	int number;

	if (!conf_strings(r->conf, at, &texts, &n))
		return;
	*set = (struct settings_set){ .set = true };
	for (i = 0; i < n; i++) {
		if (words == &verb_words && strcmp(texts[i], "*") == 0) {
			set->bits |= VERB_ALL;
			continue;
		}
		number = look_up(r, at, words, texts[i]);
		if (number >= words->first)
			set->bits |= 1ULL << (number - words->first);
	}
	conf_strings_free(texts);
}

static void
print_set(struct printer *p, const void *field)
{
	const struct words *words = p->key->words;
	const struct settings_set *set = field;
	unsigned long long bits = set->bits;
	const char *name, *comma = "";
	int i;

	if (!set->set)
		return;
	if (words == &verb_words && bits == VERB_ALL) {
		buf_adds(&p->out, "(\"*\")");
		return;
	}
	buf_addc(&p->out, '(');
	for (i = words->first; bits != 0; i++, bits >>= 1) {
		if ((bits & 1) == 0)
			continue;
		if ((name = name_of(words, i)) != NULL)
			buf_addf(&p->out, "%s\"%s\"", comma, name);
		else
			buf_addf(&p->out, "%s\"%d\"", comma, i);
		comma = ", ";
	}
	buf_addc(&p->out, ')');
}

const struct kind kind_set = { read_set, print_set, NULL };
