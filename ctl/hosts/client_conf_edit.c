#include "hosts/client_conf_edit.h"

#include "text.h"

#include <ctype.h>
#include <string.h>

#define SAFE                         \
	"abcdefghijklmnopqrstuvwxyz" \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZ" \
	"0123456789.:%_-"

/* A part of the text, from the offset `start` up to the offset `end`. */
struct span {
	size_t start, end;
};

enum token { TOKEN_END, TOKEN_WORD, TOKEN_STRING, TOKEN_SIGN };

static size_t
skip_until(const struct buf *t, size_t at, const char *end)
{
	size_t len = strlen(end);

	for (; at + len <= t->len; at++)
		if (memcmp(t->data + at, end, len) == 0)
			return at + len;
	return t->len;
}

static bool
starts(const struct buf *t, size_t at, const char *s)
{
	return t->len - at >= strlen(s) &&
	       memcmp(t->data + at, s, strlen(s)) == 0;
}

/* Return the offset of the next token after blanks and comments. */
static size_t
skip_blank(const struct buf *t, size_t at)
{
	while (at < t->len) {
		if (isspace((unsigned char)t->data[at]))
			at++;
		else if (t->data[at] == '#' || starts(t, at, "//"))
			at = skip_until(t, at, "\n");
		else if (starts(t, at, "/*"))
			at = skip_until(t, at + 2, "*/");
		else
			break;
	}
	return at;
}

/* Find the first token at or after the offset `at`. */
static enum token
next_token(const struct buf *t, size_t at, struct span *token)
{
	static const char signs[] = "{}()[]=:;,";
	size_t i = skip_blank(t, at);

	token->start = token->end = i;
	if (i == t->len)
		return TOKEN_END;
	if (t->data[i] == '"') {
		for (i++; i < t->len && t->data[i] != '"'; i++)
			if (t->data[i] == '\\' && i + 1 < t->len)
				i++;
		token->end = i < t->len ? i + 1 : i;
		return TOKEN_STRING;
	}
	if (memchr(signs, t->data[i], sizeof(signs) - 1) != NULL) {
		token->end = i + 1;
		return TOKEN_SIGN;
	}
	while (i < t->len && !isspace((unsigned char)t->data[i]) &&
		t->data[i] != '"' && t->data[i] != '#' &&
		memchr(signs, t->data[i], sizeof(signs) - 1) == NULL)
		i++;
	token->end = i;
	return TOKEN_WORD;
}

static bool
is_sign(const struct buf *t, enum token kind, const struct span *token,
	const char *signs)
{
	return kind == TOKEN_SIGN &&
	       strchr(signs, t->data[token->start]) != NULL;
}

/*
 * Find the value whose first token is at or after the offset `at`. If this
 * token is an opening bracket, the value ends at the matching bracket.
 * Otherwise the value is this token.
 */
static bool
read_value(const struct buf *t, size_t at, struct span *value)
{
	enum token kind = next_token(t, at, value);
	struct span token = *value;
	size_t depth = 0;

	for (; kind != TOKEN_END; kind = next_token(t, token.end, &token)) {
		if (is_sign(t, kind, &token, "{(["))
			depth++;
		else if (is_sign(t, kind, &token, "})]") && depth-- <= 1)
			break;
		else if (depth == 0)
			break;
	}
	value->end = token.end;
	return kind != TOKEN_END;
}

static bool
is_text(const struct buf *t, const struct span *s, const char *text)
{
	return s->end - s->start == strlen(text) &&
	       memcmp(t->data + s->start, text, strlen(text)) == 0;
}

/*
 * Find the value of a key in a group of settings. The content of the group
 * begins at `at`. Return false if the group does not have this key.
 */
static bool
find_member(const struct buf *t, size_t at, const char *key, struct span *value)
{
	struct span name, sign;
	enum token kind;

	while ((kind = next_token(t, at, &name)) != TOKEN_END &&
		!is_sign(t, kind, &name, "}")) {
		at = name.end;
		if (kind != TOKEN_WORD ||
			!is_sign(t, next_token(t, at, &sign), &sign, "=:"))
			continue;
		if (!read_value(t, sign.end, value))
			return false;
		if (is_text(t, &name, key))
			return true;
		at = value->end;
	}
	return false;
}

/*
 * Find the next element of a list, from the offset *at. Set *at to the end of
 * this element. Return false at the end of the list.
 */
static bool
next_element(const struct buf *t, size_t *at, struct span *element)
{
	enum token kind;

	while (is_sign(t, kind = next_token(t, *at, element), element, ","))
		*at = element->end;
	if (kind == TOKEN_END || is_sign(t, kind, element, ")]") ||
		!read_value(t, *at, element))
		return false;
	*at = element->end;
	return true;
}

static void
insert(struct buf *t, size_t at, const struct buf *piece)
{
	struct buf rest = { 0 };

	buf_add(&rest, t->data + at, t->len - at);
	t->len = at;
	buf_add(t, piece->data, piece->len);
	buf_add(t, rest.data, rest.len);
	t->failed |= rest.failed || piece->failed;
	buf_free(&rest);
}

static void
insert_text(struct buf *t, size_t at, const char *piece)
{
	struct buf b = { 0 };

	buf_adds(&b, piece);
	insert(t, at, &b);
	buf_free(&b);
}

/*
 * Insert the lines before the closing bracket of a list of groups. If the list
 * is not empty, first insert a comma after its last element.
 */
