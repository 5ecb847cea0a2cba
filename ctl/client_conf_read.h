/*
 * From the settings of one parsed file to what bridlectl knows: hosts in a
 * file of their own, all else in another.
 */
#ifndef BRIDLE_CLIENT_CONF_READ_H
#define BRIDLE_CLIENT_CONF_READ_H

#include "client_conf.h"
#include "conf.h"

struct reading {
	struct client_conf *to;
	struct conf *conf;
	size_t groups_before; /* those of other files */
};

/*
 * Adds what the file says and no file before it has said. All mistakes are
 * told at once. 0, or -1 with errors.
 */
int client_conf_take(struct client_conf *, struct conf *);

/* The same of its list of hosts alone. */
void reading_hosts(struct reading *);

/* Where to point at what is wrong with a key: it, or its group without it. */
const config_setting_t *reading_member(
	const config_setting_t *group, const char *key);

/* The list of that name; NULL if there is none, or after an error. */
const config_setting_t *reading_list(struct reading *, const char *key);

/*
 * An array with room for each of a list behind those that are used; NULL
 * after an error, and the array is as it was.
 */
void *reading_grow(struct reading *, void *array, size_t used, size_t size,
	const config_setting_t *list);

/* Says that there is none; false. */
bool reading_no_memory(struct reading *);

#endif
