/*
 * Creates the user's key.
 */
#ifndef BRIDLE_KEY_CREATE_H
#define BRIDLE_KEY_CREATE_H

#include "buf.h"
#include "tls.h"

/*
 * Append the user's login name. Replace each character that is not allowed in a
 * name in `clients` by "_".
 */
void key_create_login(struct buf *);

/*
 * Create a key, and write the key to a new file. Set `fingerprint` to the
 * fingerprint of the key. Returns 0. On failure, return -1 with errno and with
 * a sentence appended to problem. If the file already exists, errno is EEXIST,
 * and the file is unchanged.
 */
int key_create(const char *path, enum tls_key_type,
	char fingerprint[TLS_FINGERPRINT_SIZE], struct buf *problem);

/*
 * Set `fingerprint` to the fingerprint of the key in the file. Returns 0, or -1
 * with errno and with a sentence appended to problem. errno is ENOENT if there
 * is no such file.
 */
int key_create_read(const char *path, char fingerprint[TLS_FINGERPRINT_SIZE],
	struct buf *problem);

#endif
