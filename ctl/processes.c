#include "processes.h"

#include "glance.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* Threads of the kernel and zombies: nobody means these. */
static bool
has_no_program(const struct reply *r, size_t row, const char *name)
{
	int command = reply_column(r, "command"), rss;
	struct buf cell = { 0 }, bracketed = { 0 };
	bool none;

	if (command < 0 || (rss = reply_column(r, "rss_kib")) < 0)
		return false;
	buf_addf(&bracketed, "[%s]", name);
	none = strcmp(reply_text(r, row, (size_t)rss, &cell), "0") == 0 &&
	       strcmp(reply_text(r, row, (size_t)command, &cell),
		       buf_str(&bracketed)) == 0;
	buf_free(&cell);
	buf_free(&bracketed);
	return none;
}

static bool
is_wanted(const char *name, unsigned without)
{
	if ((without & PROCESSES_NO_DASH) && *name == '-')
		return false;
	if ((without & PROCESSES_NO_GLOB) && strpbrk(name, "*?[\\") != NULL)
		return false;
	return *name != '\0';
}

/* The names, to be freed one by one; how many there are. */
static size_t
take_names(const struct reply *r, char **names, unsigned without)
{
	int column = reply_column(r, "name");
	struct buf cell = { 0 };
	size_t row, n = 0;
	const char *name;

	for (row = 0; column >= 0 && row < r->nrows; row++) {
		name = reply_text(r, row, (size_t)column, &cell);
		if (!is_wanted(name, without) || has_no_program(r, row, name))
			continue;
		if ((names[n] = strdup(name)) != NULL)
			n++;
	}
	buf_free(&cell);
	return n;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void
add_name(struct candidates *c, const char *name, size_t count)
{
	struct buf about = { 0 };

	buf_addf(&about, "%zu process%s", count, count == 1 ? "" : "es");
	candidates_add(c, CANDIDATE_WHOLE, name, buf_str(&about));
	buf_free(&about);
}

static void
add_names(struct candidates *c, char **names, size_t n)
{
	size_t i, first = 0;

	qsort(names, n, sizeof(names[0]), compare);
	for (i = 1; i <= n; i++) {
		if (i < n && strcmp(names[i], names[first]) == 0)
			continue;
		add_name(c, names[first], i - first);
		first = i;
	}
}

void
processes_add(struct candidates *c, const struct target *t, unsigned without)
{
	struct reply reply = { 0 };
	char **names = NULL;
	size_t i, n = 0;

	if (glance(t, VERB_LIST, &reply) == 0 && reply.nrows > 0 &&
		(names = calloc(reply.nrows, sizeof(names[0]))) != NULL) {
		n = take_names(&reply, names, without);
		add_names(c, names, n);
	}
	for (i = 0; i < n; i++)
		free(names[i]);
	free(names);
	reply_free(&reply);
}
