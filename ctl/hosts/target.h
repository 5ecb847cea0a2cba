/*
 * The target of a connection, which is one host with its transport and address.
 * No I/O.
 */
#ifndef BRIDLE_TARGET_H
#define BRIDLE_TARGET_H

#include "buf.h"

#include <stddef.h>
#include <sys/un.h>

#define TARGET_DEFAULT "unix:" RUNDIR "/bridle/bridled.sock"
/* path of the local daemon's socket that only root can use */
#define TARGET_ROOT_SOCKET RUNDIR "/bridle/root.sock"
#define TARGET_NAME_MAX 256

enum target_kind { TARGET_UNIX, TARGET_PLAIN, TARGET_TLS };

extern const char
	*const target_kind_names[]; /* one name for each kind; NULL-ended */

struct target {
	enum target_kind kind;
	/* the text that target_parse() has read; owned by the caller */
	const char *name;
	/* name or address of the host, or path of the unix socket */
	char host[TARGET_NAME_MAX];
	char port[8]; /* number; empty for TARGET_UNIX */
	/* path of a unix socket to try before `host`, or NULL; a constant */
	const char *first;
};

/*
 * Parse one host of -H. The form is "NAME[:PORT]" for TLS, "unix:PATH" or
 * "plain:NAME[:PORT]". An IPv6 address needs brackets. Returns 0, or -1 with a
 * sentence appended to error.
 */
int target_parse(const char *text, struct target *, struct buf *error);

/*
 * Return the length of a host's name without dots at its end. In DNS, "web1."
 * is an absolute name for the host "web1".
 */
size_t target_name_len(const char *name, size_t len);

/*
 * Append "NAME:PORT" or "[ADDRESS]:PORT" in the form of known_hosts. This form
 * is in lower case, and has no dots at the end of the name. The target must not
 * be a unix socket.
 */
void target_address(const struct target *, struct buf *);

#endif
