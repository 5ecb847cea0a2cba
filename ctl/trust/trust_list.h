/*
 * A list of hosts and the fingerprints of their keys, for `trust --from`.
 */
#ifndef BRIDLE_TRUST_LIST_H
#define BRIDLE_TRUST_LIST_H

#include "buf.h"
#include "util/string_map.h"

#include <stddef.h>

struct trust_list {
	const char *name; /* name of the file; owned by the caller */
	char *text;
	size_t n;
	char **keys;                 /* fingerprints; they point into `text` */
	struct string_map addresses; /* the index in `keys` of each address */
};

/*
 * Read a file with lines "HOST FINGERPRINT". HOST is NAME or NAME:PORT. Empty
 * lines and lines that begin with # are skipped. The path "-" means stdin. Two
 * lines for one host are an error. Returns 0, or -1 with a sentence appended to
 * problem. In both cases, the caller must call trust_list_free().
 */
int trust_list_read(struct trust_list *, const char *path, struct buf *problem);

/*
 * Return the fingerprint of the host with this address, or NULL. The address
 * has the form of target_address().
 */
const char *trust_list_find(const struct trust_list *, const char *address);

void trust_list_free(struct trust_list *);

#endif
