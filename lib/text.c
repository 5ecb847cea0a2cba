#include "text.h"

#include <ctype.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 32 /* maximum length in bytes, longer than any known word */

size_t
text_utf8(const char *str, size_t len, uint32_t *code)
{
	const unsigned char *s = (const unsigned char *)str;
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n, i;
	uint32_t c;

	if (len == 0)
		return 0;
	if (s[0] < 0x80) {
		*code = s[0];
		return 1;
	}
	if (s[0] >= 0xc2 && s[0] < 0xe0) {
		n = 2;
		c = s[0] & 0x1f;
	} else if ((s[0] & 0xf0) == 0xe0) {
		n = 3;
		c = s[0] & 0x0f;
	} else if (s[0] >= 0xf0 && s[0] < 0xf5) {
		n = 4;
		c = s[0] & 0x07;
	} else {
		return 0;
	}
	if (len < n)
		return 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*code = c;
	return n;
}

struct range {
	uint32_t first, last;
};

static bool
is_among(const struct range *ranges, size_t n, uint32_t c)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (c >= ranges[i].first && c <= ranges[i].last)
			return true;
	return false;
}

bool
text_unsafe(uint32_t c)
{
	/*
	 * Ranges of the Unicode categories Cc, Cf, Zl and Zp that hide or
	 * reorder text.
	 */
	static const struct range bad[] = { { 0x00, 0x1f }, { 0x7f, 0x9f },
		{ 0xad, 0xad }, { 0x34f, 0x34f }, { 0x61c, 0x61c },
		{ 0x115f, 0x1160 }, { 0x17b4, 0x17b5 }, { 0x180b, 0x180f },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0x3164, 0x3164 }, { 0xfe00, 0xfe0f }, { 0xfeff, 0xfeff },
		{ 0xffa0, 0xffa0 }, { 0xfff0, 0xfffb }, { 0x13430, 0x13440 },
		{ 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe0fff } };

	return is_among(bad, sizeof(bad) / sizeof(bad[0]), c);
}

/*
 * True for an unsafe character that is not a joiner or a variation selector.
 * Joiners and variation selectors do not hide text and do not change the order
 * of text.
 */
static bool
is_unfit_for_prose(uint32_t c)
{
	static const struct range good[] = { { 0x180b, 0x180d },
		{ 0x180f, 0x180f }, { 0x200c, 0x200d }, { 0xfe00, 0xfe0f },
		{ 0xe0100, 0xe01ef } };

	return text_unsafe(c) &&
	       !is_among(good, sizeof(good) / sizeof(good[0]), c);
}

static const struct bidi_control {
	uint32_t code;
	const char *name;
} bidi_controls[] = { { 0x61c, "ARABIC LETTER MARK" },
	{ 0x200e, "LEFT-TO-RIGHT MARK" }, { 0x200f, "RIGHT-TO-LEFT MARK" },
	{ 0x202a, "LEFT-TO-RIGHT EMBEDDING" },
	{ 0x202b, "RIGHT-TO-LEFT EMBEDDING" },
	{ 0x202c, "POP DIRECTIONAL FORMATTING" },
	{ 0x202d, "LEFT-TO-RIGHT OVERRIDE" },
	{ 0x202e, "RIGHT-TO-LEFT OVERRIDE" },
	{ 0x2066, "LEFT-TO-RIGHT ISOLATE" },
	{ 0x2067, "RIGHT-TO-LEFT ISOLATE" }, { 0x2068, "FIRST STRONG ISOLATE" },
	{ 0x2069, "POP DIRECTIONAL ISOLATE" } };

static void
name_character(uint32_t c, char problem[TEXT_PROBLEM_SIZE])
{
	size_t i;

	snprintf(problem, TEXT_PROBLEM_SIZE, ", not U+%04X", c);
	for (i = 0; i < sizeof(bidi_controls) / sizeof(bidi_controls[0]); i++)
		if (bidi_controls[i].code == c)
			snprintf(problem, TEXT_PROBLEM_SIZE,
				", not U+%04X (%s)", c, bidi_controls[i].name);
}

bool
text_is_prose(const char *s, size_t len, char problem[TEXT_PROBLEM_SIZE])
{
	uint32_t code;
	size_t n;

	*problem = '\0';
	for (; len > 0; s += n, len -= n) {
		if ((n = text_utf8(s, len, &code)) == 0)
			snprintf(problem, TEXT_PROBLEM_SIZE,
				", not the byte 0x%02X", (unsigned char)*s);
		else if (is_unfit_for_prose(code))
			name_character(code, problem);
		if (*problem != '\0')
			return false;
	}
	return true;
}

bool
text_printable(const char *s, size_t len)
{
	uint32_t code;
	size_t n;

	for (; len > 0; s += n, len -= n)
		if ((n = text_utf8(s, len, &code)) == 0 || text_unsafe(code))
			return false;
	return true;
}

/* Return the number of bytes at the start of s that are printable ASCII. */
static size_t
plain_span(const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] >= 0x20 && s[n] < 0x7f)
		n++;
	return n;
}

