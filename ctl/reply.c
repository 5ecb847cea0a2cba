#include "reply.h"

#include <stdlib.h>
#include <string.h>

#define ROWS_START 64

static enum reply_state
bad(struct reply *r, const char *problem)
{
	r->problem = problem;
	return REPLY_BAD;
}

static bool
is_name(const char *s, size_t len, const char *extra)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (!(s[i] >= 'a' && s[i] <= 'z') &&
			(s[i] == '\0' || strchr(extra, s[i]) == NULL))
			return false;
	return len > 0 && len <= REPLY_NAME_MAX;
}

/* Whether the field decodes: wire_decode() without touching it. */
static bool
is_sound(const struct wire_field *f)
{
	char triple[4];
	size_t i;

	for (i = 0; i < f->len; i++) {
		if ((unsigned char)f->s[i] < 0x20)
			return false;
		if (f->s[i] != '%')
			continue;
		if (f->len - i < 3)
			return false;
		memcpy(triple, f->s + i, 3);
		if (wire_decode(triple, 3) != 1)
			return false;
		i += 2;
	}
	return true;
}

/* A decoded copy; NULL if memory is short or the field does not decode. */
static char *
copy_field(const char *s, size_t len)
{
	char *copy = malloc(len + 1);

	if (copy == NULL)
		return NULL;
	memcpy(copy, s, len);
	if (wire_decode(copy, len) < 0) {
		free(copy);
		return NULL;
	}
	return copy;
}

/* The first record of an answer: its columns. */
static enum reply_state
take_columns(struct reply *r, const struct wire_reply *w)
{
	const struct wire_field *f = w->fields;
	size_t i;

	r->headed = true;
	if (r->ncolumns > 0) {
		/* A later answer of a pipeline goes on with the table. */
		if (w->nfields != r->ncolumns)
			return bad(r, "its columns change on the way");
		for (i = 0; i < w->nfields; i++)
			if (f[i].len != strlen(r->columns[i]) ||
				memcmp(f[i].s, r->columns[i], f[i].len) != 0)
				return bad(r, "its columns change on the way");
		return REPLY_MORE;
	}
	for (i = 0; i < w->nfields; i++) {
		if (!is_name(f[i].s, f[i].len, "0123456789_-"))
			return bad(r, "its columns have no proper names");
		if ((r->columns[i] = copy_field(f[i].s, f[i].len)) == NULL)
			return bad(r, "out of memory");
		r->ncolumns = i + 1;
		if (reply_column(r, r->columns[i]) != (int)i)
			return bad(r, "two of its columns have one name");
	}
	return REPLY_MORE;
}

/* What libsmartcols has for a row, and for each cell, before there is text. */
#define SHOWN_ROW 160
#define SHOWN_CELL 88

/* Makes room for one more row; false if that is too much. */
static bool
grow(struct reply *r)
{
	size_t row = r->ncolumns * sizeof(r->cells[0]), max;
	size_t shown = SHOWN_ROW + r->ncolumns * SHOWN_CELL;
	size_t limit = r->max_size ? r->max_size : REPLY_SIZE_MAX;
	struct reply_cell *more;

	if (r->text.len + WIRE_REPLY_MAX + (r->nrows + 1) * (row + shown) >
		limit)
		return false;
	if (r->nrows < r->max_rows)
		return true;
	max = r->max_rows ? r->max_rows * 2 : ROWS_START;
	if ((more = realloc(r->cells, max * row)) == NULL)
		return false;
	r->cells = more;
	r->max_rows = max;
	return true;
}

static enum reply_state
take_row(struct reply *r, const struct wire_reply *w)
{
	struct reply_cell *cell;
	size_t i;

	if (w->nfields != r->ncolumns)
		return bad(r, "a record does not fit its columns");
	for (i = 0; i < w->nfields; i++)
		if (!is_sound(&w->fields[i]))
			return bad(r, "a record is badly encoded");
	if (!grow(r))
		return bad(r, "it is too long to be kept");
	cell = r->cells + r->nrows * r->ncolumns;
	for (i = 0; i < w->nfields; i++) {
		cell[i].start = (uint32_t)r->text.len;
		cell[i].len = (uint32_t)w->fields[i].len;
		buf_add(&r->text, w->fields[i].s, w->fields[i].len);
	}
	if (r->text.failed)
		return bad(r, "out of memory");
	r->nrows++;
	return REPLY_MORE;
}

static bool
take_pair(struct reply *r, const struct wire_field *f)
{
	char *equals = memchr(f->s, '=', f->len);
	struct reply_pair *p = &r->pairs[r->npairs];
	size_t len = equals ? (size_t)(equals - f->s) : 0;

	if (!is_name(f->s, len, "-"))
		return false;
	p->key = copy_field(f->s, len);
	p->value = copy_field(equals + 1, f->len - len - 1);
	if (p->key == NULL || p->value == NULL ||
		reply_pair(r, p->key) != NULL) {
		free(p->key);
		free(p->value);
		return false;
	}
	r->npairs++;
	return true;
}

