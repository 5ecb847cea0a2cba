#include "hosts.h"

#include "options.h"

#include <stdlib.h>
#include <string.h>

static int
add_host(struct hosts *hosts, const char *text, struct buf *error)
{
	struct host *h = calloc(1, sizeof(*h));

	hosts->v = h;
	if (h == NULL || (h->label = strdup(text)) == NULL) {
		buf_adds(error, "out of memory");
		return -1;
	}
	hosts->n = 1;
	return targets_parse(h->label, &h->target, error);
}

int
hosts_select(struct hosts *hosts, const struct options *o, struct buf *error)
{
	memset(hosts, 0, sizeof(*hosts));
	return add_host(hosts,
		options_given(o, OPT_HOSTS) ? o->values[OPT_HOSTS]
					    : TARGET_DEFAULT,
		error);
}

void
hosts_free(struct hosts *hosts)
{
	size_t i;

	for (i = 0; i < hosts->n; i++) {
		free(hosts->v[i].label);
		free(hosts->v[i].identity);
		free(hosts->v[i].fingerprint);
	}
	free(hosts->v);
	memset(hosts, 0, sizeof(*hosts));
}
