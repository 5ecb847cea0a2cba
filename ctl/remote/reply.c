#include "remote/reply.h"

#include "text.h"

#include <stdlib.h>
#include <string.h>

#define KEY_BYTES "abcdefghijklmnopqrstuvwxyz-"

static enum reply_state
bad(struct reply *r, const char *problem)
{
	r->problem = problem;
	return REPLY_BAD;
}

/*
 * Return a decoded copy of the bytes, which the caller frees. Return NULL if
 * memory cannot be allocated, or if the bytes cannot be decoded.
 */
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

static bool
columns_are(const struct table *t, const struct wire_reply *w)
{
	const struct wire_field *f = w->fields;
	size_t i;

	for (i = 0; i < t->ncolumns && i < w->nfields; i++)
		if (f[i].len != strlen(t->columns[i]) ||
			memcmp(f[i].s, t->columns[i], f[i].len) != 0)
			return false;
	return t->ncolumns == w->nfields;
}

/*
 * Read the column names from the first record of a reply. Return NULL, or a
 * constant text that says why the record is invalid.
 */
static const char *
take_columns(struct reply *r, const struct wire_reply *w)
{
	const char *problem = NULL;
	size_t i;

	r->headed = true;
	/*
	 * The table has columns already if an earlier reply of the pipeline had
	 * columns. This reply must have the same columns.
	 */
	if (r->table.ncolumns > 0)
		return columns_are(&r->table, w)
			       ? NULL
			       : "the columns differ from the earlier columns";
	for (i = 0; i < w->nfields && problem == NULL; i++)
		problem = table_add_column(
			&r->table, w->fields[i].s, w->fields[i].len);
	return problem;
}

static enum reply_state
take_record(struct reply *r, const struct wire_reply *w)
{
	const char *problem =
		r->headed ? table_add_row(&r->table, w->fields, w->nfields)
			  : take_columns(r, w);

	return problem == NULL ? REPLY_MORE : bad(r, problem);
}

static bool
take_pair(struct reply *r, const struct wire_field *f)
{
	char *equals = memchr(f->s, '=', f->len);
	struct reply_pair *p = &r->pairs[r->npairs];
	size_t len = equals ? (size_t)(equals - f->s) : 0;

	if (len == 0 || len > REPLY_KEY_MAX ||
		!text_consists_of(f->s, len, KEY_BYTES))
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

/*
 * True if the status line has the exit status of the command or the command's
 * signal, but not both.
 */
static bool
tells_end(const struct reply *r)
{
	const char *status = reply_pair(r, "exit");
	const char *name = reply_pair(r, "signal");
	long v;

	if (status == NULL)
		return name != NULL && *name != '\0';
	return name == NULL && text_number(status, 0, 255, &v) == 0;
}

static enum reply_state
take_status(struct reply *r, const struct wire_reply *w)
{
	size_t i;

	drop_status(r);
	r->said = copy_field(w->fields[0].s, w->fields[0].len);
	if (r->said == NULL)
		return bad(r, "the status line is badly encoded");
	for (i = 1; i < w->nfields; i++)
		if (!take_pair(r, &w->fields[i]))
			return bad(r, "the status line is malformed");
	if (r->chunked && w->code == CODE_OK && !tells_end(r))
		return bad(r, "the status does not say how the command ended");
	r->code = w->code;
	return REPLY_DONE;
}

enum reply_state
reply_line(struct reply *r, char *line, size_t len)
{
	struct wire_reply w;

	if (wire_reply(line, len, &w) != 0)
		return bad(r, "the program there does not speak version 1 of "
			      "the protocol; is that program bridled?");
	if (w.code >= CODE_OK)
		return take_status(r, &w);
	if (w.code == CODE_CHUNK && r->chunked &&
		(w.stream == REPLY_OUTPUT || w.stream == REPLY_ERRORS)) {
		r->chunk = w.size;
		r->stream = (enum reply_stream)w.stream;
		return REPLY_CHUNK;
	}
	if (w.code != CODE_RECORD)
		return bad(r, "the host sends data that was not requested");
	return take_record(r, &w);
}

bool
reply_chunk(struct reply *r, const char *data, size_t len)
{
	size_t limit = r->table.max_size ? r->table.max_size : TABLE_SIZE_MAX;
	struct buf *kept = &r->kept[r->stream];
	size_t total =
		r->kept[REPLY_OUTPUT].len + r->kept[REPLY_ERRORS].len + len;

	r->chunk -= len;
	if (r->sink != NULL)
		return r->sink(r->taker, r->stream, data, len);
	if (total > limit ||
		(r->table.share != NULL &&
			!budget_share_reach(r->table.share, total)))
		bad(r, "the reply is too large");
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

bool
reply_truncated(const struct reply *r)
{
	return reply_pair(r, "truncated") != NULL;
}

void
reply_next(struct reply *r)
{
	drop_status(r);
	r->headed = false;
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
	struct buf text = { 0 };
	int code = 0;

	if (r->table.nrows > 0)
		code = atoi(table_named_text(&r->table, 0, "code", &text));
	buf_free(&text);
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
	table_free(&r->table);
	for (i = 0; i < REPLY_STREAMS; i++)
		buf_free(&r->kept[i]);
	memset(r, 0, sizeof(*r));
}
