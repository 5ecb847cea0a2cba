#include "settings_keys.h"

#include "text.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define ENTRY_NAME_MAX 64 /* bytes */

void *
key_field(const struct key *key, const void *base)
{
	return (char *)(uintptr_t)base + key->offset;
}

/* Tables of keys. */

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
		keys->kind->read(r, group, keys, base);
}

void
keys_print(struct printer *p, const struct key *keys, const void *base)
{
	for (; keys->name != NULL; keys++)
		keys->kind->print(p, keys, base);
}

void
keys_free(const struct key *keys, void *base)
{
	for (; keys->name != NULL; keys++)
		if (keys->kind->free != NULL)
			keys->kind->free(keys, base);
}

/* Printing. */

static void
indent(struct printer *p)
{
	unsigned i;

	for (i = 0; i < p->depth; i++)
		buf_addc(&p->out, '\t');
}

void
print_begin(struct printer *p, const char *name)
{
	indent(p);
	buf_addf(&p->out, "%s = ", name);
}

void
print_end(struct printer *p)
{
	buf_adds(&p->out, ";\n");
}

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

/* Texts. */

static void
read_text(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	char **field = key_field(key, base), *value = NULL;

	if (!conf_string(r->conf, group, key->name, &value) || value == NULL)
		return;
	if (*value == '\0')
		conf_error(r->conf, config_setting_get_member(group, key->name),
			"must not be empty");
	free(*field);
	*field = value;
}

static void
read_path(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	char **field = key_field(key, base);

	read_text(r, group, key, base);
	if (*field != NULL && **field != '/' && **field != '\0')
		conf_error(r->conf, config_setting_get_member(group, key->name),
			"must be an absolute path");
}

static void
print_text_key(struct printer *p, const struct key *key, const void *base)
{
	char **field = key_field(key, base);

	if (*field == NULL)
		return;
	print_begin(p, key->name);
	print_text(p, *field);
	print_end(p);
}

static void
free_text(const struct key *key, void *base)
{
	char **field = key_field(key, base);

	free(*field);
}

const struct kind kind_text = { read_text, print_text_key, free_text };
const struct kind kind_path = { read_path, print_text_key, free_text };

/* Numbers and flags. */

static void
read_number(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	conf_number(r->conf, group, key->name, key->min, key->max,
		key_field(key, base));
}

static void
print_number(struct printer *p, const struct key *key, const void *base)
{
	const unsigned *field = key_field(key, base);

	if (*field < key->min)
		return;
	print_begin(p, key->name);
	buf_addu(&p->out, *field);
	print_end(p);
}

const struct kind kind_number = { read_number, print_number, NULL };

static void
read_flag(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	conf_bool(r->conf, group, key->name, key_field(key, base));
}

static void
print_flag(struct printer *p, const struct key *key, const void *base)
{
	const bool *field = key_field(key, base);

	if (!*field)
		return;
	print_begin(p, key->name);
	buf_adds(&p->out, "true");
	print_end(p);
}

const struct kind kind_flag = { read_flag, print_flag, NULL };

/* It is shown when it is false, too. */
static void
print_switch(struct printer *p, const struct key *key, const void *base)
{
	const bool *field = key_field(key, base);

	print_begin(p, key->name);
	buf_adds(&p->out, *field ? "true" : "false");
	print_end(p);
}

const struct kind kind_switch = { read_flag, print_switch, NULL };

/* Lists of names. */

static void
read_names(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	struct settings_names *field = key_field(key, base);
	size_t i;

	if (config_setting_get_member(group, key->name) == NULL ||
		!conf_strings(r->conf, group, key->name, &field->v, &field->n))
		return;
	field->set = true;
	for (i = 0; i < field->n; i++)
		if (field->v[i][0] == '\0')
			conf_error(r->conf,
				config_setting_get_member(group, key->name),
				"has an empty name, which nothing has");
}

static void
print_names(struct printer *p, const struct key *key, const void *base)
{
	const struct settings_names *field = key_field(key, base);

	if (!field->set)
		return;
	print_begin(p, key->name);
	print_strings(p, field->v, field->n);
	print_end(p);
}

static void
free_names(const struct key *key, void *base)
{
	struct settings_names *field = key_field(key, base);

	conf_strings_free(field->v);
}

const struct kind kind_names = { read_names, print_names, free_names };

/* Groups. */

static void
read_group(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	const config_setting_t *at =
		config_setting_get_member(group, key->name);

	if (at != NULL)
		keys_read(r, at, key->keys, base);
}

