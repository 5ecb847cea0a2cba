#include "net.h"

#include "fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

#define SOMEBODY \
	54321 /* uid and gid that are neither 0 nor the effective ids */

static struct net_addr
address(const char *s)
{
	struct net_addr a;

	if (net_parse(s, &a) != 0)
		fail_msg("%s is not an address", s);
	return a;
}

static struct net_block
block(const char *s)
{
	struct net_block b;

	if (net_block_parse(s, &b) != 0)
		fail_msg("%s is not a block", s);
	return b;
}

static void
test_addresses(void **state)
{
	static const struct {
		const char *in;
		const char *out; /* expected text, or NULL for an error */
	} rows[] = {
		{ "127.0.0.1:7074", "127.0.0.1:7074" },
		{ "0.0.0.0:0", "0.0.0.0:0" },
		{ "255.255.255.255:65535", "255.255.255.255:65535" },
		{ "[::]:7075", "[::]:7075" },
		{ "[::1]:1", "[::1]:1" },
		{ "[fe80::1%lo]:1", "[fe80::1%lo]:1" },
		{ "[fe80::1%1]:1", NULL },
		{ "[fe80::1%no-such]:1", NULL },
		{ "[::1%lo]:1", NULL },
		{ "[fe80::1]:1", "[fe80::1]:1" },
		{ "[2001:DB8:0:0::1]:443", "[2001:db8::1]:443" },
		{ "[::ffff:10.0.0.1]:80", "[::ffff:10.0.0.1]:80" },
		{ "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.255]:65535",
			"[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]:65535" },
		{ "127.0.0.1:007", "127.0.0.1:7" },
		{ "", NULL },
		{ ":", NULL },
		{ ":7074", NULL },
		{ "127.0.0.1", NULL },
		{ "127.0.0.1:", NULL },
		{ "127.0.0.1:65536", NULL },
		{ "127.0.0.1:-1", NULL },
		{ "127.0.0.1:-0", NULL },
		{ "127.0.0.1:+1", NULL },
		{ "127.0.0.1: 1", NULL },
		{ "127.0.0.1:http", NULL },
		{ "127.0.0.1:80 ", NULL },
		{ " 127.0.0.1:80", NULL },
		{ "127.1:80", NULL },
		{ "127.0.0.01.1:80", NULL },
		{ "256.0.0.1:80", NULL },
		{ "localhost:7074", NULL },
		{ "*:7074", NULL },
		{ "::1:7074", NULL },
		{ "[::1]", NULL },
		{ "[]:1", NULL },
		{ "[:1", NULL },
		{ "]:1", NULL },
		{ "[127.0.0.1]:1", NULL },
		{ "[::1:1", NULL },
		{ "::1]:1", NULL },
		{ "[::1%lo]:1", NULL },
		{ "[ffff:ffff:ffff:ffff:ffff:ffff:255.255.255.2555]:65535",
			NULL },
		{ "1111111111111111111111111111111111111111111111111111:1",
			NULL },
	};
	struct buf b = { 0 };
	struct net_addr a;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		if ((net_parse(rows[i].in, &a) == 0) != (rows[i].out != NULL))
			fail_msg("%s", rows[i].in);
		if (rows[i].out == NULL)
			continue;
		buf_reset(&b);
		net_format(&a, &b);
		assert_string_equal(buf_str(&b), rows[i].out);
		a = address(buf_str(&b));
		assert_int_equal(a.len,
			*rows[i].in == '[' ? sizeof(a.in6) : sizeof(a.in));
	}
	buf_free(&b);
}

static void
test_unmapping(void **state)
{
	static const struct {
		const char *in;
		const char *out;
		bool loopback;
	} rows[] = {
		{ "[::ffff:127.0.0.1]:80", "127.0.0.1:80", true },
		{ "[::ffff:192.0.2.7]:1", "192.0.2.7:1", false },
		{ "127.255.0.3:80", "127.255.0.3:80", true },
		{ "128.0.0.1:80", "128.0.0.1:80", false },
		{ "126.255.255.255:80", "126.255.255.255:80", false },
		{ "[::1]:80", "[::1]:80", true },
		{ "[::2]:80", "[::2]:80", false },
		{ "[::]:80", "[::]:80", false },
		{ "[::127.0.0.1]:80", "[::127.0.0.1]:80", false },
		{ "[64:ff9b::7f00:1]:80", "[64:ff9b::7f00:1]:80", false },
	};
	struct net_addr a, b;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		a = address(rows[i].in);
		b = address(rows[i].out);
		if (net_is_loopback(&a) != rows[i].loopback)
			fail_msg("%s: loopback", rows[i].in);
		net_unmap(&a);
		assert_true(net_same(&a, &b));
		assert_int_equal(a.len, b.len);
		assert_memory_equal(&a.ss, &b.ss, a.len);
	}
}

