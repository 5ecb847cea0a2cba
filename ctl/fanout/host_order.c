#include "fanout/host_order.h"

#include "fanout/host_names.h"
#include "hosts/local_host.h"
#include "util/message.h"

#include <stdlib.h>
#include <string.h>

static bool
stops_machine(const struct invocation *inv)
{
	return inv->request.verb == VERB_HALT && !inv->request.dry_run &&
	       !inv->request.explain;
}

/*
 * Move all hosts whose machine is this machine to the end of the order. Return
 * the number of these hosts, or 0 if no memory is available.
 */
static size_t
put_own_last(struct host_order *p, const struct invocation *inv)
{
	size_t *own = calloc(p->n + 1, sizeof(own[0]));
	size_t i, n = 0, nown = 0;

	if (own == NULL)
		return 0;
	for (i = 0; i < p->n; i++) {
		if (local_host_matches(&inv->hosts.v[p->order[i]].target))
			own[nown++] = p->order[i];
		else
			p->order[n++] = p->order[i];
	}
	memcpy(p->order + n, own, nown * sizeof(own[0]));
	free(own);
	return nown;
}

int
host_order_make(
	struct host_order *p, const struct invocation *inv, const bool *wanted)
{
	struct batch *s = &p->batch;
	size_t i;

	memset(p, 0, sizeof(*p));
	p->order = calloc(inv->hosts.n + 1, sizeof(p->order[0]));
	if (p->order == NULL) {
		message_print("out of memory");
		return -1;
	}
	for (i = 0; i < inv->hosts.n; i++)
		if (wanted[i])
			p->order[p->n++] = i;
	s->total = p->n;
	if (p->n > 1 && stops_machine(inv))
		s->last = put_own_last(p, inv);
	s->pause = inv->pause * 1000LL;
	s->bounded = invocation_has(inv, OPT_MAX_FAILURES);
	s->batch = host_share_count(&inv->batch, p->n);
	s->max_failures = host_share_count(&inv->max_failures, p->n);
	return 0;
}

void
host_order_hosts(const struct host_order *p, const struct invocation *inv,
	struct buf *out)
{
	buf_addf(out, "%zu host%s (", p->n, p->n == 1 ? "" : "s");
	host_names_add(&inv->hosts, p->order, p->n, out);
	buf_addc(out, ')');
}

void
host_order_steps(const struct host_order *p, const struct invocation *inv,
	struct buf *out)
{
	const struct batch *s = &p->batch;

	if (s->batch > 0 && s->batch < p->n)
		buf_addf(out, ", %zu at a time", s->batch);
	if (s->pause > 0)
		buf_addf(out, ", with pauses of %u s", inv->pause);
	if (s->last > 0 && s->last < p->n) {
		buf_adds(out, ", this machine last (");
		host_names_add(
			&inv->hosts, p->order + p->n - s->last, s->last, out);
		buf_addc(out, ')');
	}
	if (s->bounded && s->max_failures == 0)
		buf_adds(out, ", stop after a failure");
	else if (s->bounded && s->max_failures < p->n)
		buf_addf(out, ", stop after more than %zu failures",
			s->max_failures);
}

void
host_order_free(struct host_order *p)
{
	free(p->order);
	memset(p, 0, sizeof(*p));
}
