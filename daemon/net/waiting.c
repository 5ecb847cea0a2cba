#include "net/waiting.h"

#include <string.h>
#include <unistd.h>

int
waiting_add(struct waiting *w, const struct waiting_client *client)
{
	if (w->n == WAITING_MAX)
		return -1;
	w->v[w->n++] = *client;
	return 0;
}

static void
remove_client(struct waiting *w, size_t i, struct waiting_client *client)
{
	*client = w->v[i];
	w->n--;
	memmove(w->v + i, w->v + i + 1, (w->n - i) * sizeof(*w->v));
}

void
waiting_take(struct waiting *w, struct waiting_client *client)
{
	remove_client(w, 0, client);
}

unsigned
waiting_count(const struct waiting *w, const struct peer_source *source)
{
	unsigned n = 0;
	size_t i;

	for (i = 0; i < w->n; i++)
		n += memcmp(&w->v[i].source, source, sizeof(*source)) == 0;
	return n;
}

void
waiting_drop(struct waiting *w, int fd)
{
	struct waiting_client client;
	size_t i;

	for (i = 0; i < w->n && w->v[i].fd != fd; i++)
		;
	if (i == w->n)
		return;
	remove_client(w, i, &client);
	close(client.fd);
	peer_free(&client.peer);
}
