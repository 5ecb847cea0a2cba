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

/* The longest match is found, so that one of all of it cannot be missed. */
bool
pattern_matches(const regex_t *regex, const char *text)
{
	regmatch_t match;

	return regexec(regex, text, 1, &match, 0) == 0 && match.rm_so == 0 &&
	       (size_t)match.rm_eo == strlen(text);
}

/* Whether whatever one might fear matches. */
static bool
matches_all(const regex_t *regex)
{
	return pattern_matches(regex, "x y;$(z)\n") &&
	       pattern_matches(regex, "../'\"`|&<>*?\\#\x01");
}

static bool
matches_any(const regex_t *regex, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		if (pattern_matches(regex, *texts))
			return true;
	return false;
}

/* What those who write a pattern do not think of. */
static void
warn_of_matches(struct reader *r, const config_setting_t *at,
	const char *pattern, const regex_t *regex)
{
	static const char *const climbs[] = { "..", "../a", "../../a/b",
		"a/../b", "/a/../b", "/../a", NULL };
	static const char *const lines[] = { "\n", "a\n", "a\nb", "1\n", NULL };

	if (pattern_matches(regex, ""))
		conf_warn(r->conf, at, "\"%s\" matches an empty argument too",
			pattern);
	if (matches_any(regex, climbs))
		conf_warn(r->conf, at,
			"\"%s\" lets \"..\" through, which leads out of "
			"any folder",
			pattern);
	if (matches_any(regex, lines))
		conf_warn(
			r->conf, at, "\"%s\" lets line ends through", pattern);
}

/* "php8.2": a dot between two letters or digits, which means any character. */
static bool
has_plain_dot(const char *s)
{
	const char *begin = s;

	while (*s != '\0') {
		if (*s == '[') {
			s = skip_bracket(s);
			continue;
		}
		if (*s == '\\' && s[1] != '\0') {
			s += 2;
			continue;
		}
		if (*s == '.' && s > begin && isalnum((unsigned char)s[-1]) &&
			isalnum((unsigned char)s[1]))
			return true;
		s++;
	}
	return false;
}

static void
warn_of_looks(struct reader *r, const config_setting_t *at, const char *pattern)
{
	if (has_plain_dot(pattern))
		conf_warn(r->conf, at,
			"\"%s\": a dot stands for any character: for a dot "
			"alone write [.]",
			pattern);
	if (strstr(pattern, " |") != NULL || strstr(pattern, "| ") != NULL)
		conf_warn(r->conf, at,
			"\"%s\": the spaces around | are part of what it "
			"matches",
			pattern);
	if (strstr(pattern, "A-z") != NULL)
		conf_warn(r->conf, at,
			"\"%s\": A-z takes in [ \\ ] ^ _ and ` as well: write "
			"A-Za-z",
			pattern);
}

void
pattern_warn(struct reader *r, const config_setting_t *at, const char *pattern,
	const regex_t *regex)
{
	if (matches_all(regex))
		conf_warn(
			r->conf, at, "\"%s\" lets everything through", pattern);
	else
		warn_of_matches(r, at, pattern, regex);
	warn_of_looks(r, at, pattern);
}
