#include "fanout/host_names.h"

#include "hosts/hostlist.h"

#include <stdlib.h>

void
host_names_add(const struct hosts *hosts, const size_t *indexes, size_t n,
	struct buf *out)
{
	const char **names = calloc(n + 1, sizeof(names[0]));
	char *folded = NULL;
	size_t i;

	for (i = 0; names != NULL && i < n; i++)
		names[i] = hosts->v[indexes[i]].label;
	if (names != NULL && (folded = hostlist_fold(names, n)) != NULL)
		buf_adds(out, folded);
	free(folded);
	free(names);
}
