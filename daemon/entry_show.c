#include "entry_show.h"

#include "text.h"

#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sysexits.h>

static void
print_entry(const struct settings_client *c)
{
	struct buf line = { 0 };
	size_t i;

	if (c->line > 0) {
		text_safe(&line, c->file, strlen(c->file));
		buf_addf(&line, ":%d", c->line);
	} else {
		buf_adds(&line, "built-in defaults");
	}
	buf_addf(&line, ": %s", c->name);
	for (i = 0; i < c->from.n; i++) {
		buf_adds(&line, i == 0 ? " from " : ",");
		settings_print_network(&c->from.v[i], &line);
	}
	if (c->until_text != NULL)
		buf_addf(&line, " until %s", c->until_text);
	puts(buf_str(&line));
	buf_free(&line);
}

static bool
is_meant(const struct settings_client *c, const char *what)
{
	return strcmp(c->name, what) == 0 ||
	       (c->match == MATCH_KEY &&
		       settings_has_name(&c->keys, what, strlen(what)));
}

int
entry_show(const struct settings *s, const char *what)
{
	const struct settings_client *c;
	int status = EX_NOUSER;

	for (c = s->clients; c < s->clients + s->nclients; c++)
		if (is_meant(c, what)) {
			print_entry(c);
			status = 0;
		}
	if (status != 0)
		warnx("no entry of clients has the key or name \"%s\"", what);
	return status;
}