static void
insert_lines(struct buf *t, const struct span *list, const struct buf *lines)
{
	size_t at = list->start + 1, end = list->end - 1, last = 0, line = end;
	struct span element;

	while (next_element(t, &at, &element))
		last = element.end;
	while (line > last && line > list->start + 1 &&
		isblank((unsigned char)t->data[line - 1]))
		line--;
	if (t->data[line - 1] == '\n') {
		insert(t, line, lines);
	} else {
		insert(t, end, lines);
		insert_text(t, end, "\n");
	}
	if (last > 0)
		insert_text(t, last, ",");
}

static void
add_host_line(struct buf *lines, const struct conf_addition *a)
{
	if (lines->len > 0)
		buf_adds(lines, ",\n");
	buf_addf(lines, "\t{ name = \"%s\";", a->name);
	if (a->address != NULL)
		buf_addf(lines, " address = \"%s\";", a->address);
	if (a->port != 0)
		buf_addf(lines, " port = %u;", a->port);
	buf_adds(lines, " }");
}

/*
 * Append a new setting to the end of the text. Its value is a list of these
 * lines.
 */
static void
append_list(struct buf *t, const char *key, const struct buf *lines)
{
	if (t->len > 0 && t->data[t->len - 1] != '\n')
		buf_addc(t, '\n');
	buf_addf(t, "%s = (\n", key);
	buf_add(t, lines->data, lines->len);
	buf_adds(t, ");\n");
}

/* Add lines to the list of groups with this key. */
static int
add_lines(struct buf *t, const char *key, struct buf *lines, struct buf *error)
{
	struct span list;

	if (lines->len == 0)
		return 0;
	buf_addc(lines, '\n');
	if (!find_member(t, 0, key, &list)) {
		append_list(t, key, lines);
	} else if (t->data[list.start] == '(') {
		insert_lines(t, &list, lines);
	} else {
		buf_addf(error, "the setting %s is no list", key);
		return -1;
	}
	return 0;
}

static int
add_hosts(struct buf *t, const struct conf_addition *v, size_t n,
	struct buf *error)
{
	struct buf lines = { 0 };
	int result;
	size_t i;

	for (i = 0; i < n; i++)
		if (!v[i].known)
			add_host_line(&lines, &v[i]);
	result = add_lines(t, "hosts", &lines, error);
	buf_free(&lines);
	return result;
}

/* Find the value of `hosts` in the group with this name. */
static bool
find_group(const struct buf *t, const char *group, struct span *hosts)
{
	struct span list, element, name;
	struct buf quoted = { 0 };
	bool found = false;
	size_t at;

	if (!find_member(t, 0, "groups", &list))
		return false;
	buf_addf(&quoted, "\"%s\"", group);
	for (at = list.start + 1; !found && next_element(t, &at, &element);)
		found = t->data[element.start] == '{' &&
			find_member(t, element.start + 1, "name", &name) &&
			is_text(t, &name, buf_str(&quoted)) &&
			find_member(t, element.start + 1, "hosts", hosts);
	buf_free(&quoted);
	return found;
}

/*
 * Append the names of the new members, with `comma` between two names. If
 * `first` is false, put `comma` before the first name too.
 */
static void
join_names(struct buf *out, const struct conf_addition *v, size_t n,
	const char *quote, const char *comma, bool first)
{
	size_t i;

	for (i = 0; i < n; i++) {
		if (v[i].member)
			continue;
		buf_addf(out, "%s%s%s%s", first ? "" : comma, quote, v[i].name,
			quote);
		first = false;
	}
}

static void
extend_group(struct buf *t, const struct span *hosts,
	const struct conf_addition *v, size_t n)
{
	bool text = t->data[hosts->start] == '"';
	size_t at = hosts->start + 1, last = 0;
	struct span element;
	struct buf names = { 0 };

	if (text) {
		last = hosts->end - 1 > at ? hosts->end - 1 : 0;
		at = hosts->end - 1;
	} else {
		while (next_element(t, &at, &element))
			last = element.end;
		at = last > 0 ? last : hosts->start + 1;
	}
	join_names(
		&names, v, n, text ? "" : "\"", text ? "," : ", ", last == 0);
	insert(t, at, &names);
	buf_free(&names);
}

static int
add_members(struct buf *t, const struct conf_addition *v, size_t n,
	const char *group, struct buf *error)
{
	struct buf names = { 0 }, line = { 0 };
	struct span hosts;
	int result = 0;

	join_names(&names, v, n, "\"", ", ", true);
	if (names.len > 0 && find_group(t, group, &hosts)) {
		extend_group(t, &hosts, v, n);
	} else if (names.len > 0) {
		buf_addf(&line, "\t{ name = \"%s\"; hosts = (%s); }", group,
			buf_str(&names));
		result = add_lines(t, "groups", &line, error);
	}
	buf_free(&names);
	buf_free(&line);
	return result;
}

static bool
is_safe(const char *s)
{
	return *s != '\0' && s[strspn(s, SAFE)] == '\0';
}

int
client_conf_edit_add(struct buf *text, const struct conf_addition *v, size_t n,
	const char *group, struct buf *error)
{
	size_t i;

	for (i = 0; i < n; i++)
		if (!is_safe(v[i].name) ||
			(v[i].address != NULL && !is_safe(v[i].address))) {
			buf_adds(error, "a name or an address has bytes that "
					"bridlectl.conf must not have");
			return -1;
		}
	if (add_hosts(text, v, n, error) != 0 ||
		(group != NULL && add_members(text, v, n, group, error) != 0))
		return -1;
	if (!text->failed)
		return 0;
	buf_adds(error, "out of memory");
	return -1;
}
