#include "config/settings_schema.h"

#include <ctype.h>
#include <string.h>

static bool
matches(const struct pattern *p, const char *text)
{
	unsigned steps = PATTERN_STEPS;

	return pattern_match(p, text, &steps) == PATTERN_MATCHES;
}

static bool
matches_any(const struct pattern *p, const char *const *texts)
{
	for (; *texts != NULL; texts++)
		if (matches(p, *texts))
			return true;
	return false;
}

static void
warn_of_matches(struct reader *r, const config_setting_t *at,
	const char *pattern, const struct pattern *p)
{
	static const char *const climbs[] = { "..", "../a", "../../a/b",
		"a/../b", "/a/../b", "/../a", NULL };
	static const char *const lines[] = { "\n", "a\n", "a\nb", "1\n", NULL };

	if (matches(p, "x y;$(z)\n") && matches(p, "../'\"`|&<>*?\\#\x01")) {
		conf_warn(
			r->conf, at, "\"%s\" lets everything through", pattern);
		return;
	}
	if (matches(p, ""))
		conf_warn(r->conf, at, "\"%s\" matches an empty argument too",
			pattern);
	if (matches_any(p, climbs))
		conf_warn(r->conf, at,
			"\"%s\" lets \"..\" through, which leads out of "
			"any folder",
			pattern);
	if (matches_any(p, lines))
		conf_warn(
			r->conf, at, "\"%s\" lets line ends through", pattern);
}

/*
 * True if the pattern has a dot between two letters or digits, as in "php8.2".
 */
static bool
has_plain_dot(const char *s)
{
	const char *begin = s;

	while (*s != '\0') {
		if (*s == '[') {
			s = pattern_skip_bracket(s);
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
warn_of_size(struct reader *r, const config_setting_t *at, const char *pattern,
	size_t size)
{
	if (size > PATTERN_SIZE_MAX / 4)
		conf_warn(r->conf, at,
			"\"%s\" needs %zu bytes of memory, so longer "
			"arguments are refused: write ( )* for ( ){1,99}",
			pattern, size);
}

static void
warn_of_looks(struct reader *r, const config_setting_t *at, const char *pattern)
{
	if (has_plain_dot(pattern))
		conf_warn(r->conf, at,
			"\"%s\": a dot matches any character: to match a dot, "
			"write [.]",
			pattern);
	if (strstr(pattern, " |") != NULL || strstr(pattern, "| ") != NULL)
		conf_warn(r->conf, at,
			"\"%s\": the spaces around | are part of the "
			"alternatives",
			pattern);
	if (strstr(pattern, "A-z") != NULL)
		conf_warn(r->conf, at,
			"\"%s\": A-z also matches [ \\ ] ^ _ and `: write "
			"A-Za-z",
			pattern);
}

/*
 * Compile a pattern. There is a limit for the memory of each pattern, and a
 * limit for all patterns of a configuration together. If the pattern is wrong
 * or exceeds a limit, append the reason to `why` and return NULL. The limits of
 * memory also limit the time, so a wrong pattern counts as PATTERN_SIZE_MAX
 * bytes.
 */
static struct pattern *
compile(struct reader *r, const char *expression, struct buf *why)
{
	struct pattern *p = pattern_compile(expression, why);
	size_t size = p != NULL ? pattern_size(p) : PATTERN_SIZE_MAX;

	r->pattern_sizes += size;
	if (size > PATTERN_SIZE_MAX)
		buf_addf(why,
			"needs %zu bytes of memory, and the limit is %d: a "
			"repetition such as {1,99} copies its expression, but "
			"* does not",
			size, PATTERN_SIZE_MAX);
	else if (p != NULL && r->pattern_sizes > PATTERN_SIZES_MAX)
		buf_addf(why,
			"the patterns up to this one need more than %d MiB of "
			"memory",
			PATTERN_SIZES_MAX >> 20);
	if (why->len == 0)
		return p;
	pattern_free(p);
	return NULL;
}

bool
settings_read_pattern(
	struct reader *r, const config_setting_t *at, struct settings_arg *arg)
{
	struct buf why = { 0 };

	/*
	 * The patterns exceed their limit, which has been reported. Do not
	 * spend time on more patterns.
	 */
	if (r->pattern_sizes > PATTERN_SIZES_MAX)
		return false;
	arg->compiled = compile(r, arg->pattern, &why);
	if (arg->compiled == NULL) {
		conf_error(r->conf, at, "\"%.64s%s\": %s", arg->pattern,
			strlen(arg->pattern) > 64 ? "…" : "", buf_str(&why));
	} else {
		warn_of_matches(r, at, arg->pattern, arg->compiled);
		warn_of_looks(r, at, arg->pattern);
		warn_of_size(r, at, arg->pattern, pattern_size(arg->compiled));
	}
	buf_free(&why);
	return arg->compiled != NULL;
}
