#include "net/peer.h"

#include "fd.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/netlink.h>
#include <pwd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define SOMEBODY 61001 /* a uid that need not exist */
#define OVERFLOW 65534

/* Both ends of a TCP connection. */
struct pair {
	int listener;
	int conn;
	int accepted;
};

static int
open_diag(void **state)
{
	static int diag;

	diag = peer_diag_open();
	*state = &diag;
	return diag == -1 ? -1 : 0;
}

static int
close_diag(void **state)
{
	fd_close(*state);
	return 0;
}

static void
close_pair(struct pair *p)
{
	fd_close(&p->conn);
	fd_close(&p->accepted);
	fd_close(&p->listener);
}

static void
accept_it(struct pair *p)
{
	p->accepted = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_not_equal(p->accepted, -1);
}

/* Listen at one address, and connect to another address with the same port. */
static struct pair
connect_pair(const char *listen_at, const char *connect_to)
{
	struct pair p = { .listener = -1 };
	struct net_addr a, b = { .len = sizeof(b.ss) };

	assert_int_equal(net_parse(listen_at, &a), 0);
	if ((p.listener = net_listen(&a)) == -1)
		skip(); /* skip on a machine without IPv6 */
	assert_int_equal(getsockname(p.listener, &b.sa, &b.len), 0);
	assert_int_equal(net_parse(connect_to, &a), 0);
	a.in.sin_port = b.in.sin_port; /* same offset as sin6_port */
	p.conn = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(p.conn, &a.sa, a.len), 0);
	accept_it(&p);
	return p;
}

