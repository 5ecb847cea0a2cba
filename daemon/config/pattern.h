/*
 * Regular expressions in the syntax of regex(7), matched by PCRE2. The operator
 * sets these expressions as rules for the arguments of clients. The number of
 * steps of a match is limited, so no match takes much time. The functions do no
 * I/O.
 */
#ifndef BRIDLE_PATTERN_H
#define BRIDLE_PATTERN_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

#define PATTERN_MAX 512        /* maximum bytes of an expression */
#define PATTERN_SIZE_MAX 16384 /* maximum bytes of a compiled expression */
/* maximum bytes of all compiled expressions */
#define PATTERN_SIZES_MAX 8388608
/*
 * The maximum number of steps for all matches of one request. A unit of
 * match_limit in pcre2api(3) counts as one step. PCRE2 may read the whole
 * compiled expression in one unit. A unit therefore counts as one more step for
 * each 256 bytes of the compiled expression.
 */
#define PATTERN_STEPS 1000

struct pattern;

enum pattern_result {
	PATTERN_DIFFERS,
	PATTERN_MATCHES,
	PATTERN_UNDECIDED /* the limit of steps or of memory was reached */
};

/*
 * Compile an expression. The caller frees the result with pattern_free(). Fail
 * if the syntax of the expression is wrong, or if PCRE2 and regex(7) would
 * interpret the expression differently. On failure, append the reason to
 * `error` and return NULL.
 */
struct pattern *pattern_compile(const char *expression, struct buf *error);

/* Return the size of the compiled expression in bytes. */
size_t pattern_size(const struct pattern *);

/* Free a pattern, which may be NULL. */
void pattern_free(struct pattern *);

/*
 * Match the whole text against the pattern, and subtract the used steps from
 * *steps.
 */
enum pattern_result pattern_match(
	const struct pattern *, const char *text, unsigned *steps);

/*
 * Return a pointer to the first byte after the bracket expression that begins
 * at `s`.
 */
const char *pattern_skip_bracket(const char *s);

#endif
