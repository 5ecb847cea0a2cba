#include "conf.h"
#include "trusted_path.h"

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

#define SOMEBODY 54321 /* a uid that is neither 0 nor the effective uid */

const char *__lsan_default_suppressions(void);

/* Ignore a leak in libconfig 1.5, which loses a string at a syntax error. */
const char *
__lsan_default_suppressions(void)
{
	return "leak:libconfig";
}

/* A folder with a configuration file, and the messages about this file. */
struct fixture {
	char folder[64];
	char file[96];
	struct conf conf;
	struct buf errors;
	struct buf warnings;
};

static void
write_file(const char *path, const void *bytes, size_t len)
{
	FILE *out = fopen(path, "we");

	assert_non_null(out);
	assert_int_equal(fwrite(bytes, 1, len, out), len);
	assert_int_equal(fclose(out), 0);
	assert_int_equal(chmod(path, 0644), 0);
}

static int
set_up(void **state)
{
	static struct fixture f;

	memset(&f, 0, sizeof(f));
	strcpy(f.folder, "/tmp/bridle-conf-XXXXXX");
	if (mkdtemp(f.folder) == NULL)
		return -1;
	snprintf(f.file, sizeof(f.file), "%s/a.conf", f.folder);
	write_file(f.file, "a = 1;\n", 7);
	*state = &f;
	return 0;
}

static int
tear_down(void **state)
{
	struct fixture *f = *state;

	unlink(f->file);
	rmdir(f->folder);
	buf_free(&f->errors);
	buf_free(&f->warnings);
	return 0;
}

static void
expect_good(struct fixture *f, const char *path)
{
	buf_reset(&f->errors);
	if (conf_open(&f->conf, path, &f->errors, NULL) != 0)
		fail_msg("%s", buf_str(&f->errors));
	assert_false(f->conf.failed);
	assert_int_equal(f->errors.len, 0);
	conf_close(&f->conf);
}

static void
expect_bad(struct fixture *f, const char *path, const char *why)
{
	buf_reset(&f->errors);
	assert_int_equal(conf_open(&f->conf, path, &f->errors, NULL), -1);
	assert_true(f->conf.failed);
	if (strstr(buf_str(&f->errors), why) == NULL)
		fail_msg("\"%s\" is not in: %s", why, f->errors.data);
	conf_close(&f->conf);
}

static void
expect_bad_text(struct fixture *f, const char *text, const char *why)
{
	buf_reset(&f->errors);
	assert_int_equal(
		conf_open_text(&f->conf, text, "test", &f->errors, NULL), -1);
	if (strcmp(buf_str(&f->errors), why) != 0)
		fail_msg("\"%s\" gives: %s", text, f->errors.data);
	conf_close(&f->conf);
}

static void
open_text(struct fixture *f, const char *text)
{
	buf_reset(&f->errors);
	buf_reset(&f->warnings);
	if (conf_open_text(&f->conf, text, "test", &f->errors, &f->warnings))
		fail_msg("%s", buf_str(&f->errors));
}

static const config_setting_t *
root(struct fixture *f)
{
	return config_root_setting(&f->conf.config);
}

static void
test_file(void **state)
{
	struct fixture *f = *state;
	char missing[128];

	expect_good(f, f->file);
	snprintf(missing, sizeof(missing), "%s.not", f->file);
	expect_bad(f, missing, "cannot be opened: No such file or directory");
	expect_bad(f, f->folder, "is not a regular file");
	expect_bad(f, "/dev/null", "is not a regular file");
}

static void
test_fifo_does_not_hang(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(unlink(f->file), 0);
	assert_int_equal(mkfifo(f->file, 0600), 0);
	expect_bad(f, f->file, "is not a regular file");
}

static void
test_file_mode(void **state)
{
	struct fixture *f = *state;
	static const mode_t good[] = { 0400, 0600, 0644, 0755 };
	static const mode_t bad[] = { 0664, 0646, 0666, 0777 };
	char remedy[128];
	size_t i;

	snprintf(remedy, sizeof(remedy), "chmod go-w %s\n", f->file);
	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(chmod(f->file, good[i]), 0);
		expect_good(f, f->file);
	}
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(chmod(f->file, bad[i]), 0);
		expect_bad(f, f->file, remedy);
	}
}

