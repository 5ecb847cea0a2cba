#include "tally.h"

#include "clock.h"
#include "hostlist.h"

#include <stdlib.h>
#include <string.h>

static const enum outcome outcomes[FATES] = { [FATE_OK] = OUTCOME_DONE,
	[FATE_NO_MATCH] = OUTCOME_NO,
	[FATE_REFUSED] = OUTCOME_NO,
	[FATE_FAILED] = OUTCOME_NO,
	[FATE_TIMED_OUT] = OUTCOME_UNREACHED,
	[FATE_UNREACHED] = OUTCOME_UNREACHED,
	[FATE_NOT_ASKED] = OUTCOME_UNREACHED };

int
tally_begin(struct tally *t, size_t hosts)
{
	memset(t, 0, sizeof(*t));
	t->hosts = hosts;
	t->begun = clock_ms();
	if ((t->fates = malloc(hosts + 1)) == NULL)
		return -1;
	memset(t->fates, FATES, hosts);
	return 0;
}

void
tally_add(struct tally *t, const struct answer *a)
{
	t->fates[a->index] = (unsigned char)a->fate;
	t->count[a->fate]++;
	t->total++;
}

enum outcome
tally_outcome(const struct tally *t)
{
	enum outcome outcome = OUTCOME_DONE;
	bool first = true;
	int fate;

	for (fate = 0; fate < FATES; fate++) {
		if (t->count[fate] == 0)
			continue;
		if (!first && outcomes[fate] != outcome)
			return OUTCOME_SEVERAL;
		outcome = outcomes[fate];
		first = false;
	}
	return outcome;
}

/* " (node[07-09])" */
static void
add_hosts(struct buf *out, const struct tally *t, const struct hosts *hosts,
	int fate)
{
	const char **names = calloc(t->count[fate] + 1, sizeof(names[0]));
	char *folded = NULL;
	size_t i, n = 0;

	for (i = 0; names != NULL && i < t->hosts; i++)
		if (t->fates[i] == fate)
			names[n++] = hosts->v[i].label;
	if (names != NULL && (folded = hostlist_fold(names, n)) != NULL)
		buf_addf(out, " (%s)", folded);
	free(folded);
	free(names);
}

void
tally_describe(
	const struct tally *t, const struct hosts *hosts, struct buf *out)
{
	const char *before = ":";
	int fate;

	if (t->total == 0)
		return;
	buf_addf(out, "%zu host%s", t->total, t->total == 1 ? "" : "s");
	for (fate = 0; fate < FATES; fate++) {
		if (t->count[fate] == 0)
			continue;
		buf_addf(out, "%s %zu %s", before, t->count[fate],
			fate_names[fate]);
		if (fate != FATE_OK)
			add_hosts(out, t, hosts, fate);
		before = ",";
	}
}

void
tally_json(const struct tally *t, struct buf *out)
{
	int64_t took = clock_ms() - t->begun;
	int fate;

	buf_addf(out, "{\"hosts\":%zu", t->total);
	for (fate = 0; fate < FATES; fate++)
		buf_addf(out, ",\"%s\":%zu", fate_keys[fate], t->count[fate]);
	buf_addf(out, ",\"seconds\":%lld.%03d}\n", (long long)took / 1000,
		(int)(took % 1000));
}

void
tally_free(struct tally *t)
{
	free(t->fates);
	memset(t, 0, sizeof(*t));
}
