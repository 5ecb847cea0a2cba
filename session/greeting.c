#include "greeting.h"

#include "ask.h"
#include "tls.h"

#include <poll.h>

static enum greeting
tell_peer(int ask, enum ask_handshake result, const char *text,
	enum greeting then)
{
	return ask_peer(ask, result, text) == 0 ? then : GREETING_FAILED;
}

static enum greeting
wait_for(struct stream *client, short events)
{
	client->to_read = events;
	return GREETING_MORE;
}

enum greeting
greeting_step(struct stream *client, int ask)
{
	struct tls *tls = client->tls;
	char key[TLS_FINGERPRINT_SIZE];

	switch (tls_handshake(tls)) {
	case TLS_WANT_READ:
		return wait_for(client, POLLIN);
	case TLS_WANT_WRITE:
		return wait_for(client, POLLOUT);
	case 0:
		client->to_read = POLLIN;
		if (tls_peer(tls, key))
			return tell_peer(
				ask, HANDSHAKE_KEY, key, GREETING_DONE);
		return tell_peer(ask, HANDSHAKE_NO_KEY, "", GREETING_DONE);
	case TLS_PLAIN:
		return tell_peer(
			ask, HANDSHAKE_PLAIN, tls_problem(tls), GREETING_PLAIN);
	default:
		return tell_peer(ask, HANDSHAKE_FAILED, tls_problem(tls),
			GREETING_FAILED);
	}
}
