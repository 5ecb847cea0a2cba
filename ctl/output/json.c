#include "output/json.h"

#include "text.h"
#include "verbs.h"
#include "wire.h"

#include <stdio.h>
#include <string.h>

/* maximum number of digits; each such number fits into 64 bits */
#define INTEGER_DIGITS_MAX 18

/*
 * Append a character as \uXXXX, or as a surrogate pair if the character is
 * above U+FFFF.
 */
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

/*
 * Append the value as a number if the column is numeric and the value is an
 * integer. Otherwise append the value as a string. Return false if the value is
 * a string that is not UTF-8.
 */
static bool
add_value(struct buf *out, const char *name, const char *value, size_t len)
{
	if (!verb_column_is_number(name) || !json_is_integer(value))
		return json_string(out, value, len);
	buf_add(out, value, len);
	return true;
}

static void
add_cell(struct buf *out, const struct table *t, size_t row, size_t column,
	struct buf *scratch)
{
	const char *name = t->columns[column], *value, *wire;
	size_t len;

	add_key(out, name);
	value = table_text(t, row, column, scratch);
	if (add_value(out, name, value, scratch->len))
		return;
	/*
	 * Append the encoded cell too, because the string cannot hold all bytes
	 * of the cell.
	 */
	wire = table_cell(t, row, column, &len);
	buf_addf(out, ",\"%s_encoded\":", name);
	json_string(out, wire, len);
}

/*
 * Append the output of a command as a string. If the output is not UTF-8, also
 * append the exact bytes in the encoding of the protocol.
 */
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
add_records(struct buf *out, const struct view *v)
{
	struct buf scratch = { 0 };
	size_t i, j;

	buf_adds(out, ",\"records\":[");
	for (i = 0; v != NULL && i < v->nrows; i++) {
		buf_adds(out, i ? ",{" : "{");
		for (j = 0; j < v->ncolumns; j++) {
			if (j > 0)
				buf_addc(out, ',');
			add_cell(out, v->table, v->rows[i], v->columns[j],
				&scratch);
		}
		buf_addc(out, '}');
	}
	buf_addc(out, ']');
	buf_free(&scratch);
}

/*
 * True if bridlectl itself writes a member with this key. A pair of a host must
 * not have this key, because the host could fake another host or a status.
 */
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

static void
add_host(struct buf *out, const char *host)
{
	buf_adds(out, "{\"host\":");
	json_string(out, host, strlen(host));
}

void
json_reply(struct buf *out, const char *host, const struct reply *r,
	const struct view *v, const char *problem, const char *result)
{
	const char *text = problem ? problem : r->said;

	add_host(out, host);
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
	add_records(out, v);
	buf_adds(out, "}\n");
}

void
json_record(
	struct buf *out, const char *host, const struct table *t, size_t row)
{
	struct buf scratch = { 0 };
	size_t i;

	add_host(out, host);
	for (i = 0; i < t->ncolumns; i++) {
		if (strcmp(t->columns[i], "host") == 0)
			continue;
		buf_addc(out, ',');
		add_cell(out, t, row, i, &scratch);
	}
	buf_adds(out, "}\n");
	buf_free(&scratch);
}
