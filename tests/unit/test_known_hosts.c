#include "remote/known_hosts.h"
#include "remote/known_hosts_file.h"

#include "fd.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define A "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define B "SHA256:BBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBBA"
#define C "SHA256:CCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCCA"

static void
assert_known(const char *text, const char *host, const char *key,
	enum known known, size_t line)
{
	struct buf problem = { 0 };
	struct known_found f;

	assert_int_equal(known_hosts_find(text, strlen(text), "kh", host, key,
				 &f, &problem),
		0);
	assert_int_equal(problem.len, 0);
	assert_int_equal(f.known, known);
	assert_int_equal(f.line, line);
	if (known == KNOWN_OTHER)
		assert_true(tls_fingerprint_valid(f.fingerprint));
}

static void
hosts_are_found(void **state)
{
	static const char text[] = "# mine\n"
				   "\n"
				   "web1:7075 " A "\n"
				   "  web2:7075\t" B "  \n"
				   "web2:7075 " C "\n"
				   "\t# [::1]:7075 " A "\n"
				   "[::1]:7075 " C;

	(void)state;
	assert_known(text, "web1:7075", A, KNOWN_SAME, 0);
	assert_known(text, "web1:7075", B, KNOWN_OTHER, 3);
	assert_known(text, "web1:7072", A, KNOWN_NOT, 0);
	assert_known(text, "web:7075", A, KNOWN_NOT, 0);
	assert_known(text, "web2:7075", B, KNOWN_SAME, 0);
	assert_known(text, "web2:7075", A, KNOWN_OTHER, 4);
	assert_known(text, "[::1]:7075", C, KNOWN_SAME, 0);
	assert_known("", "web1:7075", A, KNOWN_NOT, 0);
	assert_known("\n\n#", "web1:7075", A, KNOWN_NOT, 0);
}

/* Test that all keys of a host are accepted, in any order of their lines. */
static void
any_of_several(void **state)
{
	static const char text[] = "w:1 " A "\nw:1 " B "\n";
	struct buf problem = { 0 };
	struct known_found f;

	(void)state;
	assert_int_equal(known_hosts_find(text, strlen(text), "kh", "w:1", B,
				 &f, &problem),
		0);
	assert_int_equal(f.known, KNOWN_SAME);
	assert_int_equal(known_hosts_find(text, strlen(text), "kh", "w:1", C,
				 &f, &problem),
		0);
	assert_int_equal(f.known, KNOWN_OTHER);
	assert_string_equal(f.fingerprint, A);
}

static void
assert_bad(const char *text, size_t len, const char *part)
{
	struct buf problem = { 0 };
	struct known_found f;

	assert_int_equal(
		known_hosts_find(text, len, "kh", "web1:7075", A, &f, &problem),
		-1);
	if (strstr(buf_str(&problem), part) == NULL)
		fail_msg("%s", buf_str(&problem));
	buf_free(&problem);
}

static void
bad_lines_are_told(void **state)
{
	static const char *const texts[][2] = {
		{ "web1:7075\n", "kh:1: after the host" },
		{ "\nweb1:7075 SHA256:AAAA\n", "kh:2: after the host" },
		{ "web1:7075 " A " # x\n", "kh:1: after the host" },
		{ "web1:7075 " A "=\n", "kh:1: after the host" },
		{ "web1:7075 " A "\r\n", "kh:1: after the host" },
		{ "web1:7075 "
		  "sha256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
			"kh:1: after the host" },
		{ "web1 " A "\n", "must be written as web1:7075" },
		{ "Web1:7075 " A "\n", "must be written as web1:7075" },
		{ "web1:07075 " A "\n", "must be written as web1:7075" },
		{ "web1:70710 " A "\n", "kh:1: 'web1:70710'" },
		{ "::1 " A "\n", "brackets" },
		{ "plain:web1 " A "\n", "does not use TLS" },
		{ "unix:/x " A "\n", "does not use TLS" },
		{ "a:1,b:1 " A "\n", "brackets" },
		{ "w:1 " A "\nweb1:7075 " A "\nw#:1 " A, "kh:3:" },
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_bad(texts[i][0], strlen(texts[i][0]), texts[i][1]);
	assert_bad("w\0:1 " A, 6 + strlen(A), "NUL");
	assert_bad("w:1 " A "\0", 5 + strlen(A), "after the host");
}

static void
assert_replaced(const char *text, const char *wanted)
{
	struct buf out = { 0 };

	known_hosts_replace(text, strlen(text), "w:1", C, &out);
	assert_string_equal(buf_str(&out), wanted);
	buf_free(&out);
}

static void
only_its_lines_are_replaced(void **state)
{
	(void)state;
	assert_replaced("", "w:1 " C "\n");
	assert_replaced("# x", "# x\nw:1 " C "\n");
	assert_replaced("w:1 " A, "w:1 " C "\n");
	assert_replaced("# x\n w:1 " A "\n\nw:11 " A "\nw:1 " B "\n  #w:1 " A
			"\nv:1 " B " \n",
		"# x\nw:1 " C "\n\nw:11 " A "\n  #w:1 " A "\nv:1 " B " \n");
}

/* A temporary folder; `path` is the path of a file below the folder. */
struct place {
	char folder[64];
	char path[128];
};

static void
enter(struct place *p)
{
	strcpy(p->folder, "/tmp/bridle-XXXXXX");
	assert_non_null(mkdtemp(p->folder));
	snprintf(p->path, sizeof(p->path), "%s/a/b/known_hosts", p->folder);
}

static void
leave(const struct place *p)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r '%s'", p->folder);
	assert_int_equal(system(command), 0);
}

