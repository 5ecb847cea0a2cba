#include "complete.h"

#include "candidates.h"
#include "fd.h"
#include "sources.h"
#include "typed.h"

#include <string.h>
#include <unistd.h>

static void
add_option(struct candidates *c, const struct option_row *row)
{
	char text[64] = "--";

	strncat(text, row->name, sizeof(text) - strlen(text) - 1);
	candidates_add(c, CANDIDATE_WHOLE, text, row->help);
	if (row->letter == 0)
		return;
	text[1] = row->letter;
	text[2] = '\0';
	candidates_add(c, CANDIDATE_WHOLE, text, row->help);
}

/* Those that the command takes, and has not been given yet. */
static void
add_options(struct candidates *c, const struct typed *t)
{
	option_set options = t->command ? t->command->options : OPT_REMOTE;
	int i;

	options = (options | OPT_ALWAYS) & ~t->given;
	for (i = 0; i < OPT_COUNT; i++)
		if (options & OPT_BIT(i))
			add_option(c, &option_rows[i]);
}

/* That of the last that are told of one by one holds for those behind it. */
static const struct value *
value_of(const struct command *command, int n)
{
	const struct value *last = &command->takes[COMMAND_TAKES_MAX - 1];

	if (n < COMMAND_TAKES_MAX)
		return &command->takes[n];
	return last->kind == VALUE_RUN_ARG ? last : NULL;
}

static void
add_arguments(struct candidates *c, const struct typed *t)
{
	static const struct value command = { VALUE_COMMAND, NULL };

	if (t->command == NULL)
		sources_add(c, &command, t);
	else if (t->nargs < t->command->args_max &&
		 value_of(t->command, t->nargs) != NULL)
		sources_add(c, value_of(t->command, t->nargs), t);
	else if (*c->word == '\0' && !t->only_arguments)
		add_options(c, t); /* nothing else can follow */
}

/* A word that begins with a dash, and may have its value with it. */
static void
add_of_option(struct candidates *c, const struct typed *t)
{
	struct typed with = *t;
	const char *value;
	int option = typed_option(&with, c->word, &value);

	if (option >= 0 && value != NULL) {
		candidates_keep(c, (size_t)(value - c->word));
		sources_add(c, &option_values[option], t);
	} else {
		add_options(c, t);
	}
}

void
complete_print(int nwords, char **words)
{
	struct candidates c = { .word = nwords > 0 ? words[nwords - 1] : "" };
	struct typed t;

	typed_read(&t, nwords > 0 ? nwords - 1 : 0, words);
	if (t.pending >= 0)
		sources_add(&c, &option_values[t.pending], &t);
	else if (t.lost)
		; /* What it would take, nobody knows. */
	else if (*c.word == '-' && !t.only_arguments)
		add_of_option(&c, &t);
	else
		add_arguments(&c, &t);
	fd_write_all(STDOUT_FILENO, buf_str(&c.out), c.out.len);
	buf_free(&c.out);
}
