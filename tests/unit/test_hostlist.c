#include "hosts/hostlist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static int
append(void *arg, const char *name)
{
	struct buf *names = arg;

	buf_addf(names, "%s%s", names->len ? " " : "", name);
	return 0;
}

/* Fail unless the pattern expands to these names, separated by spaces. */
static void
assert_expands(const char *pattern, const char *names)
{
	struct buf got = { 0 }, error = { 0 };
	size_t count, wanted = 1;
	const char *s;

	for (s = names; *s != '\0'; s++)
		wanted += *s == ' ';
	assert_int_equal(hostlist_expand(pattern, append, &got, &error), 0);
	assert_string_equal(buf_str(&got), names);
	assert_int_equal(hostlist_count(pattern, &count, &error), 0);
	assert_int_equal(count, wanted);
	assert_int_equal(error.len, 0);
	buf_free(&got);
}

static void
assert_refused(const char *pattern, const char *part)
{
	struct buf got = { 0 }, error = { 0 };
	size_t count;

	assert_int_equal(hostlist_count(pattern, &count, &error), -1);
	assert_non_null(strstr(buf_str(&error), part));
	assert_int_equal(hostlist_expand(pattern, append, &got, &error), -1);
	assert_int_equal(got.len, 0);
	buf_free(&error);
}

static void
names_without_brackets(void **state)
{
	(void)state;
	assert_expands("", "");
	assert_expands("web1", "web1");
	assert_expands("web1:7000", "web1:7000");
	assert_expands("plain:web1", "plain:web1");
	assert_expands("unix:/run/bridle/bridled.sock",
		"unix:/run/bridle/bridled.sock");
	assert_expands("node99999999999999999999", "node99999999999999999999");
}

static void
ranges(void **state)
{
	(void)state;
	assert_expands("n[1-3]", "n1 n2 n3");
	assert_expands("n[1]", "n1");
	assert_expands("n[3,1,3]", "n3 n1 n3");
	assert_expands("n[8-11]", "n8 n9 n10 n11");
	assert_expands("n[01-03,40]x", "n01x n02x n03x n40x");
	assert_expands("n[08-11]", "n08 n09 n10 n11");
	assert_expands("n[98-101]", "n98 n99 n100 n101");
	assert_expands("n[099-101]", "n099 n100 n101");
	assert_expands("n[001-3]", "n001 n002 n003");
	assert_expands("n[00-01]", "n00 n01");
	assert_expands("n[0-1]", "n0 n1");
	assert_expands("[1-2].example.org", "1.example.org 2.example.org");
	assert_expands("n[1-2]:7000", "n1:7000 n2:7000");
	assert_expands("plain:n[1-2]", "plain:n1 plain:n2");
	assert_expands("unix:/tmp/[1-2]/s", "unix:/tmp/1/s unix:/tmp/2/s");
}

static void
steps(void **state)
{
	(void)state;
	assert_expands("n[0-10/5]", "n0 n5 n10");
	assert_expands("n[1-10/4]", "n1 n5 n9");
	assert_expands("n[01-05/2,7]", "n01 n03 n05 n7");
	assert_expands("n[1-3/999999999999999999]", "n1");
	assert_expands("n[999999999999999998-999999999999999999/5]",
		"n999999999999999998");
}

static void
several_brackets(void **state)
{
	(void)state;
	assert_expands("r[1-2]n[1-3]", "r1n1 r1n2 r1n3 r2n1 r2n2 r2n3");
	assert_expands("[1-2][3-4]", "13 14 23 24");
	assert_expands("n[1-2]:[7-8]", "n1:7 n1:8 n2:7 n2:8");
}

static void
addresses(void **state)
{
	(void)state;
	assert_expands("[::1]", "[::1]");
	assert_expands("[::1]:7075", "[::1]:7075");
	assert_expands("plain:[fe80::1%eth0]:70", "plain:[fe80::1%eth0]:70");
	assert_expands("[::1]:[1-2]", "[::1]:1 [::1]:2");
}

