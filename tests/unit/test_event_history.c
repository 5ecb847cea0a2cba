/*
 * Tests of the history of records. The records have any length, and new records
 * overwrite old records any number of times. All other records must stay
 * unchanged and in order.
 */
#include "events/event_history.h"
#include "liveness.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * Fill `line` with a record of at least `len` bytes that repeats `number`.
 * Return the length of the record.
 */
static size_t
make_line(char *line, uint64_t number, size_t len)
{
	size_t n = 0;

	while (n < len)
		n += (size_t)sprintf(
			line + n, "%llu ", (unsigned long long)number);
	return n;
}

static void
add(struct history *h, size_t len)
{
	struct event_history_record r = { .number = event_history_next(h),
		.kind = (enum event_kind)(
			event_history_next(h) % EVENT_KINDS) };
	char line[70000];

	sprintf(r.name, "n%llu", (unsigned long long)r.number);
	event_history_add(h, &r, line, make_line(line, r.number, len));
}

/*
 * Fail unless each record that the history holds is unchanged and has the right
 * number.
 */
static void
check(const struct history *h)
{
	const struct event_history_record *r;
	char name[32], line[70000];
	uint64_t n;

	assert_true(event_history_oldest(h) <= event_history_next(h));
	for (n = event_history_oldest(h); n <= h->last; n++) {
		r = event_history_get(h, n);
		assert_int_equal(r->number, n);
		sprintf(name, "n%llu", (unsigned long long)n);
		assert_string_equal(r->name, name);
		assert_int_equal(make_line(line, n, r->len), r->len);
		assert_memory_equal(event_history_line(h, r), line, r->len);
	}
}

static void
test_empty(void **state)
{
	struct history h;

	(void)state;
	assert_int_equal(event_history_open(&h, 16), 0);
	assert_int_equal(event_history_next(&h), 1);
	assert_int_equal(event_history_oldest(&h), 1);
	event_history_close(&h);
	event_history_close(&h);
}

static void
test_as_many_as_were_asked_for(void **state)
{
	struct history h;
	int i;

	(void)state;
	assert_int_equal(event_history_open(&h, 100), 0);
	for (i = 1; i <= 300; i++) {
		add(&h, 200);
		check(&h);
		assert_int_equal(h.n, i < 100 ? i : 100);
	}
	event_history_close(&h);
}

static void
test_lines_of_any_length(void **state)
{
	struct history h;
	int i;

	(void)state;
	srandom(7);
	assert_int_equal(event_history_open(&h, 50), 0);
	for (i = 0; i < 400; i++) {
		add(&h, (size_t)random() % (i % 100 == 0 ? 60000 : 5000) + 1);
		check(&h);
		assert_true(h.n > 0);
	}
	event_history_close(&h);
}

/*
 * Test that a record that is longer than the whole history removes all records.
 * The numbers of later records must continue.
 */
static void
test_one_too_long(void **state)
{
	struct history h;

	(void)state;
	assert_int_equal(event_history_open(&h, 16), 0);
	add(&h, 10);
	add(&h, 66000);
	assert_int_equal(h.n, 0);
	assert_int_equal(event_history_oldest(&h), 3);
	add(&h, 10);
	check(&h);
	assert_int_equal(event_history_oldest(&h), 3);
	event_history_close(&h);
}

static void
test_resize_keeps_the_last(void **state)
{
	struct history h;
	int i;

	(void)state;
	assert_int_equal(event_history_open(&h, 100), 0);
	for (i = 0; i < 130; i++)
		add(&h, 100);
	assert_int_equal(event_history_resize(&h, 20), 0);
	check(&h);
	assert_int_equal(event_history_oldest(&h), 111);
	assert_int_equal(event_history_resize(&h, 1000), 0);
	check(&h);
	assert_int_equal(event_history_oldest(&h), 111);
	assert_int_equal(event_history_next(&h), 131);
	event_history_close(&h);
}

static void
test_silence(void **state)
{
	struct liveness v = { 0 };

	(void)state;
	/*
	 * The client sends no ping. The client counts as alive while it reads
	 * all bytes, or at least some bytes.
	 */
	assert_false(liveness_beat(&v, 10, true));
	assert_false(liveness_beat(&v, 10, true));
	assert_false(liveness_beat(&v, 11, false));
	assert_false(liveness_beat(&v, 11, false));
	assert_false(liveness_beat(&v, 12, false));
	assert_false(liveness_beat(&v, 12, false));
	assert_false(liveness_beat(&v, 12, false));
	assert_true(liveness_beat(&v, 12, false));
	/*
	 * After the client has sent its first ping, only further pings show
	 * that the client is alive.
	 */
	memset(&v, 0, sizeof(v));
	assert_false(liveness_ping(&v, "1#5", 3));
	assert_false(liveness_ping(&v, "1#4#", 4));
	assert_true(liveness_ping(&v, "1#4", 3));
	assert_false(liveness_beat(&v, 10, true));
	assert_false(liveness_beat(&v, 20, true));
	assert_false(liveness_beat(&v, 30, true));
	assert_true(liveness_beat(&v, 40, true));
}

static void
test_a_line_that_has_begun_is_kept(void **state)
{
	struct buf out = { 0 };

	(void)state;
	buf_adds(&out, "1#100#a\n1#100#b\n1#100#c\n");
	liveness_cut(&out, 3);
	assert_string_equal(buf_str(&out), "1#100#a\n");
	buf_free(&out);
	liveness_cut(&out, 0);
	assert_int_equal(out.len, 0);
}

static void
test_places(void **state)
{
	static const char *const bad[] = { "", "-", "-1", "x", "1-", "g-1",
		"1-x", "1--2", "A-1", "1234567890abcdef0-1",
		"1-1234567890123456789", " 1", "1 ", "1-2-3" };
	struct event_place p;
	unsigned bits;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(events_place(bad[i], &p));
	assert_true(events_place("6b01-17", &p));
	assert_true(p.has_run && p.run == 0x6b01 && p.number == 17);
	assert_true(events_place("0", &p));
	assert_true(!p.has_run && p.number == 0);
	assert_true(events_parse("online,message", &bits));
	assert_int_equal(
		bits, EVENT_BIT(EVENT_ONLINE) | EVENT_BIT(EVENT_MESSAGE));
	assert_false(events_parse("", &bits));
	assert_false(events_parse("online,", &bits));
	assert_false(events_parse("watching", &bits));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_as_many_as_were_asked_for),
		cmocka_unit_test(test_lines_of_any_length),
		cmocka_unit_test(test_one_too_long),
		cmocka_unit_test(test_resize_keeps_the_last),
		cmocka_unit_test(test_silence),
		cmocka_unit_test(test_a_line_that_has_begun_is_kept),
		cmocka_unit_test(test_places),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
