#include "complete/partial_line.h"

#include <stddef.h>
#include <string.h>

static int
take_long(struct partial_line *t, const char *word, const char **value)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	int n = options_by_name(name, len);

	if (n < 0)
		return -1;
	t->given |= OPT_BIT(n);
	*value = name[len] == '=' ? name + len + 1 : NULL;
	/*
	 * Return no option here. The optional value would be a number, and
	 * numbers have no candidates.
	 */
	if (*value == NULL && options_optional((enum option_number)n))
		return -1;
	return option_rows[n].value ? n : -1;
}

/*
 * Read options such as "-n", "-ny", "-sKILL" or "-ns". Returns like
 * partial_line_option().
 */
static int
take_letters(struct partial_line *t, const char *word, const char **value)
{
	const char *s;
	int n;

	for (s = word + 1; *s != '\0'; s++) {
		if ((n = options_by_letter(*s)) < 0)
			return -1;
		t->given |= OPT_BIT(n);
		if (option_rows[n].value == NULL)
			continue;
		*value = s[1] != '\0' ? s + 1 : NULL;
		return n;
	}
	return -1;
}

int
partial_line_option(
	struct partial_line *t, const char *word, const char **value)
{
	*value = NULL;
	return word[1] == '-' ? take_long(t, word, value)
			      : take_letters(t, word, value);
}

static void
take_value(struct partial_line *t, int option, const char *value)
{
	if (option == OPT_HOSTS)
		t->host = value;
}

static void
take_argument(struct partial_line *t, const char *word)
{
	if (t->command != NULL && t->command->takes[0].kind != ARG_REQUEST) {
		if (t->nargs++ == 0)
			t->first = word;
		return;
	}
	/*
	 * The word is a command of bridlectl, or the command that `explain`
	 * explains.
	 */
	t->command = command_find(t->commands, word);
	t->unknown = t->unknown || t->command == NULL;
}

static void
take_word(struct partial_line *t, const char *word)
{
	const char *value;
	int option;

	if (t->pending >= 0) {
		take_value(t, t->pending, word);
		t->pending = -1;
	} else if (t->only_arguments || word[0] != '-' || word[1] == '\0') {
		take_argument(t, word);
	} else if (strcmp(word, "--") == 0) {
		t->only_arguments = true;
	} else {
		option = partial_line_option(t, word, &value);
		if (option >= 0 && value != NULL)
			take_value(t, option, value);
		else
			t->pending = option;
	}
}

void
partial_line_read(struct partial_line *t, const struct command *const *commands,
	int nwords, char *const *words)
{
	int i;

	*t = (struct partial_line){ .commands = commands, .pending = -1 };
	for (i = 0; i < nwords; i++)
		take_word(t, words[i]);
}
