#include "about.h"

#include "text.h"

#include <string.h>

#define NAME_SHOWN 64 /* bytes, made safe */

void
about_halt(const struct request *r, struct buf *out)
{
	const char *when = r->strings[REQUEST_WHEN];

	buf_adds(out, halt_mode_names[r->mode]);
	if (*when == '+')
		buf_addf(out, " in %s minute%s", when + 1,
			strcmp(when, "+1") == 0 ? "" : "s");
	else
		buf_addf(out, *when == 'n' ? " %s" : " at %s", when);
}

void
about_kill(const struct request *r, struct buf *out)
{
	const char *name = r->strings[REQUEST_NAME];
	struct buf safe = { 0 };

	text_safe(&safe, name, strlen(name));
	buf_addf(out, "\"%.*s%s\"", NAME_SHOWN, buf_str(&safe),
		safe.len > NAME_SHOWN ? "…" : "");
	buf_free(&safe);
}
