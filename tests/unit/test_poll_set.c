#include "core/poll_set.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static bool short_of_memory;

/* Replace reallocarray(3), so that a test can make this function fail. */
void *
reallocarray(void *old, size_t n, size_t size)
{
	if (short_of_memory) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, n * size);
}

static void
add(struct poll_set *set, int fd, size_t times)
{
	while (times-- > 0)
		poll_set_add(set, fd, POLLIN, POLL_SESSION, set);
}

static void
wait_for(struct poll_set *set, int64_t deadline)
{
	sigset_t mask;

	sigemptyset(&mask);
	poll_set_wait(set, clock_ms(), deadline, &mask);
}

static void
test_waits_for_each_descriptor(void **state)
{
	struct poll_set set = { 0 };
	int quiet[2], ready[2];

	(void)state;
	assert_int_equal(pipe(quiet), 0);
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(write(ready[1], "", 1), 1);
	add(&set, quiet[0], 1000);
	poll_set_add(&set, ready[0], POLLIN, POLL_LOOKUP, &ready);
	wait_for(&set, CLOCK_NEVER);
	assert_int_equal(set.n, 1001);
	assert_int_equal(set.fds[0].revents, 0);
	assert_int_equal(set.fds[1000].revents, POLLIN);
	assert_int_equal(set.owners[1000].kind, POLL_LOOKUP);
	assert_ptr_equal(set.owners[1000].object, &ready);
	poll_set_free(&set);
	fd_close(&quiet[0]);
	fd_close(&quiet[1]);
	fd_close(&ready[0]);
	fd_close(&ready[1]);
}

/*
 * Test that the wait ends soon if a descriptor was not added because memory ran
 * out. The caller can add the descriptor again.
 */
static void
test_a_missing_descriptor_ends_the_wait(void **state)
{
	struct poll_set set = { 0 };
	int quiet[2];

	(void)state;
	assert_int_equal(pipe(quiet), 0);
	short_of_memory = true;
	add(&set, quiet[0], 1);
	assert_true(set.incomplete);
	assert_int_equal(set.n, 0);
	wait_for(&set, CLOCK_NEVER);
	short_of_memory = false;
	add(&set, quiet[0], 64);
	short_of_memory = true;
	add(&set, quiet[0], 1);
	assert_true(set.incomplete);
	assert_int_equal(set.n, 64);
	wait_for(&set, CLOCK_NEVER);
	short_of_memory = false;
	assert_false(set.incomplete);
	set.n = 0;
	add(&set, quiet[0], 65);
	assert_false(set.incomplete);
	assert_int_equal(set.n, 65);
	poll_set_free(&set);
	fd_close(&quiet[0]);
	fd_close(&quiet[1]);
}

static void
test_a_deadline_ends_the_wait(void **state)
{
	struct poll_set set = { 0 };
	int64_t deadline = clock_ms() + 20;

	(void)state;
	wait_for(&set, deadline);
	assert_true(clock_ms() >= deadline);
	/* A deadline in the past also ends the wait. */
	wait_for(&set, 1);
	poll_set_free(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waits_for_each_descriptor),
		cmocka_unit_test(test_a_missing_descriptor_ends_the_wait),
		cmocka_unit_test(test_a_deadline_ends_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
