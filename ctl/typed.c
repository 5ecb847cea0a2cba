#include "typed.h"

#include <stddef.h>
#include <string.h>

static int
take_long(struct typed *t, const char *word, const char **value)
{
	const char *name = word + 2;
	size_t len = strcspn(name, "=");
	int n = options_by_name(name, len);

	if (n < 0)
		return -1;
	t->given |= OPT_BIT(n);
	*value = name[len] == '=' ? name + len + 1 : NULL;
	/* What may be left out is not looked for in the next word. */
	if (*value == NULL && options_optional((enum option_number)n))
		return -1;
	return option_rows[n].value ? n : -1;
}

/* "-n", "-ny", "-sKILL", "-ns" */
static int
take_letters(struct typed *t, const char *word, const char **value)
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
typed_option(struct typed *t, const char *word, const char **value)
{
	*value = NULL;
	return word[1] == '-' ? take_long(t, word, value)
			      : take_letters(t, word, value);
}

static void
take_value(struct typed *t, int option, const char *value)
{
	if (option == OPT_HOSTS)
		t->host = value;
}

static void
take_argument(struct typed *t, const char *word)
{
	if (t->command != NULL && t->command->takes[0].kind != VALUE_REQUEST) {
		if (t->nargs++ == 0)
			t->first = word;
		return;
	}
	/* The first, or the one that is to be explained. */
	t->command = command_find(word);
	t->lost = t->lost || t->command == NULL;
}

static void
take_word(struct typed *t, const char *word)
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
		option = typed_option(t, word, &value);
		if (option >= 0 && value != NULL)
			take_value(t, option, value);
		else
			t->pending = option;
	}
}

void
typed_read(struct typed *t, int nwords, char *const *words)
{
	int i;

	*t = (struct typed){ .pending = -1 };
	for (i = 0; i < nwords; i++)
		take_word(t, words[i]);
}
