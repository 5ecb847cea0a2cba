#include "output/command_output.h"

#include "text.h"
#include "util/write_out.h"

#include <string.h>
#include <unistd.h>

void
command_outputs_init(struct command_outputs *o)
{
	memset(o, 0, sizeof(*o));
	o->v[REPLY_OUTPUT].fd = STDOUT_FILENO;
	o->v[REPLY_ERRORS].fd = STDERR_FILENO;
}

/*
 * Append text to `out`. Keep LFs and tabs, and escape other unsafe characters.
 * Leave out a CR at the end of a line that is not empty.
 */
static void
add_safe(struct buf *out, const char *s, size_t len)
{
	size_t n;

	for (; len > 0; s += n, len -= n) {
		for (n = 0; n < len && s[n] != '\n' && s[n] != '\t'; n++)
			;
		text_safe(out, s,
			n > 1 && n < len && s[n] == '\n' && s[n - 1] == '\r'
				? n - 1
				: n);
		if (n < len)
			buf_addc(out, s[n++]);
	}
}

/*
 * Return the number of bytes of an incomplete UTF-8 character at the end of
 * `s`. Return 0 if no character is incomplete.
 */
static size_t
unfinished(const char *s, size_t len)
{
	static const unsigned char leads[] = { 0xc0, 0xe0, 0xf0 };
	size_t n;

	for (n = 1; n <= sizeof(leads) && n <= len; n++)
		if ((unsigned char)s[len - n] >= 0xc0)
			return (unsigned char)s[len - n] >= leads[n - 1] ? n
									 : 0;
	return 0;
}

static bool
write_characters(struct command_output *o, const char *data, size_t len)
{
	struct buf safe = { 0 };
	size_t whole;
	int result;

	if (!isatty(o->fd))
		return write_out(o->fd, data, len) == 0;
	buf_add(&o->begun, data, len);
	whole = o->begun.len -
		(len > 0 ? unfinished(o->begun.data, o->begun.len) : 0);
	add_safe(&safe, o->begun.data, whole);
	buf_drop(&o->begun, whole);
	result = safe.failed ? -1 : write_out(o->fd, safe.data, safe.len);
	buf_free(&safe);
	return result == 0;
}

bool
command_outputs_take(
	void *taker, enum reply_stream stream, const char *data, size_t len)
{
	struct command_outputs *o = taker;

	o->lost |= !write_characters(&o->v[stream], data, len);
	return !o->lost;
}

int
command_outputs_end(struct command_outputs *o)
{
	int i;

	for (i = REPLY_OUTPUT; i < REPLY_STREAMS; i++) {
		if (o->v[i].begun.len > 0 && !write_characters(&o->v[i], "", 0))
			o->lost = true;
		buf_free(&o->v[i].begun);
	}
	return o->lost ? -1 : 0;
}

/*
 * Write each line with an LF. Add an LF if the last line has none. If `label`
 * is not NULL, write the label before each line.
 */
static int
put_lines(int fd, const struct buf *kept, const char *label)
{
	const char *s = kept->len > 0 ? kept->data : "", *end = s + kept->len;
	const char *lf;
	bool terminal = isatty(fd);
	struct buf out = { 0 };
	size_t n;
	int result;

	for (; s < end; s += n + (lf != NULL)) {
		lf = memchr(s, '\n', (size_t)(end - s));
		n = (size_t)((lf != NULL ? lf : end) - s);
		if (label != NULL) {
			text_safe(&out, label, strlen(label));
			buf_adds(&out, ": ");
		}
		if (terminal)
			add_safe(&out, s, n);
		else
			buf_add(&out, s, n);
		buf_addc(&out, '\n');
	}
	result = out.failed ? -1 : write_out(fd, out.data, out.len);
	buf_free(&out);
	return result;
}

int
command_output_lines(const struct reply *r, const char *label)
{
	if (put_lines(STDOUT_FILENO, &r->kept[REPLY_OUTPUT], label) != 0)
		return -1;
	return put_lines(STDERR_FILENO, &r->kept[REPLY_ERRORS], label);
}