static void
test_folder_mode(void **state)
{
	struct fixture *f = *state;
	char remedy[128];

	snprintf(remedy, sizeof(remedy),
		"%s may be written by others: ", f->folder);
	assert_int_equal(chmod(f->folder, 0777), 0);
	expect_bad(f, f->file, remedy);
	assert_int_equal(chmod(f->folder, 0770), 0);
	expect_bad(f, f->file, "chmod go-w ");
	assert_int_equal(chmod(f->folder, 01777), 0);
	expect_good(f, f->file);
	assert_int_equal(chmod(f->folder, 0755), 0);
	expect_good(f, f->file);
}

/*
 * Test that a file is refused if other users can write to any folder above the
 * file.
 */
static void
test_folder_above(void **state)
{
	struct fixture *f = *state;
	char inner[96], file[128];

	snprintf(inner, sizeof(inner), "%s/inner", f->folder);
	snprintf(file, sizeof(file), "%s/b.conf", inner);
	assert_int_equal(mkdir(inner, 0755), 0);
	write_file(file, "", 0);
	expect_good(f, file);
	assert_int_equal(chmod(f->folder, 0777), 0);
	expect_bad(f, file, "may be written by others: chmod go-w ");
	assert_int_equal(unlink(file), 0);
	assert_int_equal(rmdir(inner), 0);
}

/*
 * Test that a symbolic link is refused if other users can write to the folder
 * of the link. The link must be refused, too, if these users can write to the
 * folder of the target.
 */
static void
test_link(void **state)
{
	struct fixture *f = *state;
	char open[96], link[128];

	snprintf(open, sizeof(open), "%s/open", f->folder);
	snprintf(link, sizeof(link), "%s/link", open);
	assert_int_equal(mkdir(open, 0755), 0);
	assert_int_equal(symlink(f->file, link), 0);
	expect_good(f, link);
	assert_int_equal(chmod(open, 0777), 0);
	expect_bad(f, link, "/open may be written by others");
	assert_int_equal(unlink(link), 0);
	snprintf(link, sizeof(link), "%s/link", f->folder);
	snprintf(open + strlen(open), 16, "/b.conf");
	write_file(open, "", 0);
	assert_int_equal(symlink(open, link), 0);
	expect_bad(f, link, "/open may be written by others");
	assert_int_equal(unlink(link), 0);
	assert_int_equal(unlink(open), 0);
	*strrchr(open, '/') = '\0';
	assert_int_equal(rmdir(open), 0);
}

static void
test_relative_path(void **state)
{
	struct fixture *f = *state;
	char before[4096];

	assert_non_null(getcwd(before, sizeof(before)));
	assert_int_equal(chdir(f->folder), 0);
	expect_good(f, "a.conf");
	assert_int_equal(chmod(f->folder, 0777), 0);
	expect_bad(f, "a.conf", "may be written by others");
	assert_int_equal(chdir(before), 0);
}

static void
test_owner(void **state)
{
	struct fixture *f = *state;

	if (geteuid() != 0)
		skip();
	assert_int_equal(chown(f->file, SOMEBODY, (gid_t)-1), 0);
	expect_bad(f, f->file, "belongs to uid 54321");
	expect_bad(f, f->file, "chown root ");
	assert_int_equal(chown(f->file, 0, (gid_t)-1), 0);
	assert_int_equal(chown(f->folder, SOMEBODY, (gid_t)-1), 0);
	expect_bad(f, f->file, "belongs to uid 54321");
	assert_int_equal(chmod(f->folder, 01777), 0);
	expect_bad(f, f->file, "belongs to uid 54321");
	assert_int_equal(chown(f->folder, 0, (gid_t)-1), 0);
}

