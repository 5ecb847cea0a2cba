/*
 * Collects candidates, the words that can replace the word at the cursor. No
 * I/O.
 *
 * Each candidate is one line: a byte for its kind, the whole word, a tab, and
 * an explanation. The shells' completion scripts quote the word.
 */
#ifndef BRIDLE_CANDIDATES_H
#define BRIDLE_CANDIDATES_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

enum candidate_kind {
	/* the word is complete, and a space may follow */
	CANDIDATE_WHOLE = '=',
	CANDIDATE_PART = '+', /* the word is not complete yet */
	/* the shell completes the word as the name of a file */
	CANDIDATE_FILE = '/'
};

struct candidates {
	const char *word; /* the word at the cursor, as typed so far */
	/* number of bytes at the start of `word` that each candidate keeps */
	size_t kept;
	struct buf out; /* the lines of the candidates */
};

/*
 * Keep n more bytes of the typed word. For example, keep "--signal=" of
 * "--signal=KI".
 */
static inline void
candidates_keep(struct candidates *c, size_t n)
{
	c->kept += n;
}

/*
 * Return the typed word without its kept bytes. Each candidate must begin with
 * this text.
 */
static inline const char *
candidates_typed(const struct candidates *c)
{
	return c->word + c->kept;
}

/* True if the typed word, without its kept bytes, begins with `text`. */
static inline bool
candidates_begin(const struct candidates *c, const char *text)
{
	return strncmp(candidates_typed(c), text, strlen(text)) == 0;
}

/*
 * Add the candidate `text`. Add nothing if `text` does not begin with
 * candidates_typed(), or if `text` is not printable UTF-8. `about` explains the
 * candidate and may be NULL. Unsafe bytes of `about` are escaped.
 */
void candidates_add(struct candidates *, enum candidate_kind, const char *text,
	const char *about);

/*
 * Tell the shell to complete the word as the name of a file. The word is used
 * without its kept bytes.
 */
void candidates_files(struct candidates *);

#endif