static void
test_unix(void **state)
{
	gid_t groups[1024];
	int pair[2], n = getgroups(1024, groups), i;
	struct peer who;
	size_t k;

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	peer_unix(pair[0], &who);
	if (geteuid() == OVERFLOW)
		skip();
	assert_int_equal(who.kind, PEER_UNIX);
	assert_int_equal(who.uid, geteuid());
	assert_false(who.has_addr);
	assert_true(who.groups_known);
	assert_int_equal(who.ngroups, n + 1);
	for (i = 0; i < n; i++) {
		for (k = 0; k < who.ngroups && who.groups[k] != groups[i]; k++)
			;
		assert_true(k < who.ngroups);
	}
	assert_int_equal(who.groups[who.ngroups - 1], getegid());
	peer_free(&who);
	assert_null(who.groups);
	peer_free(&who);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

/*
 * Return one end of a socket pair. A process of the user `uid` with these
 * groups has made the pair.
 */
static int
pair_of(uid_t uid, const gid_t *groups, size_t n)
{
	int channel[2], pair[2], got, status;
	char byte;
	pid_t pid;

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel),
		0);
	if ((pid = fork()) == 0) {
		if (setgroups(n, groups) != 0 || setgid(SOMEBODY + 1) != 0 ||
			setuid(uid) != 0 ||
			socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
			fd_send(channel[1], "x", 1, NULL, 0, pair[0]) != 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(fd_recv(channel[0], &byte, 1, 0, &got), 1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	fd_close(&channel[0]);
	fd_close(&channel[1]);
	return got;
}

static void
test_unix_of_another(void **state)
{
	static const gid_t groups[] = { 17, 4711, 4000000000u };
	struct peer who;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	fd = pair_of(SOMEBODY, groups, 3);
	peer_unix(fd, &who);
	assert_int_equal(who.kind, PEER_UNIX);
	assert_int_equal(who.uid, SOMEBODY);
	assert_int_equal(who.ngroups, 4);
	assert_memory_equal(who.groups, groups, sizeof(groups));
	assert_int_equal(who.groups[3], SOMEBODY + 1);
	peer_free(&who);
	fd_close(&fd);
}

static void
test_unix_without_groups(void **state)
{
	struct peer who;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	fd = pair_of(SOMEBODY, NULL, 0);
	peer_unix(fd, &who);
	assert_int_equal(who.kind, PEER_UNIX);
	assert_int_equal(who.ngroups, 1);
	assert_int_equal(who.groups[0], SOMEBODY + 1);
	peer_free(&who);
	fd_close(&fd);
}

/*
 * Test a peer with the overflow uid, which the kernel reports if it cannot show
 * the real uid.
 */
static void
test_unix_overflow_user(void **state)
{
	struct peer who;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	fd = pair_of(OVERFLOW, NULL, 0);
	peer_unix(fd, &who);
	assert_int_equal(who.kind, PEER_NONE);
	assert_non_null(who.why);
	peer_free(&who);
	fd_close(&fd);
}

static void
test_unix_that_is_none(void **state)
{
	struct peer who;

	(void)state;
	peer_unix(-1, &who);
	assert_int_equal(who.kind, PEER_NONE);
	assert_non_null(who.why);
	assert_false(who.gone);
	peer_free(&who);
}

static void
expect_gone(int diag, const struct pair *p, bool insecure)
{
	struct peer who;

	peer_tcp(p->accepted, diag, insecure, &who);
	assert_int_equal(who.kind, PEER_NONE);
	assert_true(who.gone);
	peer_free(&who);
}

static void
expect_us(int diag, const struct pair *p)
{
	struct peer who;
	char wanted[32];

	peer_tcp(p->accepted, diag, false, &who);
	if (who.kind != PEER_LOCAL)
		fail_msg("it is nobody: %s", who.why);
	assert_int_equal(who.uid, geteuid());
	assert_true(who.has_addr);
	assert_false(who.groups_known);
	assert_int_equal(who.ngroups, 0);
	snprintf(wanted, sizeof(wanted), ",uid=%u", geteuid());
	assert_non_null(strstr(peer_text(&who), wanted));
	peer_free(&who);
}

static void
expect_nobody(int diag, const struct pair *p, bool insecure)
{
	struct peer who;

	peer_tcp(p->accepted, diag, insecure, &who);
	assert_int_equal(who.kind, PEER_NONE);
	assert_non_null(who.why);
	peer_free(&who);
}

/*
 * Test that the lookup of the peer's uid succeeds for all forms of the
 * addresses of both ends.
 */
static void
test_tcp(void **state)
{
	static const struct {
		const char *listen_at, *connect_to;
	} rows[] = {
		{ "127.0.0.1:0", "127.0.0.1:0" },
		{ "0.0.0.0:0", "127.0.0.1:0" },
		{ "0.0.0.0:0", "127.8.9.10:0" },
		{ "127.0.0.1:0", "[::ffff:127.0.0.1]:0" },
		{ "[::1]:0", "[::1]:0" },
		{ "[::]:0", "[::1]:0" },
		{ "[::]:0", "127.0.0.1:0" },
		{ "[::]:0", "[::ffff:127.0.0.1]:0" },
	};
	struct pair p;
	size_t i;

	if (geteuid() == OVERFLOW)
		skip();
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		p = connect_pair(rows[i].listen_at, rows[i].connect_to);
		expect_us(*(int *)*state, &p);
		close_pair(&p);
	}
}

/* Test a client that has shut down its side for sending, but still receives. */
static void
test_tcp_half_closed(void **state)
{
	struct pair p = connect_pair("127.0.0.1:0", "127.0.0.1:0");

	if (geteuid() == OVERFLOW)
		skip();
	assert_int_equal(shutdown(p.conn, SHUT_WR), 0);
	expect_us(*(int *)*state, &p);
	close_pair(&p);
}

/*
 * Test that no user is found for a connection whose client has closed its
 * socket.
 */
static void
test_tcp_gone(void **state)
{
	struct pair p = connect_pair("127.0.0.1:0", "127.0.0.1:0");

	assert_int_equal(send(p.conn, "1#2\n", 4, MSG_NOSIGNAL), 4);
	fd_close(&p.conn);
	expect_gone(*(int *)*state, &p, false);
	expect_gone(*(int *)*state, &p, true);
	close_pair(&p);
}

static void
test_tcp_reset(void **state)
{
	struct pair p = connect_pair("127.0.0.1:0", "127.0.0.1:0");
	struct linger at_once = { 1, 0 };

	assert_int_equal(setsockopt(p.conn, SOL_SOCKET, SO_LINGER, &at_once,
				 sizeof(at_once)),
		0);
	fd_close(&p.conn);
	expect_gone(*(int *)*state, &p, false);
	expect_gone(*(int *)*state, &p, true);
	close_pair(&p);
}

/*
 * The function that a test runs between two steps of the code under test. The
 * replaced getsockname() calls this function once, just before the lookup of
 * the peer's uid.
 */
static void (*meanwhile)(void);

int
getsockname(int fd, __SOCKADDR_ARG address, socklen_t *restrict len)
{
	int result =
		(int)syscall(SYS_getsockname, fd, address.__sockaddr__, len);
	void (*then)(void) = meanwhile;

	meanwhile = NULL;
	if (then != NULL)
		then();
	return result;
}

static struct pair raced;

static void
come_from(const struct net_addr *from)
{
	struct net_addr to = { .len = sizeof(to.ss) };
	int on = 1;

	getsockname(raced.listener, &to.sa, &to.len);
	raced.conn = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(raced.conn, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(raced.conn, &from->sa, from->len), 0);
	assert_int_equal(connect(raced.conn, &to.sa, to.len), 0);
}

/*
 * Reset the client's connection, and connect a new client from the same port.
 */
static void
come_from_the_same_port(void)
{
	struct linger at_once = { 1, 0 };
	struct net_addr from = { .len = sizeof(from.ss) };

	getsockname(raced.conn, &from.sa, &from.len);
	setsockopt(
		raced.conn, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(raced.conn);
	come_from(&from);
}

static void
test_tcp_reset_while_it_is_asked_about(void **state)
{
	struct net_addr any;
	struct peer who;

	assert_int_equal(net_parse("127.0.0.1:0", &any), 0);
	raced.listener = net_listen(&any);
	come_from(&any);
	accept_it(&raced);
	meanwhile = come_from_the_same_port;
	expect_gone(*(int *)*state, &raced, false);
	fd_close(&raced.accepted);
	accept_it(&raced);
	expect_us(*(int *)*state, &raced);
	meanwhile = come_from_the_same_port;
	peer_tls(raced.accepted, *(int *)*state, &who);
	assert_false(who.local);
	close_pair(&raced);
}

/*
 * Return a socket bound to the address and port in `a`, with SO_REUSEPORT.
 * Other sockets from this function can use the same port.
 */
static int
share(struct net_addr *a)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	assert_int_equal(
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, &a->sa, sizeof(a->in)), 0);
	a->len = sizeof(a->ss);
	assert_int_equal(getsockname(fd, &a->sa, &a->len), 0);
	return fd;
}

