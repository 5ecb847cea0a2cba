#include "complete/candidates.h"

#include "text.h"

/*
 * Add the line of a candidate if the whole word is printable. Unsafe bytes
 * cannot be escaped, because the shell inserts a candidate unchanged. The user
 * can have pasted unsafe bytes. Therefore check the kept bytes of the word,
 * too.
 */
static void
add_line(struct candidates *c, enum candidate_kind kind, const char *text,
	const char *about)
{
	if (!text_printable(c->word, c->kept) ||
		!text_printable(text, strlen(text)))
		return;
	buf_addc(&c->out, (char)kind);
	buf_add(&c->out, c->word, c->kept);
	buf_addf(&c->out, "%s\t", text);
	text_safe(&c->out, about, strlen(about));
	buf_addc(&c->out, '\n');
}

void
candidates_add(struct candidates *c, enum candidate_kind kind, const char *text,
	const char *about)
{
	const char *typed = candidates_typed(c);

	if (strncmp(text, typed, strlen(typed)) == 0)
		add_line(c, kind, text, about ? about : "");
}

void
candidates_files(struct candidates *c)
{
	add_line(c, CANDIDATE_FILE, "", "");
}
