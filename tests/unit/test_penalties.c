#include "penalties.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SOURCES 16
#define START 1000000 /* some time, in milliseconds */

static const struct settings_penalties rules = { .enabled = true,
	.min_seconds = 30,
	.max_seconds = 600,
	.seconds = { [PENALTY_MALFORMED] = 1,
		[PENALTY_UNKNOWN] = 5,
		[PENALTY_TIMEOUT] = 10,
		[PENALTY_CRASH] = 90 },
	.sources = SOURCES,
	.log_lines = 3,
	.log_seconds = 60 };

static struct identity_source
user(uid_t uid)
{
	struct identity who = { .kind = IDENTITY_UNIX, .uid = uid };
	struct identity_source s;

	identity_source(&who, &s);
	return s;
}

static struct identity_source
address(const char *text)
{
	struct identity who = { .kind = IDENTITY_ANONYMOUS, .has_addr = true };
	struct identity_source s;

	assert_int_equal(net_parse(text, &who.addr), 0);
	identity_source(&who, &s);
	return s;
}

static int64_t
add(struct penalties *t, uid_t uid, enum penalty_cause cause, int64_t now)
{
	struct identity_source s = user(uid);

	return penalties_add(t, &rules, &s, cause, now);
}

static int64_t
left(const struct penalties *t, uid_t uid, int64_t now)
{
	struct identity_source s = user(uid);

	return penalties_left(t, &s, now);
}

/* What was said, the last of each kind. */
struct said {
	unsigned times;
	unsigned long lines, of_forgotten;
	struct identity_source source;
	int64_t ms;
};

static void
hear(void *arg, const struct identity_source *source, unsigned long lines,
	int64_t ms)
{
	struct said *said = arg;

	said->times++;
	if (source == NULL) {
		said->of_forgotten = lines;
		return;
	}
	said->lines = lines;
	said->source = *source;
	said->ms = ms;
}

static struct said
expire(struct penalties *t, int64_t now, bool all)
{
	struct said said = { 0 };

	penalties_expire(t, &rules, now, all, hear, &said);
	return said;
}

static bool
line(struct penalties *t, uid_t uid, int64_t now)
{
	struct identity_source s = user(uid);

	return penalties_line(t, &rules, &s, now);
}

static void
test_nothing_is_nothing(void **state)
{
	struct penalties t = { 0 };

	(void)state;
	assert_true(left(&t, 1, START) == 0);
	assert_true(penalties_count(&t, START) == 0);
	assert_true(penalties_deadline(&t) == INT64_MAX);
	assert_int_equal(expire(&t, START, true).times, 0);
	/* What costs nothing is not remembered either. */
	assert_true(add(&t, 1, PENALTY_HANDSHAKE, START) == 0);
	assert_true(t.n == 0);
	penalties_free(&t);
}

static void
test_threshold(void **state)
{
	struct penalties t = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_true(add(&t, 1, PENALTY_UNKNOWN, START) == 0);
	assert_true(left(&t, 1, START) == 0);
	assert_true(penalties_count(&t, START) == 0);
	assert_true(add(&t, 1, PENALTY_UNKNOWN, START) == 30000);
	assert_true(left(&t, 1, START) == 30000);
	assert_true(left(&t, 2, START) == 0);
	assert_true(penalties_count(&t, START) == 1);
	assert_true(t.times == 1);
	/* Below the threshold it is still shut out, until nothing is left. */
	assert_true(left(&t, 1, START + 29999) == 1);
	assert_true(left(&t, 1, START + 30000) == 0);
	assert_true(penalties_count(&t, START + 30000) == 0);
	penalties_free(&t);
}

static void
test_decay(void **state)
{
	struct penalties t = { 0 };
	int64_t now = START;
	int i;

	(void)state;
	/* One every five seconds never comes to anything. */
	for (i = 0; i < 1000; i++, now += 5000)
		assert_true(add(&t, 1, PENALTY_UNKNOWN, now) == 0);
	/* And one a second does. */
	for (i = 0; i < 6; i++, now += 1000)
		assert_true(add(&t, 1, PENALTY_UNKNOWN, now) == 0);
	for (; add(&t, 1, PENALTY_UNKNOWN, now) == 0; now += 1000)
		assert_true(i++ < 10);
	penalties_free(&t);
}

