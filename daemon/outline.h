/*
 * The outline of a configuration: the entries of `clients` and `listen`, with
 * the place of each entry. Programs that change the configuration read the
 * outline.
 */
#ifndef BRIDLE_OUTLINE_H
#define BRIDLE_OUTLINE_H

#include "buf.h"
#include "config/settings.h"

/*
 * Append a line for each entry, in the order of the configuration. Tabs
 * separate the fields:
 *
 *     client FILE LINE NAME KIND KEYS
 *     listen FILE LINE KIND ADDRESS
 *
 * For a client, KIND is the setting that identifies the client, such as
 * "unix_user" or "key". For a listener, KIND is "unix", "tcp" or "tls". KEYS
 * are fingerprints, separated by commas, or "-". LINE is 0 for a built-in
 * default. Bytes that could break the format are escaped as in the log.
 */
void outline_add(const struct settings *, struct buf *);

#endif
