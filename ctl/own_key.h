/*
 * The key that bridlectl shows to daemons.
 */
#ifndef BRIDLE_OWN_KEY_H
#define BRIDLE_OWN_KEY_H

#include "buf.h"
#include "invocation.h"
#include "tls.h"

/* The path of the default one: 0, or -1 with a problem. */
int own_key_path(struct buf *path, struct buf *problem);

/*
 * Reads the one that --identity names, or the default one; *key is NULL where
 * there is no default one. 0, or -1 with a sentence appended to problem.
 */
int own_key_read(
	const struct invocation *, struct tls_key **key, struct buf *problem);

/*
 * For connections that show it: made once for each file, and kept to the end,
 * since it takes longer than a connection. What is in the file is looked at
 * now, or late, when the first connection needs it. NULL with a sentence.
 */
enum own_key_when { OWN_KEY_NOW, OWN_KEY_LATE };
struct tls_context *own_key_context(
	const struct invocation *, enum own_key_when, struct buf *problem);

/* What to do about a daemon that does not know the key that it was shown. */
void own_key_hint(const struct invocation *);

#endif
