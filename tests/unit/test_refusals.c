#include "refusals.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define LINE "1#429#too many sessions\n"
#define PATIENCE 20000

/* Two ends of a connection by TCP: there, a close can destroy the answer. */
static void
connect_pair(int *client, int *server)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage name = { .ss_family = AF_INET };
	struct sockaddr *at = (struct sockaddr *)&name;
	socklen_t len = sizeof(name);

	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, at, &len), 0);
	*client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*client, at, len), 0);
	*server = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	assert_int_not_equal(*server, -1);
	fd_close(&listener);
}

static void
wait_for_input(int fd)
{
	struct pollfd p = { fd, POLLIN, 0 };

	assert_int_equal(poll(&p, 1, PATIENCE), 1);
}

/* The line, and then the end. */
static void
expect_line(int client)
{
	char text[64] = "";
	size_t len = 0;
	ssize_t n;

	while ((n = read(client, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	assert_int_equal(n, 0);
	assert_string_equal(text, LINE);
}

static void
test_line_arrives(void **state)
{
	struct refusals r = { 0 };
	int client, server;

	(void)state;
	connect_pair(&client, &server);
	refusals_add(&r, server, 429, "too many sessions");
	assert_int_equal(r.n, 1);
	expect_line(client);
	fd_close(&client);
	wait_for_input(server);
	refusals_read(&r, server);
	assert_int_equal(r.n, 0);
	refusals_close(&r);
}

/* A request that is on its way already does not destroy the answer. */
static void
test_line_arrives_all_the_same(void **state)
{
	static const char request[100000] = "1#2\n";
	struct refusals r = { 0 };
	int client, server, i;
	ssize_t n;

	(void)state;
	connect_pair(&client, &server);
	n = send(client, request, sizeof(request), MSG_DONTWAIT);
	assert_true(n > 0);
	wait_for_input(server);
	refusals_add(&r, server, 429, "too many sessions");
	assert_int_equal(shutdown(client, SHUT_WR), 0);
	for (i = 0; r.n > 0 && i < 1000; i++) {
		wait_for_input(server);
		refusals_read(&r, server);
	}
	assert_int_equal(r.n, 0);
	expect_line(client);
	fd_close(&client);
}

static void
test_client_that_is_gone(void **state)
{
	struct linger at_once = { 1, 0 };
	struct refusals r = { 0 };
	int client, server;

	(void)state;
	connect_pair(&client, &server);
	assert_int_equal(setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once,
				 sizeof(at_once)),
		0);
	fd_close(&client);
	wait_for_input(server);
	refusals_add(&r, server, 429, "too many sessions");
	if (r.n > 0)
		refusals_read(&r, server);
	assert_int_equal(r.n, 0);
}

/* Nobody stays for longer than a moment. */
static void
test_expiry(void **state)
{
	struct refusals r = { 0 };
	int client[3], server[3], i;
	int64_t before = clock_ms(), first;

	(void)state;
	assert_true(refusals_deadline(&r) == CLOCK_NEVER);
	for (i = 0; i < 3; i++) {
		connect_pair(&client[i], &server[i]);
		refusals_add(&r, server[i], 429, "too many sessions");
	}
	r.v[1].deadline += 5000;
	first = refusals_deadline(&r);
	assert_true(first > before && first <= clock_ms() + 2000);
	refusals_read(&r, server[1]);
	refusals_read(&r, 4711);
	assert_int_equal(r.n, 3);
	refusals_expire(&r, first - 1);
	assert_int_equal(r.n, 3);
	refusals_expire(&r, first + 4000);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.v[0].fd, server[1]);
	refusals_close(&r);
	assert_int_equal(r.n, 0);
	for (i = 0; i < 3; i++) {
		expect_line(client[i]);
		fd_close(&client[i]);
	}
}

/* Beyond the maximum they get their line, and are not kept. */
static void
test_too_many(void **state)
{
	struct refusals r = { 0 };
	int clients[REFUSALS_MAX + 2], server;
	size_t i;

	(void)state;
	for (i = 0; i < REFUSALS_MAX + 2; i++) {
		connect_pair(&clients[i], &server);
		refusals_add(&r, server, 429, "too many sessions");
		assert_int_equal(r.n, i < REFUSALS_MAX ? i + 1 : REFUSALS_MAX);
	}
	expect_line(clients[REFUSALS_MAX + 1]);
	refusals_close(&r);
	for (i = 0; i < REFUSALS_MAX + 2; i++)
		fd_close(&clients[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_line_arrives),
		cmocka_unit_test(test_line_arrives_all_the_same),
		cmocka_unit_test(test_client_that_is_gone),
		cmocka_unit_test(test_expiry),
		cmocka_unit_test(test_too_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
