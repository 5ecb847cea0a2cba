#include "config/settings_schema.h"

#include "sys/account.h"
#include "text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_NAME_MAX 64 /* maximum length of an entry's name in bytes */

static void *
key_field(const struct key *key, const void *base)
{
	return (char *)(uintptr_t)base + key->offset;
}

/* Functions for tables of keys. */

void
key_read(struct reader *r, const config_setting_t *group, const struct key *key,
	void *base)
{
	const config_setting_t *at = conf_member(group, key->name);

	r->key = key;
	if (at != NULL)
		key->kind->read(r, at, key_field(key, base));
	else if (key->missing != NULL)
		conf_error(r->conf, group, "%s", key->missing);
}

void
keys_read(struct reader *r, const config_setting_t *group,
	const struct key *keys, void *base)
{
	const char *known[KEYS_MAX + 1];
	size_t n;

	for (n = 0; n < KEYS_MAX && keys[n].name != NULL; n++)
		known[n] = keys[n].name;
	known[n] = NULL;
	if (!conf_keys(r->conf, group, known) &&
		!config_setting_is_group(group))
		return;
	for (; keys->name != NULL; keys++)
		key_read(r, group, keys, base);
}

static void
indent(struct printer *p)
{
	buf_add(&p->out, "\t\t\t\t", p->depth);
}

void
keys_print(struct printer *p, const struct key *keys, const void *base)
{
	size_t before, value;

	for (; keys->name != NULL; keys++) {
		before = p->out.len;
		indent(p);
		buf_addf(&p->out, "%s = ", keys->name);
		value = p->out.len;
		p->key = keys;
		keys->kind->print(p, key_field(keys, base));
		if (p->out.len > value)
			buf_adds(&p->out, ";\n");
		else
			p->out.len = before;
	}
}

static char *
entries_of(const struct entries *e, const void *base, size_t *n)
{
	char *items;

	memcpy(&items, (const char *)base + e->items, sizeof(items));
	memcpy(n, (const char *)base + e->count, sizeof(*n));
	return items;
}

static void
free_entries(const struct entries *e, void *base)
{
	size_t n, i;
	char *items = entries_of(e, base, &n);

	for (i = 0; i < n; i++)
		keys_free(e->keys, items + i * e->size);
	free(items);
}

void
keys_free(const struct key *keys, void *base)
{
	for (; keys->name != NULL; keys++)
		if (keys->kind == &kind_group)
			keys_free(keys->keys, base);
		else if (keys->kind == &kind_entries)
			free_entries(keys->entries, base);
		else if (keys->kind->free != NULL)
			keys->kind->free(key_field(keys, base));
}

/* Functions that print values. */

void
print_text(struct printer *p, const char *s)
{
	size_t left = strlen(s), n;
	uint32_t code;

	buf_addc(&p->out, '"');
	for (; left > 0; s += n, left -= n) {
		if ((n = text_utf8(s, left, &code)) == 0 || text_unsafe(code)) {
			buf_addf(&p->out, "\\x%02x", (unsigned char)*s);
			n = 1;
			continue;
		}
		if (*s == '"' || *s == '\\')
			buf_addc(&p->out, '\\');
		buf_add(&p->out, s, n);
	}
	buf_addc(&p->out, '"');
}

void
print_strings(struct printer *p, char *const *v, size_t n)
{
	size_t i;

	buf_addc(&p->out, '(');
	for (i = 0; i < n; i++) {
		if (i > 0)
			buf_adds(&p->out, ", ");
		print_text(p, v[i]);
	}
	buf_addc(&p->out, ')');
}

/* Functions for keys whose value is a text: kind_text and kind_path. */

static void
read_text(struct reader *r, const config_setting_t *at, void *field)
{
	char **text = field, *value;

	if (!conf_string(r->conf, at, &value))
		return;
	if (*value == '\0')
		conf_error(r->conf, at, "must not be empty");
	free(*text);
	*text = value;
}

static void
read_path(struct reader *r, const config_setting_t *at, void *field)
{
	char **path = field;

	read_text(r, at, field);
	if (*path != NULL && **path != '/' && **path != '\0')
		conf_error(r->conf, at, "must be an absolute path");
}

static void
print_text_key(struct printer *p, const void *field)
{
	char *const *text = field;

	if (*text != NULL)
		print_text(p, *text);
}

static void
free_text(void *field)
{
	char **text = field;

	free(*text);
}

const struct kind kind_text = { read_text, print_text_key, free_text };
const struct kind kind_path = { read_path, print_text_key, free_text };

/* Functions for keys whose value is a number or a flag. */

static void
read_number(struct reader *r, const config_setting_t *at, void *field)
{
	conf_number(r->conf, at, r->key->min, r->key->max, field);
}

static void
print_number(struct printer *p, const void *field)
{
	const unsigned *number = field;

	if (*number >= p->key->min)
		buf_addu(&p->out, *number);
}