/*
 * Test a client that is gone while a listener has the client's port. The
 * kernel's lookup finds this listener, which must not count as the client.
 */
static void
test_tcp_gone_with_a_listener_there(void **state)
{
	struct pair p = { .listener = -1 };
	struct net_addr a, b = { .len = sizeof(b.ss) };
	int other;

	assert_int_equal(net_parse("127.0.0.1:0", &a), 0);
	p.listener = net_listen(&a);
	assert_int_equal(getsockname(p.listener, &b.sa, &b.len), 0);
	p.conn = share(&a);
	other = share(&a);
	assert_int_equal(listen(other, 1), 0);
	assert_int_equal(connect(p.conn, &b.sa, b.len), 0);
	accept_it(&p);
	fd_close(&p.conn);
	expect_nobody(*(int *)*state, &p, false);
	expect_nobody(*(int *)*state, &p, true);
	fd_close(&other);
	close_pair(&p);
}

/*
 * Test that a peer has no identity if the lookup fails, even if anonymous peers
 * are allowed.
 */
static void
test_tcp_without_the_kernel(void **state)
{
	struct pair p = connect_pair("127.0.0.1:0", "127.0.0.1:0");

	(void)state;
	expect_nobody(-1, &p, false);
	expect_nobody(-1, &p, true);
	close_pair(&p);
	p.accepted = -1;
	expect_nobody(-1, &p, true);
}

/*
 * Test that an old, unread reply from the kernel is not used as the reply to a
 * later lookup.
 */
static void
test_tcp_stale_answer(void **state)
{
	struct pair p = connect_pair("127.0.0.1:0", "127.0.0.1:0");
	struct pair gone = connect_pair("127.0.0.1:0", "127.0.0.1:0");
	struct nlmsghdr noise = { .nlmsg_len = sizeof(noise),
		.nlmsg_type = NLMSG_NOOP + 40,
		.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK };
	int diag = *(int *)*state;

	if (geteuid() == OVERFLOW)
		skip();
	fd_close(&gone.conn);
	assert_int_equal(send(diag, &noise, sizeof(noise), 0), sizeof(noise));
	expect_us(diag, &p);
	expect_nobody(diag, &gone, true);
	expect_us(diag, &p);
	close_pair(&gone);
	close_pair(&p);
}

/*
 * Fork a child that connects as another user, and exits when the peer closes
 * the connection. Return the child's pid.
 */
