/*
 * The functions that both parts of the reader of bridlectl.conf use.
 * client_conf_hosts.c reads the hosts. client_conf_load.c reads all other
 * settings.
 */
#ifndef BRIDLE_CLIENT_CONF_PARSE_H
#define BRIDLE_CLIENT_CONF_PARSE_H

#include "conf.h"
#include "hosts/client_conf.h"

/* The state while one file is read. */
struct reading {
	struct client_conf *to; /* the settings read so far */
	struct conf *conf;      /* the file that is read */
	size_t groups_before;   /* number of groups in earlier files */
};

/*
 * Add the hosts of one entry. Skip a host whose name was added earlier. Report
 * the errors of the entry.
 */
void reading_host(struct reading *, const config_setting_t *entry);

/*
 * Read the keys broadcast, wake_port and wake_interface of an entry. Return
 * false after reporting an error.
 */
bool reading_wake(
	struct reading *, const config_setting_t *entry, struct conf_entry *);

/*
 * Read the key `mac` of an entry into *macs. The entry has `names` hosts, and
 * needs one MAC address for each host. If the entry does not have the key,
 * leave *macs unchanged, and return true. Return false after reporting an
 * error. The caller frees *macs with conf_strings_free().
 */
bool reading_macs(struct reading *, const config_setting_t *entry, size_t names,
	char ***macs);

/*
 * Return the setting of a key in a group. An error message can then name the
 * line of the setting. If the group does not have the key, return the group.
 */
const config_setting_t *reading_member(
	const config_setting_t *group, const char *key);

/*
 * Return the array with memory for at least n elements of `size` bytes. On
 * failure, report an error, leave the array unchanged and return NULL.
 */
void *reading_grow(struct reading *, void *array, size_t n, size_t size);

/* Report that memory cannot be allocated. Always return false. */
bool reading_no_memory(struct reading *);

#endif
