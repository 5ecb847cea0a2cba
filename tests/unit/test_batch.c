#include "cli/host_share.h"
#include "fanout/batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void
test_without_steps_all_may_begin(void **state)
{
	struct batch s = { .total = 5 };
	size_t begun;

	(void)state;
	for (begun = 0; begun < 5; begun++)
		assert_int_equal(batch_gate(&s, begun, begun, begun, 0), 0);
}

static void
test_a_batch_begins_when_the_one_before_has_ended(void **state)
{
	struct batch s = { .total = 5, .batch = 2 };

	(void)state;
	assert_int_equal(batch_gate(&s, 1, 1, 0, 0), 0);
	assert_int_equal(batch_gate(&s, 2, 2, 0, 0), INT64_MAX);
	assert_int_equal(batch_gate(&s, 2, 1, 0, 0), INT64_MAX);
	assert_int_equal(batch_gate(&s, 2, 0, 0, 0), 0);
	assert_int_equal(batch_gate(&s, 3, 1, 0, 0), 0);
	assert_int_equal(batch_gate(&s, 4, 1, 0, 0), INT64_MAX);
}

static void
test_the_last_are_a_batch_of_their_own(void **state)
{
	struct batch s = { .total = 5, .last = 1 };

	(void)state;
	assert_int_equal(batch_gate(&s, 3, 3, 0, 0), 0);
	assert_int_equal(batch_gate(&s, 4, 1, 0, 0), INT64_MAX);
	assert_int_equal(batch_gate(&s, 4, 0, 0, 0), 0);
	/*
	 * With a batch size of 3, hosts 0 to 2 are the first batch, so host 3
	 * waits for them.
	 */
	s.batch = 3;
	assert_int_equal(batch_gate(&s, 3, 1, 0, 0), INT64_MAX);
	assert_int_equal(batch_gate(&s, 4, 1, 0, 0), INT64_MAX);
	/*
	 * If `last` is the total, all hosts are last hosts, so no host waits.
	 */
	s = (struct batch){ .total = 2, .last = 2 };
	assert_int_equal(batch_gate(&s, 0, 0, 0, 0), 0);
	assert_int_equal(batch_gate(&s, 1, 1, 0, 0), 0);
}

static void
test_each_boundary_has_one_pause(void **state)
{
	struct batch s = { .total = 6, .batch = 2, .pause = 1000 };

	(void)state;
	assert_int_equal(batch_gate(&s, 0, 0, 0, 50), 0);
	assert_int_equal(batch_gate(&s, 2, 1, 0, 70), INT64_MAX);
	assert_int_equal(batch_gate(&s, 2, 0, 0, 100), 1100);
	assert_int_equal(batch_gate(&s, 2, 0, 0, 1099), 1100);
	assert_int_equal(batch_gate(&s, 2, 0, 0, 1100), 0);
	assert_int_equal(batch_gate(&s, 3, 1, 0, 1101), 0);
	assert_int_equal(batch_gate(&s, 4, 0, 0, 2000), 3000);
}

static void
test_more_failures_than_may_be_stop_it(void **state)
{
	struct batch s = { .total = 9, .bounded = true, .max_failures = 2 };

	(void)state;
	assert_int_equal(batch_gate(&s, 3, 0, 2, 0), 0);
	assert_int_equal(batch_gate(&s, 3, 0, 3, 0), BATCH_STOP);
	s.max_failures = 0;
	assert_int_equal(batch_gate(&s, 0, 0, 0, 0), 0);
	assert_int_equal(batch_gate(&s, 1, 0, 1, 0), BATCH_STOP);
}

static size_t
share(const char *text, size_t least, size_t total)
{
	struct host_share s;

	assert_int_equal(host_share_parse(text, least, &s), 0);
	return host_share_count(&s, total);
}

static void
test_shares(void **state)
{
	struct host_share s;

	(void)state;
	assert_int_equal(share("7", 1, 3), 7);
	assert_int_equal(share("0", 0, 3), 0);
	assert_int_equal(share("25%", 1, 10), 3);
	assert_int_equal(share("25%", 0, 10), 2);
	assert_int_equal(share("1%", 1, 10), 1);
	assert_int_equal(share("0%", 0, 10), 0);
	assert_int_equal(share("100%", 1, 1000000), 1000000);
	assert_int_equal(host_share_parse("0", 1, &s), -1);
	assert_int_equal(host_share_parse("0%", 1, &s), -1);
	assert_int_equal(host_share_parse("101%", 1, &s), -1);
	assert_int_equal(host_share_parse("", 1, &s), -1);
	assert_int_equal(host_share_parse("%", 1, &s), -1);
	assert_int_equal(host_share_parse("5%%", 1, &s), -1);
	assert_int_equal(host_share_parse("-1", 0, &s), -1);
	assert_int_equal(host_share_parse("1 ", 0, &s), -1);
	assert_int_equal(host_share_parse("99999999999999999999", 0, &s), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_without_steps_all_may_begin),
		cmocka_unit_test(
			test_a_batch_begins_when_the_one_before_has_ended),
		cmocka_unit_test(test_the_last_are_a_batch_of_their_own),
		cmocka_unit_test(test_each_boundary_has_one_pause),
		cmocka_unit_test(test_more_failures_than_may_be_stop_it),
		cmocka_unit_test(test_shares),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
