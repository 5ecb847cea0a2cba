#include "hosts/host_set.h"

#include <ctype.h>
#include <string.h>

/* Return the transport and the address of a host as one text in `scratch`. */
static const char *
route(const struct host *h, struct buf *scratch)
{
	buf_reset(scratch);
	buf_addf(scratch, "%d ", (int)h->target.kind);
	if (h->target.kind == TARGET_UNIX)
		buf_adds(scratch, h->target.host);
	else
		target_address(&h->target, scratch);
	return buf_str(scratch);
}

/*
 * Store the name in `scratch`, in lower case and without dots at its end, and
 * return `scratch` as a string. The path of a unix socket is stored unchanged.
 */
static const char *
fold(const struct host *h, const char *name, struct buf *scratch)
{
	size_t i, len = target_name_len(name, strlen(name));

	buf_reset(scratch);
	if (h->target.kind == TARGET_UNIX) {
		buf_adds(scratch, name);
		return buf_str(scratch);
	}
	for (i = 0; i < len; i++)
		buf_addc(scratch, (char)tolower((unsigned char)name[i]));
	return buf_str(scratch);
}

/*
 * The numbers of names that nth_name() gives each host. A host has NAMES_ALL
 * names. The first NAMES_OWN names are the route() and the label.
 * host_set_exclude() compares all names of a host with the route and the label
 * of each excluded host. If two names are equal, the host is removed.
 */
enum { NAMES_OWN = 2, NAMES_ALL = 4 };

static const char *
nth_name(const struct host *h, int n, struct buf *scratch)
{
	struct buf machine = { 0 };
	const char *name;

	if (n == 0)
		return route(h, scratch);
	if (n == 1)
		return fold(h, h->label, scratch);
	if (n == 2)
		return fold(h, h->target.host, scratch);
	hosts_name(h, &machine);
	name = fold(h, buf_str(&machine), scratch);
	buf_free(&machine);
	return name;
}

static int
add_names(struct string_map *names, const struct hosts *hosts, int count)
{
	struct buf scratch = { 0 };
	int n, result = 0;
	size_t i;

	for (i = 0; result == 0 && i < hosts->n; i++)
		for (n = 0; n < count; n++)
			if (string_map_add(names,
				    nth_name(&hosts->v[i], n, &scratch), i) < 0)
				result = -1;
	buf_free(&scratch);
	return result;
}

static bool
is_among(const struct host *h, int count, const struct string_map *names)
{
	struct buf scratch = { 0 };
	bool found = false;
	int n;

	for (n = 0; !found && n < count; n++)
		found = string_map_find(names, nth_name(h, n, &scratch), NULL);
	buf_free(&scratch);
	return found;
}

/*
 * If `keep` is true, move host i to the index *kept, and increment *kept.
 * Otherwise free the members of host i.
 */
static void
keep_or_clear(struct hosts *hosts, size_t i, size_t *kept, bool keep)
{
	if (keep)
		hosts->v[(*kept)++] = hosts->v[i];
	else
		hosts_clear(&hosts->v[i]);
}

int
host_set_unique(struct hosts *hosts)
{
	struct string_map seen = { 0 };
	struct buf scratch = { 0 };
	size_t i, kept = 0;
	int added, result = 0;

	for (i = 0; i < hosts->n; i++) {
		added = string_map_add(&seen, route(&hosts->v[i], &scratch), i);
		if (added < 0)
			result = -1;
		keep_or_clear(hosts, i, &kept, added != 0);
	}
	hosts->n = kept;
	string_map_free(&seen);
	buf_free(&scratch);
	return result;
}

int
host_set_names(const struct hosts *hosts, struct string_map *names)
{
	return add_names(names, hosts, NAMES_ALL);
}

bool
host_set_would_exclude(const struct string_map *names, const struct host *h)
{
	return is_among(h, NAMES_OWN, names);
}

int
host_set_exclude(struct hosts *hosts, const struct hosts *without)
{
	struct string_map names = { 0 };
	size_t i, kept = 0;
	int result = add_names(&names, without, NAMES_OWN);

	for (i = 0; result == 0 && i < hosts->n; i++)
		keep_or_clear(hosts, i, &kept,
			!is_among(&hosts->v[i], NAMES_ALL, &names));
	if (result == 0)
		hosts->n = kept;
	string_map_free(&names);
	return result;
}
