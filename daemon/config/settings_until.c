/* The key `until` of clients: a date or a time in the local time zone. */
#include "config/settings_schema.h"

#include "clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define WEEK (7 * 86400)

/* A time as it is written in the file. */
struct written {
	struct tm tm;
	bool day; /* true for a date without a time */
};

/*
 * True if the text has the form of `format`. Each "0" in `format` stands for a
 * digit.
 */
static bool
has_form(const char *text, const char *format)
{
	size_t i;

	for (i = 0; format[i] != '\0'; i++)
		if (format[i] == '0' ? text[i] < '0' || text[i] > '9'
				     : text[i] != format[i])
			return false;
	return text[i] == '\0';
}

/* True if the date exists, and the time is from 00:00:00 to 23:59:59. */
static bool
exists(const struct tm *tm)
{
	static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30,
		31 };
	int year = tm->tm_year + 1900;
	bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);

	return year >= 1970 && tm->tm_mon >= 0 && tm->tm_mon < 12 &&
	       tm->tm_mday >= 1 &&
	       tm->tm_mday <= days[tm->tm_mon] + (leap && tm->tm_mon == 1) &&
	       tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

/* Parse the text. True if the text is a valid date, or date and time. */
static bool
parse(const char *text, struct written *w)
{
	memset(w, 0, sizeof(*w));
	w->day = has_form(text, "0000-00-00");
	if (!w->day && !has_form(text, "0000-00-00 00:00") &&
		!has_form(text, "0000-00-00 00:00:00"))
		return false;
	sscanf(text, "%4d-%2d-%2d %2d:%2d:%2d", &w->tm.tm_year, &w->tm.tm_mon,
		&w->tm.tm_mday, &w->tm.tm_hour, &w->tm.tm_min, &w->tm.tm_sec);
	w->tm.tm_year -= 1900;
	w->tm.tm_mon--;
	if (!exists(&w->tm))
		return false;
	if (w->day) {
		w->tm.tm_hour = 23;
		w->tm.tm_min = 59;
		w->tm.tm_sec = 59;
	}
	return true;
}

/* True if both structs have the same date and the same time of day. */
static bool
shows_same(const struct tm *a, const struct tm *b)
{
	return a->tm_year == b->tm_year && a->tm_mon == b->tm_mon &&
	       a->tm_mday == b->tm_mday && a->tm_hour == b->tm_hour &&
	       a->tm_min == b->tm_min && a->tm_sec == b->tm_sec;
}

/*
 * Return the time in seconds since 1970. If a clock that is set back in autumn
 * shows the time twice, return the second time. If a clock that is set forward
 * in spring skips the time, take the time as standard time: 02:30 then means
 * 03:30.
 */
static int64_t
to_seconds(const struct tm *written)
{
	int64_t latest = INT64_MIN, shifted = INT64_MIN, t;
	struct tm tm;
	int dst;

	for (dst = -1; dst <= 1; dst++) {
		tm = *written;
		tm.tm_isdst = dst;
		t = mktime(&tm);
		if (dst == 0)
			shifted = t;
		if (shows_same(&tm, written) && t > latest)
			latest = t;
	}
	return latest != INT64_MIN ? latest : shifted;
}

static int
look_up(struct reader *r, const struct written *w, int64_t *until)
{
	if (r->ids != NULL && r->ids->given)
		return settings_ids_take(r->ids, until, sizeof(*until));
	*until = to_seconds(&w->tm) + w->day;
	if (r->ids != NULL)
		return settings_ids_add(r->ids, until, sizeof(*until));
	return 0;
}

static void
read_until(struct reader *r, const config_setting_t *at, void *base)
{
	struct settings_client *client = base;
	struct written w;
	int error;

	if (!conf_string(r->conf, at, &client->until_text))
		return;
	if (!parse(client->until_text, &w))
		conf_error(r->conf, at,
			"\"%s\" is no valid date; use \"2027-01-31\" or "
			"\"2027-01-31 18:00\"",
			client->until_text);
	else if ((error = look_up(r, &w, &client->until)) != 0)
		conf_error(r->conf, at, "%s", strerror(error));
}

static void
print_until(struct printer *p, const void *base)
{
	const struct settings_client *client = base;

	if (client->until_text != NULL)
		print_text(p, client->until_text);
}

static void
free_until(void *base)
{
	struct settings_client *client = base;

	free(client->until_text);
}

const struct kind kind_until = { read_until, print_until, free_until };

void
settings_print_until(const struct settings_client *client, struct buf *out)
{
	time_t t = (time_t)client->until;
	char text[64] = "";
	struct tm tm;

	if (localtime_r(&t, &tm) != NULL)
		strftime(text, sizeof(text), "%F %T %z (%Z)", &tm);
	buf_adds(out, text);
}

void
settings_check_until(struct reader *r, const config_setting_t *entry,
	const struct settings_client *client)
{
	int64_t now = clock_real_ms() / 1000;
	struct buf text = { 0 };

	if (!settings_looks(r) || client->until_text == NULL ||
		client->until - now > WEEK)
		return;
	settings_print_until(client, &text);
	if (client->until > now)
		conf_warn(r->conf, conf_member(entry, "until"),
			"expires within a week, at %s", buf_str(&text));
	else
		conf_warn(r->conf, conf_member(entry, "until"),
			"has expired at %s, so its clients get 401: remove the "
			"entry, or change until",
			buf_str(&text));
	buf_free(&text);
}
