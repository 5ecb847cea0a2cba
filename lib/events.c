#include "events.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#define RUN_DIGITS_MAX 16
#define NUMBER_DIGITS_MAX 18

const char *const event_names[EVENT_ALL_KINDS + 1] = { "online", "offline",
	"request", "halt", "message", "reload", "penalty", "watching", "missed",
	"heartbeat", NULL };

static int
find_kind(const char *name, size_t len)
{
	int i;

	for (i = 0; i < EVENT_KINDS; i++)
		if (strlen(event_names[i]) == len &&
			memcmp(event_names[i], name, len) == 0)
			return i;
	return -1;
}

bool
events_parse(const char *list, unsigned *bits)
{
	size_t len;
	int kind;

	for (*bits = 0;; list += len + 1) {
		len = strcspn(list, ",");
		if ((kind = find_kind(list, len)) < 0)
			return false;
		*bits |= EVENT_BIT(kind);
		if (list[len] == '\0')
			return true;
	}
}

bool
events_place(const char *s, struct event_place *place)
{
	size_t len = strcspn(s, "-"), digits;

	place->has_run = s[len] == '-';
	place->run = 0;
	if (place->has_run) {
		if (len == 0 || len > RUN_DIGITS_MAX ||
			strspn(s, "0123456789abcdef") != len)
			return false;
		place->run = strtoull(s, NULL, 16);
		s += len + 1;
	}
	digits = strspn(s, "0123456789");
	if (digits == 0 || digits > NUMBER_DIGITS_MAX || s[digits] != '\0')
		return false;
	place->number = strtoull(s, NULL, 10);
	return true;
}
