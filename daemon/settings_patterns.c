#include "settings_keys.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define PATTERN_MAX 512     /* bytes */
#define PATTERN_WEIGHT 4096 /* states that one may expand to */

/* Past a bracket expression that begins at s. */
static const char *
skip_bracket(const char *s)
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

/* How many copies "{2,5}" makes, at most; moves past it. */
static unsigned
repetitions(const char **s)
{
	unsigned long most = 0, v;
	char *end;

	(*s)++;
	do {
		v = strtoul(*s, &end, 10);
		if (v > most)
			most = v;
		*s = end;
	} while (*end == ',' && (*s)++);
	if (**s == '}')
		(*s)++;
	/* One more for the star that "{2,}" ends in. */
	return most < PATTERN_WEIGHT ? (unsigned)most + 1 : PATTERN_WEIGHT + 1;
}

/*
 * regcomp() copies what is repeated, and copies the copies: ((((a+)+)+)+)
 * is small, and takes for ever. This counts what it would come to.
 */
static bool
is_light(const char *s)
{
	unsigned sums[PATTERN_MAX + 1] = { 0 }, depth = 0, last = 0, times;

	while (*s != '\0') {
		times = 1;
		if (*s == '+') {
			times = 2;
			s++;
		} else if (*s == '{') {
			times = repetitions(&s);
		} else if (*s == '(') {
			sums[++depth] = last = 0;
			s++;
			continue;
		} else if (*s == ')' && depth > 0) {
			last = sums[depth--] + 1;
			sums[depth] += last;
			s++;
		} else {
			last = 1;
			sums[depth]++;
			s = *s == '[' ? skip_bracket(s)
				      : s + 1 + (*s == '\\' && s[1] != '\0');
		}
		sums[depth] += last * (times - 1);
		last *= times;
		if (last > PATTERN_WEIGHT || sums[depth] > PATTERN_WEIGHT)
			return false;
	}
	return true;
}

/*
 * They take seconds on long input. Within brackets \1 is none, and is refused
 * all the same: only regcomp() itself could tell for certain.
 */
static bool
has_back_reference(const char *s)
{
	while ((s = strchr(s, '\\')) != NULL) {
		if (isdigit((unsigned char)s[1]))
			return true;
		s += s[1] != '\0' ? 2 : 1;
	}
	return false;
}

bool
pattern_compile(struct reader *r, const config_setting_t *at,
	const char *pattern, regex_t *regex)
{
	char why[128];
	int error;

	if (strlen(pattern) > PATTERN_MAX) {
		conf_error(r->conf, at, "is longer than %d bytes", PATTERN_MAX);
		return false;
	}
	if (has_back_reference(pattern)) {
		conf_error(r->conf, at, "must not have back-references");
		return false;
	}
	if (!is_light(pattern)) {
		conf_error(r->conf, at,
			"repeats too much: it comes to more than %d states",
			PATTERN_WEIGHT);
		return false;
	}
	if ((error = regcomp(regex, pattern, REG_EXTENDED)) != 0) {
		regerror(error, regex, why, sizeof(why));
		conf_error(r->conf, at, "\"%s\" is not an expression: %s",
			pattern, why);
		return false;
	}
	return true;
}

bool
pattern_matches_all(const regex_t *regex)
{
	static const char *const odd[] = { "x y;$(z)\n", "../'\"`|&<>*?\\#\x01",
		NULL };
	regmatch_t match;
	size_t i;

	for (i = 0; odd[i] != NULL; i++)
		if (regexec(regex, odd[i], 1, &match, 0) != 0 ||
			match.rm_so != 0 ||
			(size_t)match.rm_eo != strlen(odd[i]))
			return false;
	return true;
}
