#include "hosts/hostlist.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
/* maximum number of digits; a longer number counts as text */
#define DIGITS_MAX 18
/*
 * maximum number of numbers that are folded in a name; an IPv4 address and a
 * port have 5 numbers
 */
#define NUMBERS_MAX 5

/*
 * An item stands for one name at first, and for several names after folding. In
 * the text of an item, OPEN and CLOSE enclose each number or list of ranges.
 * Each pass folds items that differ in one number only.
 */
#define OPEN '\1'
#define CLOSE '\2'
static const char marks[] = { OPEN, CLOSE, '\0' };

struct item {
	char *text;
	size_t first; /* index of the item's first name in the list */
	/* true if the item is never folded; then the text has no marks */
	bool verbatim;

	/*
	 * The number that this pass joins into a range. Example: the numbers 1
	 * and 2 of web1 and web2 become the range of web[1-2]. If the item has
	 * no such number, `end` is 0.
	 */
	size_t begin, end; /* offsets of the number's digits in `text` */
	uint64_t value;
	/*
	 * number of digits of a number with leading zeros; 0: no leading zeros
	 */
	unsigned width;
};

/* Compare two items. Ignore the values of the numbers that this pass folds. */
static int
compare_rest(const struct item *a, const struct item *b)
{
	int order = (a->end > 0) - (b->end > 0);

	/*
	 * Keep verbatim texts apart, because such a text can look like a text
	 * with marks.
	 */
	if (order == 0)
		order = a->verbatim - b->verbatim;
	if (order != 0 || a->end == 0)
		return order ? order : strcmp(a->text, b->text);
	if (a->begin != b->begin)
		return a->begin < b->begin ? -1 : 1;
	order = memcmp(a->text, b->text, a->begin);
	return order ? order : strcmp(a->text + a->end, b->text + b->end);
}

static int
by_rest(const void *va, const void *vb)
{
	const struct item *a = va, *b = vb;
	int order = compare_rest(a, b);

	return order ? order : (a->first > b->first) - (a->first < b->first);
}

static int
by_number(const void *va, const void *vb)
{
	const struct item *a = va, *b = vb;

	if (a->width != b->width)
		return a->width < b->width ? -1 : 1;
	return (a->value > b->value) - (a->value < b->value);
}

static int
by_first(const void *va, const void *vb)
{
	const struct item *a = va, *b = vb;

	return (a->first > b->first) - (a->first < b->first);
}

/*
 * Return the length of the name up to and including its last "]". Return 0 if
 * the name has no "]".
 */
static size_t
address_end(const char *name)
{
	const char *end = strrchr(name, ']');

	return end ? (size_t)(end + 1 - name) : 0;
}

/*
 * True if the name has no marks and no comma, and if all its brackets enclose
 * an address.
 */
static bool
can_fold(const char *name)
{
	const char *begin = strchr(name, '['), *end = strchr(name, ']');

	if (strpbrk(name, marks) != NULL || strchr(name, ',') != NULL)
		return false;
	if (begin == NULL && end == NULL)
		return true;
	return begin && end > begin && strchr(begin + 1, '[') == NULL &&
	       strchr(end + 1, ']') == NULL &&
	       memchr(begin, ':', (size_t)(end - begin)) != NULL;
}

static size_t
count_numbers(const char *s)
{
	size_t n = 0;

	while (*(s += strcspn(s, DIGITS)) != '\0') {
		n += strspn(s, DIGITS) <= DIGITS_MAX;
		s += strspn(s, DIGITS);
	}
	return n;
}

/*
 * Return a copy of the name with marks around its last NUMBERS_MAX numbers.
 * Return NULL if memory cannot be allocated. The caller frees the copy.
 */
static char *
mark_numbers(const char *name, struct buf *out)
{
	size_t len = address_end(name), n = count_numbers(name + len);

	buf_reset(out);
	buf_add(out, name, len);
	for (name += len; *name != '\0'; name += len) {
		len = strcspn(name, DIGITS);
		buf_add(out, name, len);
		name += len;
		len = strspn(name, DIGITS);
		if (len > 0 && len <= DIGITS_MAX && n-- <= NUMBERS_MAX) {
			buf_addc(out, OPEN);
			buf_add(out, name, len);
			buf_addc(out, CLOSE);
		} else {
			buf_add(out, name, len);
		}
	}
	buf_str(out);
	return out->failed ? NULL : strdup(out->data);
}

static bool
make_items(struct item *items, const char *const *names, size_t n)
{
	struct buf scratch = { 0 };
	bool good = true;
	size_t i;

	for (i = 0; good && i < n; i++) {
		items[i].first = i;
		items[i].verbatim = !can_fold(names[i]);
		items[i].text = items[i].verbatim
					? strdup(names[i])
					: mark_numbers(names[i], &scratch);
		good = items[i].text != NULL;
	}
	buf_free(&scratch);
	return good;
}

/*
 * Find the number of the item that a pass folds. Pass 0 folds the last number
 * of each name. Each later pass folds the number before the number of the
 * earlier pass.
 */
