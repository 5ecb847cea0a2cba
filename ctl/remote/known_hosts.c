#include "remote/known_hosts.h"

#include "hosts/target.h"

#include <stdbool.h>
#include <string.h>

/* The parts of one line of known_hosts. */
struct line {
	const char *start;
	size_t len;       /* length of the line without its LF */
	const char *host; /* the host; NULL if the line is empty or a comment */
	size_t host_len;
	const char *key; /* the text after the host and the blanks */
	size_t key_len;  /* length of `key` without blanks at the end */
};

static bool
is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static void
split(struct line *l)
{
	const char *s = l->start, *end = s + l->len;

	while (end > s && is_blank(end[-1]))
		end--;
	while (s < end && is_blank(*s))
		s++;
	l->host = s < end && *s != '#' ? s : NULL;
	while (s < end && !is_blank(*s))
		s++;
	l->host_len = l->host ? (size_t)(s - l->host) : 0;
	while (s < end && is_blank(*s))
		s++;
	l->key = s;
	l->key_len = (size_t)(end - s);
}

/*
 * Split the line that begins at *at into its parts *l, and move *at to the next
 * line. Return false at the end of the text.
 */
static bool
next_line(const char **at, const char *end, struct line *l)
{
	const char *lf;

	if (*at == end)
		return false;
	lf = memchr(*at, '\n', (size_t)(end - *at));
	l->start = *at;
	l->len = (size_t)((lf ? lf : end) - *at);
	split(l);
	*at = lf ? lf + 1 : end;
	return true;
}

static bool
same(const char *s, size_t len, const char *other)
{
	return strlen(other) == len && memcmp(s, other, len) == 0;
}

/*
 * True if the line's host has the form of target_address(). known_hosts_find()
 * finds only hosts in this form. If the form is wrong, append a sentence to
 * problem.
 */
static bool
check_host(const struct line *l, struct buf *problem)
{
	struct buf text = { 0 }, wanted = { 0 };
	struct target t;
	bool good = false;

	buf_add(&text, l->host, l->host_len);
	if (memchr(l->host, '\0', l->host_len) != NULL) {
		buf_adds(problem, "the line has a NUL byte");
	} else if (target_parse(buf_str(&text), &t, problem) != 0) {
		/*
		 * Append nothing, because target_parse() has already appended
		 * the reason to problem.
		 */
	} else if (t.kind != TARGET_TLS) {
		buf_addf(problem, "'%s' does not use TLS", buf_str(&text));
	} else {
		target_address(&t, &wanted);
		good = same(l->host, l->host_len, buf_str(&wanted));
		if (!good)
			buf_addf(problem, "'%s' must be written as %s",
				buf_str(&text), buf_str(&wanted));
	}
	buf_free(&text);
	buf_free(&wanted);
	return good;
}

static bool
check_key(const struct line *l, char fingerprint[TLS_FINGERPRINT_SIZE],
	struct buf *problem)
{
	if (l->key_len == TLS_FINGERPRINT_SIZE - 1) {
		memcpy(fingerprint, l->key, l->key_len);
		fingerprint[l->key_len] = '\0';
		if (tls_fingerprint_valid(fingerprint))
			return true;
	}
	buf_adds(problem,
		"after the host, the line must have a fingerprint and nothing "
		"else: \"SHA256:\" and 43 characters of base64");
	return false;
}

/*
 * If the line is for this host, update `found`. The line must be valid. `has`
 * is the key in the line, and `wanted` is the key that the host has shown.
 */
static void
match_line(const struct line *l, size_t number, const char *host,
	const char *has, const char *wanted, struct known_found *found)
{
	if (!same(l->host, l->host_len, host) || found->known == KNOWN_SAME)
		return;
	if (strcmp(has, wanted) == 0) {
		found->known = KNOWN_SAME;
	} else if (found->known == KNOWN_NOT) {
		found->known = KNOWN_OTHER;
		found->line = number;
		memcpy(found->fingerprint, has, TLS_FINGERPRINT_SIZE);
	}
}

int
known_hosts_find(const char *text, size_t len, const char *file,
	const char *host, const char *fingerprint, struct known_found *found,
	struct buf *problem)
{
	const char *at = text, *end = text + len;
	char has[TLS_FINGERPRINT_SIZE];
	struct buf why = { 0 };
	struct line l;
	size_t number = 1;

	memset(found, 0, sizeof(*found));
	for (; next_line(&at, end, &l); number++) {
		if (l.host == NULL)
			continue;
		if (!check_host(&l, &why) || !check_key(&l, has, &why)) {
			buf_addf(problem, "%s:%zu: %s", file, number,
				buf_str(&why));
			buf_free(&why);
			return -1;
		}
		match_line(&l, number, host, has, fingerprint, found);
	}
	return 0;
}

void
known_hosts_replace(const char *text, size_t len, const char *host,
	const char *fingerprint, struct buf *out)
{
	const char *at = text, *end = text + len;
	bool written = false;
	struct line l;

	while (next_line(&at, end, &l)) {
		if (l.host == NULL || !same(l.host, l.host_len, host)) {
			buf_add(out, l.start, l.len);
			buf_addc(out, '\n');
		} else if (!written) {
			buf_addf(out, "%s %s\n", host, fingerprint);
			written = true;
		}
	}
	if (!written)
		buf_addf(out, "%s %s\n", host, fingerprint);
}

size_t
known_hosts_remove(
	const char *text, size_t len, const char *host, struct buf *out)
{
	const char *at = text, *end = text + len;
	size_t removed = 0;
	struct line l;

	while (next_line(&at, end, &l)) {
		if (l.host != NULL && same(l.host, l.host_len, host)) {
			removed++;
			continue;
		}
		buf_add(out, l.start, l.len);
		buf_addc(out, '\n');
	}
	return removed;
}

int
known_hosts_print(const char *text, size_t len, const char *file,
	struct buf *out, struct buf *problem)
{
	const char *at = text, *end = text + len;
	char key[TLS_FINGERPRINT_SIZE];
	struct buf why = { 0 };
	struct line l;
	size_t number = 1;

	for (; next_line(&at, end, &l); number++) {
		if (l.host == NULL)
			continue;
		if (!check_host(&l, &why) || !check_key(&l, key, &why)) {
			buf_addf(problem, "%s:%zu: %s", file, number,
				buf_str(&why));
			buf_free(&why);
			return -1;
		}
		buf_add(out, l.host, l.host_len);
		buf_addf(out, " %s\n", key);
	}
	return 0;
}

void
known_hosts_list(const char *text, size_t len, struct buf *names)
{
	const char *at = text, *end = text + len;
	char key[TLS_FINGERPRINT_SIZE];
	struct buf why = { 0 };
	struct line l;

	while (next_line(&at, end, &l)) {
		if (l.host == NULL || !check_host(&l, &why) ||
			!check_key(&l, key, &why))
			continue;
		buf_add(names, l.host, l.host_len);
		buf_addc(names, '\n');
	}
	buf_free(&why);
}
