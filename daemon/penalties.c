#include "penalties.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 16
#define TIMES_MAX 20 /* doublings: 2^20 seconds are more than any maximum */

/*
 * Sorted, and searched by halves: whoever may choose his addresses could make
 * a hash table slow. It holds pointers, so that little is moved.
 */
static size_t
find(const struct penalties *t, const struct identity_source *source,
	bool *found)
{
	size_t low = 0, high = t->n, middle;
	int order;

	*found = false;
	while (low < high && !*found) {
		middle = low + (high - low) / 2;
		order = memcmp(&t->v[middle]->source, source, sizeof(*source));
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
		if (order == 0) {
			*found = true;
			low = middle;
		}
	}
	return low;
}

static bool
is_out(const struct penalty *e, int64_t now)
{
	return e->shut_out && now < e->until;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
milliseconds(unsigned seconds)
{
	return seconds * (int64_t)1000;
}

/* When there is nothing to remember of it any more. */
static int64_t
forgotten_at(const struct penalty *e, const struct settings_penalties *rules)
{
	int64_t at = e->until, window = e->window;

	if (e->times > 0)
		at += milliseconds(rules->max_seconds);
	window += milliseconds(rules->log_seconds);
	return at > window ? at : window;
}

/* When its entry is to be looked at next. */
static int64_t
due_at(const struct penalty *e, const struct settings_penalties *rules)
{
	int64_t at = forgotten_at(e, rules);

	if (e->left_out > 0)
		at = earlier(at, e->window + milliseconds(rules->log_seconds));
	return at;
}

/* The one with the least penalty left makes room. */
static void
evict(struct penalties *t, const struct settings_penalties *rules, int64_t now)
{
	size_t i, least = 0;

	for (i = 1; i < t->n; i++)
		if (t->v[i]->until < t->v[least]->until)
			least = i;
	t->left_out += t->v[least]->left_out;
	if (t->left_out > 0)
		t->due =
			earlier(t->due, now + milliseconds(rules->log_seconds));
	free(t->v[least]);
	t->n--;
	memmove(t->v + least, t->v + least + 1, (t->n - least) * sizeof(*t->v));
}

static int
grow(struct penalties *t)
{
	size_t room = t->room > 0 ? t->room * 2 : ROOM_FIRST;
	struct penalty **v;

	if (t->n < t->room)
		return 0;
	if ((v = reallocarray(t->v, room, sizeof(*v))) == NULL)
		return -1;
	t->v = v;
	t->room = room;
	return 0;
}

/* Its entry, a new one if there is none; NULL without memory. */
static struct penalty *
entry(struct penalties *t, const struct settings_penalties *rules,
	const struct identity_source *source, int64_t now)
{
	struct penalty *e;
	bool found;
	size_t i = find(t, source, &found);

	if (found)
		return t->v[i];
	while (t->n > 0 && t->n >= rules->sources)
		evict(t, rules, now);
	if (grow(t) != 0 || (e = malloc(sizeof(*e))) == NULL)
		return NULL;
	*e = (struct penalty){ .source = *source, .until = now, .window = now };
	i = find(t, source, &found);
	memmove(t->v + i + 1, t->v + i, (t->n - i) * sizeof(*t->v));
	t->v[i] = e;
	if (t->n++ == 0 || due_at(e, rules) < t->due)
		t->due = due_at(e, rules);
	return e;
}

static int64_t
cost(const struct settings_penalties *rules, enum penalty_cause cause,
	unsigned times)
{
	return milliseconds(rules->seconds[cause])
	       << (times < TIMES_MAX ? times : TIMES_MAX);
}

int64_t
penalties_add(struct penalties *t, const struct settings_penalties *rules,
	const struct identity_source *source, enum penalty_cause cause,
	int64_t now)
{
	struct penalty *e;
	int64_t left;

	if (rules->seconds[cause] == 0 ||
		(e = entry(t, rules, source, now)) == NULL)
		return 0;
	if (now >= e->until) {
		/* The peace was kept for long enough: all is forgiven. */
		if (now >= e->until + milliseconds(rules->max_seconds))
			e->times = 0;
		e->until = now;
		e->shut_out = false;
	}
	left = e->until - now + cost(rules, cause, e->times);
	left = earlier(left, milliseconds(rules->max_seconds));
	/* A reload may have lowered the maximum: nothing is taken off by it. */
	if (now + left > e->until)
		e->until = now + left;
	if (e->shut_out || left < milliseconds(rules->min_seconds))
		return 0;
	e->shut_out = true;
	e->times++;
	t->times++;
	return left;
}

int64_t
penalties_left(const struct penalties *t, const struct identity_source *source,
	int64_t now)
{
	bool found;
	size_t i;

	/* Most of the time there is nobody, and nothing is touched. */
	if (t->n == 0)
		return 0;
	i = find(t, source, &found);
	return found && is_out(t->v[i], now) ? t->v[i]->until - now : 0;
}

size_t
penalties_count(const struct penalties *t, int64_t now)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++)
		n += is_out(t->v[i], now);
	return n;
}

bool
penalties_line(struct penalties *t, const struct settings_penalties *rules,
	const struct identity_source *source, int64_t now)
{
	struct penalty *e = entry(t, rules, source, now);

	if (e == NULL)
		return true;
	/* What was left out is said before there is another window. */
	if (e->left_out == 0 &&
		now >= e->window + milliseconds(rules->log_seconds)) {
		e->window = now;
		e->lines = 0;
	}
	if (e->left_out == 0 && e->lines < rules->log_lines) {
		e->lines++;
		return true;
	}
	e->left_out++;
	t->due = earlier(t->due, due_at(e, rules));
	return false;
}

/* True if there is nothing more to remember of it. */
static bool
look_at(struct penalty *e, const struct settings_penalties *rules, int64_t now,
	bool all, penalties_say *say, void *arg)
{
	if (e->left_out > 0 &&
		(all || now >= e->window + milliseconds(rules->log_seconds))) {
		say(arg, &e->source, e->left_out, now - e->window);
		e->left_out = 0;
		e->lines = 0;
		e->window = now;
	}
	return now >= forgotten_at(e, rules);
}

void
penalties_expire(struct penalties *t, const struct settings_penalties *rules,
	int64_t now, bool all, penalties_say *say, void *arg)
{
	size_t i, kept = 0;

	if (!all && now < penalties_deadline(t))
		return;
	t->due = INT64_MAX;
	for (i = 0; i < t->n; i++) {
		if (look_at(t->v[i], rules, now, all, say, arg)) {
			free(t->v[i]);
			continue;
		}
		t->due = earlier(t->due, due_at(t->v[i], rules));
		t->v[kept++] = t->v[i];
	}
	t->n = kept;
	if (t->left_out > 0)
		say(arg, NULL, t->left_out, 0);
	t->left_out = 0;
	if (t->n == 0) {
		free(t->v);
		t->v = NULL;
		t->room = 0;
	}
}

int64_t
penalties_deadline(const struct penalties *t)
{
	return t->n > 0 ? t->due : INT64_MAX;
}

void
penalties_free(struct penalties *t)
{
	while (t->n > 0)
		free(t->v[--t->n]);
	free(t->v);
	*t = (struct penalties){ 0 };
}