static void
test_trusted(void **state)
{
	struct fixture *f = *state;
	struct buf why = { 0 };

	assert_true(trusted_path("/bin/true", &why));
	assert_true(trusted_path("/", &why));
	assert_int_equal(why.len, 0);
	assert_int_equal(chmod(f->file, 0666), 0);
	assert_false(trusted_path(f->file, &why));
	assert_non_null(strstr(buf_str(&why), "chmod go-w "));
	assert_false(trusted_path("/no/such", &why));
	buf_free(&why);
}

static void
test_size(void **state)
{
	struct fixture *f = *state;
	char *blanks = malloc(CONF_SIZE_MAX + 2);

	assert_non_null(blanks);
	memset(blanks, ' ', CONF_SIZE_MAX + 2);
	write_file(f->file, blanks, CONF_SIZE_MAX - 1);
	expect_good(f, f->file);
	write_file(f->file, blanks, CONF_SIZE_MAX + 2);
	expect_bad(f, f->file, "cannot be read: File too large");
	free(blanks);
}

static void
test_nul(void **state)
{
	struct fixture *f = *state;

	write_file(f->file, "a = 1;\n# \0\n", 11);
	expect_bad(f, f->file, ":2: has a NUL byte");
	write_file(f->file, "a = 1;\0", 7);
	expect_bad(f, f->file, ":1: has a NUL byte");
}

static void
test_lexical_errors(void **state)
{
	struct fixture *f = *state;

	expect_bad_text(f, "\n@include \"/etc/passwd\"",
		"test:2: @include is not allowed: put all settings here\n");
	expect_bad_text(f, "# a\r\n/* \n */ @include \"x\"",
		"test:3: @include is not allowed: put all settings here\n");
	expect_bad_text(f, "a = \"\\\\\" @include \"x\"",
		"test:1: @include is not allowed: put all settings here\n");
	expect_bad_text(f, "a = 1; /* \n",
		"test:1: the comment that begins here never ends\n");
	expect_bad_text(f, "\na = \"x\\\"\n;",
		"test:2: the text that begins here never ends\n");
	expect_bad_text(f, "a = \"x\\",
		"test:1: the text that begins here never ends\n");
	expect_bad_text(f, "a = \"\n\\x00\";",
		"test:2: \\x00 is not allowed: it would end the text\n");
	expect_bad_text(
		f, "a = ;", "test:1: syntax error, here or shortly before\n");
	expect_bad_text(f, "a = 1;\na = 2;",
		"test:2: duplicate setting name, here or shortly before\n");
}

/*
 * Test that a comma without a following value is an error, although libconfig
 * 1.7 and later accept the comma.
 */
static void
test_commas_without_a_value(void **state)
{
	static const char *const texts[] = { "a = (1,);", "a = [1,\n];",
		"a = (1, , 2);", "a = [1,, 2];", "a = (,);",
		"a = (\"x\", # ,\n /* 1 */\t);", "a = ({ b = 1; }, );" };
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_bad_text(f, texts[i],
			"test:1: syntax error: no value follows the comma; "
			"remove it\n");
}

/*
 * Test that two strings without a comma between them are an error, although
 * libconfig joins the strings.
 */
static void
test_missing_commas(void **state)
{
	static const char *const texts[] = { "a = (\"x\" \"y\");",
		"a = [\"x\"\n\"y\"];", "a = \"x\" /* , */ # ,\n \"y\";",
		"a = (\"x\"\"y\");" };
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		expect_bad_text(f, texts[i],
			"test:1: a comma is missing after this text: another "
			"text follows, and the two would become one\n");
}

static void
test_numbers_that_do_not_fit(void **state)
{
	static const char *const numbers[] = { "2147483648", "-2147483649",
		"+99999999999", "0x80000000", "0xffffffffffffffffff",
		"9223372036854775808L", "-9223372036854775809L",
		"0x8000000000000000L", "18446744073709551616" };
	struct fixture *f = *state;
	char text[64], why[96];
	size_t i;

	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(text, sizeof(text), "a=%s;", numbers[i]);
		snprintf(why, sizeof(why),
			"test:1: the number %s is too large to be read\n",
			numbers[i]);
		expect_bad_text(f, text, why);
	}
}

/*
 * Test that valid text is accepted, even if the text looks similar to the
 * errors of the tests above.
 */
