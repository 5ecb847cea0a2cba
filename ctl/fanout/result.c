#include "fanout/result.h"

#include <string.h>

const char *const result_kind_names[RESULT_KINDS] = { "ok", "nothing matched",
	"refused", "failed", "timed out", "unreachable", "not asked" };
const char *const result_kind_keys[RESULT_KINDS] = { "ok", "no_match",
	"refused", "failed", "timed_out", "unreachable", "not_asked" };

enum result_kind
result_kind_of(int code)
{
	switch (code) {
	case CODE_OK:
	case CODE_ACCEPTED:
		return RESULT_OK;
	case CODE_NO_MATCH:
		return RESULT_NO_MATCH;
	case CODE_NO_IDENTITY:
	case CODE_NOT_ALLOWED:
	case CODE_CONFLICT:
	case CODE_TOO_MANY:
		return RESULT_REFUSED;
	case CODE_UNAVAILABLE:
		return RESULT_UNREACHED;
	default:
		return RESULT_FAILED;
	}
}

bool
result_kind_is_failure(enum result_kind result_kind)
{
	return result_kind != RESULT_OK && result_kind != RESULT_NO_MATCH;
}

/*
 * The format in which a worker sends a result to its parent. The struct head
 * comes first. These fields follow: problem, notices, column names, cells,
 * output of both streams, and the status line. Each field is a uint32_t with
 * the length, and the bytes.
 */
struct head {
	enum result_kind result_kind;
	int64_t microseconds;
	size_t ncolumns;
	size_t nrows;
	/*
	 * These flags are 0 or 1. The type is not bool, because a hostile
	 * worker can send any byte.
	 */
	unsigned char chunked;
	unsigned char has_mac;
	unsigned char mac[MAC_SIZE];
};

static void
pack_field(struct buf *out, const char *s, size_t len)
{
	uint32_t n = (uint32_t)len;

	buf_add(out, &n, sizeof(n));
	buf_add(out, s, len);
}

static void
pack_table(const struct table *t, struct buf *out)
{
	size_t i, row, len;
	const char *cell;

	for (i = 0; i < t->ncolumns; i++)
		pack_field(out, t->columns[i], strlen(t->columns[i]));
	for (row = 0; row < t->nrows; row++) {
		for (i = 0; i < t->ncolumns; i++) {
			cell = table_cell(t, row, i, &len);
			pack_field(out, cell, len);
		}
	}
}

static void
pack_status(const struct reply *r, struct buf *out)
{
	struct buf line = { 0 };
	size_t i;

	if (r->code != 0) {
		wire_status(&line, r->code, r->said);
		for (i = 0; i < r->npairs; i++)
			wire_pair(&line, r->pairs[i].key, r->pairs[i].value);
		wire_end(&line);
	}
	out->failed = out->failed || line.failed;
	pack_field(out, line.data, line.len);
	buf_free(&line);
}

void
result_pack(const struct result *a, struct buf *out)
{
	struct head head;
	int i;

	/*
	 * Set all bytes to zero, because the padding between the members is
	 * sent too.
	 */
	memset(&head, 0, sizeof(head));
	head.result_kind = a->result_kind;
	head.microseconds = a->microseconds;
	head.ncolumns = a->reply.table.ncolumns;
	head.nrows = a->reply.table.nrows;
	head.chunked = a->reply.chunked;
	head.has_mac = a->has_mac;
	memcpy(head.mac, a->mac, sizeof(head.mac));
	buf_add(out, &head, sizeof(head));
	pack_field(out, a->problem.data, a->problem.len);
	pack_field(out, a->notices.data, a->notices.len);
	pack_table(&a->reply.table, out);
	for (i = REPLY_OUTPUT; i < REPLY_STREAMS; i++)
		pack_field(out, a->reply.kept[i].data, a->reply.kept[i].len);
	pack_status(&a->reply, out);
}

void
result_fail(struct result *a, enum result_kind result_kind, const char *why)
{
	reply_free(&a->reply);
	buf_reset(&a->problem);
	buf_adds(&a->problem, why);
	a->result_kind = result_kind;
}

/* The bytes of a packed result that are not read yet. */
struct packed {
	char *at;
	size_t len;
};

/*
 * Take the next field from the packed bytes. `f` then points into these bytes.
 * Return false if the field is incomplete.
 */
static bool
unpack_field(struct packed *p, struct wire_field *f)
{
	uint32_t n;

	if (p->len < sizeof(n))
		return false;
	memcpy(&n, p->at, sizeof(n));
	if (n > p->len - sizeof(n))
		return false;
	f->s = p->at + sizeof(n);
	f->len = n;
	p->at += sizeof(n) + n;
	p->len -= sizeof(n) + n;
	return true;
}

static bool
unpack_buf(struct packed *p, struct buf *out)
{
	struct wire_field f;

	if (!unpack_field(p, &f))
		return false;
	buf_add(out, f.s, f.len);
	return !out->failed;
}

static bool
unpack_table(struct packed *p, const struct head *head, struct table *t)
{
	struct wire_field f[WIRE_COLUMNS_MAX];
	size_t i, row;

	for (i = 0; i < head->ncolumns; i++)
		if (!unpack_field(p, &f[0]) ||
			table_add_column(t, f[0].s, f[0].len) != NULL)
			return false;
	for (row = 0; row < head->nrows; row++) {
		for (i = 0; i < t->ncolumns; i++)
			if (!unpack_field(p, &f[i]))
				return false;
		if (table_add_row(t, f, t->ncolumns) != NULL)
			return false;
	}
	return true;
}

/*
 * Take the last field, which is the status line or is empty. The function can
 * change the bytes of the field. Return false if the field is malformed.
 */
static bool
unpack_status(struct packed *p, struct reply *r)
{
	struct wire_field f;

	if (!unpack_field(p, &f) || p->len != 0)
		return false;
	return f.len == 0 ||
	       (f.s[f.len - 1] == '\n' &&
		       reply_line(r, f.s, f.len - 1) == REPLY_DONE);
}

/*
 * Take all fields of a result. Return false if bytes are missing, malformed or
 * left over.
 */
static bool
unpack(struct result *a, struct packed *p)
{
	struct reply *r = &a->reply;
	struct head head;

	if (p->len < sizeof(head))
		return false;
	memcpy(&head, p->at, sizeof(head));
	p->at += sizeof(head);
	p->len -= sizeof(head);
	if (head.result_kind >= RESULT_KINDS || head.chunked > 1 ||
		head.has_mac > 1)
		return false;
	a->result_kind = head.result_kind;
	a->microseconds = head.microseconds;
	r->chunked = head.chunked;
	a->has_mac = head.has_mac;
	memcpy(a->mac, head.mac, sizeof(a->mac));
	return unpack_buf(p, &a->problem) && unpack_buf(p, &a->notices) &&
	       unpack_table(p, &head, &r->table) &&
	       unpack_buf(p, &r->kept[REPLY_OUTPUT]) &&
	       unpack_buf(p, &r->kept[REPLY_ERRORS]) && unpack_status(p, r) &&
	       (a->problem.len > 0 || r->code != 0);
}

void
result_unpack(struct result *a, char *bytes, size_t len)
{
	struct packed packed = { bytes, len };

	if (!unpack(a, &packed))
		result_fail(a, RESULT_UNREACHED,
			"the worker sent a malformed result");
}

void
result_free(struct result *a)
{
	reply_free(&a->reply);
	buf_free(&a->problem);
	buf_free(&a->notices);
}
