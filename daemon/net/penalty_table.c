#include "net/penalty_table.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_FIRST 16
#define TOKENS_MS (PENALTY_TOKENS * (int64_t)PENALTY_TOKEN_MS)
/* maximum number of doublings; 2^20 seconds exceed any max_seconds */
#define TIMES_MAX 20

/*
 * Return the index of the source, or the index at which the source must be
 * inserted. Use binary search, because a client that chooses its addresses
 * could slow down a hash table. The table holds pointers, so an insertion moves
 * few bytes.
 */
static size_t
find(const struct penalties *t, const struct peer_source *source, bool *found)
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
is_blocked(const struct penalty *e, int64_t now)
{
	return e->blocked && now < e->until;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t
later(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

static int64_t
milliseconds(unsigned seconds)
{
	return seconds * (int64_t)1000;
}

/* Return the time at which the entry is no longer needed and can be removed. */
static int64_t
forgotten_at(const struct penalty *e, const struct settings_penalties *rules)
{
	int64_t at = e->until, window = e->window;

	if (e->times > 0)
		at += milliseconds(rules->max_seconds);
	window += milliseconds(rules->log_seconds);
	return later(later(at, window), e->full_at);
}

/*
 * Return the time at which penalty_table_expire() must report or remove the
 * entry.
 */
static int64_t
deadline_of(const struct penalty *e, const struct settings_penalties *rules)
{
	int64_t at = forgotten_at(e, rules);

	if (e->left_out > 0)
		at = earlier(at, e->window + milliseconds(rules->log_seconds));
	return at;
}

/* Remove the source with the smallest total penalty from the table. */
static void
evict(struct penalties *t, const struct settings_penalties *rules, int64_t now)
{
	size_t i, least = 0;

	for (i = 1; i < t->n; i++)
		if (t->v[i]->until < t->v[least]->until)
			least = i;
	t->left_out += t->v[least]->left_out;
	if (t->left_out > 0)
		t->deadline = earlier(
			t->deadline, now + milliseconds(rules->log_seconds));
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

/*
 * Return the entry of the source, and create the entry if necessary. Return
 * NULL if no memory is available.
 */
static struct penalty *
find_or_add(struct penalties *t, const struct settings_penalties *rules,
	const struct peer_source *source, int64_t now)
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
	if (t->n++ == 0 || deadline_of(e, rules) < t->deadline)
		t->deadline = deadline_of(e, rules);
	return e;
}

/* Return `seconds` in milliseconds, multiplied by 2 to the power of `times`. */
static int64_t
doubled(unsigned seconds, unsigned times)
{
	return milliseconds(seconds) << (times < TIMES_MAX ? times : TIMES_MAX);
}

static void
set_blocked(struct penalties *t, struct penalty *e, int64_t now)
{
	e->blocked = true;
	e->blocked_at = now;
	e->times++;
	t->times++;
}

int64_t
penalty_table_add(struct penalties *t, const struct settings_penalties *rules,
	const struct peer_source *source, enum penalty_cause cause, int64_t now)
{
	struct penalty *e;
	int64_t left;

	if (rules->seconds[cause] == 0 ||
		(e = find_or_add(t, rules, source, now)) == NULL)
		return 0;
	if (now >= e->until) {
		/*
		 * The total has been zero for max_seconds, so forget the old
		 * blocks.
		 */
		if (now >= e->until + milliseconds(rules->max_seconds))
			e->times = 0;
		e->until = now;
		e->blocked = false;
	}
	left = e->until - now + doubled(rules->seconds[cause], e->times);
	left = earlier(left, milliseconds(rules->max_seconds));
	/* If a reload has lowered max_seconds, do not shorten the block. */
	if (now + left > e->until)
		e->until = now + left;
	if (e->blocked || left < milliseconds(rules->min_seconds))
		return 0;
	set_blocked(t, e, now);
	return left;
}

/*
 * Return the number of addresses in the /64 network that were blocked within
 * max_seconds.
 */
static unsigned
count_hosts(const struct penalties *t, const struct settings_penalties *rules,
	const struct peer_source *network, int64_t now)
{
	int64_t since = now - milliseconds(rules->max_seconds);
	struct peer_source of;
	unsigned n = 0;
	size_t i;

	for (i = 0; i < t->n; i++)
		n += t->v[i]->times > 0 && t->v[i]->blocked_at >= since &&
		     peer_source_network(&t->v[i]->source, &of) &&
		     memcmp(&of, network, sizeof(of)) == 0;
	return n;
}

int64_t
penalty_table_add_network(struct penalties *t,
	const struct settings_penalties *rules, const struct peer_source *host,
	struct peer_source *network, int64_t now)
{
	struct penalty *e;
	int64_t left;

	if (!peer_source_network(host, network) ||
		count_hosts(t, rules, network, now) < PENALTY_NETWORK_HOSTS ||
		(e = find_or_add(t, rules, network, now)) == NULL ||
		is_blocked(e, now))
		return 0;
	left = earlier(doubled(rules->min_seconds, e->times),
		milliseconds(rules->max_seconds));
	e->until = now + left;
	set_blocked(t, e, now);
	return left;
}

static int64_t
left_of(const struct penalties *t, const struct peer_source *source,
	int64_t now)
{
	bool found;
	size_t i = find(t, source, &found);

	return found && is_blocked(t->v[i], now) ? t->v[i]->until - now : 0;
}

int64_t
penalty_table_left(const struct penalties *t, const struct peer_source *source,
	int64_t now)
{
	struct peer_source network;
	int64_t left = left_of(t, source, now), of_network = 0;

	if (peer_source_network(source, &network))
		of_network = left_of(t, &network, now);
	return later(left, of_network);
}

static void
take_token(struct penalties *t, const struct settings_penalties *rules,
	const struct peer_source *source, int64_t ms, int64_t now)
{
	struct penalty *e = find_or_add(t, rules, source, now);

	if (e != NULL)
		e->full_at =
			earlier(later(e->full_at, now) + ms, now + TOKENS_MS);
}

void
penalty_table_take_token(struct penalties *t,
	const struct settings_penalties *rules,
	const struct peer_source *source, int64_t now)
{
	struct peer_source network;

	take_token(t, rules, source, PENALTY_TOKEN_MS, now);
	if (peer_source_network(source, &network))
		take_token(t, rules, &network,
			PENALTY_TOKEN_MS / PENALTY_NETWORK_HOSTS, now);
}

static int64_t
token_due(const struct penalties *t, const struct peer_source *source,
	int64_t ms, int64_t now)
{
	bool found;
	size_t i = find(t, source, &found);

	return found ? later(t->v[i]->full_at + ms - TOKENS_MS - now, 0) : 0;
}

int64_t
penalty_table_token_due(const struct penalties *t,
	const struct peer_source *source, int64_t now)
{
	struct peer_source network;
	int64_t due = token_due(t, source, PENALTY_TOKEN_MS, now);

	if (peer_source_network(source, &network))
		due = later(due,
			token_due(t, &network,
				PENALTY_TOKEN_MS / PENALTY_NETWORK_HOSTS, now));
	return due;
}

size_t
penalty_table_count(const struct penalties *t, int64_t now)
{
	size_t i, n = 0;

	for (i = 0; i < t->n; i++)
		n += is_blocked(t->v[i], now);
	return n;
}

bool
penalty_table_line(struct penalties *t, const struct settings_penalties *rules,
	const struct peer_source *source, int64_t now)
{
	struct penalty *e = find_or_add(t, rules, source, now);

	if (e == NULL)
		return true;
	/* Start no new interval before the omitted lines are reported. */
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
	t->deadline = earlier(t->deadline, deadline_of(e, rules));
	return false;
}

/*
 * Report the omitted lines of the entry, if the report is due or `all` is true.
 * Return true if the entry can be removed.
 */
static bool
expire(struct penalty *e, const struct settings_penalties *rules, int64_t now,
	bool all, penalties_report *report, void *arg)
{
	if (e->left_out > 0 &&
		(all || now >= e->window + milliseconds(rules->log_seconds))) {
		report(arg, &e->source, e->left_out, now - e->window);
		e->left_out = 0;
		e->lines = 0;
		e->window = now;
	}
	return now >= forgotten_at(e, rules);
}

void
penalty_table_expire(struct penalties *t,
	const struct settings_penalties *rules, int64_t now, bool all,
	penalties_report *report, void *arg)
{
	size_t i, kept = 0;

	if (!all && now < penalty_table_deadline(t))
		return;
	t->deadline = INT64_MAX;
	for (i = 0; i < t->n; i++) {
		if (expire(t->v[i], rules, now, all, report, arg)) {
			free(t->v[i]);
			continue;
		}
		t->deadline = earlier(t->deadline, deadline_of(t->v[i], rules));
		t->v[kept++] = t->v[i];
	}
	t->n = kept;
	if (t->left_out > 0)
		report(arg, NULL, t->left_out, 0);
	t->left_out = 0;
	if (t->n == 0) {
		free(t->v);
		t->v = NULL;
		t->room = 0;
	}
}

int64_t
penalty_table_deadline(const struct penalties *t)
{
	return t->n > 0 ? t->deadline : INT64_MAX;
}

void
penalty_table_free(struct penalties *t)
{
	while (t->n > 0)
		free(t->v[--t->n]);
	free(t->v);
	*t = (struct penalties){ 0 };
}
