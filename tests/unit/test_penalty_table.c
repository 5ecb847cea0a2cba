#include "net/penalty_table.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define SOURCES 16
#define START 1000000 /* an arbitrary time, in milliseconds */

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

static struct peer_source
user(uid_t uid)
{
	struct peer who = { .kind = PEER_UNIX, .uid = uid };
	struct peer_source s;

	peer_source(&who, &s);
	return s;
}

static struct peer_source
address(const char *text)
{
	struct peer who = { .kind = PEER_ANONYMOUS, .has_addr = true };
	struct peer_source s;

	assert_int_equal(net_parse(text, &who.addr), 0);
	peer_source(&who, &s);
	return s;
}

static int64_t
add(struct penalties *t, uid_t uid, enum penalty_cause cause, int64_t now)
{
	struct peer_source s = user(uid);

	return penalty_table_add(t, &rules, &s, cause, now);
}

static int64_t
left(const struct penalties *t, uid_t uid, int64_t now)
{
	struct peer_source s = user(uid);

	return penalty_table_left(t, &s, now);
}

/* The number of reports from the table, and the last report of each kind. */
struct said {
	unsigned times;
	unsigned long lines, of_forgotten;
	struct peer_source source;
	int64_t ms;
};

static void
hear(void *arg, const struct peer_source *source, unsigned long lines,
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

	penalty_table_expire(t, &rules, now, all, hear, &said);
	return said;
}

static bool
line(struct penalties *t, uid_t uid, int64_t now)
{
	struct peer_source s = user(uid);

	return penalty_table_line(t, &rules, &s, now);
}

static void
test_nothing_is_nothing(void **state)
{
	struct penalties t = { 0 };

	(void)state;
	assert_true(left(&t, 1, START) == 0);
	assert_true(penalty_table_count(&t, START) == 0);
	assert_true(penalty_table_deadline(&t) == INT64_MAX);
	assert_int_equal(expire(&t, START, true).times, 0);
	/* A penalty of 0 seconds is not stored. */
	assert_true(add(&t, 1, PENALTY_HANDSHAKE, START) == 0);
	assert_true(t.n == 0);
	penalty_table_free(&t);
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
	assert_true(penalty_table_count(&t, START) == 0);
	assert_true(add(&t, 1, PENALTY_UNKNOWN, START) == 30000);
	assert_true(left(&t, 1, START) == 30000);
	assert_true(left(&t, 2, START) == 0);
	assert_true(penalty_table_count(&t, START) == 1);
	assert_true(t.times == 1);
	/*
	 * The block does not end when the total falls below min_seconds. The
	 * block ends when the total is zero.
	 */
	assert_true(left(&t, 1, START + 29999) == 1);
	assert_true(left(&t, 1, START + 30000) == 0);
	assert_true(penalty_table_count(&t, START + 30000) == 0);
	penalty_table_free(&t);
}

static void
test_decay(void **state)
{
	struct penalties t = { 0 };
	int64_t now = START;
	int i;

	(void)state;
	/* One failure every five seconds never leads to a block. */
	for (i = 0; i < 1000; i++, now += 5000)
		assert_true(add(&t, 1, PENALTY_UNKNOWN, now) == 0);
	/* One failure each second leads to a block. */
	for (i = 0; i < 6; i++, now += 1000)
		assert_true(add(&t, 1, PENALTY_UNKNOWN, now) == 0);
	for (; add(&t, 1, PENALTY_UNKNOWN, now) == 0; now += 1000)
		assert_true(i++ < 10);
	penalty_table_free(&t);
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
		/*
		 * The source is blocked already, so this penalty begins no new
		 * block.
		 */
		assert_true(add(&t, 1, PENALTY_MALFORMED, now) == 0);
		now += left(&t, 1, now);
	}
	assert_true(t.times == 5);
	/*
	 * After a pause of less than max_seconds, the next block is as long as
	 * before. After a pause of max_seconds, the next block is as short as
	 * the first.
	 */
	now += 599999;
	assert_true(add(&t, 1, PENALTY_CRASH, now) == 600000);
	now += 600000 + 600000;
	assert_true(add(&t, 1, PENALTY_CRASH, now) == 90000);
	penalty_table_free(&t);
}

static void
test_maximum(void **state)
{
	struct settings_penalties fewer = rules;
	struct peer_source s = user(1);
	struct penalties t = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 100; i++)
		add(&t, 1, PENALTY_CRASH, START);
	assert_true(left(&t, 1, START) == 600000);
	assert_true(t.times == 1);
	/* A lower max_seconds does not shorten a block that has begun. */
	fewer.max_seconds = 100;
	penalty_table_add(&t, &fewer, &s, PENALTY_CRASH, START);
	assert_true(left(&t, 1, START) == 600000);
	penalty_table_free(&t);
}

