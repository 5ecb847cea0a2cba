/*
 * What each string of a request may hold.
 */
#include "request.h"

#include "events.h"
#include "text.h"
#include "wire.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define USER_MAX 256 /* bytes; useradd(8) allows 32 */
#define TO_MAX 96    /* no name or source is longer */
#define EVENTS_MAX 256

bool
request_when_valid(const char *s)
{
	long v;

	if (strcmp(s, "now") == 0)
		return true;
	if (*s == '+')
		return isdigit((unsigned char)s[1]) &&
		       text_number(s + 1, 0, REQUEST_MINUTES_MAX, &v) == 0;
	/* HH:MM, as shutdown(8) has it */
	return strlen(s) == 5 && s[2] == ':' && isdigit((unsigned char)s[0]) &&
	       isdigit((unsigned char)s[1]) && isdigit((unsigned char)s[3]) &&
	       isdigit((unsigned char)s[4]) &&
	       (s[0] - '0') * 10 + (s[1] - '0') < 24 && s[3] < '6';
}

static bool
is_small(char c)
{
	return c >= 'a' && c <= 'z';
}

size_t
request_arg_name(const char *s, size_t len)
{
	size_t n = 0;

	if (len == 0 || !is_small(*s))
		return 0;
	while (n < len && (is_small(s[n]) || (s[n] >= '0' && s[n] <= '9') ||
				  s[n] == '_' || s[n] == '-'))
		n++;
	return n < len && s[n] == '=' ? n : 0;
}

/* Whether it may be shown as it is. */
static bool
is_printable(const char *s, size_t max)
{
	size_t len = strlen(s), n;
	uint32_t code;

	if (len == 0 || len > max)
		return false;
	for (; len > 0; s += n, len -= n)
		if ((n = text_utf8(s, len, &code)) == 0 || text_unsafe(code))
			return false;
	return true;
}

bool
request_message_valid(const char *s)
{
	return *s != '-' && is_printable(s, REQUEST_MESSAGE_MAX);
}

bool
request_text_valid(const char *s)
{
	return is_printable(s, REQUEST_TEXT_MAX);
}

static bool
to_valid(const char *s)
{
	return is_printable(s, TO_MAX);
}

static bool
events_valid(const char *s)
{
	unsigned bits;

	return strlen(s) <= EVENTS_MAX && events_parse(s, &bits);
}

static bool
since_valid(const char *s)
{
	struct event_place place;

	return events_place(s, &place);
}

/* pid-ticks-boot: what a kill's record shows as its token */
static bool
token_valid(const char *s, size_t len)
{
	int dashes = 0;
	size_t i;

	if (len < 5 || len > 64 || s[0] == '-' || s[len - 1] == '-')
		return false;
	for (i = 0; i < len; i++) {
		if (s[i] == '-') {
			dashes++;
			if (s[i + 1] == '-')
				return false;
		} else if (dashes < 2 ? !isdigit((unsigned char)s[i])
				      : !isxdigit((unsigned char)s[i])) {
			return false;
		}
	}
	return dashes == 2;
}

static bool
only_valid(const char *s)
{
	size_t len;

	for (;; s += len + 1) {
		len = strcspn(s, ",");
		if (!token_valid(s, len))
			return false;
		if (s[len] == '\0')
			return true;
	}
}

static bool
name_valid(const char *s)
{
	return strlen(s) <= WIRE_LINE_MAX;
}

static bool
user_valid(const char *s)
{
	return strlen(s) <= USER_MAX;
}

bool
request_string_valid(enum request_string which, const char *s)
{
	static bool (*const valid[REQUEST_STRINGS])(const char *) = {
		[REQUEST_NAME] = name_valid,
		[REQUEST_USER] = user_valid,
		[REQUEST_ONLY] = only_valid,
		[REQUEST_WHEN] = request_when_valid,
		[REQUEST_MESSAGE] = request_message_valid,
		[REQUEST_TEXT] = request_text_valid,
		[REQUEST_TO] = to_valid,
		[REQUEST_EVENTS] = events_valid,
		[REQUEST_SINCE] = since_valid,
	};

	return *s != '\0' && valid[which](s);
}
