/* The checks of a request's strings. */
#include "request.h"

#include "events.h"
#include "magic_packet.h"
#include "text.h"
#include "wire.h"

#include <ctype.h>
#include <stdint.h>
#include <string.h>

#define USER_MAX 256 /* maximum length in bytes; useradd(8) allows 32 */
#define TO_MAX 96    /* maximum bytes; any name or source is shorter */
#define EVENTS_MAX 256

static bool
when_valid(const char *s)
{
	long v;

	if (strcmp(s, "now") == 0)
		return true;
	if (*s == '+')
		return isdigit((unsigned char)s[1]) &&
		       text_number(s + 1, 0, REQUEST_MINUTES_MAX, &v) == 0;
	/*
	 * A time that is neither "now" nor +MINUTES must be HH:MM, as in
	 * shutdown(8).
	 */
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

static bool
is_printable(const char *s)
{
	return text_printable(s, strlen(s));
}

static bool
is_prose(const char *s)
{
	char problem[TEXT_PROBLEM_SIZE];

	return text_is_prose(s, strlen(s), problem);
}

static bool
message_valid(const char *s)
{
	return *s != '-' && is_prose(s);
}

static bool
events_valid(const char *s)
{
	unsigned bits;

	return events_parse(s, &bits);
}

static bool
since_valid(const char *s)
{
	struct event_place place;

	return events_place(s, &place);
}

static bool
mac_valid(const char *s)
{
	unsigned char mac[MAC_SIZE];

	return strcmp(s, REQUEST_MAC_OWN) == 0 || mac_parse(s, mac);
}

/* True if the text is a token from a kill's record: PID-TICKS-BOOT. */
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

bool
request_string_valid(enum request_string which, const char *s)
{
	static const struct {
		size_t max; /* maximum length in bytes */
		bool (*valid)(const char *);
	} rules[REQUEST_STRINGS] = {
		[REQUEST_NAME] = { WIRE_LINE_MAX, NULL },
		[REQUEST_USER] = { USER_MAX, NULL },
		[REQUEST_ONLY] = { SIZE_MAX, only_valid },
		[REQUEST_WHEN] = { SIZE_MAX, when_valid },
		[REQUEST_MESSAGE] = { REQUEST_MESSAGE_MAX, message_valid },
		[REQUEST_TEXT] = { REQUEST_TEXT_MAX, is_prose },
		[REQUEST_TO] = { TO_MAX, is_printable },
		[REQUEST_EVENTS] = { EVENTS_MAX, events_valid },
		[REQUEST_MAC] = { SIZE_MAX, mac_valid },
		[REQUEST_SINCE] = { SIZE_MAX, since_valid },
	};

	return *s != '\0' && strlen(s) <= rules[which].max &&
	       (rules[which].valid == NULL || rules[which].valid(s));
}
