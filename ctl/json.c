#include "json.h"

#include "text.h"
#include "verbs.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

#define INTEGER_DIGITS_MAX 18 /* what fits into 64 bits anywhere */

/* \uXXXX, twice for what lies beyond the first plane */
static void
add_escape(struct buf *out, uint32_t code)
{
	if (code < 0x10000) {
		buf_addf(out, "\\u%04x", code);
		return;
	}
	code -= 0x10000;
	buf_addf(out, "\\u%04x\\u%04x", 0xd800 + (code >> 10),
		0xdc00 + (code & 0x3ff));
}

bool
json_string(struct buf *out, const char *s, size_t len)
{
	bool all = true;
	uint32_t code;
	size_t n;

	buf_addc(out, '"');
	for (; len > 0; s += n, len -= n) {
		if ((n = text_utf8(s, len, &code)) == 0) {
			buf_adds(out, "\xef\xbf\xbd");
			all = false;
			n = 1;
		} else if (code == '"' || code == '\\') {
			buf_addc(out, '\\');
			buf_addc(out, *s);
		} else if (text_unsafe(code)) {
			add_escape(out, code);
		} else {
			buf_add(out, s, n);
		}
	}
	buf_addc(out, '"');
	return all;
}

bool
json_is_integer(const char *s)
{
	size_t digits = strspn(s, "0123456789");

	return digits > 0 && digits <= INTEGER_DIGITS_MAX &&
	       s[digits] == '\0' && (s[0] != '0' || digits == 1);
}

static void
add_key(struct buf *out, const char *key)
{
	json_string(out, key, strlen(key));
	buf_addc(out, ':');
}

/* The value as a number where its name says so and it is one. */
static bool
add_value(struct buf *out, const char *name, const char *value, size_t len)
{
	if (!verb_column_is_number(name) || !json_is_integer(value))
		return json_string(out, value, len);
	buf_add(out, value, len);
	return true;
}

static void
add_cell(struct buf *out, const struct reply *r, size_t row, size_t column,
	struct buf *scratch)
{
	const char *name = r->columns[column], *value, *wire;
	size_t len;

	add_key(out, name);
	value = reply_text(r, row, column, scratch);
	if (add_value(out, name, value, scratch->len))
		return;
	/* The exact bytes, for those who need them. */
	wire = reply_cell(r, row, column, &len);
	buf_addf(out, ",\"%s_encoded\":", name);
	json_string(out, wire, len);
}

/* What a command has written; the exact bytes too, where they are not text. */
static void
add_kept(struct buf *out, const char *name, const struct buf *kept)
{
	struct buf wire = { 0 };

	buf_addf(out, ",\"%s\":", name);
	if (json_string(out, kept->data, kept->len))
		return;
	wire_encode(&wire, kept->data, kept->len);
	buf_addf(out, ",\"%s_encoded\":", name);
	json_string(out, wire.data, wire.len);
	buf_free(&wire);
}

static void
add_records(struct buf *out, const struct reply *r, const struct view *v)
{
	struct buf scratch = { 0 };
	size_t i, j;

	buf_adds(out, ",\"records\":[");
	for (i = 0; v != NULL && i < v->nrows; i++) {
		buf_adds(out, i ? ",{" : "{");
		for (j = 0; j < v->ncolumns; j++) {
			if (j > 0)
				buf_addc(out, ',');
			add_cell(out, r, v->rows[i], v->columns[j], &scratch);
		}
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
	buf_free(&scratch);
}

/* A host may not pose as another, or forge its own status. */
static bool
is_reserved(const char *key)
{
	static const char *const members[] = { "host", "status", "text",
		"result", "records", "stdout", "stderr", NULL };
	size_t i;

	for (i = 0; members[i] != NULL; i++)
		if (strcmp(members[i], key) == 0)
			return true;
	return false;
}

static void
add_pairs(struct buf *out, const struct reply *r)
{
	const struct reply_pair *p;
	size_t i;

	for (i = 0; i < r->npairs; i++) {
		p = &r->pairs[i];
		if (is_reserved(p->key))
			continue;
		buf_addc(out, ',');
		add_key(out, p->key);
		add_value(out, p->key, p->value, strlen(p->value));
	}
}

void
json_answer(struct buf *out, const char *host, const struct reply *r,
	const struct view *v, const char *problem, const char *result)
{
	const char *text = problem ? problem : r->said;

	buf_addc(out, '{');
	add_key(out, "host");
	json_string(out, host, strlen(host));
	if (problem != NULL)
		buf_adds(out, ",\"status\":null");
	else
		buf_addf(out, ",\"status\":%d", r->code);
	if (result != NULL)
		buf_addf(out, ",\"result\":\"%s\"", result);
	buf_adds(out, ",\"text\":");
	json_string(out, text, strlen(text));
	if (problem == NULL)
		add_pairs(out, r);
	if (r != NULL && r->chunked) {
		add_kept(out, "stdout", &r->kept[REPLY_OUTPUT]);
		add_kept(out, "stderr", &r->kept[REPLY_ERRORS]);
	}
	add_records(out, r, v);
	buf_adds(out, "}\n");
}

void
json_record(
	struct buf *out, const char *host, const struct reply *r, size_t row)
{
	struct buf scratch = { 0 };
	size_t i;

	buf_addc(out, '{');
	add_key(out, "host");
	json_string(out, host, strlen(host));
	for (i = 0; i < r->ncolumns; i++) {
		if (strcmp(r->columns[i], "host") == 0)
			continue;
		buf_addc(out, ',');
		add_cell(out, r, row, i, &scratch);
	}
	buf_adds(out, "}\n");
	buf_free(&scratch);
}
