#include "vigil.h"

#include "wire.h"

#include <string.h>

bool
vigil_ping(struct vigil *v, const char *line, size_t len)
{
	if (len != 3 || memcmp(line, "1#4", 3) != 0)
		return false;
	v->pings = true;
	v->heard = true;
	v->asked = true;
	return true;
}

bool
vigil_beat(struct vigil *v, uint64_t taken, bool all)
{
	/* Whoever speaks is judged by that: his machine may outlive him. */
	bool alive = v->pings ? v->heard : all || taken != v->taken;

	v->heard = false;
	v->asked = false;
	v->taken = taken;
	v->silent = alive ? 0 : v->silent + 1;
	return v->silent >= VIGIL_BEATS;
}

void
vigil_cut(struct buf *out, size_t sent)
{
	char *lf = NULL;

	if (out->len > sent)
		lf = memchr(out->data + sent, '\n', out->len - sent);
	if (lf != NULL)
		out->len = (size_t)(lf - out->data) + 1;
	wire_status(out, CODE_TOO_SLOW,
		"you do not read, or send no heartbeats any more: what came "
		"after this is lost");
	wire_end(out);
}
