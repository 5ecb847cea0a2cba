#include "identity.h"

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

#define SOMEBODY 61001 /* a user that need not exist */
#define OVERFLOW 65534

/* Both ends of a connection that came by TCP. */
struct pair {
	int listener;
	int client;
	int accepted;
};

static int
open_diag(void **state)
{
	static int diag;

	diag = identity_diag_open();
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
	fd_close(&p->client);
	fd_close(&p->accepted);
	fd_close(&p->listener);
}

static void
accept_it(struct pair *p)
{
	p->accepted = accept4(p->listener, NULL, NULL, SOCK_CLOEXEC);
	assert_int_not_equal(p->accepted, -1);
}

/* Listens at one address and connects to another, at the same port. */
static struct pair
connect_pair(const char *listen_at, const char *connect_to)
{
	struct pair p = { .listener = -1 };
	struct net_addr a, b = { .len = sizeof(b.ss) };

	assert_int_equal(net_parse(listen_at, &a), 0);
	if ((p.listener = net_listen(&a)) == -1)
		skip(); /* no IPv6 here */
	assert_int_equal(getsockname(p.listener, &b.sa, &b.len), 0);
	assert_int_equal(net_parse(connect_to, &a), 0);
	a.in.sin_port = b.in.sin_port; /* of IPv6, it stands there too */
	p.client = socket(a.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect(p.client, &a.sa, a.len), 0);
	accept_it(&p);
	return p;
}

static void
test_unix(void **state)
{
	gid_t groups[1024];
	int pair[2], n = getgroups(1024, groups), i;
	struct identity who;
	size_t k;

	(void)state;
	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	identity_unix(pair[0], &who);
	if (geteuid() == OVERFLOW)
		skip();
	assert_int_equal(who.kind, IDENTITY_UNIX);
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
	identity_free(&who);
	assert_null(who.groups);
	identity_free(&who);
	fd_close(&pair[0]);
	fd_close(&pair[1]);
}

/* A socket pair made by another user, with these groups. */
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
	struct identity who;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	fd = pair_of(SOMEBODY, groups, 3);
	identity_unix(fd, &who);
	assert_int_equal(who.kind, IDENTITY_UNIX);
	assert_int_equal(who.uid, SOMEBODY);
	assert_int_equal(who.ngroups, 4);
	assert_memory_equal(who.groups, groups, sizeof(groups));
	assert_int_equal(who.groups[3], SOMEBODY + 1);
	identity_free(&who);
	fd_close(&fd);
}

static void
test_unix_without_groups(void **state)
{
	struct identity who;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	fd = pair_of(SOMEBODY, NULL, 0);
	identity_unix(fd, &who);
	assert_int_equal(who.kind, IDENTITY_UNIX);
	assert_int_equal(who.ngroups, 1);
	assert_int_equal(who.groups[0], SOMEBODY + 1);
	identity_free(&who);
	fd_close(&fd);
}

/* So the kernel shows a user whom our namespace does not know. */
static void
test_unix_overflow_user(void **state)
{
	struct identity who;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	fd = pair_of(OVERFLOW, NULL, 0);
	identity_unix(fd, &who);
	assert_int_equal(who.kind, IDENTITY_NONE);
	assert_non_null(who.why);
	identity_free(&who);
	fd_close(&fd);
}

static void
test_unix_that_is_none(void **state)
{
	struct identity who;

	(void)state;
	identity_unix(-1, &who);
	assert_int_equal(who.kind, IDENTITY_NONE);
	assert_non_null(who.why);
	identity_free(&who);
}

static void
expect_us(int diag, const struct pair *p)
{
	struct identity who;
	struct buf b = { 0 };
	char wanted[32];

	identity_tcp(p->accepted, diag, false, &who);
	if (who.kind != IDENTITY_LOCAL)
		fail_msg("it is nobody: %s", who.why);
	assert_int_equal(who.uid, geteuid());
	assert_true(who.has_addr);
	assert_false(who.groups_known);
	assert_int_equal(who.ngroups, 0);
	identity_print(&who, &b);
	snprintf(wanted, sizeof(wanted), ",uid=%u", geteuid());
	assert_non_null(strstr(buf_str(&b), wanted));
	buf_free(&b);
	identity_free(&who);
}

static void
expect_nobody(int diag, const struct pair *p, bool insecure)
{
	struct identity who;

	identity_tcp(p->accepted, diag, insecure, &who);
	assert_int_equal(who.kind, IDENTITY_NONE);
	assert_non_null(who.why);
	identity_free(&who);
}

/* However the two sides call the address, the kernel is asked rightly. */
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

/* It has said all that it will say, but is still there to listen. */
static void
test_tcp_half_closed(void **state)
{
	struct pair p = connect_pair("127.0.0.1:0", "127.0.0.1:0");

	if (geteuid() == OVERFLOW)
		skip();
	assert_int_equal(shutdown(p.client, SHUT_WR), 0);
	expect_us(*(int *)*state, &p);
	close_pair(&p);
}

