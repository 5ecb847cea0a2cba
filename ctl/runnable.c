#include "runnable.h"

#include "glance.h"
#include "request.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>

#define WORD_BYTES                   \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789_.:@%/+,-"

/* A cell of that column; "" if there is none. */
static const char *
cell(const struct reply *r, size_t row, const char *name, struct buf *out)
{
	int column = reply_column(r, name);

	return column < 0 ? "" : reply_text(r, row, (size_t)column, out);
}

void
runnable_names(struct candidates *c, const struct target *t)
{
	struct buf name = { 0 }, help = { 0 }, safe = { 0 };
	struct reply r = { 0 };
	size_t row;

	if (glance(t, VERB_VERBS, &r) != 0)
		r.nrows = 0;
	for (row = 0; row < r.nrows; row++) {
		if (*cell(&r, row, "command", &name) == '\0')
			continue;
		cell(&r, row, "help", &help);
		buf_reset(&safe);
		text_safe(&safe, buf_str(&help), help.len);
		candidates_add(
			c, CANDIDATE_WHOLE, buf_str(&name), buf_str(&safe));
	}
	buf_free(&name);
	buf_free(&help);
	buf_free(&safe);
	reply_free(&r);
}

/* "php8[.]2" and "php8\\.2" stand for one word; "[a-z]+" for many: "". */
static const char *
literal(const char *alternative, struct buf *out)
{
	const char *s = alternative;

	buf_reset(out);
	while (*s != '\0') {
		if (strncmp(s, "[.]", 3) == 0 || strncmp(s, "\\.", 2) == 0) {
			s += *s == '[' ? 3 : 2;
			buf_addc(out, '.');
		} else if (strchr(WORD_BYTES "\0", *s) != NULL && s[1] != '+') {
			buf_addc(out, *s++);
		} else {
			return "";
		}
	}
	return buf_str(out);
}

static void
add_values(struct candidates *c, char *rule)
{
	struct buf word = { 0 };
	const char *value;
	char *alternative;

	while ((alternative = strsep(&rule, "|")) != NULL)
		if (*(value = literal(alternative, &word)) != '\0')
			candidates_add(c, CANDIDATE_WHOLE, value, NULL);
	buf_free(&word);
}

/* "unit=nginx|php", and whether its name is what is written already. */
static void
add_arg(struct candidates *c, char *arg)
{
	size_t named = request_arg_name(arg, strlen(arg));
	const char *typed = candidates_typed(c);
	struct buf name = { 0 }, about = { 0 };

	if (named > 0 && strncmp(typed, arg, named + 1) == 0) {
		candidates_keep(c, named + 1);
		add_values(c, arg + named + 1);
	} else if (named > 0) {
		buf_add(&name, arg, named + 1);
		text_safe(&about, arg + named + 1, strlen(arg + named + 1));
		candidates_add(
			c, CANDIDATE_PART, buf_str(&name), buf_str(&about));
	}
	buf_free(&name);
	buf_free(&about);
}

static void
add_args(struct candidates *c, const char *limits)
{
	char *copy = strdup(limits), *rest = copy, *arg;

	while (copy != NULL && (arg = strsep(&rest, " ")) != NULL)
		add_arg(c, arg);
	free(copy);
}

void
runnable_args(struct candidates *c, const struct target *t, const char *command)
{
	struct reply r = { 0 };
	struct buf text = { 0 };
	size_t row;

	if (glance(t, VERB_VERBS, &r) != 0)
		r.nrows = 0;
	for (row = 0; row < r.nrows; row++)
		if (strcmp(cell(&r, row, "command", &text), command) == 0)
			add_args(c, cell(&r, row, "limits", &text));
	buf_free(&text);
	reply_free(&r);
}
