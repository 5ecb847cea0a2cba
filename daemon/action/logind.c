#include "action/logind.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define USEC 1000000

static const char *
skip_blanks(const char *s)
{
	return s + strspn(s, " \n");
}

/*
 * Append one character of a quoted string to `out`. The character may be an
 * escape such as "\n" or "\303". Return the rest of the string.
 */
static const char *
read_character(const char *s, struct buf *out)
{
	static const char letters[] = "abfnrtv\\\"'";
	static const char meanings[] = "\a\b\f\n\r\t\v\\\"'";
	const char *at;
	int i, code = 0;

	if (*s != '\\') {
		buf_addc(out, *s);
		return s + 1;
	}
	if (*++s == '\0')
		return s;
	if ((at = strchr(letters, *s)) != NULL) {
		buf_addc(out, meanings[at - letters]);
		return s + 1;
	}
	for (i = 0; i < 3 && *s >= '0' && *s <= '7'; i++)
		code = code * 8 + (*s++ - '0');
	buf_addc(out, (char)code);
	return i == 0 ? s + 1 : s;
}

/*
 * Append the contents of the quoted string at `s` to `out`. Return the text
 * after the string, or NULL if `s` has no quoted string.
 */
static const char *
read_string(const char *s, struct buf *out)
{
	if (s == NULL || *(s = skip_blanks(s)) != '"')
		return NULL;
	for (s++; *s != '"';) {
		if (*s == '\0')
			return NULL;
		s = read_character(s, out);
	}
	return s + 1;
}

static const char *
read_number(const char *s, unsigned long long *number)
{
	char *end;

	if (s == NULL || !isdigit((unsigned char)*(s = skip_blanks(s))))
		return NULL;
	errno = 0;
	*number = strtoull(s, &end, 10);
	return errno == 0 ? end : NULL;
}

static const char *
read_type(const char *s, const char *type)
{
	size_t len = strlen(type);

	return strncmp(s, type, len) == 0 ? s + len : NULL;
}

/* True if a list such as "shutdown:sleep" contains the word. */
static bool
has_word(const char *list, const char *word)
{
	size_t len = strlen(word);

	for (; list != NULL; list = strchr(list, ':')) {
		list += *list == ':';
		if (strncmp(list, word, len) == 0 &&
			(list[len] == '\0' || list[len] == ':'))
			return true;
	}
	return false;
}

struct inhibitor {
	struct buf what, who, why, mode;
	unsigned long long uid, pid;
};

static const char *
read_inhibitor(const char *s, struct inhibitor *i)
{
	s = read_string(s, &i->what);
	s = read_string(s, &i->who);
	s = read_string(s, &i->why);
	s = read_string(s, &i->mode);
	s = read_number(s, &i->uid);
	return read_number(s, &i->pid);
}

static void
free_inhibitor(struct inhibitor *i)
{
	buf_free(&i->what);
	buf_free(&i->who);
	buf_free(&i->why);
	buf_free(&i->mode);
}

static bool
blocks(struct inhibitor *i, const char *what)
{
	return has_word(buf_str(&i->what), what) &&
	       strcmp(buf_str(&i->mode), "block") == 0;
}

/* Find an inhibitor for `what`, which is "shutdown" or "sleep". */
static int
find_inhibitor(const char *text, const char *what, struct buf *out)
{
	const char *s = read_type(text, "a(ssssuu)");
	unsigned long long n;
	bool found = false;

	s = read_number(s, &n);
	for (; s != NULL && n > 0 && !found; n--) {
		struct inhibitor i = { 0 };

		s = read_inhibitor(s, &i);
		found = s != NULL && blocks(&i, what);
		if (found)
			buf_addf(out, "%.60s (uid %llu, pid %llu): %.80s",
				buf_str(&i.who), i.uid, i.pid, buf_str(&i.why));
		free_inhibitor(&i);
	}
	return s == NULL ? -1 : found;
}

int
logind_inhibitor(const char *text, struct buf *out)
{
	return find_inhibitor(text, "shutdown", out);
}

int
logind_sleep_inhibitor(const char *text, struct buf *out)
{
	return find_inhibitor(text, "sleep", out);
}

int
logind_cannot(const char *text, struct buf *out)
{
	struct buf word = { 0 };
	int result = -1;

	if (read_string(read_type(text, "s"), &word) != NULL)
		result = strcmp(buf_str(&word), "yes") != 0;
	if (result == 1)
		buf_addf(out, "%.40s", buf_str(&word));
	buf_free(&word);
	return result;
}

/*
 * Read the mode and the local time of a shutdown. Return 1 if a shutdown is
 * scheduled, 0 if not, or -1 if the text has another format.
 */
static int
read_schedule(const char *text, struct buf *mode, struct tm *tm)
{
	unsigned long long usec;
	const char *end;
	time_t when;

	end = read_number(read_string(read_type(text, "(st)"), mode), &usec);
	if (end == NULL)
		return -1;
	if (mode->len == 0)
		return 0;
	when = (time_t)(usec / USEC);
	return localtime_r(&when, tm) != NULL ? 1 : -1;
}

static int
add_schedule(const char *text, struct buf *out, struct tm *tm)
{
	struct buf mode = { 0 };
	char when[64];
	int result = read_schedule(text, &mode, tm);

	if (result == 1 &&
		strftime(when, sizeof(when), "%Y-%m-%d %H:%M", tm) > 0)
		buf_addf(out, "%.20s at %s", buf_str(&mode), when);
	buf_free(&mode);
	return result;
}

int
logind_schedule(const char *text, struct buf *out)
{
	struct tm tm;

	return add_schedule(text, out, &tm);
}

static bool
is_tomorrow(const struct tm *then)
{
	time_t now = time(NULL);
	struct tm day;

	if (localtime_r(&now, &day) == NULL)
		return false;
	day.tm_mday++;
	day.tm_hour = 12; /* 12:00 exists even on days when the clock changes */
	day.tm_isdst = -1;
	return mktime(&day) != -1 && day.tm_year == then->tm_year &&
	       day.tm_yday == then->tm_yday;
}

int
logind_schedule_with_zone(const char *text, struct buf *out)
{
	struct tm tm;
	char zone[16] = "";
	int result = add_schedule(text, out, &tm);

	if (result == 1 && strftime(zone, sizeof(zone), " %z", &tm) > 0)
		buf_adds(out, zone);
	if (result == 1 && is_tomorrow(&tm))
		buf_adds(out, " (tomorrow)");
	return result;
}