/* Nobody holds it any more, so it is nobody's: not root's, not the port's. */
static void
test_tcp_gone(void **state)
{
	struct pair p = connect_pair("127.0.0.1:0", "127.0.0.1:0");

	assert_int_equal(send(p.client, "1#2\n", 4, MSG_NOSIGNAL), 4);
	fd_close(&p.client);
	expect_nobody(*(int *)*state, &p, false);
	expect_nobody(*(int *)*state, &p, true);
	close_pair(&p);
}

static void
test_tcp_reset(void **state)
{
	struct pair p = connect_pair("127.0.0.1:0", "127.0.0.1:0");
	struct linger at_once = { 1, 0 };

	assert_int_equal(setsockopt(p.client, SOL_SOCKET, SO_LINGER, &at_once,
				 sizeof(at_once)),
		0);
	fd_close(&p.client);
	expect_nobody(*(int *)*state, &p, false);
	expect_nobody(*(int *)*state, &p, true);
	close_pair(&p);
}

/* Libc's, and then what is to happen before the kernel's table is asked. */
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
	raced.client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(raced.client, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	assert_int_equal(bind(raced.client, &from->sa, from->len), 0);
	assert_int_equal(connect(raced.client, &to.sa, to.len), 0);
}

/* The client resets it, and somebody else comes from the same port. */
static void
come_from_the_same_port(void)
{
	struct linger at_once = { 1, 0 };
	struct net_addr from = { .len = sizeof(from.ss) };

	getsockname(raced.client, &from.sa, &from.len);
	setsockopt(
		raced.client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(raced.client);
	come_from(&from);
}

static void
test_tcp_reset_while_it_is_asked_about(void **state)
{
	struct net_addr any;
	struct identity who;

	assert_int_equal(net_parse("127.0.0.1:0", &any), 0);
	raced.listener = net_listen(&any);
	come_from(&any);
	accept_it(&raced);
	meanwhile = come_from_the_same_port;
	expect_nobody(*(int *)*state, &raced, false);
	fd_close(&raced.accepted);
	accept_it(&raced);
	expect_us(*(int *)*state, &raced);
	meanwhile = come_from_the_same_port;
	identity_tls(raced.accepted, *(int *)*state, &who);
	assert_false(who.local);
	close_pair(&raced);
}

/* A socket that shares its port with others, if they do so too. */
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

/* The kernel falls back to a listener of the port that the peer had. */
static void
test_tcp_gone_with_a_listener_there(void **state)
{
	struct pair p = { .listener = -1 };
	struct net_addr a, b = { .len = sizeof(b.ss) };
	int other;

	assert_int_equal(net_parse("127.0.0.1:0", &a), 0);
	p.listener = net_listen(&a);
	assert_int_equal(getsockname(p.listener, &b.sa, &b.len), 0);
	p.client = share(&a);
	other = share(&a);
	assert_int_equal(listen(other, 1), 0);
	assert_int_equal(connect(p.client, &b.sa, b.len), 0);
	accept_it(&p);
	fd_close(&p.client);
	expect_nobody(*(int *)*state, &p, false);
	expect_nobody(*(int *)*state, &p, true);
	fd_close(&other);
	close_pair(&p);
}

/* Whoever cannot be asked about is not let in as a stranger instead. */
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

/* An answer that was never fetched is not the answer to the next question. */
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
	fd_close(&gone.client);
	assert_int_equal(send(diag, &noise, sizeof(noise), 0), sizeof(noise));
	expect_us(diag, &p);
	expect_nobody(diag, &gone, true);
	expect_us(diag, &p);
	close_pair(&gone);
	close_pair(&p);
}

/* Connects as another user, stays until the other end closes. */
static pid_t
connect_as(uid_t uid, const struct net_addr *to)
{
	pid_t pid = fork();
	char byte;
	int fd;

	if (pid != 0)
		return pid;
	/* A socket belongs to whoever made it. */
	if (setgroups(0, NULL) != 0 || setuid(uid) != 0 ||
		(fd = socket(to->sa.sa_family, SOCK_STREAM, 0)) == -1 ||
		connect(fd, &to->sa, to->len) != 0)
		_exit(1);
	_exit(read(fd, &byte, 1) == 0 ? 0 : 1);
}