static mode_t
mode_of(const char *path)
{
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	return st.st_mode & 07777;
}

static void
assert_content(const char *path, const char *wanted)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len;
	char *text;

	assert_true(fd != -1);
	text = fd_read_all(fd, 65536, &len);
	assert_string_equal(text, wanted);
	free(text);
	close(fd);
}

static void
a_file_is_made_and_changed(void **state)
{
	struct buf problem = { 0 };
	struct known_found f;
	struct place p;
	char folder[128];

	(void)state;
	enter(&p);
	assert_int_equal(
		known_hosts_file_find(p.path, "w:1", A, &f, &problem), 0);
	assert_int_equal(f.known, KNOWN_NOT);
	assert_int_equal(access(p.path, F_OK), -1);

	assert_int_equal(
		known_hosts_file_add(p.path, "w:1", A, &f, &problem), 0);
	assert_int_equal(f.known, KNOWN_NOT);
	assert_int_equal(mode_of(p.path), 0600);
	snprintf(folder, sizeof(folder), "%s/a/b", p.folder);
	assert_int_equal(mode_of(folder), 0700);

	/*
	 * The line of a known host stays unchanged, even if another key is
	 * added.
	 */
	assert_int_equal(
		known_hosts_file_add(p.path, "w:1", A, &f, &problem), 0);
	assert_int_equal(f.known, KNOWN_SAME);
	assert_int_equal(
		known_hosts_file_add(p.path, "w:1", B, &f, &problem), 0);
	assert_int_equal(f.known, KNOWN_OTHER);
	assert_int_equal(
		known_hosts_file_add(p.path, "v:1", B, &f, &problem), 0);
	assert_content(p.path, "w:1 " A "\nv:1 " B "\n");

	assert_int_equal(
		known_hosts_file_replace(p.path, "w:1", C, &problem), 0);
	assert_content(p.path, "w:1 " C "\nv:1 " B "\n");
	leave(&p);
}

static void
a_bad_file_is_left_alone(void **state)
{
	struct buf problem = { 0 };
	struct known_found f;
	struct place p;

	(void)state;
	enter(&p);
	assert_int_equal(
		known_hosts_file_add(p.path, "w:1", A, &f, &problem), 0);
	assert_int_equal(chmod(p.path, 0620), 0);
	assert_int_equal(
		known_hosts_file_find(p.path, "w:1", A, &f, &problem), -1);
	assert_non_null(strstr(buf_str(&problem), p.path));
	assert_int_equal(
		known_hosts_file_replace(p.path, "w:1", B, &problem), -1);
	assert_int_equal(chmod(p.path, 0600), 0);
	assert_content(p.path, "w:1 " A "\n");

	assert_int_equal(truncate(p.path, 20), 0);
	buf_reset(&problem);
	assert_int_equal(
		known_hosts_file_replace(p.path, "w:1", B, &problem), -1);
	assert_non_null(strstr(buf_str(&problem), ":1: after the host"));
	assert_content(p.path, "w:1 SHA256:AAAAAAAAA");
	buf_free(&problem);
	leave(&p);
}