const struct kind kind_number = { read_number, print_number, NULL };

static void
read_flag(struct reader *r, const config_setting_t *at, void *field)
{
	conf_bool(r->conf, at, field);
}

static void
print_flag(struct printer *p, const void *field)
{
	if (*(const bool *)field)
		buf_adds(&p->out, "true");
}

const struct kind kind_flag = { read_flag, print_flag, NULL };

/* Print a switch. Unlike a flag, a switch is printed even if it is false. */
static void
print_switch(struct printer *p, const void *field)
{
	buf_adds(&p->out, *(const bool *)field ? "true" : "false");
}

const struct kind kind_switch = { read_flag, print_switch, NULL };

/* Functions for a key whose value is a group of keys. */

static void
read_group(struct reader *r, const config_setting_t *at, void *base)
{
	keys_read(r, at, r->key->keys, base);
}

/* Print the name of a file in conf.d as a comment. */
static void
print_origin(struct printer *p, const char *file)
{
	const char *slash = strrchr(file, '/');
	const char *name = slash != NULL ? slash + 1 : file;

	indent(p);
	buf_adds(&p->out, "# conf.d/");
	text_safe(&p->out, name, strlen(name));
	buf_addc(&p->out, '\n');
}

/*
 * Print the keys of a group within braces, one key on each line. If the group
 * is from a file in conf.d, `file` is the path of this file, otherwise NULL.
 */
static void
print_block(struct printer *p, const struct key *keys, const void *base,
	const char *file)
{
	buf_adds(&p->out, "{\n");
	p->depth++;
	if (file != NULL)
		print_origin(p, file);
	keys_print(p, keys, base);
	p->depth--;
	indent(p);
	buf_addc(&p->out, '}');
}

static void
print_group(struct printer *p, const void *base)
{
	size_t before = p->out.len;

	print_block(p, p->key->keys, base, NULL);
	if (p->out.len == before + strlen("{\n}") + p->depth)
		p->out.len = before;
}

const struct kind kind_group = { read_group, print_group, NULL };

/* Functions for a key whose value is a list of groups. */

static void
read_entries(struct reader *r, const config_setting_t *list, void *base)
{
	const struct entries *e = r->key->entries;
	const config_setting_t *at;
	size_t before, n, i;
	char *items = entries_of(e, base, &before);

	if (!config_setting_is_list(list)) {
		conf_error(r->conf, list,
			"must be a list of groups: ( { … }, { … } )");
		return;
	}
	n = before + (size_t)config_setting_length(list);
	if ((items = reallocarray(items, n + 1, e->size)) == NULL) {
		conf_error(r->conf, list, "out of memory");
		return;
	}
	for (i = before; i < n; i++)
		memcpy(items + i * e->size, e->initial, e->size);
	/*
	 * Store the array before the first read, so that keys_free() frees all
	 * items after an error.
	 */
	memcpy((char *)base + e->items, &items, sizeof(items));
	memcpy((char *)base + e->count, &n, sizeof(n));
	for (i = before; i < n; i++) {
		at = config_setting_get_elem(list, (unsigned)(i - before));
		keys_read(r, at, e->keys, items + i * e->size);
		if (config_setting_is_group(at))
			e->check(r, at, i);
	}
}

/*
 * Return the path of the item's file, if this file is in conf.d, otherwise
 * NULL.
 */
static const char *
drop_in_of(const struct printer *p, const struct entries *e, const char *item)
{
	const char *file;

	if (e->file == 0)
		return NULL;
	memcpy(&file, item + e->file, sizeof(file));
	return file != p->main_file ? file : NULL;
}

static void
print_entries(struct printer *p, const void *base)
{
	const struct entries *e = p->key->entries;
	size_t n, i;
	char *items = entries_of(e, base, &n);

	buf_addc(&p->out, '(');
	for (i = 0; i < n; i++) {
		buf_adds(&p->out, i > 0 ? ", " : " ");
		print_block(p, e->keys, items + i * e->size,
			drop_in_of(p, e, items + i * e->size));
	}
	buf_adds(&p->out, n > 0 ? " )" : ")");
}

const struct kind kind_entries = { read_entries, print_entries, NULL };

int
entry_line(const struct reader *r, const config_setting_t *entry)
{
	return r->builtin ? 0 : (int)config_setting_source_line(entry);
}

void
entry_place(struct buf *out, const char *file, int line)
{
	if (line > 0)
		buf_addf(out, "%s:%d", file, line);
	else
		buf_adds(out, "built-in defaults");
}

static bool
is_entry_name(const char *name)
{
	static const char bytes[] = "abcdefghijklmnopqrstuvwxyz"
				    "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789_.@-";
	size_t len = strlen(name);

	return len > 0 && len <= ENTRY_NAME_MAX && *name != '-' &&
	       strspn(name, bytes) == len;
}