static void
test_growth(void **state)
{
	static const int64_t seconds[] = { 90, 180, 360, 600, 600 };
	struct penalties t = { 0 };
	int64_t now = START;
	size_t i;

	(void)state;
	for (i = 0; i < 5; i++) {
		assert_true(
			add(&t, 1, PENALTY_CRASH, now) == seconds[i] * 1000);
		/* It is shut out already: it is not so anew. */
		assert_true(add(&t, 1, PENALTY_MALFORMED, now) == 0);
		now += left(&t, 1, now);
	}
	assert_true(t.times == 5);
	/* Less than max_seconds of peace forgive nothing, so much all. */
	now += 599999;
	assert_true(add(&t, 1, PENALTY_CRASH, now) == 600000);
	now += 600000 + 600000;
	assert_true(add(&t, 1, PENALTY_CRASH, now) == 90000);
	penalties_free(&t);
}

static void
test_maximum(void **state)
{
	struct settings_penalties fewer = rules;
	struct identity_source s = user(1);
	struct penalties t = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		add(&t, 1, PENALTY_CRASH, START);
	assert_true(left(&t, 1, START) == 600000);
	assert_true(t.times == 1);
	/* A lower one takes nothing off what there is. */
	fewer.max_seconds = 100;
	penalties_add(&t, &fewer, &s, PENALTY_CRASH, START);
	assert_true(left(&t, 1, START) == 600000);
	penalties_free(&t);
}

static void
test_sources(void **state)
{
	struct identity_source a = address("10.0.0.1:1");
	struct identity_source b = address("10.0.0.1:2");
	struct identity_source c = address("10.0.0.2:1");
	struct identity_source d = address("[2001:db8::1]:1");
	struct identity_source e = address("[2001:db8::ffff:0:0:2]:9");
	struct identity_source f = address("[2001:db8:0:1::1]:1");
	struct penalties t = { 0 };

	(void)state;
	penalties_add(&t, &rules, &a, PENALTY_CRASH, START);
	penalties_add(&t, &rules, &d, PENALTY_CRASH, START);
	assert_true(penalties_left(&t, &b, START) == 90000);
	assert_true(penalties_left(&t, &c, START) == 0);
	/* Of IPv6 it is the /64. */
	assert_true(penalties_left(&t, &e, START) == 90000);
	assert_true(penalties_left(&t, &f, START) == 0);
	assert_true(t.n == 2);
	penalties_free(&t);
}

static void
test_order_of_coming(void **state)
{
	struct settings_penalties more = rules;
	struct penalties t = { 0 };
	struct identity_source s;
	uid_t uid;

	(void)state;
	more.sources = 2000;
	for (uid = 0; uid < 1000; uid++) {
		s = user(uid * 7919 % 1000);
		penalties_add(&t, &more, &s, PENALTY_CRASH, START + uid);
	}
	assert_true(t.n == 1000);
	for (uid = 0; uid < 1000; uid++)
		assert_true(left(&t, uid * 7919 % 1000, START) ==
			    90000 + (int64_t)uid);
	assert_true(penalties_count(&t, START + 90500) == 499);
	penalties_free(&t);
}

/* Who comes with many addresses does not free one that is shut out. */
static void
test_bound(void **state)
{
	struct penalties t = { 0 };
	uid_t uid;

	(void)state;
	add(&t, 1, PENALTY_CRASH, START);
	for (uid = 2; uid < 100000; uid++)
		add(&t, uid, PENALTY_TIMEOUT, START);
	assert_true(t.n == SOURCES);
	assert_true(left(&t, 1, START) == 90000);
	/* Not even where those are shut out, unless it is for longer. */
	for (uid = 2; uid < 1000; uid++) {
		add(&t, uid, PENALTY_TIMEOUT, START);
		add(&t, uid, PENALTY_TIMEOUT, START);
		add(&t, uid, PENALTY_TIMEOUT, START);
	}
	assert_true(t.n == SOURCES);
	assert_true(left(&t, 1, START) == 90000);
	assert_true(penalties_count(&t, START) == SOURCES);
	/* Nor do lines about others. */
	for (uid = 2; uid < 1000; uid++)
		line(&t, uid, START);
	assert_true(left(&t, 1, START) == 90000);
	penalties_free(&t);
}

