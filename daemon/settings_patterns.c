#include "settings_keys.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATTERN_MAX 512 /* bytes */

/*
 * States that one may expand to. To match takes time that grows with their
 * square, and it is the parent that does it: with so many, 50 ms at the worst.
 */
#define PATTERN_WEIGHT 512

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
		} else if (*s == '*' || *s == '?') {
			s++; /* what comes next may repeat what came before */
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

/* For regcomp() alone ) without ( is itself, but not within what we make. */
static bool
is_balanced(const char *s)
{
	unsigned depth = 0;

	while (*s != '\0') {
		if (*s == '[') {
			s = skip_bracket(s);
			continue;
		}
		if (*s == ')' && depth-- == 0)
			return false;
		depth += *s == '(';
		s += *s == '\\' && s[1] != '\0' ? 2 : 1;
	}
	return true;
}

/* Of the whole text; where in it what stands, nobody asks. */
static int
compile(const char *pattern, regex_t *regex)
{
	char whole[PATTERN_MAX + sizeof("^()$")];

	snprintf(whole, sizeof(whole), "^(%s)$", pattern);
	return regcomp(regex, whole, REG_EXTENDED | REG_NOSUB);
}

bool
pattern_check(struct reader *r, const config_setting_t *at, const char *pattern)
{
	regex_t regex;
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
	if (!is_balanced(pattern)) {
		conf_error(r->conf, at,
			"\"%s\" has a ) without its (: for a ) alone write [)]",
			pattern);
		return false;
	}
	if (!is_light(pattern)) {
		conf_error(r->conf, at,
			"repeats too much: it comes to more than %d states: "
			"where {1,64} stands within what is repeated, write "
			"+, since an argument has at most %d bytes anyway",
			PATTERN_WEIGHT, SETTINGS_ARG_MAX);
		return false;
	}
	/* Alone first: what is wrong with it is not to be hidden by ours. */
	if ((error = regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB)) == 0) {
		regfree(&regex);
		error = compile(pattern, &regex);
	}
	if (error != 0) {
		regerror(error, &regex, why, sizeof(why));
		conf_error(r->conf, at, "\"%s\" is not an expression: %s",
			pattern, why);
		return false;
	}
	regfree(&regex);
	return true;
}

/*
 * Compiled anew each time, which takes 50 us: a regex_t keeps, as long as it
 * lives, all that it has learned from the texts it saw.
 */
bool
pattern_matches(const char *pattern, const char *text)
{
	regex_t regex;
	bool matches;

	if (compile(pattern, &regex) != 0)
		return false;
	matches = regexec(&regex, text, 0, NULL, 0) == 0;
	regfree(&regex);
	return matches;
}

/* Whether whatever one might fear matches. */
static bool
matches_all(const char *pattern)
{
	return pattern_matches(pattern, "x y;$(z)\n") &&
	       pattern_matches(pattern, "../'\"`|&<>*?\\#\x01");
}

static bool
matches_any(const char *pattern, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		if (pattern_matches(pattern, *texts))
			return true;
	return false;
}

/* What those who write a pattern do not think of. */
static void
warn_of_matches(
	struct reader *r, const config_setting_t *at, const char *pattern)
{
	static const char *const climbs[] = { "..", "../a", "../../a/b",
		"a/../b", "/a/../b", "/../a", NULL };
	static const char *const lines[] = { "\n", "a\n", "a\nb", "1\n", NULL };

	if (pattern_matches(pattern, ""))
		conf_warn(r->conf, at, "\"%s\" matches an empty argument too",
			pattern);
	if (matches_any(pattern, climbs))
		conf_warn(r->conf, at,
			"\"%s\" lets \"..\" through, which leads out of "
			"any folder",
			pattern);
	if (matches_any(pattern, lines))
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
pattern_warn(struct reader *r, const config_setting_t *at, const char *pattern)
{
	if (matches_all(pattern))
		conf_warn(
			r->conf, at, "\"%s\" lets everything through", pattern);
	else
		warn_of_matches(r, at, pattern);
	warn_of_looks(r, at, pattern);
}
