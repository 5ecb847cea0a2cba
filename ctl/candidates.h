/*
 * What a word may become. No I/O.
 *
 * Each is a line: a byte that tells its kind, the whole word as it would
 * then be, and, after a tab, what it means. Nothing in it is quoted: that is
 * the shell's matter.
 */
#ifndef BRIDLE_CANDIDATES_H
#define BRIDLE_CANDIDATES_H

#include "buf.h"

#include <stddef.h>

enum candidate_kind {
	CANDIDATE_WHOLE = '=', /* a space may follow */
	CANDIDATE_PART = '+',  /* the word goes on */
	CANDIDATE_FILE = '/'   /* the name of a file follows this */
};

struct candidates {
	const char *word; /* as far as it is written */
	size_t kept;      /* bytes of it that come before what is offered */
	struct buf out;
};

/*
 * From now on only what follows so many more bytes is to be completed, as the
 * value in "--signal=KI".
 */
void candidates_keep(struct candidates *, size_t);

/* What of the word a candidate must begin with. */
static inline const char *
candidates_typed(const struct candidates *c)
{
	return c->word + c->kept;
}

/*
 * Offers a text, if it begins with what is written. Text that might do
 * something to a terminal, or is no UTF-8, is left out. `about` may be NULL;
 * it must be harmless.
 */
void candidates_add(struct candidates *, enum candidate_kind, const char *text,
	const char *about);

/* Says that the rest is the name of a file: shells list those best. */
void candidates_files(struct candidates *);

#endif