static void
test_lexical_peace(void **state)
{
	static const char *const texts[] = { "", "# @include", "// 99999999999",
		"/* @include 99999999999 \" */", "a = \"@include\";",
		"a = \"# /* \";", "a = \"99999999999\";",
		"a99999999999 = 1; b-99999999999 = 2; *c_99999999999 = 3;",
		"a = 99999999999.5; b = .99999999999; c = 99999999999e2;",
		"a = -2147483648; b = 2147483647; c = 0x7fffffff;",
		"a = 9223372036854775807L; b = -9223372036854775808LL;",
		"a = \"\\\\x00\";", "a = 1 # the end", "a = 1 /**/;",
		"a = { b = 1, c = 2, }", "a = 1, b = \",)\";",
		"a = (1, # ),\n 2); b = (); c = [];" };
	struct fixture *f = *state;
	size_t i;

	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		open_text(f, texts[i]);
		conf_close(&f->conf);
	}
}

static void
test_messages(void **state)
{
	struct fixture *f = *state;
	const config_setting_t *at;

	open_text(
		f, "a = (\n { name = \"x\\x1by\"; b = {\n c = [1, 2]; }; } );");
	at = config_lookup(&f->conf.config, "a.[0].b.c.[1]");
	assert_non_null(at);
	conf_error(&f->conf, at, "is %s", "bad\n");
	conf_error(&f->conf, NULL, "is bad");
	conf_error(&f->conf, root(f), "is bad");
	conf_warn(&f->conf, at, "is unwise");
	assert_string_equal(buf_str(&f->errors),
		"test:3: a[0].b.c[1] (x\\x1by): is bad\\x0a\n"
		"test: is bad\n"
		"test: is bad\n");
	assert_string_equal(buf_str(&f->warnings),
		"test:3: warning: a[0].b.c[1] (x\\x1by): is unwise\n");
	assert_true(f->conf.failed);
	conf_close(&f->conf);
}

static void
test_warning_is_no_failure(void **state)
{
	struct fixture *f = *state;

	open_text(f, "");
	conf_warn(&f->conf, NULL, "is unwise");
	assert_false(f->conf.failed);
	f->conf.warnings = NULL;
	conf_warn(&f->conf, NULL, "is unwise");
	conf_close(&f->conf);
}

static void
test_keys(void **state)
{
	static const char *const known[] = { "colour", "size", NULL };
	struct fixture *f = *state;

	open_text(f, "colour = 1; size = 2;");
	assert_true(conf_keys(&f->conf, root(f), known));
	conf_close(&f->conf);
	open_text(f, "color = 1;\nx = 2; y = 3;");
	assert_false(conf_keys(&f->conf, root(f), known));
	assert_false(conf_keys(
		&f->conf, config_setting_get_member(root(f), "y"), known));
	assert_string_equal(buf_str(&f->errors),
		"test:1: color: unknown key; did you mean colour?\n"
		"test:2: x: unknown key; known keys are colour, size\n"
		"test:2: y: unknown key; known keys are colour, size\n"
		"test:2: y: must be a group, { … }, not a number\n");
	conf_close(&f->conf);
}

static void
test_values(void **state)
{
	struct fixture *f = *state;
	char *text = NULL;
	unsigned number = 7, wide = 0;
	bool flag = false;

	open_text(f, "t = \"x\"; n = 5; w = 4294967295L; b = true;");
	assert_true(conf_string(&f->conf, conf_member(root(f), "t"), &text));
	assert_true(conf_number(
		&f->conf, conf_member(root(f), "n"), 0, 10, &number));
	assert_true(conf_number(
		&f->conf, conf_member(root(f), "w"), 0, UINT32_MAX, &wide));
	assert_true(conf_bool(&f->conf, conf_member(root(f), "b"), &flag));
	assert_string_equal(text, "x");
	assert_int_equal(number, 5);
	assert_int_equal(wide, UINT32_MAX);
	assert_true(flag);
	assert_true(conf_number(
		&f->conf, conf_member(root(f), "none"), 0, 1, &number));
	assert_true(conf_bool(&f->conf, conf_member(root(f), "none"), &flag));
	assert_int_equal(number, 5);
	assert_true(flag);
	free(text);
	conf_close(&f->conf);
}

