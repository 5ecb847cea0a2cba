#include "run_output.h"

#include "output.h"
#include "text.h"

#include <string.h>
#include <unistd.h>

void
run_outputs_init(struct run_outputs *o)
{
	memset(o, 0, sizeof(*o));
	o->v[REPLY_OUTPUT].fd = STDOUT_FILENO;
	o->v[REPLY_ERRORS].fd = STDERR_FILENO;
}

/* Lines and tabs stay; what else might move the cursor does not. */
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

/* How many bytes at the end begin a character that may yet be whole. */
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
put(struct run_output *o, const char *data, size_t len)
{
	struct buf all = { 0 }, safe = { 0 };
	size_t whole;
	int result;

	if (!isatty(o->fd))
		return output_write(o->fd, data, len) == 0;
	buf_add(&all, o->begun.data, o->begun.len);
	buf_add(&all, data, len);
	buf_reset(&o->begun);
	whole = all.len - (len > 0 ? unfinished(all.data, all.len) : 0);
	if (all.len > 0) {
		add_safe(&safe, all.data, whole);
		buf_add(&o->begun, all.data + whole, all.len - whole);
	}
	result = safe.failed ? -1 : output_write(o->fd, safe.data, safe.len);
	buf_free(&all);
	buf_free(&safe);
	return result == 0;
}

bool
run_outputs_take(
	void *taker, enum reply_stream stream, const char *data, size_t len)
{
	struct run_outputs *o = taker;

	return put(&o->v[stream], data, len);
}

int
run_outputs_end(struct run_outputs *o)
{
	int result = 0, i;

	for (i = REPLY_OUTPUT; i < REPLY_STREAMS; i++) {
		if (o->v[i].begun.len > 0 && !put(&o->v[i], "", 0))
			result = -1;
		buf_free(&o->v[i].begun);
	}
	return result;
}

/* Each line has its end, also where the command's last has none. */
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
	result = out.failed ? -1 : output_write(fd, out.data, out.len);
	buf_free(&out);
	return result;
}

int
run_output_lines(const struct reply *r, const char *label)
{
	if (put_lines(STDOUT_FILENO, &r->kept[REPLY_OUTPUT], label) != 0)
		return -1;
	return put_lines(STDERR_FILENO, &r->kept[REPLY_ERRORS], label);
}