static void
mistakes(void **state)
{
	(void)state;
	assert_refused("n[1-3", "no matching bracket");
	assert_refused("n1-3]", "no matching bracket");
	assert_refused("n[[1-3]]", "no matching bracket");
	assert_refused("[::1", "no matching bracket");
	assert_refused("n[]", "is no range");
	assert_refused("n[1,]", "is no range");
	assert_refused("n[,1]", "is no range");
	assert_refused("n[a-b]", "'a-b' is no range");
	assert_refused("n[1-]", "is no range");
	assert_refused("n[-1]", "is no range");
	assert_refused("n[1 - 2]", "is no range");
	assert_refused("n[1-2/]", "is no range");
	assert_refused("n[1-2/0]", "is no range");
	assert_refused("n[1/2]", "is no range");
	assert_refused("n[+1]", "is no range");
	assert_refused("n[3-1]", "smaller");
	assert_refused("n[1-010]", "the same number of digits");
	assert_refused("n[1-9999999999999999999]", "is no range");
	assert_refused("n[1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1][1]",
		"too many brackets");
}

static int
count_one(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
	return 0;
}

static void
a_million_and_no_more(void **state)
{
	struct buf error = { 0 };
	size_t n = 0;

	(void)state;
	assert_int_equal(
		hostlist_expand("n[1-1000]x[001-1000]", count_one, &n, &error),
		0);
	assert_int_equal(n, HOSTLIST_MAX);
	assert_refused("n[0-1000000]", "more than 1000000 hosts");
	assert_refused("n[1-1000]x[0-1000]", "more than 1000000 hosts");
	assert_refused("n[0-999999999999999999]", "more than 1000000");
	assert_refused("n[1-500000,1-500001]", "more than 1000000");
	assert_refused("[1-99999][1-99999][1-99999][1-99999][1-99999]",
		"more than 1000000");
}

static int
stop_at_once(void *arg, const char *name)
{
	(void)name;
	++*(size_t *)arg;
	return 7;
}

static void
the_caller_may_stop(void **state)
{
	struct buf error = { 0 };
	size_t n = 0;

	(void)state;
	assert_int_equal(
		hostlist_expand("r[1-9]n[1-9]", stop_at_once, &n, &error), 7);
	assert_int_equal(n, 1);
	assert_int_equal(error.len, 0);
}

static void
words_of_a_list(void **state)
{
	(void)state;
	assert_int_equal(hostlist_span(""), 0);
	assert_int_equal(hostlist_span(",a"), 0);
	assert_int_equal(hostlist_span("ab,c"), 2);
	assert_int_equal(hostlist_span("n[1,2],c"), 6);
	assert_int_equal(hostlist_span("n[1,2"), 5);
	assert_int_equal(hostlist_span("[::1]:7075,a"), 10);
}

#define NAMES_MAX 1100

struct names {
	char *v[NAMES_MAX];
	size_t n;
};

static int
keep(void *arg, const char *name)
{
	struct names *names = arg;

	assert_true(names->n < NAMES_MAX);
	names->v[names->n++] = strdup(name);
	return 0;
}

/* Expand each pattern of the list, and add the results to `names`. */
static void
expand_list(struct names *names, const char *list)
{
	struct buf error = { 0 };
	char word[256];
	size_t len;

	for (;; list += len + 1) {
		len = hostlist_span(list);
		assert_true(len < sizeof(word));
		memcpy(word, list, len);
		word[len] = '\0';
		assert_int_equal(hostlist_expand(word, keep, names, &error), 0);
		if (list[len] == '\0')
			break;
	}
}

static int
by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Sort the names and remove duplicates. */
static void
make_set(struct names *names)
{
	size_t i, kept = 0;

	qsort(names->v, names->n, sizeof(names->v[0]), by_name);
	for (i = 0; i < names->n; i++)
		if (kept > 0 && strcmp(names->v[kept - 1], names->v[i]) == 0)
			free(names->v[i]);
		else
			names->v[kept++] = names->v[i];
	names->n = kept;
}

static void
free_names(struct names *names)
{
	while (names->n > 0)
		free(names->v[--names->n]);
}

/*
 * Fail unless the list folds to `folded`, and `folded` expands to the same set
 * of names.
 */
static void
assert_folds(const char *list, const char *folded)
{
	struct names before = { .n = 0 }, after = { .n = 0 };
	char *got;
	size_t i;

	if (*list != '\0')
		expand_list(&before, list);
	got = hostlist_fold((const char *const *)before.v, before.n);
	assert_string_equal(got, folded);
	if (*got != '\0')
		expand_list(&after, got);
	free(got);
	make_set(&before);
	make_set(&after);
	assert_int_equal(before.n, after.n);
	for (i = 0; i < before.n; i++)
		assert_string_equal(before.v[i], after.v[i]);
	free_names(&before);
	free_names(&after);
}

