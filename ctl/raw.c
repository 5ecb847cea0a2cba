#include "raw.h"

#include "call.h"
#include "output.h"
#include "text.h"

#include <string.h>
#include <unistd.h>

#define OUTPUT_SIZE 65536 /* written at once */
#define RECORD "1#100#"
#define RECORD_LEN (sizeof(RECORD) - 1)

static size_t
safe_record(struct buf *out, const char *s, size_t len)
{
	const char *end = s + len, *hash;
	size_t fields = 1;

	for (;; s = hash + 1, fields++) {
		hash = memchr(s, '#', (size_t)(end - s));
		text_safe(out, s, (size_t)((hash ? hash : end) - s));
		buf_addc(out, hash ? '\t' : '\n');
		if (hash == NULL)
			return fields;
	}
}

size_t
raw_record(struct buf *out, const char *s, size_t len, bool terminal)
{
	size_t i, fields = 1;
	bool control = false;
	char *to;

	if (terminal)
		return safe_record(out, s, len);
	if ((to = buf_room(out, len + 1)) == NULL)
		return 0;
	for (i = 0; i < len; i++) {
		control |= (unsigned char)s[i] < 0x20 || s[i] == 0x7f;
		fields += s[i] == '#';
		to[i] = s[i] == '#' ? '\t' : s[i];
	}
	if (control)
		return 0;
	to[len] = '\n';
	out->len += len + 1;
	return fields;
}

int
raw_print(const struct reply *r, const struct view *v, int fd)
{
	bool terminal = isatty(fd);
	struct buf out = { 0 };
	size_t i, j, len;
	const char *s;
	int result;

	for (i = 0; i < v->nrows; i++) {
		for (j = 0; j < v->ncolumns; j++) {
			s = reply_cell(r, v->rows[i], v->columns[j], &len);
			if (j > 0)
				buf_addc(&out, '\t');
			if (terminal)
				text_safe(&out, s, len);
			else
				buf_add(&out, s, len);
		}
		buf_addc(&out, '\n');
	}
	result = output_buf(fd, &out);
	buf_free(&out);
	return result;
}

/* The lines of one answer, up to its status. */
static int
stream_lines(struct client *c, struct reply *r, struct buf *out)
{
	bool terminal = isatty(STDOUT_FILENO), headed = false;
	enum reply_state state = REPLY_MORE;
	size_t len, before, fields;
	char *line;
	int got;

	while (state == REPLY_MORE) {
		if ((got = client_line(c, &line, &len)) <= 0)
			return got == 0 ? call_cut(c) : -1;
		if (!headed || len < RECORD_LEN ||
			memcmp(line, RECORD, RECORD_LEN) != 0) {
			headed = true;
			state = reply_line(r, line, len);
			continue;
		}
		before = out->len;
		fields = raw_record(
			out, line + RECORD_LEN, len - RECORD_LEN, terminal);
		if (fields != r->ncolumns) {
			out->len = before;
			return call_garbled(
				c, "a record does not fit its columns");
		}
		if (out->len < OUTPUT_SIZE)
			continue;
		if (output_write(STDOUT_FILENO, out->data, out->len) != 0)
			return -1;
		buf_reset(out);
	}
	return state == REPLY_DONE ? 0 : call_garbled(c, r->problem);
}

int
raw_stream(const struct invocation *inv, struct reply *r, struct buf *problem)
{
	struct buf out = { 0 };
	struct client client;
	bool complete;
	int result;

	request_format(&inv->request, &out);
	buf_addc(&out, '\n');
	result = call_open(&client, inv, buf_str(&out), out.len);
	buf_reset(&out);
	if (result == 0) {
		call_extend(&client, inv);
		result = stream_lines(&client, r, &out);
	}
	complete = result == 0;
	buf_adds(problem, buf_str(&client.problem));
	/* What came is shown, unless it is the showing that failed. */
	if (complete || problem->len > 0)
		result |= output_buf(STDOUT_FILENO, &out);
	client_close(&client, complete);
	buf_free(&out);
	return result;
}
