#include "fanout/summary.h"

#include "clock.h"
#include "fanout/host_names.h"

#include <stdlib.h>
#include <string.h>

static const enum outcome outcomes[RESULT_KINDS] = { [RESULT_OK] = OUTCOME_DONE,
	[RESULT_NO_MATCH] = OUTCOME_NO,
	[RESULT_REFUSED] = OUTCOME_NO,
	[RESULT_FAILED] = OUTCOME_NO,
	[RESULT_TIMED_OUT] = OUTCOME_UNREACHED,
	[RESULT_UNREACHED] = OUTCOME_UNREACHED,
	[RESULT_NOT_ASKED] = OUTCOME_UNREACHED };

int
summary_begin(struct summary *t, size_t hosts)
{
	memset(t, 0, sizeof(*t));
	t->hosts = hosts;
	t->begun = clock_ms();
	if ((t->fates = malloc(hosts + 1)) == NULL)
		return -1;
	memset(t->fates, RESULT_KINDS, hosts);
	return 0;
}

void
summary_add(struct summary *t, const struct result *a)
{
	t->fates[a->index] = (unsigned char)a->result_kind;
	t->count[a->result_kind]++;
	t->total++;
}

enum outcome
summary_outcome(const struct summary *t)
{
	struct outcomes all = { 0 };
	int kind;

	for (kind = 0; kind < RESULT_KINDS; kind++)
		if (t->count[kind] > 0)
			outcomes_add(&all, outcomes[kind]);
	return all.all;
}

/*
 * Append the names of the hosts with this kind of result, as in "
 * (node[07-09])".
 */
static void
add_hosts(struct buf *out, const struct summary *t, const struct hosts *hosts,
	int result_kind)
{
	size_t *indexes = calloc(t->count[result_kind] + 1, sizeof(indexes[0]));
	size_t i, n = 0;

	for (i = 0; indexes != NULL && i < t->hosts; i++)
		if (t->fates[i] == result_kind)
			indexes[n++] = i;
	buf_adds(out, " (");
	host_names_add(hosts, indexes, n, out);
	buf_addc(out, ')');
	free(indexes);
}

void
summary_describe(
	const struct summary *t, const struct hosts *hosts, struct buf *out)
{
	const char *before = ":";
	int result_kind;

	if (t->total == 0)
		return;
	buf_addf(out, "%zu host%s", t->total, t->total == 1 ? "" : "s");
	for (result_kind = 0; result_kind < RESULT_KINDS; result_kind++) {
		if (t->count[result_kind] == 0)
			continue;
		buf_addf(out, "%s %zu %s", before, t->count[result_kind],
			result_kind_names[result_kind]);
		if (result_kind != RESULT_OK)
			add_hosts(out, t, hosts, result_kind);
		before = ",";
	}
}

void
summary_json(const struct summary *t, struct buf *out)
{
	int64_t took = clock_ms() - t->begun;
	int result_kind;

	buf_addf(out, "{\"hosts\":%zu", t->total);
	for (result_kind = 0; result_kind < RESULT_KINDS; result_kind++)
		buf_addf(out, ",\"%s\":%zu", result_kind_keys[result_kind],
			t->count[result_kind]);
	buf_addf(out, ",\"seconds\":%lld.%03d}\n", (long long)took / 1000,
		(int)(took % 1000));
}

void
summary_free(struct summary *t)
{
	free(t->fates);
	memset(t, 0, sizeof(*t));
}
