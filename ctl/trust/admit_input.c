#include "trust/admit_input.h"

#include "util/problem.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#define VERSION "admit 1"

static const char *const mode_names[] = { [ADMIT_ENTRY] = "entry",
	[ADMIT_ADD_KEY] = "add-key",
	[ADMIT_DROP_OLD] = "drop-old",
	[ADMIT_REPLACE] = "replace" };

/* The lines with a value, and the members that store the values. */
static const struct {
	const char *word;
	size_t offset; /* offset of a const char * in struct admit */
} values[] = {
	{ "key", offsetof(struct admit, key) },
	{ "name", offsetof(struct admit, name) },
	{ "allow", offsetof(struct admit, allow) },
	{ "from", offsetof(struct admit, from) },
	{ "until", offsetof(struct admit, until) },
	{ "listen", offsetof(struct admit, listen) },
};

#define NVALUES (sizeof(values) / sizeof(values[0]))
#define NMODES (sizeof(mode_names) / sizeof(mode_names[0]))

void
admit_input_format(const struct admit *a, struct buf *out)
{
	const char *value;
	size_t i;

	buf_adds(out, VERSION "\n");
	for (i = 0; i < NVALUES; i++) {
		memcpy(&value, (const char *)a + values[i].offset,
			sizeof(value));
		if (value != NULL)
			buf_addf(out, "%s %s\n", values[i].word, value);
	}
	buf_addf(out, "mode %s\n", mode_names[a->mode]);
	if (a->dry_run)
		buf_adds(out, "dry-run yes\n");
	buf_adds(out, ADMIT_END "\n");
}

static bool
take_mode(struct admit *a, const char *value)
{
	size_t i;

	for (i = 0; i < NMODES; i++)
		if (strcmp(value, mode_names[i]) == 0) {
			a->mode = (enum admit_mode)i;
			return true;
		}
	return false;
}

/*
 * Take one line. An unknown word is an error, because it could be a restriction
 * that a newer bridlectl has sent.
 */
static bool
take_line(struct admit *a, char *word)
{
	char *value = strchr(word, ' ');
	const char **member;
	size_t i;

	if (value == NULL)
		return false;
	*value++ = '\0';
	for (i = 0; i < NVALUES; i++)
		if (strcmp(word, values[i].word) == 0) {
			member = (void *)((char *)a + values[i].offset);
			*member = value;
			return true;
		}
	if (strcmp(word, "dry-run") == 0 && strcmp(value, "yes") == 0)
		return a->dry_run = true;
	return strcmp(word, "mode") == 0 && take_mode(a, value);
}

int
admit_input_parse(struct admit *a, char *text, struct buf *error)
{
	char *line = strsep(&text, "\n");

	if (strcmp(line, VERSION) != 0)
		return problem_add(error,
			"the input does not begin with \"" VERSION
			"\": use the same version of bridlectl on both "
			"machines");
	while ((line = strsep(&text, "\n")) != NULL && text != NULL) {
		if (strcmp(line, ADMIT_END) == 0)
			return 0;
		if (!take_line(a, line))
			return problem_add(error,
				"the input has an unknown line \"%s\": use the "
				"same version of bridlectl on both machines",
				line);
	}
	return problem_add(error, "the input is incomplete");
}
