#include "outline.h"

#include "text.h"

#include <string.h>

static const char *const kinds[] = { [MATCH_UNIX_USER] = "unix_user",
	[MATCH_UNIX_GROUP] = "unix_group",
	[MATCH_KEY] = "key",
	[MATCH_ANONYMOUS] = "anonymous" };

static void
add_place(struct buf *out, const char *what, const char *file, int line)
{
	buf_addf(out, "%s\t", what);
	text_safe(out, file, strlen(file));
	buf_addf(out, "\t%d\t", line);
}

static void
add_client(struct buf *out, const struct settings_client *c)
{
	size_t i;

	add_place(out, "client", c->file, c->line);
	buf_addf(out, "%s\t%s\t", c->name, kinds[c->match]);
	for (i = 0; i < c->keys.n; i++)
		buf_addf(out, "%s%s", i > 0 ? "," : "", c->keys.v[i]);
	buf_adds(out, c->keys.n == 0 ? "-\n" : "\n");
}

static void
add_listener(struct buf *out, const struct settings_listen *l)
{
	add_place(out, "listen", l->file, l->line);
	if (l->unix_path != NULL) {
		buf_adds(out, "unix\t");
		text_safe(out, l->unix_path, strlen(l->unix_path));
	} else {
		buf_adds(out, l->tls ? "tls\t" : "tcp\t");
		net_format(&l->addr, out);
	}
	buf_addc(out, '\n');
}

void
outline_add(const struct settings *s, struct buf *out)
{
	size_t i;

	for (i = 0; i < s->nclients; i++)
		add_client(out, &s->clients[i]);
	for (i = 0; i < s->nlisten; i++)
		add_listener(out, &s->listen[i]);
}