static void
print_group(struct printer *p, const struct key *key, const void *base)
{
	size_t before = p->out.len, empty;

	print_begin(p, key->name);
	buf_adds(&p->out, "{\n");
	empty = p->out.len;
	p->depth++;
	keys_print(p, key->keys, base);
	p->depth--;
	if (p->out.len == empty) {
		p->out.len = before;
		return;
	}
	indent(p);
	buf_addc(&p->out, '}');
	print_end(p);
}

static void
free_group(const struct key *key, void *base)
{
	keys_free(key->keys, base);
}

const struct kind kind_group = { read_group, print_group, free_group };

/* Lists of groups. */

static char *
entries_of(const struct key *key, const void *base, size_t *n)
{
	char *items;

	memcpy(&items, key_field(key, base), sizeof(items));
	memcpy(n, (const char *)base + key->entries->count, sizeof(*n));
	return items;
}

static void
read_entries(struct reader *r, const config_setting_t *group,
	const struct key *key, void *base)
{
	const config_setting_t *at,
		*list = config_setting_get_member(group, key->name);
	const struct entries *e = key->entries;
	size_t n, i;
	char *items;

	if (list == NULL)
		return;
	if (!config_setting_is_list(list)) {
		conf_error(r->conf, list,
			"must be a list of groups: ( { … }, { … } )");
		return;
	}
	n = (size_t)config_setting_length(list);
	if ((items = calloc(n + 1, e->size)) == NULL) {
		conf_error(r->conf, list, "out of memory");
		return;
	}
	for (i = 0; i < n; i++)
		memcpy(items + i * e->size, e->initial, e->size);
	/* All are there before the first is read, so that all are freed. */
	memcpy(key_field(key, base), &items, sizeof(items));
	memcpy((char *)base + e->count, &n, sizeof(n));
	for (i = 0; i < n; i++) {
		at = config_setting_get_elem(list, (unsigned)i);
		keys_read(r, at, e->keys, items + i * e->size);
		if (config_setting_is_group(at))
			e->check(r, at, i);
	}
}

static void
print_entries(struct printer *p, const struct key *key, const void *base)
{
	size_t n, i;
	char *items = entries_of(key, base, &n);

	print_begin(p, key->name);
	buf_addc(&p->out, '(');
	for (i = 0; i < n; i++) {
		buf_adds(&p->out, i > 0 ? ", {\n" : " {\n");
		p->depth++;
		keys_print(
			p, key->entries->keys, items + i * key->entries->size);
		p->depth--;
		indent(p);
		buf_addc(&p->out, '}');
	}
	buf_adds(&p->out, n > 0 ? " )" : ")");
	print_end(p);
}

static void
free_entries(const struct key *key, void *base)
{
	size_t n, i;
	char *items = entries_of(key, base, &n);

	for (i = 0; i < n; i++)
		keys_free(key->entries->keys, items + i * key->entries->size);
	free(items);
}

const struct kind kind_entries = { read_entries, print_entries, free_entries };

int
entry_line(const struct reader *r, const config_setting_t *entry)
{
	return r->builtin ? 0 : (int)config_setting_source_line(entry);
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

	if (config_setting_get_member(entry, "name") == NULL)
		conf_error(r->conf, entry, "has no name");
	if (!config_setting_lookup_string(entry, "name", &name))
		return;
	if (!is_entry_name(name))
		conf_error(r->conf, config_setting_get_member(entry, "name"),
			"must be of letters, digits, \".\", \"_\", \"@\" and "
			"\"-\", at most %d, and not begin with \"-\"",
			ENTRY_NAME_MAX);
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

/* Users and groups. */

/* A plain number is an id of its own, and is not looked up. */
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
	if (error == 0 || error == ENOENT || error == ESRCH)
		conf_error(r->conf, at,
			"this machine has no %s \"%s\": name another, or "
			"create it (%sadd --system %s)",
			what, name, what, name);
	else
		conf_error(r->conf, at, "the %s \"%s\" cannot be looked up: %s",
			what, name, strerror(error));
}

void
settings_user(struct reader *r, const config_setting_t *at, const char *name,
	uid_t *uid)
{
	struct passwd *pw;

	if (!r->resolve || id_number(name, uid))
		return;
	errno = 0;
	if ((pw = getpwnam(name)) != NULL)
		*uid = pw->pw_uid;
	else
		not_found(r, at, "user", name, errno);
}

void
settings_group(struct reader *r, const config_setting_t *at, const char *name,
	gid_t *gid)
{
	struct group *gr;

	if (!r->resolve || id_number(name, gid))
		return;
	errno = 0;
	if ((gr = getgrnam(name)) != NULL)
		*gid = gr->gr_gid;
	else
		not_found(r, at, "group", name, errno);
}
