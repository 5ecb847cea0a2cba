/*
 * Fuzz target for the argument of -H, and for the folding of names into a list.
 * A pattern must expand to the number of names that hostlist_count() returns. A
 * folded list must expand to the same set of names. Folding must succeed for
 * any names, even if no pattern can produce the names.
 */
#include "hosts/hostlist.h"
#include "util/string_map.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define NAMES_MAX 2000

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

struct names {
	size_t n;
	char *v[NAMES_MAX];
};

static void
must(bool good)
{
	if (!good)
		abort();
}

static int
keep(void *arg, const char *name)
{
	struct names *names = arg;

	must(names->n < NAMES_MAX);
	must((names->v[names->n++] = strdup(name)) != NULL);
	return 0;
}

static void
free_names(struct names *names)
{
	while (names->n > 0)
		free(names->v[--names->n]);
}

static void
expand_word(struct names *names, const char *word, bool folded)
{
	struct buf error = { 0 };
	size_t count, before = names->n;

	if (hostlist_count(word, &count, &error) != 0) {
		must(error.len > 0 && !folded);
	} else if (before + count <= NAMES_MAX) {
		must(count > 0 && count <= HOSTLIST_MAX);
		must(hostlist_expand(word, keep, names, &error) == 0);
		must(names->n == before + count && error.len == 0);
	} else {
		must(!folded);
	}
	buf_free(&error);
}

/*
 * Expand each pattern of the list into names. If `folded` is true, fail unless
 * each pattern can be expanded.
 */
static void
expand_list(struct names *names, const char *list, bool folded)
{
	char *word;
	size_t len;

	for (;; list += len + 1) {
		len = hostlist_span(list);
		must((word = strndup(list, len)) != NULL);
		expand_word(names, word, folded);
		free(word);
		if (list[len] == '\0')
			break;
	}
}

static void
make_set(struct string_map *set, const struct names *names)
{
	size_t i;

	for (i = 0; i < names->n; i++)
		must(string_map_add(set, names->v[i], i) >= 0);
}

static void
must_be_same(const struct names *a, const struct names *b)
{
	struct string_map set = { 0 }, other = { 0 };
	size_t i;

	make_set(&set, a);
	make_set(&other, b);
	must(set.used == other.used);
	for (i = 0; i < a->n; i++)
		must(string_map_find(&other, a->v[i], NULL));
	string_map_free(&set);
	string_map_free(&other);
}

static void
expand_and_fold(const char *text)
{
	struct names names = { .n = 0 }, again = { .n = 0 };
	char *folded;

	expand_list(&names, text, false);
	folded = hostlist_fold((const char *const *)names.v, names.n);
	must(folded != NULL);
	if (names.n > 0)
		expand_list(&again, folded, true);
	must_be_same(&names, &again);
	/* The folded list contains no name twice. */
	must(again.n <= names.n);
	free(folded);
	free_names(&names);
	free_names(&again);
}

/*
 * Fold the lines of the text as names, including names that no pattern can
 * produce.
 */
static void
fold_lines(char *text)
{
	struct names names = { .n = 0 };
	char *line, *folded;

	while (names.n < NAMES_MAX && (line = strsep(&text, "\n")) != NULL)
		keep(&names, line);
	folded = hostlist_fold((const char *const *)names.v, names.n);
	must(folded != NULL);
	free(folded);
	free_names(&names);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);

	must(text != NULL);
	memcpy(text, data, size);
	text[size] = '\0';
	expand_and_fold(text);
	fold_lines(text);
	free(text);
	return 0;
}
