#include "output/raw.h"

#include "remote/call.h"
#include "text.h"
#include "util/write_out.h"

#include <string.h>
#include <unistd.h>

/* Number of bytes that are collected before a write */
#define OUTPUT_SIZE 65536
#define RECORD "1#100#"
#define RECORD_LEN (sizeof(RECORD) - 1)

static void
add_field(struct buf *out, const char *s, size_t len, bool terminal)
{
	if (terminal)
		text_safe(out, s, len);
	else
		buf_add(out, s, len);
}

size_t
raw_record(struct buf *out, const char *s, size_t len, bool terminal)
{
	const char *end = s + len, *hash;
	size_t i, fields = 1;

	for (i = 0; i < len && !terminal; i++)
		if ((unsigned char)s[i] < 0x20 || s[i] == 0x7f)
			return 0;
	for (;; s = hash + 1, fields++) {
		hash = memchr(s, '#', (size_t)(end - s));
		add_field(out, s, (size_t)((hash ? hash : end) - s), terminal);
		buf_addc(out, hash ? '\t' : '\n');
		if (hash == NULL)
			return out->failed ? 0 : fields;
	}
}

int
raw_print(const struct view *v, int fd)
{
	bool terminal = isatty(fd);
	struct buf out = { 0 };
	size_t i, j, len;
	const char *s;
	int result;

	for (i = 0; i < v->nrows; i++) {
		for (j = 0; j < v->ncolumns; j++) {
			s = table_cell(
				v->table, v->rows[i], v->columns[j], &len);
			if (j > 0)
				buf_addc(&out, '\t');
			add_field(&out, s, len, terminal);
		}
		buf_addc(&out, '\n');
	}
	result = write_out_buf(fd, &out);
	buf_free(&out);
	return result;
}

/*
 * Read the lines of one reply, up to the status line. Append the records to
 * `out`. When `out` is full, write `out` to stdout. Return 0, or -1 on failure.
 */
static int
stream_lines(struct conn *c, struct reply *r, struct buf *out)
{
	bool terminal = isatty(STDOUT_FILENO), headed = false;
	enum reply_state state = REPLY_MORE;
	size_t len, before, fields;
	char *line;
	int got;

	while (state == REPLY_MORE) {
		if ((got = conn_line(c, &line, &len)) <= 0)
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
		if (fields != r->table.ncolumns) {
			out->len = before;
			return call_garbled(
				c, "a record does not fit its columns");
		}
		if (out->len < OUTPUT_SIZE)
			continue;
		if (write_out(STDOUT_FILENO, out->data, out->len) != 0)
			return -1;
		buf_reset(out);
	}
	return state == REPLY_DONE ? 0 : call_garbled(c, r->problem);
}

int
raw_stream(const struct endpoint *e, const struct request *request,
	struct reply *r, struct buf *problem)
{
	struct buf out = { 0 };
	struct conn conn;
	int result = call_open(&conn, e, request);

	if (result == 0) {
		call_extend(&conn, e, request);
		result = stream_lines(&conn, r, &out);
	}
	result = call_close(&conn, request, result, problem);
	/*
	 * Write the records that arrived before a failure. Do not write again
	 * if stdout itself has failed.
	 */
	if (result == 0 || problem->len > 0)
		result |= write_out_buf(STDOUT_FILENO, &out);
	buf_free(&out);
	return result;
}
