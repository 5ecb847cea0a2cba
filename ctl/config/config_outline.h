/*
 * The entries of the daemon's configuration, with their places. Only bridled
 * itself interprets the configuration.
 */
#ifndef BRIDLE_CONFIG_OUTLINE_H
#define BRIDLE_CONFIG_OUTLINE_H

#include <stdbool.h>
#include <stddef.h>

struct outline_client {
	const char *file;
	const char *line; /* number of the line */
	const char *name;
	const char *keys; /* fingerprints, separated by commas; or "-" */
};

struct outline_listener {
	const char *file;
	const char *line;
	bool tls;
	const char *address; /* address with port, or path of a unix socket */
};

struct config_outline {
	char *text; /* all strings point into this text */
	size_t nclients;
	struct outline_client *clients;
	size_t nlisteners;
	struct outline_listener *listeners;
};

/*
 * Tell bridled to read the configuration file and the files of its folder
 * conf.d. Returns 0, or -1 after printing a message. If bridled could not be
 * run, *no_program becomes true. `no_program` may be NULL. In both cases, the
 * caller must call config_outline_free().
 */
int config_outline_read(
	struct config_outline *, const char *file, bool *no_program);

/* Return the entry of `clients` with this name, or NULL. */
const struct outline_client *config_outline_client(
	const struct config_outline *, const char *name);

/*
 * True if `keys` has this fingerprint. `keys` has the form of the member of
 * struct outline_client.
 */
bool config_outline_has_key(const char *keys, const char *fingerprint);

void config_outline_free(struct config_outline *);

#endif