/* Listens, and has that user connect. */
static pid_t
pair_with(uid_t uid, struct pair *p)
{
	struct net_addr a;
	pid_t pid;

	assert_int_equal(net_parse("127.0.0.1:0", &a), 0);
	p->client = -1;
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
	struct identity who;
	struct pair p;
	uid_t uid;
	pid_t pid;

	if (geteuid() != 0)
		skip();
	for (uid = SOMEBODY; uid < SOMEBODY + 3; uid++) {
		pid = pair_with(uid, &p);
		identity_tcp(p.accepted, *(int *)*state, true, &who);
		assert_int_equal(who.kind, IDENTITY_LOCAL);
		assert_int_equal(who.uid, uid);
		identity_free(&who);
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

static struct identity
from(enum identity_kind kind, uid_t uid, const char *address)
{
	struct identity who = { .kind = kind, .uid = uid, .why = "a reason" };

	if (address != NULL) {
		assert_int_equal(net_parse(address, &who.addr), 0);
		who.has_addr = true;
	}
	return who;
}

/* The same by TLS, from this machine. */
static struct identity
local_tls(enum identity_kind kind, uid_t uid, const char *address)
{
	struct identity who = from(kind, uid, address);

	who.local = true;
	return who;
}

/* Whose limits are whose. */
static void
test_sources(void **state)
{
	const struct {
		struct identity who;
		int group; /* those of one number are one source */
	} rows[] = {
		{ from(IDENTITY_UNIX, 0, NULL), 1 },
		{ from(IDENTITY_LOCAL, 0, "127.0.0.1:1"), 1 },
		{ from(IDENTITY_LOCAL, 0, "[::1]:2"), 1 },
		{ from(IDENTITY_UNIX, 1000, NULL), 2 },
		{ from(IDENTITY_LOCAL, 1000, "10.0.0.1:1"), 2 },
		{ from(IDENTITY_ANONYMOUS, 0, "10.0.0.1:1"), 3 },
		{ from(IDENTITY_ANONYMOUS, 0, "10.0.0.1:2"), 3 },
		{ from(IDENTITY_NONE, 0, "10.0.0.1:2"), 3 },
		{ from(IDENTITY_ANONYMOUS, 0, "10.0.0.2:1"), 4 },
		{ from(IDENTITY_ANONYMOUS, 0, "[2001:db8:1:2::1]:1"), 5 },
		{ from(IDENTITY_ANONYMOUS, 0, "[2001:db8:1:2:ffff::]:1"), 5 },
		{ from(IDENTITY_ANONYMOUS, 0, "[2001:db8:1:3::1]:1"), 6 },
		{ from(IDENTITY_KEY, 0, "[2001:db8:1:3::2]:1"), 6 },
		{ from(IDENTITY_NONE, 0, NULL), 7 },
		{ from(IDENTITY_ANONYMOUS, 0, "[::]:1"), 8 },
		{ from(IDENTITY_NONE, 0, "127.0.0.1:1"), 9 },
		{ from(IDENTITY_KEY, 0, "127.9.8.7:1"), 9 },
		{ local_tls(IDENTITY_NONE, 1000, "127.0.0.1:1"), 2 },
		{ local_tls(IDENTITY_KEY, 1000, "127.0.0.2:1"), 2 },
	};
	struct identity_source a, b;
	size_t n = sizeof(rows) / sizeof(rows[0]), i, k;

	(void)state;
	for (i = 0; i < n; i++) {
		for (k = 0; k < n; k++) {
			identity_source(&rows[i].who, &a);
			identity_source(&rows[k].who, &b);
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
		struct identity who;
		const char *text;
	} rows[] = {
		{ from(IDENTITY_UNIX, 4294967294u, NULL), "uid=4294967294" },
		{ from(IDENTITY_LOCAL, 7, "127.0.0.1:40001"),
			"127.0.0.1:40001,uid=7" },
		{ from(IDENTITY_ANONYMOUS, 0, "[2001:db8::1]:9"),
			"[2001:db8::1]:9" },
		{ from(IDENTITY_NONE, 0, "10.0.0.1:9"), "10.0.0.1:9" },
		{ from(IDENTITY_NONE, 0, NULL), "unknown" },
	};
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&b);
		identity_print(&rows[i].who, &b);
		assert_string_equal(buf_str(&b), rows[i].text);
	}
	buf_free(&b);
}

static void
test_printing_sources(void **state)
{
	const struct {
		struct identity who;
		const char *text;
	} rows[] = {
		{ from(IDENTITY_UNIX, 4294967294u, NULL), "uid=4294967294" },
		{ from(IDENTITY_LOCAL, 7, "127.0.0.1:40001"), "uid=7" },
		{ from(IDENTITY_NONE, 0, "10.0.0.1:9"), "10.0.0.1" },
		{ from(IDENTITY_KEY, 0, "[2001:db8::1:2:3:4]:9"),
			"2001:db8::/64" },
		{ from(IDENTITY_NONE, 0, NULL), "unknown" },
	};
	struct identity_source source;
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		buf_reset(&b);
		identity_source(&rows[i].who, &source);
		identity_source_print(&source, &b);
		assert_string_equal(buf_str(&b), rows[i].text);
	}
	buf_free(&b);
}

static void
test_groups(void **state)
{
	gid_t groups[IDENTITY_GROUPS_MAX];
	struct passwd *pw = getpwuid(0);
	int n, i;

	(void)state;
	assert_non_null(pw);
	n = identity_groups(0, groups);
	assert_in_range(n, 1, IDENTITY_GROUPS_MAX);
	for (i = 0; i < n && groups[i] != pw->pw_gid; i++)
		;
	assert_true(i < n);
	assert_int_equal(identity_groups(4294967294u, groups), 0);
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
