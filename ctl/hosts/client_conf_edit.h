/*
 * Adds hosts and members of a group to the text of a bridlectl.conf. Comments
 * and the other settings stay unchanged. No I/O.
 */
#ifndef BRIDLE_CLIENT_CONF_EDIT_H
#define BRIDLE_CLIENT_CONF_EDIT_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

struct conf_addition {
	const char *name;
	const char *address; /* NULL: the host's name is the address */
	unsigned port;       /* TCP port for TLS; 0: the default port */
	bool known;          /* true: the host has an entry already */
	bool member;         /* true: the host is in the group already */
};

/*
 * Add an entry to `hosts` for each host that is not `known`, and the name to
 * `group` for each host that is not `member`. If the text does not have the
 * list `hosts` or the group, append it. `group` may be NULL. Names and
 * addresses may have letters, digits and the bytes ".:%_-" only.
 *
 * Return 0, or -1 with a sentence appended to error. After an error, the text
 * is undefined. The text must be valid for client_conf_read_text(). An included
 * file is not searched, so the caller must read the new text for a check.
 */
int client_conf_edit_add(struct buf *text, const struct conf_addition *,
	size_t n, const char *group, struct buf *error);

#endif