static void
drop_status(struct reply *r)
{
	while (r->npairs > 0) {
		r->npairs--;
		free(r->pairs[r->npairs].key);
		free(r->pairs[r->npairs].value);
	}
	free(r->said);
	r->said = NULL;
	r->code = 0;
}

static enum reply_state
take_status(struct reply *r, const struct wire_reply *w)
{
	size_t i;

	drop_status(r);
	r->said = copy_field(w->fields[0].s, w->fields[0].len);
	if (r->said == NULL)
		return bad(r, "its status line is badly encoded");
	for (i = 1; i < w->nfields; i++)
		if (!take_pair(r, &w->fields[i]))
			return bad(r, "its status line is badly made");
	r->code = w->code;
	return REPLY_DONE;
}

enum reply_state
reply_line(struct reply *r, char *line, size_t len)
{
	struct wire_reply w;

	if (wire_reply(line, len, &w) != 0)
		return bad(r, "it does not speak version 1 of the protocol");
	if (w.code >= CODE_OK)
		return take_status(r, &w);
	if (w.code == CODE_CHUNK && r->chunked &&
		(w.stream == REPLY_OUTPUT || w.stream == REPLY_ERRORS)) {
		r->chunk = w.size;
		r->stream = (enum reply_stream)w.stream;
		return REPLY_CHUNK;
	}
	if (w.code != CODE_RECORD)
		return bad(r, "it sends what was not asked for");
	return r->headed ? take_row(r, &w) : take_columns(r, &w);
}

bool
reply_chunk(struct reply *r, const char *data, size_t len)
{
	size_t limit = r->max_size ? r->max_size : REPLY_SIZE_MAX;
	struct buf *kept = &r->kept[r->stream];

	r->chunk -= len;
	if (r->sink != NULL)
		return r->sink(r->taker, r->stream, data, len);
	if (r->kept[REPLY_OUTPUT].len + r->kept[REPLY_ERRORS].len + len > limit)
		bad(r, "it is too long to be kept");
	else
		buf_add(kept, data, len);
	if (kept->failed)
		bad(r, "out of memory");
	return r->problem == NULL;
}

bool
reply_run_failed(const struct reply *r)
{
	const char *status = reply_pair(r, "exit");

	return r->code == CODE_OK && ((status != NULL && strcmp(status, "0")) ||
					     reply_pair(r, "signal") != NULL);
}

void
reply_next(struct reply *r)
{
	drop_status(r);
	r->headed = false;
}

void
reply_truncate(struct reply *r, size_t nrows)
{
	if (nrows >= r->nrows)
		return;
	r->text.len = r->cells[nrows * r->ncolumns].start;
	r->nrows = nrows;
}

int
reply_column(const struct reply *r, const char *name)
{
	size_t i;

	for (i = 0; i < r->ncolumns; i++)
		if (strcmp(r->columns[i], name) == 0)
			return (int)i;
	return -1;
}

const char *
reply_cell(const struct reply *r, size_t row, size_t column, size_t *len)
{
	const struct reply_cell *cell = &r->cells[row * r->ncolumns + column];

	*len = cell->len;
	/* All cells may be empty, and then there is no text. */
	return r->text.data ? r->text.data + cell->start : "";
}

const char *
reply_text(const struct reply *r, size_t row, size_t column, struct buf *out)
{
	ssize_t decoded;
	const char *s;
	size_t len;

	s = reply_cell(r, row, column, &len);
	buf_reset(out);
	buf_add(out, s, len);
	buf_str(out);
	if (out->failed)
		return "";
	/* It was checked when it came. */
	decoded = wire_decode(out->data, out->len);
	out->len = decoded < 0 ? 0 : (size_t)decoded;
	return buf_str(out);
}

const char *
reply_pair(const struct reply *r, const char *key)
{
	size_t i;

	for (i = 0; i < r->npairs; i++)
		if (strcmp(r->pairs[i].key, key) == 0)
			return r->pairs[i].value;
	return NULL;
}

int
reply_explained(const struct reply *r)
{
	int column = reply_column(r, "code"), code;
	struct buf scratch = { 0 };

	if (column < 0 || r->nrows == 0)
		return 0;
	code = atoi(reply_text(r, 0, (size_t)column, &scratch));
	buf_free(&scratch);
	return code;
}

int
reply_conclude(struct reply *r, int code, const char *said, const char *id)
{
	drop_status(r);
	r->code = code;
	r->said = strdup(said);
	if (r->said != NULL && id == NULL)
		return 0;
	r->pairs[0].key = strdup("id");
	r->pairs[0].value = id ? strdup(id) : NULL;
	r->npairs = 1;
	if (r->said && r->pairs[0].key && r->pairs[0].value)
		return 0;
	drop_status(r);
	return -1;
}

void
reply_free(struct reply *r)
{
	size_t i;

	drop_status(r);
	for (i = 0; i < r->ncolumns; i++)
		free(r->columns[i]);
	free(r->cells);
	buf_free(&r->text);
	for (i = 0; i < REPLY_STREAMS; i++)
		buf_free(&r->kept[i]);
	memset(r, 0, sizeof(*r));
}
