#include "liveness.h"

#include <string.h>

bool
liveness_ping(struct liveness *v, const char *line, size_t len)
{
	if (len != 3 || memcmp(line, "1#4", 3) != 0)
		return false;
	v->pings = true;
	v->heard = true;
	v->asked = true;
	return true;
}

bool
liveness_beat(struct liveness *v, uint64_t taken, bool all)
{
	/*
	 * A client that has sent a ping must continue to send pings.
	 * Acknowledged bytes do not prove that such a client is alive. The
	 * client's machine acknowledges bytes even if the client hangs.
	 */
	bool alive = v->pings ? v->heard : all || taken != v->taken;

	v->heard = false;
	v->taken = taken;
	v->silent = alive ? 0 : v->silent + 1;
	return v->silent >= LIVENESS_BEATS;
}

void
liveness_cut(struct buf *out, size_t sent)
{
	char *lf = NULL;

	if (out->len > sent)
		lf = memchr(out->data + sent, '\n', out->len - sent);
	if (lf != NULL)
		out->len = (size_t)(lf - out->data) + 1;
}
