/*
 * The rest of tls.h, where it comes from a module: each of these takes what
 * only a loaded one has made. Apart from tls_load.c for bridled-session, which
 * never loads it, and is linked statically.
 */
#include "tls_calls.h"

#include <stddef.h>

const struct tls_calls *tls_found;

int
tls_key_write(const struct tls_key *key, const char *path)
{
	return tls_found->key_write(key, path);
}

void
tls_key_fingerprint(
	const struct tls_key *key, char fingerprint[TLS_FINGERPRINT_SIZE])
{
	tls_found->key_fingerprint(key, fingerprint);
}

void
tls_key_free(struct tls_key *key)
{
	if (key != NULL)
		tls_found->key_free(key);
}

int
tls_warm_up(struct tls_context *server)
{
	return tls_found->warm_up(server);
}

void
tls_context_free(struct tls_context *c)
{
	if (c != NULL)
		tls_found->context_free(c);
}

struct tls *
tls_open(struct tls_context *c, int fd)
{
	return tls_found->open(c, fd);
}

int
tls_handshake(struct tls *t)
{
	return tls_found->handshake(t);
}

bool
tls_peer(const struct tls *t, char fingerprint[TLS_FINGERPRINT_SIZE])
{
	return tls_found->peer(t, fingerprint);
}

ssize_t
tls_read(struct tls *t, void *data, size_t len)
{
	return tls_found->read(t, data, len);
}

ssize_t
tls_write(struct tls *t, const void *data, size_t len)
{
	return tls_found->write(t, data, len);
}

bool
tls_pending(const struct tls *t)
{
	return tls_found->pending(t);
}

int
tls_shutdown(struct tls *t)
{
	return tls_found->shutdown(t);
}

const char *
tls_problem(const struct tls *t)
{
	return tls_found->problem(t);
}

void
tls_close(struct tls *t)
{
	if (t != NULL)
		tls_found->close(t);
}
