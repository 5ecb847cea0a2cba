#include "host_set.h"

#include "name_table.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* How it is reached, as one text. */
static const char *
way(const struct host *h, struct buf *scratch)
{
	buf_reset(scratch);
	buf_addf(scratch, "%d ", (int)h->target.kind);
	if (h->target.kind == TARGET_UNIX)
		buf_adds(scratch, h->target.host);
	else
		targets_address(&h->target, scratch);
	return buf_str(scratch);
}

/* Names mean the same in any case, but for those of sockets. */
static const char *
lower(const struct host *h, const char *name, struct buf *scratch)
{
	bool keep = h->target.kind == TARGET_UNIX;

	buf_reset(scratch);
	for (; *name != '\0'; name++)
		buf_addc(scratch,
			keep ? *name : (char)tolower((unsigned char)*name));
	return buf_str(scratch);
}

/* Keeps or drops the next host, where `kept` of those before it are kept. */
static void
sort_out(struct hosts *hosts, size_t i, size_t *kept, bool keep)
{
	if (keep)
		hosts->v[(*kept)++] = hosts->v[i];
	else
		hosts_clear(&hosts->v[i]);
}

int
host_set_unique(struct hosts *hosts)
{
	struct name_table seen = { 0 };
	struct buf scratch = { 0 };
	size_t i, kept = 0;
	int added, result = 0;

	for (i = 0; i < hosts->n; i++) {
		added = name_table_add(&seen, way(&hosts->v[i], &scratch), i);
		if (added < 0)
			result = -1;
		sort_out(hosts, i, &kept, added != 0);
	}
	hosts->n = kept;
	name_table_free(&seen);
	buf_free(&scratch);
	return result;
}

static int
add_all(struct name_table *names, const struct hosts *without,
	struct buf *scratch)
{
	const struct host *h;
	size_t i;

	for (i = 0; i < without->n; i++) {
		h = &without->v[i];
		if (name_table_add(names, lower(h, h->label, scratch), i) < 0 ||
			name_table_add(names, way(h, scratch), i) < 0)
			return -1;
	}
	return 0;
}

static bool
is_among(const struct host *h, const struct name_table *names,
	struct buf *scratch)
{
	struct buf name = { 0 };
	bool found;

	hosts_name(h, &name);
	found = name_table_find(names, way(h, scratch), NULL) ||
		name_table_find(names, lower(h, h->label, scratch), NULL) ||
		name_table_find(
			names, lower(h, buf_str(&name), scratch), NULL) ||
		name_table_find(names, lower(h, h->target.host, scratch), NULL);
	buf_free(&name);
	return found;
}

int
host_set_exclude(struct hosts *hosts, const struct hosts *without)
{
	struct name_table names = { 0 };
	struct buf scratch = { 0 };
	size_t i, kept = 0;
	int result = add_all(&names, without, &scratch);

	for (i = 0; result == 0 && i < hosts->n; i++)
		sort_out(hosts, i, &kept,
			!is_among(&hosts->v[i], &names, &scratch));
	if (result == 0)
		hosts->n = kept;
	name_table_free(&names);
	buf_free(&scratch);
	return result;
}
