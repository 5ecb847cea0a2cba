#include "hosts/discovered.h"
#include "printable.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define KEY "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define OTHER "SHA256:BAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static void
read_lines(struct discoveries *d, const char *text)
{
	struct buf error = { 0 };

	*d = (struct discoveries){ 0 };
	assert_int_equal(discoveries_read(d, text, &error), 0);
	assert_int_equal(error.len, 0);
	buf_free(&error);
}

static void
test_lines_of_one_machine_are_merged(void **state)
{
	struct discoveries d;

	(void)state;
	read_lines(&d, "B\tlab.local\tfe80::1%eth0\t7075\teth0\t" KEY "\n"
		       "B\tlab.local\tfd00::1\t7075\teth0\t" KEY "\n"
		       "B\tLAB.local\t169.254.1.1\t7075\teth0\t" KEY "\n"
		       "B\tlab.local\t192.0.2.1\t7075\teth0\t" KEY "\n"
		       "B\tlab.local\t192.0.2.1\t7075\twlan0\t" KEY "\n");
	assert_int_equal(d.n, 1);
	assert_int_equal(d.v[0].naddresses, 4);
	assert_string_equal(d.v[0].addresses[0].address, "192.0.2.1");
	assert_string_equal(d.v[0].addresses[0].interface, "eth0");
	assert_string_equal(d.v[0].addresses[1].address, "fd00::1");
	assert_string_equal(d.v[0].addresses[2].address, "169.254.1.1");
	assert_string_equal(d.v[0].addresses[3].address, "fe80::1%eth0");
	discoveries_free(&d);
}

static void
test_different_machines_stay_apart(void **state)
{
	struct discoveries d;

	(void)state;
	read_lines(&d, "B\tlab10\t192.0.2.1\t7075\teth0\t\n"
		       "B\tlab2\t192.0.2.2\t7076\teth0\t\n"
		       "B\tlab2\t192.0.2.2\t7075\teth0\t" KEY "\n"
		       "B\tlab2\t192.0.2.2\t7075\teth0\t" OTHER "\n"
		       "C\tlab2\t192.0.2.2\t7075\teth0\t" KEY "\n");
	assert_int_equal(d.n, 5);
	assert_string_equal(d.v[0].fingerprint, KEY);
	assert_string_equal(d.v[1].fingerprint, OTHER);
	assert_string_equal(d.v[2].name, "C");
	assert_int_equal(d.v[3].port, 7076);
	assert_string_equal(d.v[4].host, "lab10");
	discoveries_free(&d);
}

static void
assert_refused(const char *text)
{
	struct discoveries d = { 0 };
	struct buf error = { 0 };

	assert_int_equal(discoveries_read(&d, text, &error), -1);
	assert_true(error.len > 0);
	discoveries_free(&d);
	buf_free(&error);
}

static void
test_other_lines_are_refused(void **state)
{
	(void)state;
	assert_refused("B\tlab\t192.0.2.1\t7075\teth0\n");
	assert_refused("B\tlab\t192.0.2.1\t7075\teth0\t\t\n");
	assert_refused("B\tlab\t192.0.2.1\t65536\teth0\t\n");
	assert_refused("B\tlab\t192.0.2.1\t7075\teth0\tSHA256:x\n");
	assert_refused("B\x1b\tlab\t192.0.2.1\t7075\teth0\t\n");
	assert_refused("B\tl\xc3\xa4\t192.0.2.1\t7075\teth0\t\n");
	assert_refused("B\t\t192.0.2.1\t7075\teth0\t\n");
}

static void
assert_name(const char *host, const char *expected)
{
	struct discovered m = { 0 };
	struct buf out = { 0 }, text = { 0 };

	buf_adds(&text, host);
	buf_str(&text);
	m.host = text.data;
	assert_int_equal(discovered_conf_name(&m, &out), expected != NULL);
	assert_string_equal(buf_str(&out), expected ? expected : "");
	buf_free(&out);
	buf_free(&text);
}

static void
test_names_for_the_configuration(void **state)
{
	(void)state;
	assert_name("Lab-7.local", "lab-7");
	assert_name("lab7.LOCAL.", "lab7");
	assert_name("pc.example.org", "pc.example.org");
	assert_name("unix1.local", "unix1");
	assert_name("uni.local", "uni");
	assert_name("local", "local");
	assert_name("unix.local", NULL);
	assert_name("Plain.local", NULL);
	assert_name(".local", NULL);
	assert_name("-x.local", NULL);
	assert_name("x-.local", NULL);
	assert_name("a_b.local", NULL);
	assert_name("a b.local", NULL);
	assert_name("a\\x5cb.local", NULL);
	assert_name("a..b.local", NULL);
	assert_name("a,b.local", NULL);
	assert_name("@all.local", NULL);
	assert_name("a[1-9].local", NULL);
	assert_name("10.0.0.1.local", NULL);
	assert_name("fe80::1.local", NULL);
	assert_name("7.local", NULL);
}

static void
test_bytes_are_escaped(void **state)
{
	struct buf out = { 0 };

	(void)state;
	printable_add(&out, "a ~\x1b[\x7f\\\n\0\xc3\xa4", 11);
	assert_string_equal(
		buf_str(&out), "a ~\\x1b[\\x7f\\x5c\\x0a\\x00\\xc3\\xa4");
	buf_free(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines_of_one_machine_are_merged),
		cmocka_unit_test(test_different_machines_stay_apart),
		cmocka_unit_test(test_other_lines_are_refused),
		cmocka_unit_test(test_names_for_the_configuration),
		cmocka_unit_test(test_bytes_are_escaped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