static void
test_sources(void **state)
{
	struct peer_source a = address("10.0.0.1:1");
	struct peer_source b = address("10.0.0.1:2");
	struct peer_source c = address("10.0.0.2:1");
	struct peer_source d = address("[2001:db8::1]:1");
	struct peer_source e = address("[2001:db8::ffff:0:0:2]:9");
	struct peer_source f = address("[2001:db8:0:1::1]:1");
	struct penalties t = { 0 };

	(void)state;
	penalty_table_add(&t, &rules, &a, PENALTY_CRASH, START);
	penalty_table_add(&t, &rules, &d, PENALTY_CRASH, START);
	assert_true(penalty_table_left(&t, &b, START) == 90000);
	assert_true(penalty_table_left(&t, &c, START) == 0);
	/* All addresses in the same /64 network of IPv6 are one source. */
	assert_true(penalty_table_left(&t, &e, START) == 90000);
	assert_true(penalty_table_left(&t, &f, START) == 0);
	assert_true(t.n == 2);
	penalty_table_free(&t);
}

static struct peer_source
host(const char *network, unsigned number)
{
	struct peer who = { .kind = PEER_ANONYMOUS, .has_addr = true };
	struct peer_source s;
	char text[64];

	snprintf(text, sizeof(text), "[%s::%x]:1", network, number);
	assert_int_equal(net_parse(text, &who.addr), 0);
	peer_penalty_source(&who, &s);
	return s;
}

/*
 * Block a host for 90 s. If this also blocks the host's network, return the
 * milliseconds for which the network is blocked. Otherwise return 0.
 */
static int64_t
block_host(struct penalties *t, const char *network, unsigned number,
	int64_t now, struct peer_source *blocked)
{
	struct peer_source s = host(network, number);

	assert_true(penalty_table_add(t, &rules, &s, PENALTY_CRASH, now) > 0);
	return penalty_table_add_network(t, &rules, &s, blocked, now);
}

static void
test_eight_addresses_block_their_network(void **state)
{
	struct peer_source ninth = host("2001:db8", 99), network;
	struct peer_source other = host("2001:db8:0:1", 1);
	struct penalties t = { 0 };
	unsigned i;

	(void)state;
	/*
	 * These two blocks do not count for the network. The first block has
	 * ended too long ago. The second block is of a host in another network.
	 */
	assert_true(block_host(&t, "2001:db8", 1, START, &network) == 0);
	assert_true(block_host(&t, "2001:db8:0:2", 1, START + 600001,
			    &network) == 0);
	for (i = 2; i < 9; i++)
		assert_true(block_host(&t, "2001:db8", i, START + 600001,
				    &network) == 0);
	assert_true(penalty_table_left(&t, &ninth, START + 600001) == 0);
	assert_true(block_host(&t, "2001:db8", 9, START + 600001, &network) ==
		    30000);
	assert_string_equal(peer_source_text(&network), "2001:db8::/64");
	assert_true(penalty_table_left(&t, &ninth, START + 600001) == 30000);
	assert_true(penalty_table_left(&t, &other, START + 600001) == 0);
	/* The next block of the network is twice as long. */
	assert_true(block_host(&t, "2001:db8", 10, START + 631000, &network) ==
		    60000);
	penalty_table_free(&t);
}

/*
 * Take tokens until none is left and the source must wait. Return the number of
 * taken tokens.
 */
static unsigned
take_all(struct penalties *t, const struct peer_source *s, int64_t now)
{
	unsigned n;

	for (n = 0; penalty_table_token_due(t, s, now) == 0; n++)
		penalty_table_take_token(t, &rules, s, now);
	return n;
}

static void
test_tokens(void **state)
{
	struct peer_source one = address("10.0.0.1:1");
	struct peer_source other = address("10.0.0.2:1");
	struct penalties t = { 0 };

	(void)state;
	assert_int_equal(take_all(&t, &one, START), 60);
	assert_true(penalty_table_token_due(&t, &one, START) == 500);
	/*
	 * A session that was accepted earlier is allowed to take a token even
	 * if no token is left. The waiting time stays the same.
	 */
	penalty_table_take_token(&t, &rules, &one, START);
	assert_true(penalty_table_token_due(&t, &one, START) == 500);
	assert_true(penalty_table_left(&t, &one, START) == 0);
	assert_true(penalty_table_token_due(&t, &other, START) == 0);
	assert_int_equal(take_all(&t, &one, START + 1000), 2);
	assert_int_equal(take_all(&t, &one, START + 1000 + 30000), 60);
	expire(&t, START + 60999, false);
	assert_true(t.n == 1);
	expire(&t, START + 61000, false);
	assert_true(t.n == 0);
	penalty_table_free(&t);
}

static void
test_tokens_of_a_network(void **state)
{
	struct peer_source s;
	struct penalties t = { 0 };
	unsigned i;

	(void)state;
	for (i = 1; i <= 9; i++) {
		s = host("2001:db8", i);
		assert_int_equal(take_all(&t, &s, START), i < 9 ? 60 : 3);
	}
	penalty_table_free(&t);
}

