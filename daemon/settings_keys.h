/*
 * How settings are read, printed and freed: by tables of keys, where one row
 * tells all of one key. Private to settings*.c.
 */
#ifndef BRIDLE_SETTINGS_KEYS_H
#define BRIDLE_SETTINGS_KEYS_H

#include "conf.h"
#include "settings.h"

struct reader {
	struct conf *conf; /* the file, or the built-in defaults */
	struct settings *settings;
	bool resolve; /* look up users, groups and programs */
	bool builtin; /* these are the defaults */
};

struct printer {
	struct buf out;
	unsigned depth;
};

/* Words that stand for numbers: signals, verbs, levels. */
struct words {
	const char *what;
	int (*number)(const char *); /* -1: there is no such word */
	const char *(*name)(int);    /* NULL: there is no such number */
	int first, last;             /* that have names */
};

struct key;

/*
 * What a key holds. `base` is the struct that the row's offset counts from;
 * each function looks for its own key only. A value that is not set prints
 * as nothing.
 */
struct kind {
	void (*read)(struct reader *, const config_setting_t *group,
		const struct key *, void *base);
	void (*print)(struct printer *, const struct key *, const void *base);
	void (*free)(const struct key *, void *base); /* may be NULL */
};

/* The rest of a row whose key is a list of groups. */
struct entries {
	size_t count; /* the offset of their number */
	size_t size;  /* of one */
	const void *initial;
	const struct key *keys;
	/* What one key alone cannot tell; the i-th is read by then. */
	void (*check)(struct reader *, const config_setting_t *entry, size_t i);
};

struct key {
	const char *name; /* NULL ends a table */
	const struct kind *kind;
	size_t offset;
	unsigned min, max;               /* kind_number */
	const struct words *words;       /* kind_word and sets of words */
	const struct key *keys;          /* kind_group */
	const struct entries *entries;   /* kind_entries */
	const char *const *placeholders; /* kind_program */
	enum settings_match match;       /* kind_who */
};

#define KEY(type, field, label, what, ...)                     \
	{                                                      \
		.name = label, .kind = &kind_##what,           \
		.offset = offsetof(type, field), ##__VA_ARGS__ \
	}
#define KEYS_MAX 24 /* in one table */

/* settings_kinds.c */
extern const struct kind kind_text;    /* char *, not empty */
extern const struct kind kind_path;    /* the same, absolute */
extern const struct kind kind_number;  /* unsigned; below min: not set */
extern const struct kind kind_flag;    /* bool; false: not set */
extern const struct kind kind_switch;  /* bool */
extern const struct kind kind_names;   /* struct settings_names */
extern const struct kind kind_group;   /* its keys count from our base */
extern const struct kind kind_entries; /* size_t and a pointer */

/*
 * A key's place in the struct at base; then, for each key of a table that
 * ends with a NULL name: reads it from a group, prints it, frees what it has.
 */
void *key_field(const struct key *, const void *base);
void keys_read(struct reader *, const config_setting_t *group,
	const struct key *, void *base);
void keys_print(struct printer *, const struct key *, const void *base);
void keys_free(const struct key *, void *base);

/* Begins "name = ", and ends it with ";". */
void print_begin(struct printer *, const char *name);
void print_end(struct printer *);
void print_text(struct printer *, const char *);
void print_strings(struct printer *, char *const *, size_t n);

/* Of an entry, for messages; 0 for the built-in ones. */
int entry_line(const struct reader *, const config_setting_t *entry);

/* The name of a client or command: there, in form, and taken by no other. */
void entry_name_check(struct reader *, const config_setting_t *entry);

/* Find an id; left alone, without an error, unless names are resolved. */
void settings_user(struct reader *, const config_setting_t *at,
	const char *name, uid_t *uid);
void settings_group(struct reader *, const config_setting_t *at,
	const char *name, gid_t *gid);

/* settings_words.c */
extern const struct words facility_words;
extern const struct words level_words;
extern const struct words verb_words;
extern const struct words mode_words;
extern const struct words signal_words;
extern const struct words arg_type_words;
extern const struct words input_words;
extern const struct kind kind_word;  /* int */
extern const struct kind kind_verbs; /* a client's, as the next two are */
extern const struct kind kind_modes;
extern const struct kind kind_signals;

/* settings_patterns.c */

/* Whether it is an expression by itself, and bounded; else an error. */
bool pattern_check(
	struct reader *, const config_setting_t *at, const char *pattern);

/*
 * Whether all of the text matches: then nothing beside it can come along.
 * Without memory nothing does.
 */
bool pattern_matches(const char *pattern, const char *text);

/* Warns of what it lets through, and of what it may not have been meant for. */
void pattern_warn(
	struct reader *, const config_setting_t *at, const char *pattern);

/* settings_args.c */
extern const struct kind kind_args; /* of struct settings_command */
bool is_placeholder_name(const char *, size_t len);
#define PLACEHOLDER_BYTES "abcdefghijklmnopqrstuvwxyz0123456789_-"

/* settings_listen.c, settings_clients.c, settings_commands.c */
extern const struct entries settings_listen_entries;
extern const struct entries settings_client_entries;
extern const struct entries settings_command_entries;
extern const struct kind kind_program; /* char **, of `power` */
extern const struct kind kind_query;   /* the same, or empty */
void settings_check_commands(struct reader *);

/* The ids of such a list of users, to be freed; NULL with an error. */
uid_t *settings_uids(struct reader *, const config_setting_t *at,
	const struct settings_names *users);

/*
 * The networks of a key that is there, to be freed; false with an error if
 * they are none. Then the way back.
 */
bool networks_read(struct reader *, const config_setting_t *group,
	const char *key, struct net_block **, size_t *n);
void networks_print(struct printer *, const struct net_block *, size_t n);

/* settings_penalties.c */
extern const struct key settings_penalty_keys[];
void settings_check_penalties(struct reader *);

/* Once all is read: whether each client's commands exist. */
void settings_check_clients(struct reader *);

#endif
