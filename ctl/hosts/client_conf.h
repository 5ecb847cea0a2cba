/*
 * Reads bridlectl.conf: named hosts, groups of hosts, and default values of
 * command-line options. The user's file is read before the machine's file. If
 * both files define a name, the user's definition is used.
 */
#ifndef BRIDLE_CLIENT_CONF_H
#define BRIDLE_CLIENT_CONF_H

#include "buf.h"
#include "hosts/target.h"
#include "util/string_map.h"

#include <stddef.h>

#define CLIENT_CONF_NAME "bridlectl.conf"

/*
 * The settings of one entry of the list `hosts`. All hosts of the entry share
 * these settings.
 */
struct conf_entry {
	enum target_kind kind;
	unsigned port;     /* TCP port; 0: the default port of the transport */
	unsigned timeout;  /* in seconds; 0: not set */
	char *identity;    /* file of the user's key; NULL: not set */
	char *fingerprint; /* host key's fingerprint; NULL: not set */
	/* The settings of `wake`: */
	char *broadcast; /* numeric address for magic packets; NULL: not set */
	char *wake_interface; /* name of the interface; NULL: not set */
	unsigned wake_port;   /* UDP port of the packets; 0: not set */
};

struct conf_host {
	char *name;
	/* path of the socket for TARGET_UNIX; NULL: use `name` */
	char *address;
	char *mac;    /* MAC address in lower case with colons, or NULL */
	size_t entry; /* index of the host's entry in `entries` */
};

struct conf_group {
	char *name;
	/* NULL-ended array of lists of hosts; each list has the form of -H */
	char **hosts;
	/* lists of excluded hosts, in the form of `hosts`; NULL: not set */
	char **exclude;
};

struct client_conf {
	size_t nentries;
	struct conf_entry *entries;
	size_t nhosts;
	struct conf_host *hosts;
	struct string_map host_names; /* the index in `hosts` of each name */
	size_t ngroups;
	struct conf_group *groups;
	struct string_map group_names; /* the index in `groups` of each name */
	/* list of hosts in the form of -H; NULL: the local daemon */
	char *default_hosts;
	unsigned default_timeout;         /* in seconds; 0: not set */
	unsigned default_connect_timeout; /* in seconds; 0: not set */
	unsigned default_fanout; /* number of hosts in parallel; 0: not set */
};

/*
 * Read the user's file and the machine's file, if they exist. Returns 0, or -1
 * with lines "FILE:LINE: KEY: …" appended to error. In both cases, the caller
 * must call client_conf_free().
 */
int client_conf_read(struct client_conf *, struct buf *error);

/*
 * Read settings from a text, and add the settings like client_conf_read().
 * Error messages use `name` as the name of the file.
 */
int client_conf_read_text(struct client_conf *, const char *text,
	const char *name, struct buf *error);

/*
 * Append the transport, the address and the port in the form that
 * target_parse() reads. An IPv6 address needs no brackets. A port of 0 means
 * the transport's default port.
 */
void client_conf_target(
	enum target_kind, const char *address, unsigned port, struct buf *);

/*
 * Return the host or the group with this name, or NULL if the configuration
 * does not have the name. The name of a host has len bytes. Upper and lower
 * case do not differ.
 */
const struct conf_host *client_conf_host(
	const struct client_conf *, const char *name, size_t len);
const struct conf_group *client_conf_group(
	const struct client_conf *, const char *name);

/*
 * Return the group name that is most similar to `name`, for a suggestion in a
 * message. Return NULL if no group has a similar name.
 */
const char *client_conf_nearest_group(
	const struct client_conf *, const char *name);

void client_conf_free(struct client_conf *);

#endif