static void
test_sameness(void **state)
{
	static const char *const different[] = { "127.0.0.1:80", "127.0.0.1:81",
		"127.0.0.2:80", "[::1]:80", "[::1]:81", "[::2]:80",
		"[::ffff:127.0.0.1]:80" };
	struct net_addr a, b;
	size_t i, k;

	(void)state;
	for (i = 0; i < LENGTH(different); i++) {
		for (k = 0; k < LENGTH(different); k++) {
			a = address(different[i]);
			b = address(different[k]);
			assert_int_equal(net_same(&a, &b), i == k);
		}
	}
	a = b = address("[fe80::1]:80");
	a.in6.sin6_scope_id = 1;
	assert_false(net_same(&a, &b));
	a.in6.sin6_scope_id = 0;
	a.in6.sin6_flowinfo = 7;
	assert_true(net_same(&a, &b));
}

static void
test_bytes(void **state)
{
	static const uint8_t four[16] = {
		[10] = 0xff, [11] = 0xff, 192, 0, 2, 1
	};
	static const uint8_t six[16] = { 0x20, 0x01, 0x0d, 0xb8, [15] = 1 };
	struct net_addr a = address("192.0.2.1:80");
	uint8_t bytes[16];

	(void)state;
	net_bytes(&a, bytes);
	assert_memory_equal(bytes, four, 16);
	a = address("[::ffff:192.0.2.1]:9");
	net_bytes(&a, bytes);
	assert_memory_equal(bytes, four, 16);
	a = address("[2001:db8::1]:9");
	net_bytes(&a, bytes);
	assert_memory_equal(bytes, six, 16);
}

static void
test_blocks(void **state)
{
	static const struct {
		const char *s;
		int bits; /* expected length of the prefix, -1 for an error */
	} rows[] = { { "10.1.0.0/16", 112 }, { "10.1.2.3", 128 },
		{ "10.1.2.3/32", 128 }, { "10.1.2.2/31", 127 },
		{ "0.0.0.0/0", 96 }, { "128.0.0.0/1", 97 }, { "::/0", 0 },
		{ "::1", 128 }, { "2001:db8::/32", 32 },
		{ "2001:db8::/29", 29 }, { "::ffff:10.0.0.0/104", 104 },
		{ "10.1.0.1/16", -1 }, { "10.1.2.3/31", -1 },
		{ "10.1.0.0/15", -1 }, { "1.0.0.0/0", -1 },
		{ "2001:db8::/28", -1 }, { "::1/127", -1 }, { "8000::/0", -1 },
		{ "10.1.0.0/33", -1 }, { "::/129", -1 }, { "10.1.0.0/", -1 },
		{ "10.1.0.0/-1", -1 }, { "0.0.0.0/-0", -1 },
		{ "10.1.0.0/ 16", -1 }, { "10.1.0.0/16 ", -1 },
		{ "10.1.0.0/16/16", -1 }, { "10.1.0.0/255.255.0.0", -1 },
		{ "10.1/16", -1 }, { "/16", -1 }, { "", -1 },
		{ "localhost", -1 }, { "[::1]", -1 }, { "10.1.2.3:80", -1 },
		{ "1111:1111:1111:1111:1111:1111:1111:1111:1111:1111", -1 } };
	struct net_block b;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		if ((net_block_parse(rows[i].s, &b) == 0) !=
			(rows[i].bits >= 0))
			fail_msg("%s", rows[i].s);
		if (rows[i].bits >= 0)
			assert_int_equal(b.bits, rows[i].bits);
	}
}