static void
add_safe(struct buf *out, const char *s, size_t len, bool (*unsafe)(uint32_t))
{
	uint32_t code;
	size_t n;

	for (; len > 0; s += n, len -= n) {
		if ((n = plain_span(s, len)) > 0) {
			buf_add(out, s, n);
		} else if ((n = text_utf8(s, len, &code)) == 0) {
			buf_addf(out, "\\x%02x", (unsigned char)*s);
			n = 1;
		} else if (!unsafe(code)) {
			buf_add(out, s, n);
		} else if (code < 0x80) {
			buf_addf(out, "\\x%02x", code);
		} else {
			buf_addf(out, "\\u{%04x}", code);
		}
	}
}

void
text_safe(struct buf *out, const char *s, size_t len)
{
	add_safe(out, s, len, text_unsafe);
}

void
text_safe_prose(struct buf *out, const char *s, size_t len)
{
	add_safe(out, s, len, is_unfit_for_prose);
}

void
text_quoted(struct buf *out, const char *s, size_t len)
{
	const char *end = s + len, *at;

	for (;; s = at + 1) {
		for (at = s; at < end && *at != '"' && *at != '\\'; at++)
			;
		text_safe(out, s, (size_t)(at - s));
		if (at == end)
			return;
		buf_addc(out, '\\');
		buf_addc(out, *at);
	}
}

int
text_number(const char *s, long min, long max, long *out)
{
	char *end;
	long v;

	/*
	 * Refuse leading white space and a plus sign, which strtol(3) accepts.
	 */
	if (!isdigit((unsigned char)*s) &&
		!(min < 0 && *s == '-' && isdigit((unsigned char)s[1])))
		return -1;
	errno = 0;
	v = strtol(s, &end, 10);
	if (errno != 0 || *end != '\0' || v < min || v > max)
		return -1;
	*out = v;
	return 0;
}

int
text_signal(const char *s)
{
	const char *name;
	long v;
	int i;

	if (text_number(s, 1, SIGRTMAX, &v) == 0)
		return (int)v;
	if (strncasecmp(s, "SIG", 3) == 0)
		s += 3;
	if (strcasecmp(s, "RTMIN") == 0)
		return SIGRTMIN;
	if (strcasecmp(s, "RTMAX") == 0)
		return SIGRTMAX;
	if (strncasecmp(s, "RTMIN+", 6) == 0 &&
		text_number(s + 6, 1, SIGRTMAX - SIGRTMIN, &v) == 0)
		return SIGRTMIN + (int)v;
	if (strncasecmp(s, "RTMAX-", 6) == 0 &&
		text_number(s + 6, 1, SIGRTMAX - SIGRTMIN, &v) == 0)
		return SIGRTMAX - (int)v;
	for (i = 1; i < SIGRTMIN; i++)
		if ((name = sigabbrev_np(i)) != NULL && !strcasecmp(s, name))
			return i;
	return -1;
}

const char *
text_signal_name(int sig)
{
	static char number[16];
	const char *name = sigabbrev_np(sig);

	if (name != NULL)
		return name;
	if (sig < SIGRTMIN || sig > SIGRTMAX)
		snprintf(number, sizeof(number), "%d", sig);
	else
		snprintf(number, sizeof(number),
			sig == SIGRTMIN ? "RTMIN" : "RTMIN+%d", sig - SIGRTMIN);
	return number;
}

/*
 * Return the edit distance of two words. Two neighbouring letters that are
 * swapped count as one edit (Damerau).
 */
static size_t
distance(const char *a, const char *b)
{
	size_t la = strlen(a), lb = strlen(b), d[WORD_MAX + 1][WORD_MAX + 1];
	size_t i, j, cost;

	if (la > WORD_MAX || lb > WORD_MAX)
		return WORD_MAX;
	for (i = 0; i <= la; i++)
		d[i][0] = i;
	for (j = 0; j <= lb; j++)
		d[0][j] = j;
	for (i = 1; i <= la; i++) {
		for (j = 1; j <= lb; j++) {
			cost = a[i - 1] != b[j - 1];
			d[i][j] = d[i - 1][j - 1] + cost;
			if (d[i - 1][j] + 1 < d[i][j])
				d[i][j] = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < d[i][j])
				d[i][j] = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] &&
				a[i - 2] == b[j - 1] &&
				d[i - 2][j - 2] + 1 < d[i][j])
				d[i][j] = d[i - 2][j - 2] + 1;
		}
	}
	return d[la][lb];
}

int
text_index(const char *const *list, const char *s)
{
	int i;

	for (i = 0; list[i] != NULL; i++)
		if (strcmp(list[i], s) == 0)
			return i;
	return -1;
}

const char *
text_nearest(const char *s, const char *const *candidates)
{
	const char *best = NULL;
	size_t least = 3, n;

	for (; *candidates != NULL; candidates++) {
		n = distance(s, *candidates);
		if (n < least && n * 2 < strlen(*candidates)) {
			least = n;
			best = *candidates;
		}
	}
	return best;
}

bool
text_consists_of(const char *s, size_t len, const char *bytes)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (s[i] == '\0' || strchr(bytes, s[i]) == NULL)
			return false;
	return true;
}