static void
folds(void **state)
{
	(void)state;
	assert_folds("", "");
	assert_folds("a", "a");
	assert_folds("b,a", "b,a");
	assert_folds("a,b,a", "a,b");
	assert_folds("n1", "n1");
	assert_folds("n1,n2,n3", "n[1-3]");
	assert_folds("n3,n1,n2", "n[1-3]");
	assert_folds("n3,web,n1,n3", "n[1,3],web");
	assert_folds("n[01-32],n40", "n[01-32,40]");
	assert_folds("n[9-11]", "n[9-11]");
	assert_folds("n[1-1000]", "n[1-1000]");
	assert_folds("n1a,n2b", "n1a,n2b");
	assert_folds("1,2", "[1-2]");
	assert_folds("n0,n00", "n[0,00]");
}

static void
folds_mixed_padding(void **state)
{
	(void)state;
	assert_folds("n[08-10],n11", "n[08-11]");
	assert_folds("n[8-10]", "n[8-10]");
	assert_folds("n[1-3],n[01-03]", "n[1-3,01-03]");
	assert_folds("n[1-12],n[01-12]", "n[1-9,01-12]");
	assert_folds("n[01-99],n100", "n[100,01-99]");
	assert_folds("n[001-100],n[1-3]", "n[1-3,001-100]");
}

static void
folds_several_numbers(void **state)
{
	(void)state;
	assert_folds("r[1-4]n[1-8]", "r[1-4]n[1-8]");
	assert_folds("r1n1,r1n2,r2n1", "r1n[1-2],r2n1");
	assert_folds("n[1-3].rack7.example", "n[1-3].rack7.example");
	assert_folds("10.0.[1-2].[1-9]:7075", "10.0.[1-2].[1-9]:7075");
	assert_folds("n[1-3]:7075,n4:7072", "n[1-3]:7075,n4:7072");
	assert_folds("h:[7075-7080]", "h:[7075-7080]");
	assert_folds("n1:7,n1", "n1:7,n1");
	/* Folding replaces only the last five numbers of a name by ranges. */
	assert_folds("a[1-2]b1c1d1e1f1", "a1b1c1d1e1f1,a2b1c1d1e1f1");
}

static void
folds_what_is_odd(void **state)
{
	(void)state;
	assert_folds("[::1]:7075,[::2]:7075", "[::1]:7075,[::2]:7075");
	assert_folds("[::1]:[1-3]", "[::1]:[1-3]");
	assert_folds("plain:[::1],plain:n[1-2]", "plain:[::1],plain:n[1-2]");
	assert_folds("unix:/tmp/[1-3]/s", "unix:/tmp/[1-3]/s");
	assert_folds("n99999999999999999998,n99999999999999999999",
		"n99999999999999999998,n99999999999999999999");
	assert_folds("n999999999999999998,n999999999999999999",
		"n[999999999999999998-999999999999999999]");
	assert_folds("n000000000000000001,n000000000000000002",
		"n[000000000000000001-000000000000000002]");
}

/*
 * Test that folding keeps names which no list can express. The path of a
 * socket, for example, can be such a name.
 */
static void
keeps_what_cannot_be_folded(void **state)
{
	static const char *const names[] = { "3",
		"\1"
		"3"
		"\2",
		"/a[1", "/a,2", "/a]4[", "4", "/a\1" };
	char *folded = hostlist_fold(names, sizeof(names) / sizeof(names[0]));

	(void)state;
	assert_string_equal(folded, "[3-4],\1"
				    "3"
				    "\2,/a[1,/a,2,/a]4[,/a\1");
	free(folded);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_without_brackets),
		cmocka_unit_test(ranges),
		cmocka_unit_test(steps),
		cmocka_unit_test(several_brackets),
		cmocka_unit_test(addresses),
		cmocka_unit_test(mistakes),
		cmocka_unit_test(a_million_and_no_more),
		cmocka_unit_test(the_caller_may_stop),
		cmocka_unit_test(words_of_a_list),
		cmocka_unit_test(folds),
		cmocka_unit_test(folds_mixed_padding),
		cmocka_unit_test(folds_several_numbers),
		cmocka_unit_test(folds_what_is_odd),
		cmocka_unit_test(keeps_what_cannot_be_folded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