static void
test_containing(void **state)
{
	static const struct {
		const char *block;
		const char *addr;
		bool in;
	} rows[] = {
		{ "10.1.0.0/16", "10.1.0.0:1", true },
		{ "10.1.0.0/16", "10.1.255.255:1", true },
		{ "10.1.0.0/16", "10.2.0.0:1", false },
		{ "10.1.0.0/16", "10.0.255.255:1", false },
		{ "10.1.0.0/16", "[::ffff:10.1.2.3]:1", true },
		{ "10.1.0.0/16", "[::10.1.2.3]:1", false },
		{ "10.1.2.3", "10.1.2.3:1", true },
		{ "10.1.2.3", "10.1.2.2:1", false },
		{ "10.1.2.128/25", "10.1.2.128:1", true },
		{ "10.1.2.128/25", "10.1.2.127:1", false },
		{ "10.1.2.252/31", "10.1.2.253:1", true },
		{ "10.1.2.252/31", "10.1.2.254:1", false },
		{ "128.0.0.0/1", "128.0.0.0:1", true },
		{ "128.0.0.0/1", "127.255.255.255:1", false },
		{ "0.0.0.0/0", "255.255.255.255:1", true },
		{ "0.0.0.0/0", "0.0.0.0:1", true },
		{ "0.0.0.0/0", "[2001:db8::1]:1", false },
		{ "0.0.0.0/0", "[::]:1", false },
		{ "2001:db8::/32", "[2001:db8:ffff::1]:1", true },
		{ "2001:db8::/32", "[2001:db9::]:1", false },
		{ "2001:db8::/29", "[2001:dbf:ffff::]:1", true },
		{ "2001:db8::/29", "[2001:dc0::]:1", false },
		{ "2001:db8::/127", "[2001:db8::1]:1", true },
		{ "2001:db8::/127", "[2001:db8::2]:1", false },
		{ "::1", "[::1]:1", true },
		{ "::1", "[::]:1", false },
		{ "::1", "127.0.0.1:1", false },
		{ "::/0", "[2001:db8::1]:1", true },
		{ "::/0", "[::1]:1", true },
		/* An IPv6 network never contains a mapped IPv4 address. */
		{ "::/0", "10.1.2.3:1", false },
		{ "::/64", "10.1.2.3:1", false },
		{ "::/64", "[::ffff:10.1.2.3]:1", false },
		{ "::ffff:0:0/96", "10.1.2.3:1", true },
		{ "::ffff:10.0.0.0/104", "10.1.2.3:1", true },
		{ "::ffff:10.0.0.0/104", "11.1.2.3:1", false },
	};
	struct net_block b;
	struct net_addr a;
	size_t i;

	(void)state;
	for (i = 0; i < LENGTH(rows); i++) {
		b = block(rows[i].block);
		a = address(rows[i].addr);
		if (net_block_contains(&b, &a) != rows[i].in)
			fail_msg("%s and %s", rows[i].block, rows[i].addr);
	}
}

/* Return the address of a listening socket. */
static struct net_addr
name_of(int fd)
{
	struct net_addr a = { .len = sizeof(a.ss) };

	assert_int_equal(getsockname(fd, &a.sa, &a.len), 0);
	return a;
}

static int
try_to_connect(const struct net_addr *a)
{
	int fd = socket(a->sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	assert_int_not_equal(fd, -1);
	result = connect(fd, &a->sa, a->len);
	fd_close(&fd);
	return result;
}

static void
expect_flags(int fd)
{
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	assert_true(fcntl(fd, F_GETFL) & O_NONBLOCK);
}

static void
test_listening(void **state)
{
	struct net_addr a = address("127.0.0.1:0");
	int fd = net_listen(&a);

	(void)state;
	assert_int_not_equal(fd, -1);
	expect_flags(fd);
	a = name_of(fd);
	assert_int_equal(try_to_connect(&a), 0);
	assert_int_equal(net_listen(&a), -1);
	assert_int_equal(errno, EADDRINUSE);
	fd_close(&fd);
	/*
	 * Listen again without delay. The new listener must work although old
	 * connections are in the state TIME-WAIT.
	 */
	fd = net_listen(&a);
	assert_int_not_equal(fd, -1);
	fd_close(&fd);
	a = address("192.0.2.1:0");
	assert_int_equal(net_listen(&a), -1);
	assert_int_equal(errno, EADDRNOTAVAIL);
}

/*
 * Test that a listener at [::] accepts IPv4 and IPv6 connections. A listener at
 * any other IPv6 address must accept only IPv6.
 */
static void
test_listening_to_both(void **state)
{
	struct net_addr any = address("[::]:0"), four = address("127.0.0.1:0");
	int fd = net_listen(&any);

	(void)state;
	if (fd == -1 && errno == EAFNOSUPPORT)
		skip();
	assert_int_not_equal(fd, -1);
	any = name_of(fd);
	four.in.sin_port = any.in6.sin6_port;
	assert_int_equal(try_to_connect(&four), 0);
	fd_close(&fd);
}

static int
make_folder(void **state)
{
	static char folder[64];

	strcpy(folder, "/tmp/bridle-net-XXXXXX");
	*state = folder;
	return mkdtemp(folder) == NULL ? -1 : 0;
}

static int
remove_folder(void **state)
{
	return rmdir(*state);
}

static int
connect_unix(const char *path)
{
	struct sockaddr_un un;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), result;

	assert_int_equal(net_unix(path, &un), 0);
	result = connect(fd, (struct sockaddr *)&un, sizeof(un));
	fd_close(&fd);
	return result;
}

