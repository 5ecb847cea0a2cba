#include "hosts/host.h"

#include <stdlib.h>
#include <string.h>

void
hosts_name(const struct host *h, struct buf *out)
{
	const char *s = h->label;

	if (strncmp(s, "unix:", 5) == 0) {
		buf_adds(out, s);
		return;
	}
	if (strncmp(s, "plain:", 6) == 0)
		s += 6;
	if (*s == '[')
		buf_add(out, s + 1, strcspn(s + 1, "]"));
	else
		buf_add(out, s, strcspn(s, ":"));
}

void
hosts_clear(struct host *h)
{
	free(h->label);
	free(h->identity);
	free(h->fingerprint);
	free(h->mac);
	free(h->broadcast);
	free(h->wake_interface);
}

void
hosts_free(struct hosts *hosts)
{
	size_t i;

	for (i = 0; i < hosts->n; i++)
		hosts_clear(&hosts->v[i]);
	free(hosts->v);
	memset(hosts, 0, sizeof(*hosts));
}
