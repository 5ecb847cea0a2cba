#include "net/reject.h"

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

/*
 * Connect two sockets by TCP. If a TCP socket is closed too early, a reply that
 * is on its way can be lost.
 */
static void
connect_pair(int *conn, int *server)
{
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct sockaddr_storage name = { .ss_family = AF_INET };
	struct sockaddr *at = (struct sockaddr *)&name;
	socklen_t len = sizeof(name);

	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, at, &len), 0);
	*conn = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(*conn, at, len), 0);
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

/* Fail unless exactly this line arrives, followed by the end of file. */
static void
expect_line(int conn)
{
	char text[64] = "";
	size_t len = 0;
	ssize_t n;

	while ((n = read(conn, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	assert_int_equal(n, 0);
	assert_string_equal(text, LINE);
}

static void
test_line_arrives(void **state)
{
	struct rejected r = { 0 };
	int conn, server;

	(void)state;
	connect_pair(&conn, &server);
	reject(&r, server, 429, "too many sessions");
	assert_int_equal(r.n, 1);
	expect_line(conn);
	fd_close(&conn);
	wait_for_input(server);
	reject_read(&r, server);
	assert_int_equal(r.n, 0);
	reject_close(&r);
}

/*
 * Test that the reply arrives even if unread bytes of a request are in the
 * server's socket.
 */
static void
test_line_arrives_all_the_same(void **state)
{
	static const char request[100000] = "1#2\n";
	struct rejected r = { 0 };
	int conn, server, i;
	ssize_t n;

	(void)state;
	connect_pair(&conn, &server);
	n = send(conn, request, sizeof(request), MSG_DONTWAIT);
	assert_true(n > 0);
	wait_for_input(server);
	reject(&r, server, 429, "too many sessions");
	assert_int_equal(shutdown(conn, SHUT_WR), 0);
	for (i = 0; r.n > 0 && i < 1000; i++) {
		wait_for_input(server);
		reject_read(&r, server);
	}
	assert_int_equal(r.n, 0);
	expect_line(conn);
	fd_close(&conn);
}

static void
test_client_that_is_gone(void **state)
{
	struct linger at_once = { 1, 0 };
	struct rejected r = { 0 };
	int conn, server;

	(void)state;
	connect_pair(&conn, &server);
	assert_int_equal(setsockopt(conn, SOL_SOCKET, SO_LINGER, &at_once,
				 sizeof(at_once)),
		0);
	fd_close(&conn);
	wait_for_input(server);
	reject(&r, server, 429, "too many sessions");
	if (r.n > 0)
		reject_read(&r, server);
	assert_int_equal(r.n, 0);
}

/*
 * Test that a rejected connection is closed at its deadline. The deadline is at
 * most 2 s after the rejection.
 */
static void
test_expiry(void **state)
{
	struct rejected r = { 0 };
	int conn[3], server[3], i;
	int64_t before = clock_ms(), first;

	(void)state;
	assert_true(reject_expire(&r, 0) == CLOCK_NEVER);
	for (i = 0; i < 3; i++) {
		connect_pair(&conn[i], &server[i]);
		reject(&r, server[i], 429, "too many sessions");
	}
	r.v[1].deadline += 5000;
	first = reject_expire(&r, 0);
	assert_true(first > before && first <= clock_ms() + 2000);
	reject_read(&r, server[1]);
	reject_read(&r, 4711);
	assert_int_equal(r.n, 3);
	reject_expire(&r, first - 1);
	assert_int_equal(r.n, 3);
	reject_expire(&r, first + 4000);
	assert_int_equal(r.n, 1);
	assert_int_equal(r.v[0].fd, server[1]);
	reject_close(&r);
	assert_int_equal(r.n, 0);
	for (i = 0; i < 3; i++) {
		expect_line(conn[i]);
		fd_close(&conn[i]);
	}
}

/*
 * Test that connections above REJECT_MAX get the line of their reply, too.
 * These connections are closed immediately after the line.
 */
static void
test_too_many(void **state)
{
	struct rejected r = { 0 };
	int clients[REJECT_MAX + 2], server;
	size_t i;

	(void)state;
	for (i = 0; i < REJECT_MAX + 2; i++) {
		connect_pair(&clients[i], &server);
		reject(&r, server, 429, "too many sessions");
		assert_int_equal(r.n, i < REJECT_MAX ? i + 1 : REJECT_MAX);
	}
	expect_line(clients[REJECT_MAX + 1]);
	reject_close(&r);
	for (i = 0; i < REJECT_MAX + 2; i++)
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
