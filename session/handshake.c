#include "handshake.h"

#include "privsep.h"
#include "tls.h"

#include <poll.h>

static enum handshake
report_peer(int parent, enum privsep_handshake result, const char *text,
	enum handshake then)
{
	return privsep_peer(parent, result, text) == 0 ? then
						       : HANDSHAKE_FAILED;
}

static enum handshake
wait_for(struct stream *client, short events)
{
	client->to_read = events;
	return HANDSHAKE_MORE;
}

enum handshake
handshake_step(struct stream *client, int parent)
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
			return report_peer(parent, PRIVSEP_HANDSHAKE_KEY, key,
				HANDSHAKE_DONE);
		return report_peer(
			parent, PRIVSEP_HANDSHAKE_NO_KEY, "", HANDSHAKE_DONE);
	case TLS_PLAIN:
		return report_peer(parent, PRIVSEP_HANDSHAKE_PLAIN,
			tls_problem(tls), HANDSHAKE_PLAIN);
	default:
		return report_peer(parent,
			tls_peer_left(tls) ? PRIVSEP_HANDSHAKE_LEFT
					   : PRIVSEP_HANDSHAKE_FAILED,
			tls_problem(tls), HANDSHAKE_FAILED);
	}
}
