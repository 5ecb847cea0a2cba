/*
 * Configuration files in libconfig syntax. A file is opened once, and is
 * checked before it is parsed. Messages name the file, the line and the key.
 */
#ifndef BRIDLE_CONF_H
#define BRIDLE_CONF_H

#include "buf.h"

#include <libconfig.h>
#include <stdbool.h>
#include <stddef.h>

#define CONF_SIZE_MAX (1024 * 1024)

struct conf {
	config_t config;
	const char *name; /* file name for messages; the caller frees it */
	struct buf *errors;
	struct buf *warnings; /* text of the warnings; NULL to drop warnings */
	bool failed;          /* true if there was an error */
};

/*
 * Open and parse a file. The file must belong to root or to the effective user.
 * Other users must not be able to write to the file. They must not be able to
 * write to a folder above the file, unless the folder is sticky. Return 0, or
 * -1 with error lines appended to `errors`. Call conf_close() in both cases.
 */
int conf_open(struct conf *, const char *path, struct buf *errors,
	struct buf *warnings);

/*
 * Check a configuration file like conf_open(), and append its content to
 * `text`. Return 0, or -1 with error lines appended to `errors`.
 */
int conf_read(const char *path, struct buf *text, struct buf *errors);

/*
 * Parse a text in the way in which conf_open() parses a file, without checks of
 * owner and mode. Messages show `name` in place of the file name.
 */
int conf_open_text(struct conf *, const char *text, const char *name,
	struct buf *errors, struct buf *warnings);

/*
 * Free the parsed settings. Call this function after each conf_open() and
 * conf_open_text(), even if the call failed.
 */
void conf_close(struct conf *);

/*
 * Append an error or a warning as "FILE:LINE: KEY: …". If `at` is NULL, the
 * message is about the whole file.
 */
void conf_error(struct conf *, const config_setting_t *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void conf_warn(struct conf *, const config_setting_t *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Report each unknown key of the group, with the nearest known key. The known
 * keys are in a list that ends with NULL. Return false if a key is unknown, or
 * if `group` is not a group.
 */
bool conf_keys(
	struct conf *, const config_setting_t *group, const char *const *known);

/*
 * Return the setting of this name in a group; NULL if the group lacks the
 * setting.
 */
static inline const config_setting_t *
conf_member(const config_setting_t *group, const char *name)
{
	return config_setting_get_member(group, name);
}

/*
 * Read the value of one setting into *out. If the setting is NULL, leave *out
 * unchanged. Report an error and return false if the value has another type or
 * is out of range. The caller frees the string that conf_string() stores.
 */
bool conf_string(struct conf *, const config_setting_t *, char **out);
bool conf_number(struct conf *, const config_setting_t *, unsigned min,
	unsigned max, unsigned *out);
bool conf_bool(struct conf *, const config_setting_t *, bool *out);

/*
 * Read a list or an array of strings into *out. Unless n is NULL, set *n to the
 * number of strings. The caller frees *out with conf_strings_free(). A single
 * string is read as a list with one element. *out, errors and the return value
 * are as for conf_string().
 */
bool conf_strings(
	struct conf *, const config_setting_t *, char ***out, size_t *n);

/* Free a list from conf_strings(); NULL is allowed. */
void conf_strings_free(char **);

#endif