static void
test_wrong_values(void **state)
{
	struct fixture *f = *state;
	char *text = NULL;
	unsigned number = 7;
	bool flag = true;

	open_text(f, "t = 1; n = 11; m = -1; f = 1.5; b = 0; l = (); g = {};");
	assert_false(conf_string(&f->conf, conf_member(root(f), "t"), &text));
	assert_false(conf_number(
		&f->conf, conf_member(root(f), "n"), 0, 10, &number));
	assert_false(conf_number(
		&f->conf, conf_member(root(f), "m"), 0, 10, &number));
	assert_false(conf_number(
		&f->conf, conf_member(root(f), "f"), 0, 10, &number));
	assert_false(conf_bool(&f->conf, conf_member(root(f), "b"), &flag));
	assert_false(conf_string(&f->conf, conf_member(root(f), "l"), &text));
	assert_false(conf_bool(&f->conf, conf_member(root(f), "g"), &flag));
	assert_string_equal(buf_str(&f->errors),
		"test:1: t: must be text in double quotes, not a number\n"
		"test:1: n: 11 is out of range: 0 to 10\n"
		"test:1: m: -1 is out of range: 0 to 10\n"
		"test:1: f: must be a whole number from 0 to 10, not a number "
		"with a fraction\n"
		"test:1: b: must be true or false, not a number\n"
		"test:1: l: must be text in double quotes, not a list\n"
		"test:1: g: must be true or false, not a group\n");
	assert_null(text);
	assert_int_equal(number, 7);
	assert_true(flag);
	conf_close(&f->conf);
}

static void
check_strings(struct fixture *f, const char *key, size_t expected)
{
	char **strings = NULL;
	size_t n = 99, i;

	assert_true(conf_strings(
		&f->conf, conf_member(root(f), key), &strings, &n));
	assert_int_equal(n, expected);
	assert_non_null(strings);
	for (i = 0; i < n; i++)
		assert_string_equal(strings[i], i == 0 ? "a" : "b");
	assert_null(strings[n]);
	conf_strings_free(strings);
}

static void
test_strings(void **state)
{
	struct fixture *f = *state;
	char **strings = NULL;

	open_text(f, "l = (\"a\", \"b\"); y = [\"a\", \"b\"]; s = \"a\";"
		     "e = (); n = 1; m = (1, \"a\", {});");
	check_strings(f, "l", 2);
	check_strings(f, "y", 2);
	check_strings(f, "s", 1);
	check_strings(f, "e", 0);
	assert_true(conf_strings(
		&f->conf, conf_member(root(f), "no"), &strings, NULL));
	assert_null(strings);
	assert_false(conf_strings(
		&f->conf, conf_member(root(f), "n"), &strings, NULL));
	assert_false(conf_strings(
		&f->conf, conf_member(root(f), "m"), &strings, NULL));
	assert_null(strings);
	assert_string_equal(buf_str(&f->errors),
		"test:1: n: must be a list of texts, (\"…\", \"…\"), not a "
		"number\n"
		"test:1: m[0]: must be text in double quotes, not a number\n"
		"test:1: m[2]: must be text in double quotes, not a group\n");
	conf_strings_free(NULL);
	conf_close(&f->conf);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_file),
		TEST(test_fifo_does_not_hang),
		TEST(test_file_mode),
		TEST(test_folder_mode),
		TEST(test_folder_above),
		TEST(test_link),
		TEST(test_relative_path),
		TEST(test_owner),
		TEST(test_trusted),
		TEST(test_size),
		TEST(test_nul),
		TEST(test_lexical_errors),
		TEST(test_commas_without_a_value),
		TEST(test_missing_commas),
		TEST(test_numbers_that_do_not_fit),
		TEST(test_lexical_peace),
		TEST(test_messages),
		TEST(test_warning_is_no_failure),
		TEST(test_keys),
		TEST(test_values),
		TEST(test_wrong_values),
		TEST(test_strings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
