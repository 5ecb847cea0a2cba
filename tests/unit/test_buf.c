#include "buf.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static void
test_empty(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_add(&b, NULL, 0);
	buf_adds(&b, "");
	buf_drop(&b, 1);
	assert_null(b.data);
	assert_string_equal(buf_str(&b), "");
	assert_int_equal(b.len, 0);
	assert_false(b.failed);
	buf_free(&b);
	buf_free(&b);
}

static void
test_appending(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_add(&b, "a\0b", 3);
	buf_adds(&b, "cd");
	buf_addc(&b, '#');
	buf_addu(&b, 0);
	buf_addf(&b, "%s=%d", "x", -7);
	buf_addu(&b, ULLONG_MAX);
	assert_false(b.failed);
	assert_int_equal(b.len, 31);
	assert_memory_equal(
		buf_str(&b), "a\0bcd#0x=-718446744073709551615", 32);
	assert_int_equal(b.len, 31);
	buf_free(&b);
	assert_null(b.data);
	assert_int_equal(b.len + b.cap, 0);
}

/*
 * Append texts of several sizes, so that the buffer grows at different lengths.
 */
static void
test_growing(void **state)
{
	static const size_t steps[] = { 1, 3, 255, 256, 257, 5000 };
	char piece[5000];
	struct buf b = { 0 };
	size_t i, n, k;

	(void)state;
	for (i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		for (n = 0; n < 40; n++) {
			memset(piece, 'a' + (int)(n % 26), steps[i]);
			buf_add(&b, piece, steps[i]);
		}
		assert_int_equal(b.len, 40 * steps[i]);
		assert_true(b.cap >= b.len);
		for (k = 0; k < b.len; k++)
			assert_int_equal(
				b.data[k], 'a' + (int)(k / steps[i] % 26));
		buf_free(&b);
	}
}

/*
 * Test that buf_addf() makes room for the NUL that vsnprintf() writes but does
 * not count.
 */
static void
test_printing_to_the_brim(void **state)
{
	struct buf b = { 0 };
	int width;

	(void)state;
	for (width = 0; width < 600; width++) {
		buf_free(&b);
		buf_addf(&b, "%*s", width, "");
		assert_int_equal(b.len, width);
		assert_int_equal(strspn(buf_str(&b), " "), width);
	}
	buf_free(&b);
}

static void
test_room(void **state)
{
	struct buf b = { 0 };
	char *at;

	(void)state;
	buf_adds(&b, "ab");
	at = buf_room(&b, 1000);
	assert_ptr_equal(at, b.data + 2);
	assert_true(b.cap >= 1002);
	assert_int_equal(b.len, 2);
	memset(at, 'x', 1000);
	b.len += 1000;
	assert_ptr_equal(buf_room(&b, 0), b.data + 1002);
	buf_free(&b);
	assert_non_null(buf_room(&b, 0));
	buf_free(&b);
}

static void
test_dropping(void **state)
{
	struct buf b = { 0 };

	(void)state;
	buf_adds(&b, "abcdef");
	buf_drop(&b, 0);
	assert_string_equal(buf_str(&b), "abcdef");
	buf_drop(&b, 2);
	assert_string_equal(buf_str(&b), "cdef");
	buf_drop(&b, 3);
	assert_string_equal(buf_str(&b), "f");
	buf_drop(&b, 1);
	assert_int_equal(b.len, 0);
	buf_adds(&b, "gh");
	buf_drop(&b, SIZE_MAX);
	assert_string_equal(buf_str(&b), "");
	buf_free(&b);
}

/*
 * Test that no append changes the buffer between a failure and the next call of
 * buf_reset().
 */
static void
test_failure_is_remembered(void **state)
{
	static const size_t sizes[] = { SIZE_MAX, SIZE_MAX / 2,
		SIZE_MAX / 2 - 1 };
	struct buf b = { 0 };
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		buf_adds(&b, "abc");
		assert_null(buf_room(&b, sizes[i]));
		assert_true(b.failed);
		buf_adds(&b, "d");
		buf_addc(&b, 'd');
		buf_addu(&b, 1);
		buf_addf(&b, "%d", 1);
		assert_null(buf_room(&b, 1));
		assert_int_equal(b.len, 3);
		assert_string_equal(buf_str(&b), "");
		buf_reset(&b);
		assert_false(b.failed);
		assert_int_equal(b.len, 0);
	}
	buf_free(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_appending),
		cmocka_unit_test(test_growing),
		cmocka_unit_test(test_printing_to_the_brim),
		cmocka_unit_test(test_room),
		cmocka_unit_test(test_dropping),
		cmocka_unit_test(test_failure_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