/* Test that a symbolic link to known_hosts is not replaced by a file. */
static void
a_link_stays_one(void **state)
{
	struct buf problem = { 0 };
	struct place p, q;
	struct stat st;

	(void)state;
	enter(&p);
	enter(&q);
	assert_int_equal(
		known_hosts_file_replace(p.path, "w:1", A, &problem), 0);
	assert_int_equal(
		known_hosts_file_replace(q.path, "v:1", A, &problem), 0);
	assert_int_equal(unlink(q.path), 0);
	assert_int_equal(symlink(p.path, q.path), 0);
	assert_int_equal(
		known_hosts_file_replace(q.path, "w:1", B, &problem), 0);
	assert_int_equal(lstat(q.path, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_content(p.path, "w:1 " B "\n");
	leave(&p);
	leave(&q);
}

#define WRITERS 8
#define HOSTS 10

static void
write_many(const char *path, int who)
{
	struct buf problem = { 0 };
	struct known_found f;
	char host[32];
	int i;

	for (i = 0; i < HOSTS; i++) {
		snprintf(host, sizeof(host), "h%d-%d:1", who, i);
		if (known_hosts_file_add(path, host, A, &f, &problem) != 0)
			_exit(1);
	}
	_exit(0);
}

static void
two_at_once_lose_nothing(void **state)
{
	struct buf problem = { 0 };
	struct known_found f;
	struct place p;
	char host[32];
	int i, status;

	(void)state;
	enter(&p);
	for (i = 0; i < WRITERS; i++)
		if (fork() == 0)
			write_many(p.path, i);
	for (i = 0; i < WRITERS; i++) {
		assert_true(wait(&status) > 0);
		assert_int_equal(status, 0);
	}
	for (i = 0; i < WRITERS * HOSTS; i++) {
		snprintf(host, sizeof(host), "h%d-%d:1", i / HOSTS, i % HOSTS);
		assert_int_equal(
			known_hosts_file_find(p.path, host, A, &f, &problem),
			0);
		assert_int_equal(f.known, KNOWN_SAME);
	}
	leave(&p);
}

static void
a_host_is_removed(void **state)
{
	static const char text[] =
		"# a\na:1 " A "\n b:1 " B "\na:1 " C "\na:2 " A "\nbad";
	struct buf out = { 0 };

	(void)state;
	assert_int_equal(
		known_hosts_remove(text, strlen(text), "a:1", &out), 2);
	assert_string_equal(buf_str(&out), "# a\n b:1 " B "\na:2 " A "\nbad\n");
	buf_free(&out);
	assert_int_equal(
		known_hosts_remove(text, strlen(text), "c:1", &out), 0);
	buf_free(&out);
}

static void
all_hosts_are_printed(void **state)
{
	static const char text[] = "# a\n\n  a:1\t" A "  \nb:1 " B;
	struct buf out = { 0 }, problem = { 0 };

	(void)state;
	assert_int_equal(
		known_hosts_print(text, strlen(text), "kh", &out, &problem), 0);
	assert_string_equal(buf_str(&out), "a:1 " A "\nb:1 " B "\n");
	assert_int_equal(known_hosts_print("a:1 " A "\nx\n", strlen(A) + 7,
				 "kh", &out, &problem),
		-1);
	assert_non_null(strstr(buf_str(&problem), "kh:2: "));
	buf_free(&out);
	buf_free(&problem);
}

static void
fingerprints(void **state)
{
	(void)state;
	assert_true(tls_fingerprint_valid(A));
	assert_true(tls_fingerprint_valid(
		"SHA256:+/0123456789abcdefghijklmnopqrstuvwxyzABCDE"));
	assert_false(tls_fingerprint_valid(""));
	assert_false(tls_fingerprint_valid("SHA256:"));
	assert_false(tls_fingerprint_valid(A "A"));
	assert_false(tls_fingerprint_valid(A "="));
	assert_false(tls_fingerprint_valid(" " A));
	/*
	 * The last character has two bits that are not part of the hash. These
	 * bits must be zero.
	 */
	assert_false(tls_fingerprint_valid(
		"SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB"));
	assert_false(tls_fingerprint_valid(
		"SHA256:-_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hosts_are_found),
		cmocka_unit_test(any_of_several),
		cmocka_unit_test(bad_lines_are_told),
		cmocka_unit_test(only_its_lines_are_replaced),
		cmocka_unit_test(a_file_is_made_and_changed),
		cmocka_unit_test(a_bad_file_is_left_alone),
		cmocka_unit_test(a_link_stays_one),
		cmocka_unit_test(two_at_once_lose_nothing),
		cmocka_unit_test(a_host_is_removed),
		cmocka_unit_test(all_hosts_are_printed),
		cmocka_unit_test(fingerprints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
