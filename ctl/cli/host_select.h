/*
 * Selects the hosts by the options of the command line.
 */
#ifndef BRIDLE_HOST_SELECT_H
#define BRIDLE_HOST_SELECT_H

#include "buf.h"
#include "cli/options.h"
#include "hosts/client_conf.h"
#include "hosts/host.h"

/*
 * The reaction of host_select() to a word of --exclude that excludes no host.
 */
enum host_select_unused {
	HOST_SELECT_IGNORE,
	HOST_SELECT_WARN,
	HOST_SELECT_REFUSE
};

/*
 * Append the hosts of -H and --hosts-file, without the hosts of --exclude.
 * Without -H and --hosts-file, append the default hosts of bridlectl.conf or
 * the local daemon. After success, the list has at least one host and no
 * duplicates.
 *
 * If the options can name hosts or groups of bridlectl.conf, read this file
 * into the client_conf. The client_conf must be zeroed before the call. Returns
 * 0, or -1 with a sentence appended to error. In both cases, the caller must
 * free the hosts and the client_conf.
 */
int host_select(struct hosts *, struct client_conf *, const struct options *,
	enum host_select_unused, struct buf *error);

#endif