static void
test_unix(void **state)
{
	struct stat st;
	char path[96];
	mode_t mask = umask(022);
	int fd, again;

	snprintf(path, sizeof(path), "%s/s", (char *)*state);
	fd = net_listen_unix(path, 0620, (uid_t)-1, (gid_t)-1);
	assert_int_not_equal(fd, -1);
	expect_flags(fd);
	assert_int_equal(umask(mask), 022);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 07777, 0620);
	assert_int_equal(st.st_uid, geteuid());
	assert_int_equal(connect_unix(path), 0);
	/* A socket file at which a process listens is not replaced. */
	assert_int_equal(net_listen_unix(path, 0600, (uid_t)-1, (gid_t)-1), -1);
	assert_int_equal(errno, EADDRINUSE);
	assert_int_equal(connect_unix(path), 0);
	fd_close(&fd);
	/* Once the listener is closed, the socket file is replaced. */
	assert_int_equal(connect_unix(path), -1);
	again = net_listen_unix(path, 0600, (uid_t)-1, (gid_t)-1);
	assert_int_not_equal(again, -1);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	fd_close(&again);
	assert_int_equal(unlink(path), 0);
}

/*
 * Test that a socket file is not replaced if its listener has a full backlog.
 */
static void
test_unix_that_is_busy(void **state)
{
	struct sockaddr_un un;
	char path[96];
	int busy, waiting;

	snprintf(path, sizeof(path), "%s/s", (char *)*state);
	assert_int_equal(net_unix(path, &un), 0);
	busy = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(busy, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(listen(busy, 0), 0);
	waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(
		connect(waiting, (struct sockaddr *)&un, sizeof(un)), 0);
	assert_int_equal(net_listen_unix(path, 0600, (uid_t)-1, (gid_t)-1), -1);
	assert_int_equal(errno, EADDRINUSE);
	fd_close(&waiting);
	fd_close(&busy);
	assert_int_equal(unlink(path), 0);
}

static void
test_unix_path_that_is_taken(void **state)
{
	char path[96], other[96], text[8] = "";
	int fd;

	snprintf(path, sizeof(path), "%s/s", (char *)*state);
	snprintf(other, sizeof(other), "%s/other", (char *)*state);
	fd = open(other, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	assert_int_equal(write(fd, "keep", 4), 4);
	assert_int_equal(
		net_listen_unix(other, 0600, (uid_t)-1, (gid_t)-1), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(net_listen_unix(path, 0600, (uid_t)-1, (gid_t)-1), -1);
	assert_int_equal(errno, EEXIST);
	assert_int_equal(pread(fd, text, sizeof(text), 0), 4);
	assert_string_equal(text, "keep");
	fd_close(&fd);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(unlink(other), 0);
}

static void
test_unix_owner(void **state)
{
	struct stat st;
	char path[96];
	int fd;

	if (geteuid() != 0)
		skip();
	snprintf(path, sizeof(path), "%s/s", (char *)*state);
	fd = net_listen_unix(path, 0660, SOMEBODY, SOMEBODY + 1);
	assert_int_not_equal(fd, -1);
	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_uid, SOMEBODY);
	assert_int_equal(st.st_gid, SOMEBODY + 1);
	assert_int_equal(st.st_mode & 07777, 0660);
	fd_close(&fd);
	assert_int_equal(unlink(path), 0);
}

/* Test that a failure to set the owner leaves no socket file behind. */
static void
test_unix_owner_refused(void **state)
{
	char path[96];

	if (geteuid() == 0)
		skip();
	snprintf(path, sizeof(path), "%s/s", (char *)*state);
	assert_int_equal(net_listen_unix(path, 0660, SOMEBODY, SOMEBODY), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(access(path, F_OK), -1);
}

static void
test_unix_paths(void **state)
{
	char path[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	struct sockaddr_un un;

	(void)state;
	memset(path, 'x', sizeof(path));
	path[sizeof(path) - 1] = '\0';
	assert_int_equal(net_unix(path, &un), -1);
	assert_int_equal(errno, ENAMETOOLONG);
	path[sizeof(path) - 2] = '\0';
	assert_int_equal(net_unix(path, &un), 0);
	assert_string_equal(un.sun_path, path);
	assert_int_equal(net_unix("", &un), -1);
	assert_int_equal(net_listen_unix("/no/such/folder/s", 0600, (uid_t)-1,
				 (gid_t)-1),
		-1);
	assert_int_equal(errno, ENOENT);
}

#define IN_FOLDER(name) \
	cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_unmapping),
		cmocka_unit_test(test_sameness),
		cmocka_unit_test(test_bytes),
		cmocka_unit_test(test_blocks),
		cmocka_unit_test(test_containing),
		cmocka_unit_test(test_listening),
		cmocka_unit_test(test_listening_to_both),
		IN_FOLDER(test_unix),
		IN_FOLDER(test_unix_that_is_busy),
		IN_FOLDER(test_unix_path_that_is_taken),
		IN_FOLDER(test_unix_owner),
		IN_FOLDER(test_unix_owner_refused),
		cmocka_unit_test(test_unix_paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