static pid_t
connect_as(uid_t uid, const struct net_addr *to)
{
	pid_t pid = fork();
	char byte;
	int fd;

	if (pid != 0)
		return pid;
	/*
	 * Change the user before socket(2), because a socket belongs to the
	 * user that makes it.
	 */
	if (setgroups(0, NULL) != 0 || setuid(uid) != 0 ||
		(fd = socket(to->sa.sa_family, SOCK_STREAM, 0)) == -1 ||
		connect(fd, &to->sa, to->len) != 0)
		_exit(1);
	_exit(read(fd, &byte, 1) == 0 ? 0 : 1);
}

/*
 * Listen, accept a connection of this user, and store the connection in `p`.
 * Return the pid of the client.
 */
static pid_t
pair_with(uid_t uid, struct pair *p)
{
	struct net_addr a;
	pid_t pid;

	assert_int_equal(net_parse("127.0.0.1:0", &a), 0);
	p->conn = -1;
	p->listener = net_listen(&a);
	a.len = sizeof(a.ss);
	assert_int_equal(getsockname(p->listener, &a.sa, &a.len), 0);
	assert_int_equal(fcntl(p->listener, F_SETFL, 0), 0);
	pid = connect_as(uid, &a);
	accept_it(p);
	return pid;
}

static void
end_pair(struct pair *p, pid_t pid)
{
	int status;

	close_pair(p);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_tcp_of_another(void **state)
{
	struct peer who;
	struct pair p;
	uid_t uid;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	for (uid = SOMEBODY; uid < SOMEBODY + 3; uid++) {
		pid = pair_with(uid, &p);
		peer_tcp(p.accepted, *(int *)*state, true, &who);
		assert_int_equal(who.kind, PEER_LOCAL);
		assert_int_equal(who.uid, uid);
		peer_free(&who);
		end_pair(&p, pid);
	}
}

static void
test_tcp_overflow_user(void **state)
{
	struct pair p;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	pid = pair_with(OVERFLOW, &p);
	expect_nobody(*(int *)*state, &p, true);
	end_pair(&p, pid);
}

static struct peer
from(enum peer_kind kind, uid_t uid, const char *address)
{
	struct peer who = { .kind = kind, .uid = uid, .why = "a reason" };

	if (address != NULL) {
		assert_int_equal(net_parse(address, &who.addr), 0);
		who.has_addr = true;
	}
	return who;
}

/* Return a peer on this machine that is connected with TLS. */
static struct peer
local_tls(enum peer_kind kind, uid_t uid, const char *address)
{
	struct peer who = from(kind, uid, address);

	who.local = true;
	return who;
}

static struct peer
no_account(struct peer peer)
{
	peer.no_account = true;
	return peer;
}

/* Test which peers share a source. */
static void
test_sources(void **state)
{
	const struct {
		struct peer who;
		int group; /* peers with the same number share a source */
	} rows[] = {
		{ from(PEER_UNIX, 0, NULL), 1 },
		{ from(PEER_LOCAL, 0, "127.0.0.1:1"), 1 },
		{ from(PEER_LOCAL, 0, "[::1]:2"), 1 },
		{ from(PEER_UNIX, 1000, NULL), 2 },
		{ from(PEER_LOCAL, 1000, "10.0.0.1:1"), 2 },
		{ from(PEER_ANONYMOUS, 0, "10.0.0.1:1"), 3 },
		{ from(PEER_ANONYMOUS, 0, "10.0.0.1:2"), 3 },
		{ from(PEER_NONE, 0, "10.0.0.1:2"), 3 },
		{ from(PEER_ANONYMOUS, 0, "10.0.0.2:1"), 4 },
		{ from(PEER_ANONYMOUS, 0, "[2001:db8:1:2::1]:1"), 5 },
		{ from(PEER_ANONYMOUS, 0, "[2001:db8:1:2:ffff::]:1"), 5 },
		{ from(PEER_ANONYMOUS, 0, "[2001:db8:1:3::1]:1"), 6 },
		{ from(PEER_KEY, 0, "[2001:db8:1:3::2]:1"), 6 },
		{ from(PEER_NONE, 0, NULL), 7 },
		{ from(PEER_ANONYMOUS, 0, "[::]:1"), 8 },
		{ from(PEER_NONE, 0, "127.0.0.1:1"), 9 },
		{ from(PEER_KEY, 0, "127.9.8.7:1"), 9 },
		{ local_tls(PEER_NONE, 1000, "127.0.0.1:1"), 2 },
		{ local_tls(PEER_KEY, 1000, "127.0.0.2:1"), 2 },
		{ no_account(from(PEER_UNIX, 1000, NULL)), 10 },
		{ no_account(from(PEER_UNIX, 200000, NULL)), 10 },
		{ no_account(from(PEER_LOCAL, 200001, "127.0.0.1:1")), 10 },
		{ no_account(local_tls(PEER_KEY, 200002, "[::1]:1")), 10 },
	};
	struct peer_source a, b;
	size_t n = sizeof(rows) / sizeof(rows[0]), i, k;

	(void)state;
	for (i = 0; i < n; i++) {
		for (k = 0; k < n; k++) {
			peer_source(&rows[i].who, &a);
			peer_source(&rows[k].who, &b);
			if ((memcmp(&a, &b, sizeof(a)) == 0) !=
				(rows[i].group == rows[k].group))
				fail_msg("rows %zu and %zu", i, k);
		}
	}
}

static void
test_printing(void **state)
{
	const struct {
		struct peer who;
		const char *text;
	} rows[] = {
		{ from(PEER_UNIX, 4294967294u, NULL), "uid=4294967294" },
		{ from(PEER_LOCAL, 7, "127.0.0.1:40001"),
			"127.0.0.1:40001,uid=7" },
		{ from(PEER_ANONYMOUS, 0, "[2001:db8::1]:9"),
			"[2001:db8::1]:9" },
		{ from(PEER_NONE, 0, "10.0.0.1:9"), "10.0.0.1:9" },
		{ from(PEER_NONE, 0, NULL), "unknown" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		assert_string_equal(peer_text(&rows[i].who), rows[i].text);
}

static void
test_printing_sources(void **state)
{
	const struct {
		struct peer who;
		const char *text;
	} rows[] = {
		{ from(PEER_UNIX, 4294967294u, NULL), "uid=4294967294" },
		{ from(PEER_LOCAL, 7, "127.0.0.1:40001"), "uid=7" },
		{ no_account(from(PEER_UNIX, 7, NULL)),
			"uids-without-account" },
		{ from(PEER_NONE, 0, "10.0.0.1:9"), "10.0.0.1" },
		{ from(PEER_KEY, 0, "[2001:db8::1:2:3:4]:9"), "2001:db8::/64" },
		{ from(PEER_NONE, 0, NULL), "unknown" },
	};
	struct peer_source source;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		peer_source(&rows[i].who, &source);
		assert_string_equal(peer_source_text(&source), rows[i].text);
	}
	peer_penalty_source(&rows[4].who, &source);
	assert_string_equal(peer_source_text(&source), "2001:db8::1:2:3:4");
}

static void
test_groups(void **state)
{
	gid_t groups[PEER_GROUPS_MAX];
	struct passwd *pw = getpwuid(0);
	int n, i;

	(void)state;
	assert_non_null(pw);
	n = peer_groups(0, groups);
	assert_in_range(n, 1, PEER_GROUPS_MAX);
	for (i = 0; i < n && groups[i] != pw->pw_gid; i++)
		;
	assert_true(i < n);
	assert_int_equal(peer_groups(4294967294u, groups), 0);
}

#define WITH_DIAG(name) \
	cmocka_unit_test_setup_teardown(name, open_diag, close_diag)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_unix_of_another),
		cmocka_unit_test(test_unix_without_groups),
		cmocka_unit_test(test_unix_overflow_user),
		cmocka_unit_test(test_unix_that_is_none),
		WITH_DIAG(test_tcp),
		WITH_DIAG(test_tcp_half_closed),
		WITH_DIAG(test_tcp_gone),
		WITH_DIAG(test_tcp_reset),
		WITH_DIAG(test_tcp_reset_while_it_is_asked_about),
		WITH_DIAG(test_tcp_gone_with_a_listener_there),
		WITH_DIAG(test_tcp_without_the_kernel),
		WITH_DIAG(test_tcp_stale_answer),
		WITH_DIAG(test_tcp_of_another),
		WITH_DIAG(test_tcp_overflow_user),
		cmocka_unit_test(test_sources),
		cmocka_unit_test(test_printing),
		cmocka_unit_test(test_printing_sources),
		cmocka_unit_test(test_groups),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
