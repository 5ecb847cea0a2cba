#include "hosts/hostlist.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DIGITS "0123456789"
/* maximum number of digits; such numbers fit into 64 bits */
#define DIGITS_MAX 18
#define BRACKETS_MAX 16

struct range {
	uint64_t first, last, step;
	/*
	 * number of digits, if numbers get leading zeros; 0: no leading zeros
	 */
	int width;
};

/*
 * A text, and the ranges in the brackets that follow the text. The last part of
 * a pattern has no brackets.
 */
struct part {
	const char *text;
	size_t len;
	size_t first_range, nranges;
};

struct pattern {
	const char *whole;
	struct part parts[BRACKETS_MAX + 1];
	size_t nparts;
	struct range *ranges;
	size_t nranges;
	size_t count;
	struct buf *error;
};

size_t
hostlist_span(const char *list)
{
	const char *s;
	bool within = false;

	for (s = list; *s != '\0' && (within || *s != ','); s++) {
		if (*s == '[')
			within = true;
		else if (*s == ']')
			within = false;
	}
	return (size_t)(s - list);
}

static int
refuse(struct pattern *p, const char *why)
{
	buf_addf(p->error, "'%s': %s", p->whole, why);
	return -1;
}

static int
refuse_range(struct pattern *p, const char *s, size_t len)
{
	buf_addf(p->error,
		"'%s': '%.*s' is no range of numbers; use [1-9], [01-32,40] "
		"or [0-10/2]",
		p->whole, (int)len, s);
	return -1;
}

static int
refuse_many(struct pattern *p)
{
	buf_addf(p->error, "'%s' stands for more than %d hosts", p->whole,
		HOSTLIST_MAX);
	return -1;
}

/*
 * Read a number into *value and move *s to the end of the number. Return the
 * number of digits. Return 0 if there is no number, or if the number has more
 * than DIGITS_MAX digits.
 */
static size_t
take_number(const char **s, uint64_t *value)
{
	size_t digits = strspn(*s, DIGITS);

	if (digits == 0 || digits > DIGITS_MAX)
		return 0;
	*value = strtoull(*s, NULL, 10);
	*s += digits;
	return digits;
}

/*
 * Add a range such as "7", "01-32" or "0-10/2", which must end at `end`.
 * Returns 0, or -1 with a sentence in p->error.
 */
static int
parse_range(struct pattern *p, const char *s, const char *end)
{
	const char *begin = s, *last;
	struct range r = { .step = 1 };
	size_t digits = take_number(&s, &r.first), more = digits;

	if (digits == 0)
		return refuse_range(p, begin, (size_t)(end - begin));
	if (*begin == '0' && digits > 1)
		r.width = (int)digits;
	r.last = r.first;
	if (*s == '-') {
		last = ++s;
		more = take_number(&s, &r.last);
		/*
		 * Refuse a range such as [1-010], because the user may mean
		 * [001-010].
		 */
		if (more > 1 && *last == '0' && more != digits)
			return refuse(p,
				"both numbers of a range need the same number "
				"of digits");
		if (*s == '/' && more > 0) {
			s++;
			more = take_number(&s, &r.step);
		}
	}
	if (more == 0 || s != end || r.step == 0)
		return refuse_range(p, begin, (size_t)(end - begin));
	if (r.last < r.first)
		return refuse(p, "a range must begin with the smaller number");
	p->ranges[p->nranges++] = r;
	return 0;
}

/* Parse the ranges between two brackets. `end` is the closing bracket. */
static int
parse_bracket(struct pattern *p, const char *s, const char *end)
{
	struct part *part = &p->parts[p->nparts];
	const char *comma;

	part->first_range = p->nranges;
	for (;; s = comma + 1) {
		comma = s + strcspn(s, ",]");
		if (parse_range(p, s, comma) != 0)
			return -1;
		if (comma == end)
			break;
	}
	part->nranges = p->nranges - part->first_range;
	return 0;
}

/*
 * Return the first bracket in s that does not enclose an IPv6 address. If s has
 * no such bracket, return the end of s.
 */
static const char *
find_bracket(const char *s)
{
	size_t len;

	while (*(s += strcspn(s, "[]")) == '[') {
		len = strcspn(s + 1, "[]");
		if (s[len + 1] != ']' || memchr(s + 1, ':', len) == NULL)
			break;
		s += len + 2;
	}
	return s;
}

