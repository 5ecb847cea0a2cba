/*
 * Adds hosts to the user's bridlectl.conf.
 */
#ifndef BRIDLE_CONF_ADD_HOSTS_H
#define BRIDLE_CONF_ADD_HOSTS_H

#include "buf.h"
#include "hosts/client_conf.h"
#include "hosts/client_conf_edit.h"

#include <stddef.h>

/*
 * Check that hosts can be added to this group. `conf` has the settings of both
 * files. Refuse a group of the machine's file. A new group of the same name in
 * the user's file would hide that group. Return 0, or -1 with a sentence in
 * `problem`.
 */
int conf_add_hosts_check_group(
	const struct client_conf *conf, const char *group, struct buf *problem);

/*
 * Add the hosts to the user's file, and to the group unless `group` is NULL.
 * The file and the group are created if needed. A host that has an entry in
 * `conf` keeps this entry. Set the members `known` and `member` of each
 * addition, and append the path of the file to `path`. No reader sees an
 * incomplete file. Return 0, or -1 after printing a message.
 */
int conf_add_hosts(const struct client_conf *conf, struct conf_addition *,
	size_t n, const char *group, struct buf *path);

#endif
