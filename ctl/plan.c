#include "plan.h"

#include "hostlist.h"
#include "own_machine.h"

#include <stdlib.h>
#include <string.h>

static bool
stops_machine(const struct invocation *inv)
{
	return inv->request.verb == VERB_HALT && !inv->request.dry_run &&
	       !inv->request.explain;
}

/* Puts those that are ours behind the others; their number. */
static size_t
put_own_last(struct plan *p, const struct invocation *inv)
{
	size_t *own = calloc(p->n + 1, sizeof(own[0]));
	size_t i, n = 0, nown = 0;

	if (own == NULL)
		return 0;
	for (i = 0; i < p->n; i++) {
		if (own_machine(&inv->hosts.v[p->order[i]].target))
			own[nown++] = p->order[i];
		else
			p->order[n++] = p->order[i];
	}
	memcpy(p->order + n, own, nown * sizeof(own[0]));
	free(own);
	return nown;
}

int
plan_make(struct plan *p, const struct invocation *inv, const bool *wanted,
	struct buf *error)
{
	struct stage *s = &p->stage;
	size_t i;

	memset(p, 0, sizeof(*p));
	p->order = calloc(inv->hosts.n + 1, sizeof(p->order[0]));
	if (p->order == NULL) {
		buf_adds(error, "out of memory");
		return -1;
	}
	for (i = 0; i < inv->hosts.n; i++)
		if (wanted == NULL || wanted[i])
			p->order[p->n++] = i;
	s->total = p->n;
	if (stops_machine(inv))
		s->last = put_own_last(p, inv);
	s->pause = inv->pause * 1000LL;
	s->bounded = invocation_has(inv, OPT_MAX_FAILURES);
	s->batch = stage_number(&inv->batch, p->n);
	s->max_failures = stage_number(&inv->max_failures, p->n);
	return 0;
}

static void
add_hosts(const struct plan *p, const struct invocation *inv, size_t first,
	size_t n, struct buf *out)
{
	const char **names = calloc(n + 1, sizeof(names[0]));
	char *folded = NULL;
	size_t i;

	for (i = 0; names != NULL && i < n; i++)
		names[i] = inv->hosts.v[p->order[first + i]].label;
	if (names != NULL && (folded = hostlist_fold(names, n)) != NULL)
		buf_adds(out, folded);
	free(folded);
	free(names);
}

void
plan_describe(
	const struct plan *p, const struct invocation *inv, struct buf *out)
{
	const struct stage *s = &p->stage;

	buf_addf(out, "%zu host%s (", p->n, p->n == 1 ? "" : "s");
	add_hosts(p, inv, 0, p->n, out);
	buf_addc(out, ')');
	if (s->batch > 0 && s->batch < p->n)
		buf_addf(out, ", %zu at a time", s->batch);
	if (s->pause > 0)
		buf_addf(out, ", with pauses of %u s", inv->pause);
	if (s->last > 0 && s->last < p->n) {
		buf_adds(out, ", this machine last (");
		add_hosts(p, inv, p->n - s->last, s->last, out);
		buf_addc(out, ')');
	}
	if (s->bounded && s->max_failures == 0)
		buf_adds(out, ", until one has failed");
	else if (s->bounded && s->max_failures < p->n)
		buf_addf(out, ", until more than %zu have failed",
			s->max_failures);
}

void
plan_free(struct plan *p)
{
	free(p->order);
	memset(p, 0, sizeof(*p));
}