static int
parse_parts(struct pattern *p)
{
	const char *s = p->whole, *end;
	struct part *part;

	for (;; s = end + 1) {
		part = &p->parts[p->nparts];
		part->text = s;
		s = find_bracket(s);
		part->len = (size_t)(s - part->text);
		if (*s == '\0')
			break;
		end = s + 1 + strcspn(s + 1, "[]");
		if (*s == ']' || *end != ']')
			return refuse(p, "a bracket has no matching bracket");
		if (p->nparts == BRACKETS_MAX)
			return refuse(p, "the name has too many brackets");
		if (parse_bracket(p, s + 1, end) != 0)
			return -1;
		p->nparts++;
	}
	p->nparts++;
	return 0;
}

static int
count_names(struct pattern *p)
{
	const struct range *r;
	uint64_t n;
	size_t i, j;

	p->count = 1;
	for (i = 0; i + 1 < p->nparts; i++) {
		n = 0;
		for (j = 0; j < p->parts[i].nranges; j++) {
			r = &p->ranges[p->parts[i].first_range + j];
			n += (r->last - r->first) / r->step + 1;
			if (n > HOSTLIST_MAX)
				return refuse_many(p);
		}
		if (n * p->count > HOSTLIST_MAX)
			return refuse_many(p);
		p->count *= n;
	}
	return 0;
}

/*
 * Parse a pattern. Returns 0, or -1 with a sentence appended to error. The
 * caller frees p->ranges in both cases.
 */
static int
parse(struct pattern *p, const char *text, struct buf *error)
{
	size_t most = 1;
	const char *s;

	memset(p, 0, sizeof(*p));
	p->whole = text;
	p->error = error;
	for (s = text; *s != '\0'; s++)
		most += *s == ',' || *s == '[';
	if ((p->ranges = calloc(most, sizeof(*p->ranges))) == NULL) {
		buf_adds(error, "out of memory");
		return -1;
	}
	return parse_parts(p) != 0 ? -1 : count_names(p);
}

int
hostlist_count(const char *pattern, size_t *count, struct buf *error)
{
	struct pattern p;
	int result = parse(&p, pattern, error);

	*count = p.count;
	free(p.ranges);
	return result;
}

int
hostlist_words(const char *list, int (*each)(void *arg, const char *word),
	void *arg, struct buf *error)
{
	size_t len;
	char *word;
	int result;

	for (;; list += len + 1) {
		len = hostlist_span(list);
		if ((word = strndup(list, len)) == NULL) {
			buf_adds(error, "out of memory");
			return -1;
		}
		result = each(arg, word);
		free(word);
		if (result != 0 || list[len] == '\0')
			return result;
	}
}

static int
check_word(void *error, const char *word)
{
	size_t count;

	return hostlist_count(word, &count, error);
}

int
hostlist_check(const char *list, struct buf *error)
{
	return hostlist_words(list, check_word, error, error);
}

struct expansion {
	const struct pattern *pattern;
	struct buf name;
	int (*each)(void *arg, const char *name);
	void *arg;
};

static int
expand_part(struct expansion *e, size_t i)
{
	const struct part *part = &e->pattern->parts[i];
	const struct range *r = &e->pattern->ranges[part->first_range];
	const struct range *end = r + part->nranges;
	size_t len = e->name.len;
	int result = 0;
	uint64_t v;

	if (i + 1 == e->pattern->nparts) {
		buf_add(&e->name, part->text, part->len);
		result = e->each(e->arg, buf_str(&e->name));
		e->name.len = len;
		return result;
	}
	for (; r < end; r++) {
		for (v = r->first; result == 0 && v <= r->last; v += r->step) {
			buf_add(&e->name, part->text, part->len);
			buf_addf(&e->name, "%0*llu", r->width,
				(unsigned long long)v);
			result = expand_part(e, i + 1);
			e->name.len = len;
		}
	}
	return result;
}

int
hostlist_expand(const char *pattern, int (*each)(void *arg, const char *name),
	void *arg, struct buf *error)
{
	struct pattern p;
	struct expansion e = { &p, { 0 }, each, arg };
	int result = parse(&p, pattern, error);

	if (result == 0)
		result = expand_part(&e, 0);
	buf_free(&e.name);
	free(p.ranges);
	return result;
}
