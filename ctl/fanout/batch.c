#include "fanout/batch.h"

/* True if a batch ends after `begun` hosts, and more hosts follow. */
static bool
at_boundary(const struct batch *s, size_t begun)
{
	size_t first = s->total - s->last;

	if (begun == 0 || begun >= s->total)
		return false;
	if (begun == first)
		return true;
	if (s->batch == 0)
		return false;
	return (begun < first ? begun : begun - first) % s->batch == 0;
}

int64_t
batch_gate(struct batch *s, size_t begun, size_t running, size_t failures,
	int64_t now)
{
	if (s->bounded && failures > s->max_failures)
		return BATCH_STOP;
	if (!at_boundary(s, begun))
		return 0;
	if (running > 0)
		return INT64_MAX;
	if (s->paused_at != begun) {
		s->paused_at = begun;
		s->until = now + s->pause;
	}
	return now >= s->until ? 0 : s->until;
}
