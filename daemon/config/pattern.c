#include "config/pattern.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

/*
 * The options that make PCRE2 match like regex(7): the whole text must match, a
 * dot matches any byte, and $ matches only at the end of the text.
 * PCRE2_NO_AUTO_POSSESS turns off an optimization whose time grows with the
 * square of the expression's length.
 */
#define COMPILE_OPTIONS                                           \
	(PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_DOTALL |      \
		PCRE2_DOLLAR_ENDONLY | PCRE2_NO_AUTO_CAPTURE |    \
		PCRE2_NO_AUTO_POSSESS | PCRE2_NEVER_BACKSLASH_C | \
		PCRE2_NEVER_UTF)

#define DEPTH_MAX 1000   /* maximum number of nested backtracking points */
#define HEAP_KIB_MAX 256 /* maximum memory for backtracking, in KiB */
/* bytes of compiled code that add one step to `weight` */
#define STEP_BYTES 256

struct pattern {
	pcre2_code *code;
	size_t size; /* size of the compiled code in bytes */
	/* number of steps that one unit of match_limit stands for */
	unsigned weight;
};

const char *
pattern_skip_bracket(const char *s)
{
	char inner;

	s++;
	if (*s == '^')
		s++;
	if (*s == ']')
		s++;
	while (*s != '\0' && *s != ']') {
		inner = s[1];
		if (*s++ != '[' ||
			(inner != ':' && inner != '.' && inner != '='))
			continue;
		for (s++; *s != '\0' && !(s[0] == inner && s[1] == ']'); s++)
			;
		if (*s != '\0')
			s += 2;
	}
	return *s != '\0' ? s + 1 : s;
}

/*
 * Return an error if a bracket expression has a single backslash. In brackets,
 * regex(7) takes a backslash literally, but PCRE2 does not. Return NULL if
 * there is no error.
 */
static const char *
check_bracket(const char *s, const char *end)
{
	for (; s < end; s++)
		if (*s == '\\' && *++s != '\\')
			return "in [ ] write \\\\ for a backslash; no other "
			       "character may follow a backslash there";
	return NULL;
}

static const char *
check_escape(char c)
{
	if (isdigit((unsigned char)c))
		return "must not have back-references";
	if (c == '<' || c == '>' || c == '`' || c == '\'')
		return "for the edge of a word, write \\b";
	if (isalpha((unsigned char)c) && strchr("bBsSwW", c) == NULL)
		return "after a backslash, the only letters allowed are \\b, "
		       "\\B, \\s, \\S, \\w and \\W";
	return NULL;
}

/*
 * Move *s to the first byte after a repetition: "*", "+", "?", "{2}", "{2,}" or
 * "{2,5}". Return false if *s is not at a repetition.
 */
static bool
skip_repetition(const char **s)
{
	const char *p = *s + 1;

	if (strchr("*+?", **s) == NULL) {
		if (**s != '{' || !isdigit((unsigned char)*p))
			return false;
		p += strspn(p, "0123456789");
		if (*p == ',')
			p += 1 + strspn(p + 1, "0123456789");
		if (*p++ != '}')
			return false;
	}
	*s = p;
	return true;
}

/*
 * Return an error if PCRE2 and regex(7) would interpret the expression
 * differently. Return NULL if there is no error. Syntax that only PCRE2 has is
 * also an error: recursion, look-ahead, verbs, possessive repetitions and so
 * on.
 */
static const char *
check_syntax(const char *s)
{
	const char *end, *why = NULL;

	while (*s != '\0' && why == NULL) {
		if (*s == '[') {
			end = pattern_skip_bracket(s);
			why = check_bracket(s, end);
			s = end;
		} else if (*s == '\\' && s[1] != '\0') {
			why = check_escape(s[1]);
			s += 2;
		} else if (*s == '(' && (s[1] == '?' || s[1] == '*')) {
			why = "must not have \"(?\" or \"(*\"";
		} else if (skip_repetition(&s)) {
			if (*s != '\0' && strchr("*+?{", *s) != NULL)
				why = "one repetition follows another: write "
				      "(a+)+ instead of a++";
		} else if (*s++ == '{') {
			why = "{ must be followed by numbers as in {2,5}: "
			      "for a { alone write [{]";
		}
	}
	return why;
}

static pcre2_code *
compile(const char *expression, struct buf *error)
{
	pcre2_code *code;
	PCRE2_UCHAR why[128];
	PCRE2_SIZE at;
	int number;

	code = pcre2_compile((PCRE2_SPTR)expression, strlen(expression),
		COMPILE_OPTIONS, &number, &at, NULL);
	if (code == NULL) {
		pcre2_get_error_message(number, why, sizeof(why));
		buf_addf(error, "%s, at byte %zu", (char *)why, at + 1);
	}
	return code;
}

struct pattern *
pattern_compile(const char *expression, struct buf *error)
{
	struct pattern *p;
	const char *why;

	if (strlen(expression) > PATTERN_MAX) {
		buf_addf(error, "is longer than %d bytes", PATTERN_MAX);
		return NULL;
	}
	if ((why = check_syntax(expression)) != NULL) {
		buf_adds(error, why);
		return NULL;
	}
	if ((p = calloc(1, sizeof(*p))) == NULL) {
		buf_adds(error, "out of memory");
		return NULL;
	}
	if ((p->code = compile(expression, error)) == NULL) {
		free(p);
		return NULL;
	}
	pcre2_pattern_info(p->code, PCRE2_INFO_SIZE, &p->size);
	p->weight = 1 + (unsigned)(p->size / STEP_BYTES);
	return p;
}

size_t
pattern_size(const struct pattern *p)
{
	return p->size;
}

void
pattern_free(struct pattern *p)
{
	if (p != NULL)
		pcre2_code_free(p->code);
	free(p);
}

/*
 * Match the text, with `steps` as match_limit and at most HEAP_KIB_MAX of
 * memory. Return the result of pcre2_match(3). All calls use the same memory,
 * because allocating memory in each call would take longer than the slowest
 * match.
 */
static int
match(const pcre2_code *code, const char *text, unsigned steps)
{
	static pcre2_match_data *data;
	static pcre2_match_context *limits;

	if (data == NULL)
		data = pcre2_match_data_create(1, NULL);
	if (limits == NULL)
		limits = pcre2_match_context_create(NULL);
	if (data == NULL || limits == NULL)
		return PCRE2_ERROR_NOMEMORY;
	pcre2_set_match_limit(limits, steps);
	pcre2_set_depth_limit(limits, DEPTH_MAX);
	pcre2_set_heap_limit(limits, HEAP_KIB_MAX);
	return pcre2_match(
		code, (PCRE2_SPTR)text, strlen(text), 0, 0, data, limits);
}

/*
 * PCRE2 does not tell how many steps a match has taken. Therefore try with few
 * steps first, and use all remaining steps only in the last try.
 */
enum pattern_result
pattern_match(const struct pattern *p, const char *text, unsigned *steps)
{
	static const unsigned tries[] = { 32, 128, PATTERN_STEPS };
	int result = PCRE2_ERROR_MATCHLIMIT;
	unsigned i, most;

	for (i = 0; result == PCRE2_ERROR_MATCHLIMIT && *steps > 0; i++) {
		most = *steps < tries[i] ? *steps : tries[i];
		*steps -= most;
		result = match(p->code, text, most / p->weight);
	}
	if (result == PCRE2_ERROR_NOMATCH)
		return PATTERN_DIFFERS;
	return result >= 0 ? PATTERN_MATCHES : PATTERN_UNDECIDED;
}