static void
find_number(struct item *it, unsigned pass)
{
	const char *s = it->text + strlen(it->text);

	it->begin = it->end = 0;
	it->width = 0;
	if (it->verbatim)
		return;
	for (pass++; s > it->text; s--) {
		if (s[-1] != OPEN || --pass > 0)
			continue;
		it->begin = (size_t)(s - it->text);
		it->end = it->begin + strspn(s, DIGITS);
		it->value = strtoull(s, NULL, 10);
		if (*s == '0' && it->end - it->begin > 1)
			it->width = (unsigned)(it->end - it->begin);
		return;
	}
}

/*
 * Sort a group of items by number. If "09" is in the group, "10" also counts as
 * a number with leading zeros, because both numbers have two digits.
 */
static void
order_group(struct item *group, size_t n)
{
	uint32_t padded = 0;
	size_t i, digits;

	for (i = 0; i < n; i++)
		padded |= 1U << group[i].width;
	for (i = 0; i < n; i++) {
		digits = group[i].end - group[i].begin;
		if (group[i].width == 0 && digits > 1 && padded & 1U << digits)
			group[i].width = (unsigned)digits;
	}
	qsort(group, n, sizeof(*group), by_number);
}

static bool
follows(const struct item *a, const struct item *b)
{
	return a->width == b->width && b->value - a->value <= 1;
}

/* Append the numbers of a group as ranges, such as "01-03,07". */
static void
add_ranges(struct buf *out, const struct item *group, size_t n)
{
	const struct item *first, *last, *end = group + n;

	for (first = group; first < end; first = last + 1) {
		for (last = first; last + 1 < end && follows(last, last + 1);)
			last++;
		buf_addf(out, "%s%.*s", first == group ? "" : ",",
			(int)(first->end - first->begin),
			first->text + first->begin);
		if (last->value != first->value)
			buf_addf(out, "-%.*s", (int)(last->end - last->begin),
				last->text + last->begin);
	}
}

/*
 * Join all items of a group into one text, and return the text. Return NULL if
 * memory cannot be allocated. The caller frees the text.
 */
static char *
join_group(struct item *group, size_t n)
{
	struct buf text = { 0 };

	order_group(group, n);
	buf_add(&text, group[0].text, group[0].begin);
	add_ranges(&text, group, n);
	buf_adds(&text, group[0].text + group[0].end);
	buf_str(&text);
	if (text.failed)
		buf_free(&text);
	return text.data;
}

/*
 * Set *out to one item that stands for the whole group, and free the texts that
 * *out does not use. Return false if memory cannot be allocated.
 */
static bool
fold_group(struct item *group, size_t n, struct item *out)
{
	/*
	 * The first item of the group has the first name, because by_rest() has
	 * sorted the items.
	 */
	struct item folded = group[0];
	bool differ = n > 1 && folded.end > 0;
	size_t i;

	if (differ && (folded.text = join_group(group, n)) == NULL)
		return false;
	for (i = differ ? 0 : 1; i < n; i++)
		free(group[i].text);
	*out = folded;
	return true;
}

static void
free_items(struct item *items, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		free(items[i].text);
}

/*
 * Run one pass over the items, and set *n to the number of remaining items.
 * Return false if memory cannot be allocated.
 */
static bool
fold_number(struct item *items, size_t *n, unsigned pass)
{
	size_t i, len, kept = 0;
	bool good = true;

	for (i = 0; i < *n; i++)
		find_number(&items[i], pass);
	qsort(items, *n, sizeof(*items), by_rest);
	for (i = 0; i < *n; i += len) {
		for (len = 1; i + len < *n; len++)
			if (compare_rest(&items[i], &items[i + len]) != 0)
				break;
		good = fold_group(&items[i], len, &items[kept]);
		if (!good)
			break;
		kept++;
	}
	free_items(items + i, *n - i);
	*n = kept;
	return good;
}

/*
 * Append the text of an item. Replace marks around ranges by brackets, and omit
 * marks around a single number.
 */
static void
add_item(struct buf *out, const struct item *it)
{
	const char *s = it->text;
	size_t len;
	bool many;

	if (it->verbatim) {
		buf_adds(out, s);
		return;
	}
	for (; *s != '\0'; s += len) {
		len = strcspn(s, marks);
		buf_add(out, s, len);
		s += len;
		if (*s != OPEN)
			break;
		len = strcspn(++s, marks);
		many = strspn(s, DIGITS) < len;
		buf_addf(out, many ? "[%.*s]" : "%.*s", (int)len, s);
		len++;
	}
}

static char *
join(const struct item *items, size_t n)
{
	struct buf out = { 0 };
	size_t i;

	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_addc(&out, ',');
		add_item(&out, &items[i]);
	}
	buf_addc(&out, '\0');
	if (out.failed)
		buf_free(&out);
	return out.data;
}

char *
hostlist_fold(const char *const *names, size_t n)
{
	struct item *items = calloc(n + 1, sizeof(*items));
	char *text = NULL;
	unsigned pass = 0;
	bool good;

	if (items == NULL)
		return NULL;
	good = make_items(items, names, n);
	for (; good && pass < NUMBERS_MAX; pass++)
		good = fold_number(items, &n, pass);
	if (good) {
		qsort(items, n, sizeof(*items), by_first);
		text = join(items, n);
	}
	free_items(items, n);
	free(items);
	return text;
}
