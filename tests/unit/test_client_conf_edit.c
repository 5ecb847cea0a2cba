#include "hosts/client_conf.h"
#include "hosts/client_conf_edit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Add hosts to the text, and check that the result is a valid file. */
static void
assert_edit(const char *before, const struct conf_addition *v, size_t n,
	const char *group, const char *after)
{
	struct buf text = { 0 }, error = { 0 };
	struct client_conf conf = { 0 };

	buf_adds(&text, before);
	assert_int_equal(client_conf_edit_add(&text, v, n, group, &error), 0);
	assert_string_equal(buf_str(&text), after);
	assert_int_equal(
		client_conf_read_text(&conf, buf_str(&text), "conf", &error),
		0);
	assert_string_equal(buf_str(&error), "");
	client_conf_free(&conf);
	buf_free(&text);
	buf_free(&error);
}

static const struct conf_addition two[] = { { .name = "a",
						    .address = "a.local" },
	{ .name = "b", .address = "fe80::1%eth0", .port = 7076 } };

static void
test_an_empty_file_gets_both_lists(void **state)
{
	(void)state;
	assert_edit("", two, 2, "lab",
		"hosts = (\n"
		"\t{ name = \"a\"; address = \"a.local\"; },\n"
		"\t{ name = \"b\"; address = \"fe80::1%eth0\"; port = 7076; }\n"
		");\n"
		"groups = (\n"
		"\t{ name = \"lab\"; hosts = (\"a\", \"b\"); }\n"
		");\n");
	assert_edit("# mine", two, 1, NULL,
		"# mine\nhosts = (\n"
		"\t{ name = \"a\"; address = \"a.local\"; }\n);\n");
}

static void
test_lists_are_extended_and_comments_stay(void **state)
{
	(void)state;
	assert_edit("# hosts = (\n"
		    "hosts = (\n"
		    "\t{ name = \"x\"; /* ) */ } # the last (\n"
		    ");\n"
		    "groups : (\n"
		    "\t{ hosts = (\"x\"); name = \"lab\"; }, // }\n"
		    "\t{ name = \"more\"; hosts = \"x\" }\n"
		    ");\n",
		two, 1, "lab",
		"# hosts = (\n"
		"hosts = (\n"
		"\t{ name = \"x\"; /* ) */ }, # the last (\n"
		"\t{ name = \"a\"; address = \"a.local\"; }\n"
		");\n"
		"groups : (\n"
		"\t{ hosts = (\"x\", \"a\"); name = \"lab\"; }, // }\n"
		"\t{ name = \"more\"; hosts = \"x\" }\n"
		");\n");
}

static void
test_lists_on_one_line(void **state)
{
	(void)state;
	assert_edit("hosts=({name=\"x\"});groups=({name=\"lab\";hosts=\"x\"});",
		two, 2, "lab",
		"hosts=({name=\"x\"},\n"
		"\t{ name = \"a\"; address = \"a.local\"; },\n"
		"\t{ name = \"b\"; address = \"fe80::1%eth0\"; port = 7076; }\n"
		");groups=({name=\"lab\";hosts=\"x,a,b\"});");
	assert_edit("hosts=();groups=({name=\"lab\";hosts=[\"x\"]});", two, 1,
		"new",
		"hosts=(\n"
		"\t{ name = \"a\"; address = \"a.local\"; }\n"
		");groups=({name=\"lab\";hosts=[\"x\"]},\n"
		"\t{ name = \"new\"; hosts = (\"a\"); }\n"
		");");
}

static void
test_known_hosts_and_members_are_not_added_twice(void **state)
{
	const struct conf_addition known[] = {
		{ .name = "x", .known = true, .member = true },
		{ .name = "y", .known = true }
	};

	(void)state;
	assert_edit("hosts=({name=\"x\"},{name=\"y\"});"
		    "groups=({name=\"lab\";hosts=[\"x\"]});",
		known, 2, "lab",
		"hosts=({name=\"x\"},{name=\"y\"});"
		"groups=({name=\"lab\";hosts=[\"x\", \"y\"]});");
	assert_edit("hosts=({name=\"x\"});", known, 1, "lab",
		"hosts=({name=\"x\"});");
}

static void
test_names_in_other_places_do_not_confuse(void **state)
{
	(void)state;
	assert_edit("defaults = { hosts = \"x\"; };\n"
		    "groups = ({ name = \"g\"; hosts = \"\\\"hosts = (\\\"\"; "
		    "});\n",
		NULL, 0, "lab",
		"defaults = { hosts = \"x\"; };\n"
		"groups = ({ name = \"g\"; hosts = \"\\\"hosts = (\\\"\"; "
		"});\n");
	assert_edit("defaults = { hosts = \"x\"; };\n", two, 1, "g",
		"defaults = { hosts = \"x\"; };\n"
		"hosts = (\n"
		"\t{ name = \"a\"; address = \"a.local\"; }\n);\n"
		"groups = (\n\t{ name = \"g\"; hosts = (\"a\"); }\n);\n");
}

static void
assert_refused(const char *name, const char *address)
{
	struct conf_addition a = { .name = name, .address = address };
	struct buf text = { 0 }, error = { 0 };

	assert_int_equal(client_conf_edit_add(&text, &a, 1, "g", &error), -1);
	assert_int_equal(text.len, 0);
	assert_true(error.len > 0);
	buf_free(&text);
	buf_free(&error);
}

static void
test_hostile_names_are_refused(void **state)
{
	(void)state;
	assert_refused("a\"; fingerprint = \"", NULL);
	assert_refused("a\nb", NULL);
	assert_refused("a", "b\\");
	assert_refused("a", "\x1b[2J");
	assert_refused("", NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_empty_file_gets_both_lists),
		cmocka_unit_test(test_lists_are_extended_and_comments_stay),
		cmocka_unit_test(test_lists_on_one_line),
		cmocka_unit_test(
			test_known_hosts_and_members_are_not_added_twice),
		cmocka_unit_test(test_names_in_other_places_do_not_confuse),
		cmocka_unit_test(test_hostile_names_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
