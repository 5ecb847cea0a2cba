/*
 * Tables of keys. Each row of a table has all that is needed to read, print and
 * free the value of one key. Only settings*.c include this file.
 */
#ifndef BRIDLE_SETTINGS_SCHEMA_H
#define BRIDLE_SETTINGS_SCHEMA_H

#include "conf.h"
#include "config/settings.h"

struct reader {
	/* content of the file, or of the built-in defaults */
	struct conf *conf;
	struct settings *settings;
	/* ids of users and groups; NULL if no id is to be looked up */
	struct settings_ids *ids;
	bool builtin;     /* true if `conf` has the built-in defaults */
	const char *file; /* path of the file, owned by `settings` */
	/*
	 * The numbers of entries that the readers of earlier files have added
	 * to `listen` and `clients`.
	 */
	size_t first_listen, first_client;
	const struct key *key; /* row of the key that is being read */
	size_t pattern_sizes;  /* bytes of all patterns compiled so far */
};

struct printer {
	struct buf out;
	const char *main_file; /* path of the configuration file */
	unsigned depth;
	const struct key *key; /* row of the key that is being printed */
};

/*
 * Words that stand for numbers: names of signals, verbs, log levels and so on.
 */
struct words {
	const char *what;
	/* word of each number; NULL if a number has no word */
	const char *const *names;
	/* function that returns the word of a number, if `names` is NULL */
	const char *(*name)(int);
	/*
	 * Function that returns the number of a word, or -1 for an unknown
	 * word. If this member is NULL, a word is compared with the known
	 * words.
	 */
	int (*number)(const char *);
	int first, last; /* lowest and highest number with a word */
};

struct key;

/*
 * The kind of a key's value: functions that read, print and free such a value.
 * `field` points to the key's member in its struct. read() is called only if
 * the file has the key. print() appends the value alone, and appends nothing if
 * the value is not set.
 */
struct kind {
	void (*read)(struct reader *, const config_setting_t *, void *field);
	void (*print)(struct printer *, const void *field);
	void (*free)(void *field); /* NULL if there is nothing to free */
};

/* Data of a key whose value is a list of groups. */
struct entries {
	size_t items; /* offset of the member that points to the array */
	size_t count; /* offset of the member with the number of items */
	size_t size;  /* size of one item in bytes */
	size_t file;  /* offset of the path of an item's file; 0: none */
	const void *initial;
	const struct key *keys;
	/*
	 * Function that checks item i, after all keys of the item have been
	 * read.
	 */
	void (*check)(struct reader *, const config_setting_t *entry, size_t i);
};

struct key {
	const char *name; /* name of the key; NULL ends a table */
	const struct kind *kind;
	size_t offset;
	const char *missing; /* error message if the key is absent */
	unsigned min, max;   /* limits of a number, or of a list's length */
	const struct words *words; /* known words, for kind_word and kind_set */
	const struct key *keys;    /* keys of the group, for kind_group */
	const struct entries *entries; /* data of the list, for kind_entries */
	/* known placeholders, for kind_program */
	const char *const *placeholders;
	enum settings_match match; /* kind of identity, for kind_who */
	bool drop_in; /* true if the key is allowed in files of conf.d */
};

#define KEY(type, field, label, what, ...)                     \
	{                                                      \
		.name = label, .kind = &kind_##what,           \
		.offset = offsetof(type, field), ##__VA_ARGS__ \
	}
/* A row for a key whose functions get the whole struct, not one member. */
#define WHOLE_KEY(label, what, ...)                                \
	{                                                          \
		.name = label, .kind = &kind_##what, ##__VA_ARGS__ \
	}
#define KEYS_MAX 24 /* maximum number of keys in one table */

/* Kinds and functions of settings_types.c: */
/* a text that is not empty, stored in a char * */
extern const struct kind kind_text;
extern const struct kind kind_path; /* an absolute path, stored in a char * */
/* a number, stored in an unsigned; not printed if below `min` */
extern const struct kind kind_number;
/* a flag, stored in a bool; printed only if true */
extern const struct kind kind_flag;
/* a flag, stored in a bool; always printed */
extern const struct kind kind_switch;
/* a group of keys; the struct has the members of these keys */
extern const struct kind kind_group;
/* a list of groups; the struct has the array of items */
extern const struct kind kind_entries;

