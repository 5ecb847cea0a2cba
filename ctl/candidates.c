#include "candidates.h"

#include "text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

void
candidates_keep(struct candidates *c, size_t n)
{
	c->kept += n;
}

/* Shells show them as they are, so there is no making them safe. */
static bool
is_harmless(const char *s, size_t len)
{
	uint32_t code;
	size_t n;

	for (; len > 0; s += n, len -= n)
		if ((n = text_utf8(s, len, &code)) == 0 || text_unsafe(code))
			return false;
	return true;
}

/* What is kept is written already, but by whom? */
static void
add_line(struct candidates *c, enum candidate_kind kind, const char *text,
	const char *about)
{
	if (!is_harmless(c->word, c->kept))
		return;
	buf_addc(&c->out, (char)kind);
	buf_add(&c->out, c->word, c->kept);
	buf_addf(&c->out, "%s\t%s\n", text, about);
}

void
candidates_add(struct candidates *c, enum candidate_kind kind, const char *text,
	const char *about)
{
	const char *typed = candidates_typed(c);

	if (strncmp(text, typed, strlen(typed)) == 0 &&
		is_harmless(text, strlen(text)))
		add_line(c, kind, text, about ? about : "");
}

void
candidates_files(struct candidates *c)
{
	add_line(c, CANDIDATE_FILE, "", "");
}
