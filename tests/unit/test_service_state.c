#include "remote/service_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void
test_a_service_that_fails(void **state)
{
	(void)state;
	assert_true(service_state_is_failure(
		"NRestarts=0\nActiveState=failed\nSubState=failed\n"));
	assert_true(service_state_is_failure(
		"NRestarts=0\nActiveState=activating\nSubState=auto-restart"));
	assert_true(service_state_is_failure(
		"ActiveState=activating\nSubState=start\nNRestarts=3\n"));
}

static void
test_a_service_that_runs_starts_or_stops(void **state)
{
	(void)state;
	assert_false(service_state_is_failure(
		"NRestarts=0\nActiveState=activating\nSubState=start\n"));
	assert_false(service_state_is_failure(
		"NRestarts=3\nActiveState=active\nSubState=running\n"));
	assert_false(service_state_is_failure(
		"NRestarts=0\nActiveState=deactivating\nSubState=stop\n"));
	assert_false(service_state_is_failure(
		"NRestarts=0\nActiveState=inactive\nSubState=dead\n"));
	assert_false(service_state_is_failure(""));
	assert_false(service_state_is_failure("xActiveState=failed\n"));
}

static void
test_a_socket_of_another_process(void **state)
{
	int pair[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	assert_false(service_state_fails(pair[0]));
	close(pair[0]);
	close(pair[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_service_that_fails),
		cmocka_unit_test(test_a_service_that_runs_starts_or_stops),
		cmocka_unit_test(test_a_socket_of_another_process),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
