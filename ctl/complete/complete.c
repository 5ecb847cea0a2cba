#include "complete/complete.h"

#include "complete/candidates.h"
#include "complete/complete_values.h"
#include "complete/partial_line.h"
#include "fd.h"

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

/*
 * Add the options that the command takes, except options that are already
 * given.
 */
static void
add_options(struct candidates *c, const struct partial_line *t)
{
	option_set options = t->command ? t->command->options : OPT_REMOTE;
	int i;

	options = (options | OPT_ALWAYS) & ~t->given;
	for (i = 0; i < OPT_COUNT; i++)
		if (options & OPT_BIT(i))
			add_option(c, &option_rows[i]);
}

/*
 * Return the kind of the command's argument n, counted from 0. Return NULL if
 * the kind is unknown.
 */
static const struct arg_spec *
arg_spec_of(const struct command *command, int n)
{
	const struct arg_spec *last = &command->takes[COMMAND_TAKES_MAX - 1];

	if (n < COMMAND_TAKES_MAX)
		return &command->takes[n];
	return last->kind == ARG_RUN_ARG ? last : NULL;
}

static void
add_arguments(struct candidates *c, const struct partial_line *t)
{
	static const struct arg_spec command = { ARG_COMMAND, NULL };

	if (t->command == NULL)
		complete_values_add(c, &command, t);
	else if (t->nargs < t->command->args_max &&
		 arg_spec_of(t->command, t->nargs) != NULL)
		complete_values_add(c, arg_spec_of(t->command, t->nargs), t);
	else if (*c->word == '\0' && !t->only_arguments)
		/*
		 * The command takes no more arguments, so only options can
		 * follow.
		 */
		add_options(c, t);
}

/*
 * Complete a word that begins with a dash. The word may contain the value of an
 * option.
 */
static void
complete_dashed(struct candidates *c, const struct partial_line *t)
{
	struct partial_line with = *t;
	const char *value;
	int option = partial_line_option(&with, c->word, &value);

	if (option >= 0 && value != NULL) {
		candidates_keep(c, (size_t)(value - c->word));
		complete_values_add(c, &option_values[option], t);
	} else {
		add_options(c, t);
	}
}

void
complete_print(const struct command *const *commands, int nwords, char **words)
{
	struct candidates c = { .word = nwords > 0 ? words[nwords - 1] : "" };
	struct partial_line t;

	partial_line_read(&t, commands, nwords > 0 ? nwords - 1 : 0, words);
	if (t.pending >= 0)
		complete_values_add(&c, &option_values[t.pending], &t);
	else if (t.unknown)
		/*
		 * Add nothing, because the arguments of an unknown command are
		 * unknown.
		 */
		;
	else if (*c.word == '-' && !t.only_arguments)
		complete_dashed(&c, &t);
	else
		add_arguments(&c, &t);
	fd_write_all(STDOUT_FILENO, buf_str(&c.out), c.out.len);
	buf_free(&c.out);
}
