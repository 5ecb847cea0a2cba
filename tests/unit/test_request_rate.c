#include "request/request_rate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

/*
 * Return the number of messages that the rate limit allows in `ms`
 * milliseconds, beginning at `start`.
 */
static unsigned
count(struct request_rate *r, int64_t start, int64_t ms)
{
	unsigned n = 0;
	int64_t now;

	for (now = start; now < start + ms; now++)
		while (now >= request_rate_ready(r)) {
			request_rate_count(r, now);
			n++;
		}
	return n;
}

static void
test_allows_a_burst_and_then_a_rate(void **state)
{
	struct request_rate r = { 0 };

	(void)state;
	assert_int_equal(count(&r, 1000, 1), REQUEST_RATE_BURST);
	assert_in_range(
		count(&r, 1001, 1000), REQUEST_RATE - 2, REQUEST_RATE + 2);
}

static void
test_a_pause_gives_one_burst_back(void **state)
{
	struct request_rate r = { 0 };

	(void)state;
	count(&r, 1000, 10000);
	assert_int_equal(count(&r, 1000000, 1), REQUEST_RATE_BURST);
}

static void
test_a_slow_source_never_waits(void **state)
{
	struct request_rate r = { 0 };
	int64_t now;

	(void)state;
	for (now = 1; now < 10000; now++) {
		assert_true(request_rate_ready(&r) <= now);
		request_rate_count(&r, now);
	}
}

static void
test_a_new_session_brings_no_new_burst(void **state)
{
	struct request_rates rates = TAILQ_HEAD_INITIALIZER(rates);
	const struct peer_source one = { { 1 } }, two = { { 2 } };
	struct request_rate *r = request_rates_join(&rates, &one, 1000);

	(void)state;
	assert_int_equal(count(r, 1000, 1), REQUEST_RATE_BURST);
	request_rates_leave(r);
	r = request_rates_join(&rates, &one, 1001);
	assert_in_range(count(r, 1001, 1), 0, 2);
	request_rates_leave(r);
	/* Later, the entry of the source `one` is not needed and is removed. */
	r = request_rates_join(&rates, &two, 2000);
	assert_int_equal(count(r, 2000, 1), REQUEST_RATE_BURST);
	assert_ptr_equal(TAILQ_FIRST(&rates), r);
	assert_null(TAILQ_NEXT(r, entry));
	free(r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allows_a_burst_and_then_a_rate),
		cmocka_unit_test(test_a_pause_gives_one_burst_back),
		cmocka_unit_test(test_a_slow_source_never_waits),
		cmocka_unit_test(test_a_new_session_brings_no_new_burst),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
