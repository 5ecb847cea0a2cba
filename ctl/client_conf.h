/*
 * bridlectl.conf: the hosts that are known by name, groups of them, and what
 * a call takes where the command line says nothing. It is read from the
 * user's own file and then from the machine's; whatever is named first
 * counts.
 */
#ifndef BRIDLE_CLIENT_CONF_H
#define BRIDLE_CLIENT_CONF_H

#include "buf.h"
#include "name_table.h"
#include "targets.h"

#include <stddef.h>

#define CLIENT_CONF_NAME "bridlectl.conf"
#define CLIENT_CONF_TIMEOUT_MAX 86400

/* What one entry says of all hosts that it names. */
struct conf_entry {
	enum target_kind kind;
	unsigned port;     /* 0: the transport's own */
	unsigned timeout;  /* 0: not said */
	char *identity;    /* NULL: not said */
	char *fingerprint; /* likewise */
};

struct conf_host {
	char *name;
	char *address; /* a path for TARGET_UNIX; NULL: it is the name */
	size_t entry;
};

struct conf_group {
	char *name;
	char **hosts;   /* lists as -H takes them; NULL-ended */
	char **exclude; /* likewise, or NULL */
};

struct client_conf {
	size_t nentries;
	struct conf_entry *entries;
	size_t nhosts;
	struct conf_host *hosts;
	struct name_table host_names;
	size_t ngroups;
	struct conf_group *groups;
	struct name_table group_names;
	char *default_hosts;              /* NULL: the local daemon */
	unsigned default_timeout;         /* 0: not said */
	unsigned default_connect_timeout; /* likewise */
	unsigned default_fanout;          /* likewise */
};

/*
 * Reads what files there are; none is no mistake. 0, or -1 with lines
 * appended to error, "FILE:LINE: KEY: …". Free in either case.
 */
int client_conf_read(struct client_conf *, struct buf *error);

/* One file, or the text of one, after those that were read before. */
int client_conf_read_file(
	struct client_conf *, const char *path, struct buf *error);
int client_conf_read_text(struct client_conf *, const char *text,
	const char *name, struct buf *error);

/*
 * Appends what targets_parse() takes for a host with this address, which
 * needs no brackets; a port of 0 is the transport's own.
 */
void client_conf_target(
	enum target_kind, const char *address, unsigned port, struct buf *);

/* NULL if there is none of that name. Hosts are found in any case. */
const struct conf_host *client_conf_host(
	const struct client_conf *, const char *name);
const struct conf_group *client_conf_group(
	const struct client_conf *, const char *name);

/* The name of a group that was probably meant, or NULL. */
const char *client_conf_nearest_group(
	const struct client_conf *, const char *name);

void client_conf_free(struct client_conf *);

#endif