static void
test_fewer_sources_after_a_reload(void **state)
{
	struct settings_penalties many = rules;
	struct identity_source s;
	struct penalties t = { 0 };
	uid_t uid;

	(void)state;
	many.sources = 100;
	for (uid = 0; uid < 100; uid++) {
		s = user(uid);
		penalties_add(&t, &many, &s, PENALTY_CRASH, START + uid);
	}
	assert_true(t.n == 100);
	add(&t, 1000, PENALTY_CRASH, START + 200);
	assert_true(t.n == SOURCES);
	assert_true(left(&t, 99, START) == 90099);
	assert_true(left(&t, 0, START) == 0);
	penalties_free(&t);
}

static void
test_forgets(void **state)
{
	struct penalties t = { 0 };
	int64_t now = START, last = 0;
	int looks = 0;

	(void)state;
	add(&t, 1, PENALTY_CRASH, now);
	add(&t, 2, PENALTY_MALFORMED, now);
	while (penalties_deadline(&t) != INT64_MAX) {
		last = now = penalties_deadline(&t);
		expire(&t, now, false);
		assert_true(++looks < 10);
	}
	/* As long as it costs more than the first time. */
	assert_true(last == START + 90000 + 600000);
	assert_true(t.n == 0);
	assert_null(t.v);
	penalties_free(&t);
}

static void
test_lines(void **state)
{
	struct penalties t = { 0 };
	struct identity_source one = user(1);
	struct said said;
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_true(line(&t, 1, START + i));
	for (i = 0; i < 7; i++)
		assert_false(line(&t, 1, START + 10));
	assert_true(line(&t, 2, START + 10));
	assert_true(penalties_deadline(&t) == START + 60000);
	assert_int_equal(expire(&t, START + 59999, false).times, 0);
	/* Not before it is said is there a new count. */
	assert_false(line(&t, 1, START + 60001));
	said = expire(&t, START + 60002, false);
	assert_int_equal(said.times, 1);
	assert_true(said.lines == 8);
	assert_true(said.ms == 60002);
	assert_memory_equal(&said.source, &one, sizeof(one));
	assert_true(line(&t, 1, START + 60003));
	/* Nothing more comes, and nothing is said twice. */
	assert_int_equal(expire(&t, START + 600000, false).times, 0);
	assert_true(t.n == 0);
	penalties_free(&t);
}

static void
test_lines_begin_anew(void **state)
{
	struct penalties t = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_true(line(&t, 1, START + i * 20000));
	penalties_free(&t);
}

static void
test_lines_at_the_end(void **state)
{
	struct penalties t = { 0 };
	struct said said;
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		line(&t, 1, START);
	said = expire(&t, START + 1500, true);
	assert_true(said.lines == 2);
	assert_true(said.ms == 1500);
	penalties_free(&t);
}

/* What was left out about a source is said even if it had to make room. */
static void
test_lines_of_the_forgotten(void **state)
{
	struct penalties t = { 0 };
	struct said said;
	uid_t uid;
	int i;

	(void)state;
	for (i = 0; i < 5; i++)
		line(&t, 1, START);
	for (uid = 2; uid < 100; uid++)
		add(&t, uid, PENALTY_CRASH, START);
	assert_true(penalties_deadline(&t) <= START + 60000);
	said = expire(&t, penalties_deadline(&t), false);
	assert_int_equal(said.times, 1);
	assert_true(said.of_forgotten == 2);
	assert_int_equal(expire(&t, START + 70000, true).times, 0);
	penalties_free(&t);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nothing_is_nothing),
		cmocka_unit_test(test_threshold),
		cmocka_unit_test(test_decay),
		cmocka_unit_test(test_growth),
		cmocka_unit_test(test_maximum),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_order_of_coming),
		cmocka_unit_test(test_bound),
		cmocka_unit_test(test_fewer_sources_after_a_reload),
		cmocka_unit_test(test_forgets),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_lines_begin_anew),
		cmocka_unit_test(test_lines_at_the_end),
		cmocka_unit_test(test_lines_of_the_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