/*
 * key_read() reads one key of a group into the struct at `base`. keys_read()
 * reads all keys of a table. keys_print() prints each key as "name = value;".
 * keys_free() frees all values.
 */
void key_read(struct reader *, const config_setting_t *group,
	const struct key *, void *base);
void keys_read(struct reader *, const config_setting_t *group,
	const struct key *, void *base);
void keys_print(struct printer *, const struct key *, const void *base);
void keys_free(const struct key *, void *base);

void print_text(struct printer *, const char *);
void print_strings(struct printer *, char *const *, size_t n);

/*
 * Return the line number of an entry, for messages. Return 0 for an entry of
 * the built-in defaults.
 */
int entry_line(const struct reader *, const config_setting_t *entry);

/*
 * Append the file and the line of an entry, for messages: "FILE:LINE" or
 * "built-in defaults".
 */
void entry_place(struct buf *, const char *file, int line);

/*
 * Check that a client or a command has a name, and that the name is valid and
 * unique.
 */
void entry_name_check(struct reader *, const config_setting_t *entry);

/*
 * True if checks are allowed to use files and the name service, and not only
 * the text of the configuration.
 */
bool settings_looks(const struct reader *);

/*
 * Look up the id of a user, of a group, or of a user's primary group. On
 * failure, report an error. If r->ids is NULL, do nothing.
 */
void settings_user(struct reader *, const config_setting_t *at,
	const char *name, uid_t *uid);
void settings_group(struct reader *, const config_setting_t *at,
	const char *name, gid_t *gid);
void settings_user_group(
	struct reader *, const config_setting_t *at, uid_t uid, gid_t *gid);

/*
 * Take the next result of a look-up from the list. The member `given` must be
 * true. Return 0, or EPROTO if the list has no more results.
 */
int settings_ids_take(struct settings_ids *, void *result, size_t size);

/* Append the result of a look-up to the list. Return 0 or ENOMEM. */
int settings_ids_add(struct settings_ids *, const void *result, size_t size);

/* Declarations of settings_until.c: */
/* the time when a client's entry expires, stored in the entry */
extern const struct kind kind_until;
/* Append a warning if the entry has expired, or expires within a week. */
void settings_check_until(struct reader *, const config_setting_t *entry,
	const struct settings_client *);

/* Kinds of settings_lists.c: */
/* a list of names, stored in a struct settings_names */
extern const struct kind kind_names;
/* a list of MAC addresses, stored in a struct settings_names */
extern const struct kind kind_macs;
/* a list of users, stored in a struct settings_names with uids */
extern const struct kind kind_users;
/* a list of networks; not printed if shorter than `min` */
extern const struct kind kind_networks;

/* Words and kinds of settings_enums.c: */
extern const struct words facility_words;
extern const struct words level_words;
extern const struct words verb_words;
extern const struct words mode_words;
extern const struct words signal_words;
extern const struct words arg_type_words;
extern const struct words input_words;
/* a word, whose number is stored in an int */
extern const struct kind kind_word;
/* a set of words, stored in a struct settings_set */
extern const struct kind kind_set;

/*
 * Compile the pattern of an argument. Warn of a pattern that may allow more
 * than its author expects. Return false after an error. The function is in
 * settings_regex.c.
 */
bool settings_read_pattern(
	struct reader *, const config_setting_t *at, struct settings_arg *);

/* Declarations of settings_args.c: */
/* the arguments of a command, stored in a struct settings_command */
extern const struct kind kind_args;
bool is_placeholder_name(const char *, size_t len);
#define PLACEHOLDER_BYTES "abcdefghijklmnopqrstuvwxyz0123456789_-"

/*
 * Declarations of settings_listen.c, settings_clients.c and
 * settings_commands.c:
 */
extern const struct entries settings_listen_entries;
extern const struct entries settings_client_entries;
extern const struct entries settings_command_entries;
/* an argv, stored in a char **; may be empty if `min` is 0 */
extern const struct kind kind_program;
void settings_check_commands(struct reader *);

/* Declarations of settings_penalties.c: */
extern const struct key settings_penalty_keys[];
void settings_check_penalties(struct reader *);

/*
 * Check the entries of `clients` in the reader's file against the other keys.
 * Before the call, the keys of all files must be read.
 */
void settings_check_clients(struct reader *);

#endif
