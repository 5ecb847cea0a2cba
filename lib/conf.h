/*
 * Configuration files in libconfig syntax: opened once, checked before they
 * are parsed, and read with errors that name file, line and key.
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
	const char *name; /* of the file, for messages; the caller's */
	struct buf *errors;
	struct buf *warnings; /* may be NULL */
	bool failed;          /* at least one error was added */
};

/*
 * Opens and parses. The file must belong to root or to the effective user,
 * and neither it nor a folder above it may be writable by others (a sticky
 * folder may). What is wrong is appended to errors, and -1 returned; the
 * struct must be given to conf_close() in either case.
 */
int conf_open(struct conf *, const char *path, struct buf *errors,
	struct buf *warnings);

/* The same from a text. */
int conf_open_text(struct conf *, const char *text, const char *name,
	struct buf *errors, struct buf *warnings);

/* Frees what was parsed; must follow each opening, a failed one too. */
void conf_close(struct conf *);

/* "FILE:LINE: KEY: …"; at may be NULL for the whole file. */
void conf_error(struct conf *, const config_setting_t *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
void conf_warn(struct conf *, const config_setting_t *at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/*
 * Complains of each key of the group that is not in the NULL-ended list,
 * with the nearest that is. False if there was one, or it is not a group.
 */
bool conf_keys(
	struct conf *, const config_setting_t *group, const char *const *known);

/*
 * Each reads one key of a group into *out if it is there, and leaves *out
 * alone if it is not. False (and an error) if it is of another kind or out
 * of range. Strings are the caller's own copies.
 */
bool conf_string(struct conf *, const config_setting_t *group, const char *key,
	char **out);
bool conf_number(struct conf *, const config_setting_t *group, const char *key,
	unsigned min, unsigned max, unsigned *out);
bool conf_bool(struct conf *, const config_setting_t *group, const char *key,
	bool *out);

/*
 * A list or array of strings, NULL-ended, each and all to be freed; *n (may
 * be NULL) their count. A single string stands for a list of one.
 */
bool conf_strings(struct conf *, const config_setting_t *group, const char *key,
	char ***out, size_t *n);

/* Frees such a list; NULL is allowed. */
void conf_strings_free(char **);

#endif