static void
test_order_of_coming(void **state)
{
	struct settings_penalties more = rules;
	struct penalties t = { 0 };
	struct peer_source s;
	uid_t uid;

	(void)state;
	more.sources = 2000;
	for (uid = 0; uid < 1000; uid++) {
		s = user(uid * 7919 % 1000);
		penalty_table_add(&t, &more, &s, PENALTY_CRASH, START + uid);
	}
	assert_true(t.n == 1000);
	for (uid = 0; uid < 1000; uid++)
		assert_true(left(&t, uid * 7919 % 1000, START) ==
			    90000 + (int64_t)uid);
	assert_true(penalty_table_count(&t, START + 90500) == 499);
	penalty_table_free(&t);
}

/* Test that a client with many addresses cannot free a blocked source. */
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
	/*
	 * Other sources are blocked now, too. Their entries do not replace the
	 * entry of source 1, because the block of source 1 is longer.
	 */
	for (uid = 2; uid < 1000; uid++) {
		add(&t, uid, PENALTY_TIMEOUT, START);
		add(&t, uid, PENALTY_TIMEOUT, START);
		add(&t, uid, PENALTY_TIMEOUT, START);
	}
	assert_true(t.n == SOURCES);
	assert_true(left(&t, 1, START) == 90000);
	assert_true(penalty_table_count(&t, START) == SOURCES);
	/*
	 * The log lines of other sources need entries, too. These entries do
	 * not replace the entry of source 1.
	 */
	for (uid = 2; uid < 1000; uid++)
		line(&t, uid, START);
	assert_true(left(&t, 1, START) == 90000);
	penalty_table_free(&t);
}

static void
test_fewer_sources_after_a_reload(void **state)
{
	struct settings_penalties many = rules;
	struct peer_source s;
	struct penalties t = { 0 };
	uid_t uid;

	(void)state;
	many.sources = 100;
	for (uid = 0; uid < 100; uid++) {
		s = user(uid);
		penalty_table_add(&t, &many, &s, PENALTY_CRASH, START + uid);
	}
	assert_true(t.n == 100);
	add(&t, 1000, PENALTY_CRASH, START + 200);
	assert_true(t.n == SOURCES);
	assert_true(left(&t, 99, START) == 90099);
	assert_true(left(&t, 0, START) == 0);
	penalty_table_free(&t);
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
	while (penalty_table_deadline(&t) != INT64_MAX) {
		last = now = penalty_table_deadline(&t);
		expire(&t, now, false);
		assert_true(++looks < 10);
	}
	/*
	 * The entry stays as long as it makes the next block longer than a
	 * first block.
	 */
	assert_true(last == START + 90000 + 600000);
	assert_true(t.n == 0);
	assert_null(t.v);
	penalty_table_free(&t);
}

static void
test_lines(void **state)
{
	struct penalties t = { 0 };
	struct peer_source one = user(1);
	struct said said;
	int i;

	(void)state;
	for (i = 0; i < 3; i++)
		assert_true(line(&t, 1, START + i));
	for (i = 0; i < 7; i++)
		assert_false(line(&t, 1, START + 10));
	assert_true(line(&t, 2, START + 10));
	assert_true(penalty_table_deadline(&t) == START + 60000);
	assert_int_equal(expire(&t, START + 59999, false).times, 0);
	/*
	 * Lines stay suppressed until the number of suppressed lines is
	 * reported.
	 */
	assert_false(line(&t, 1, START + 60001));
	said = expire(&t, START + 60002, false);
	assert_int_equal(said.times, 1);
	assert_true(said.lines == 8);
	assert_true(said.ms == 60002);
	assert_memory_equal(&said.source, &one, sizeof(one));
	assert_true(line(&t, 1, START + 60003));
	/*
	 * No line was suppressed after the report, so there is no second
	 * report.
	 */
	assert_int_equal(expire(&t, START + 600000, false).times, 0);
	assert_true(t.n == 0);
	penalty_table_free(&t);
}

static void
test_lines_begin_anew(void **state)
{
	struct penalties t = { 0 };
	int i;

	(void)state;
	for (i = 0; i < 10; i++)
		assert_true(line(&t, 1, START + i * 20000));
	penalty_table_free(&t);
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
	penalty_table_free(&t);
}

/*
 * Test that suppressed lines of a source are reported, even if the source was
 * removed from a full table.
 */
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
	assert_true(penalty_table_deadline(&t) <= START + 60000);
	said = expire(&t, penalty_table_deadline(&t), false);
	assert_int_equal(said.times, 1);
	assert_true(said.of_forgotten == 2);
	assert_int_equal(expire(&t, START + 70000, true).times, 0);
	penalty_table_free(&t);
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
		cmocka_unit_test(test_eight_addresses_block_their_network),
		cmocka_unit_test(test_tokens),
		cmocka_unit_test(test_tokens_of_a_network),
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
