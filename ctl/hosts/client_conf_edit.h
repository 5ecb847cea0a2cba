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
 * For each host that is not `known`, add an entry to the list `hosts`. For each
 * host that is not a `member`, add the host's name to the group `group`. If the
 * list `hosts` or the group is missing, create the list or the group. `group`
 * can be NULL. Names and addresses can have only letters, digits and the bytes
 * ".:%_-".
 *
 * Return 0, or -1 with a sentence appended to error. After an error, the text
 * is undefined. The text must be valid for client_conf_read_text(). The
 * function does not search included files. Therefore the caller must check the
 * new text with client_conf_read_text().
 */
int client_conf_edit_add(struct buf *text, const struct conf_addition *,
	size_t n, const char *group, struct buf *error);

#endif