void
entry_name_check(struct reader *r, const config_setting_t *entry)
{
	const config_setting_t *list = config_setting_parent(entry), *other;
	const char *name, *taken;
	unsigned i;

	if (conf_member(entry, "name") == NULL)
		conf_error(r->conf, entry, "has no name");
	if (!config_setting_lookup_string(entry, "name", &name))
		return;
	if (!is_entry_name(name))
		conf_error(r->conf, conf_member(entry, "name"),
			"may have at most %d letters, digits, \".\", \"_\", "
			"\"@\" and \"-\", and must not begin with \"-\"",
			ENTRY_NAME_MAX);
	/*
	 * If `given` is true, an earlier parse of the same text has compared
	 * all names.
	 */
	if (r->ids != NULL && r->ids->given)
		return;
	for (i = 0; (other = config_setting_get_elem(list, i)) != entry; i++) {
		if (!config_setting_is_group(other) ||
			!config_setting_lookup_string(other, "name", &taken) ||
			strcmp(name, taken) != 0)
			continue;
		conf_error(r->conf, entry, "has the name of %s[%u]",
			config_setting_name(list), i);
		return;
	}
}

/* Look-ups of users and groups. */

/* True if the name is a decimal number, which is then stored in *id. */
static bool
id_number(const char *name, id_t *id)
{
	long v;

	if (text_number(name, 0, (long)UINT32_MAX - 1, &v) != 0)
		return false;
	*id = (id_t)v;
	return true;
}

static void
not_found(struct reader *r, const config_setting_t *at, const char *what,
	const char *name, int error)
{
	if (error == ESRCH) {
		conf_error(r->conf, at,
			"this machine has no %s \"%s\": name another, or "
			"create it (%sadd --system %s)",
			what, name, what, name);
		return;
	}
	r->ids->unanswered = true;
	conf_error(r->conf, at,
		"the %s \"%s\" cannot be looked up now: %s (try again when the "
		"name service answers)",
		what, name, strerror(error));
}

bool
settings_looks(const struct reader *r)
{
	return r->ids != NULL && !r->ids->given;
}

/*
 * A function that looks up an id in the name service. The function returns 0,
 * or an errno value.
 */
typedef int ask_id(const char *name, id_t *id);

static int
ask_user(const char *name, id_t *uid)
{
	struct account account;
	int error = account_by_name(name, &account);

	if (error == 0)
		*uid = account.uid;
	return error;
}

static int
ask_user_group(const char *number, id_t *gid)
{
	struct account account;
	uid_t uid;
	int error = id_number(number, &uid) ? account_by_uid(uid, &account)
					    : EINVAL;

	if (error == 0)
		*gid = account.gid;
	return error;
}

int
settings_ids_take(struct settings_ids *ids, void *result, size_t size)
{
	if (ids->list.len - ids->used < size)
		return EPROTO;
	memcpy(result, ids->list.data + ids->used, size);
	ids->used += size;
	return 0;
}

int
settings_ids_add(struct settings_ids *ids, const void *result, size_t size)
{
	buf_add(&ids->list, result, size);
	return ids->list.failed ? ENOMEM : 0;
}

/*
 * Look up an id, and append the id to the list. If ids->given is true, take the
 * next id from the list instead. Return 0, an errno value of the look-up, or
 * EPROTO if the list has no more ids.
 */
static int
find_id(struct settings_ids *ids, ask_id *ask, const char *name, id_t *id)
{
	int error;

	if (ids->given)
		return settings_ids_take(ids, id, sizeof(*id));
	if ((error = ask(name, id)) != 0)
		return error;
	return settings_ids_add(ids, id, sizeof(*id));
}

static void
read_id(struct reader *r, const config_setting_t *at, const char *what,
	ask_id *ask, const char *name, id_t *id)
{
	int error;

	if (r->ids == NULL || id_number(name, id))
		return;
	if ((error = find_id(r->ids, ask, name, id)) != 0)
		not_found(r, at, what, name, error);
}

void
settings_user(struct reader *r, const config_setting_t *at, const char *name,
	uid_t *uid)
{
	read_id(r, at, "user", ask_user, name, uid);
}

void
settings_group(struct reader *r, const config_setting_t *at, const char *name,
	gid_t *gid)
{
	read_id(r, at, "group", account_group, name, gid);
}

void
settings_user_group(
	struct reader *r, const config_setting_t *at, uid_t uid, gid_t *gid)
{
	char number[16];
	int error;

	if (r->ids == NULL)
		return;
	snprintf(number, sizeof(number), "%u", uid);
	error = find_id(r->ids, ask_user_group, number, gid);
	if (error == ESRCH)
		conf_error(r->conf, at,
			"has no account, so its group is unknown: set "
			"group = \"…\"");
	else if (error != 0)
		not_found(r, at, "user", number, error);
}
