/*
 * Tests of `wait` if this machine is suspended during the wait. The tests
 * replace the clocks, the pauses and the pings.
 */
#include "clock.h"
#include "fanout/wait_host.h"
#include "remote/call.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define HOUR 3600000

/*
 * The present time in ms: `boot` includes the time of a suspend, `awake` does
 * not.
 */
static int64_t boot, awake;
static int64_t suspend_ms; /* length of a suspend during the next pause */
static int pings;
static const char *answer; /* status line of each ping, or NULL for no reply */

int64_t __wrap_clock_boot_ms(void);
int64_t __wrap_clock_ms(void);
int __wrap_poll(struct pollfd *, nfds_t, int ms);
int __wrap_call_ask(const struct endpoint *, const struct request *,
	struct reply *, struct buf *problem);

int64_t
__wrap_clock_boot_ms(void)
{
	return boot;
}

int64_t
__wrap_clock_ms(void)
{
	return awake;
}

int
__wrap_poll(struct pollfd *fds, nfds_t n, int ms)
{
	(void)fds;
	assert_int_equal(n, 0);
	awake += ms;
	boot += ms + suspend_ms;
	suspend_ms = 0;
	return 0;
}

int
__wrap_call_ask(const struct endpoint *e, const struct request *r,
	struct reply *reply, struct buf *problem)
{
	char line[64];
	int len;

	(void)e;
	assert_int_equal(r->verb, VERB_PING);
	pings++;
	if (answer == NULL || pings == 1) {
		buf_adds(problem, "no reply");
		return CALL_FAILED;
	}
	len = snprintf(line, sizeof(line), "%s", answer);
	assert_int_equal(reply_line(reply, line, (size_t)len), REPLY_DONE);
	return 0;
}

static struct invocation inv;
static struct host host;
static struct result result;

static int
set_up(void **state)
{
	(void)state;
	boot = awake = 1000000;
	suspend_ms = 0;
	pings = 0;
	memset(&inv, 0, sizeof(inv));
	inv.await = 600;
	memset(&result, 0, sizeof(result));
	result.host = &host;
	return 0;
}

static int
tear_down(void **state)
{
	(void)state;
	result_free(&result);
	return 0;
}

static void
test_a_host_that_restarts_during_our_suspend_is_back(void **state)
{
	(void)state;
	inv.await = 2 * HOUR / 1000;
	suspend_ms = HOUR;
	/* The host has restarted a long time ago, but after the request. */
	answer = "1#200#pong#uptime=3500";
	wait_host_return(&inv, &result, boot);
	assert_int_equal(result.result_kind, RESULT_OK);
	assert_int_equal(pings, 2);
	assert_string_equal(result.reply.said, "back after 3600.2 s");
}

static void
test_a_host_that_has_not_restarted_is_not_back(void **state)
{
	(void)state;
	suspend_ms = HOUR;
	answer = "1#200#pong#uptime=3700";
	wait_host_return(&inv, &result, boot);
	assert_int_equal(result.result_kind, RESULT_TIMED_OUT);
}

static void
test_the_time_limit_includes_our_suspend(void **state)
{
	(void)state;
	suspend_ms = HOUR;
	answer = NULL;
	wait_host_return(&inv, &result, boot);
	assert_int_equal(result.result_kind, RESULT_TIMED_OUT);
	assert_int_equal(pings, 1);
	assert_string_equal(buf_str(&result.problem),
		"has not returned after 3600 s: no reply");
}

static bool
count_step(void *context)
{
	int *steps = context;

	return ++*steps < 3;
}

static void
test_a_step_comes_before_each_ping_and_can_end_the_wait(void **state)
{
	int steps = 0;

	(void)state;
	answer = NULL;
	wait_host_up(&inv, &result, count_step, &steps);
	assert_int_equal(steps, 3);
	assert_int_equal(pings, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
		TEST(test_a_host_that_restarts_during_our_suspend_is_back),
		TEST(test_a_host_that_has_not_restarted_is_not_back),
		TEST(test_the_time_limit_includes_our_suspend),
		TEST(test_a_step_comes_before_each_ping_and_can_end_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
