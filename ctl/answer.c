#include "answer.h"

#include <string.h>

const char *const fate_names[FATES] = { "ok", "nothing matched", "refused",
	"failed", "timed out", "unreachable", "not asked" };
const char *const fate_keys[FATES] = { "ok", "no_match", "refused", "failed",
	"timed_out", "unreachable", "not_asked" };

enum fate
fate_of(int code)
{
	switch (code) {
	case CODE_OK:
	case CODE_ACCEPTED:
		return FATE_OK;
	case CODE_NO_MATCH:
		return FATE_NO_MATCH;
	case CODE_NO_IDENTITY:
	case CODE_NOT_ALLOWED:
	case CODE_IN_THE_WAY:
	case CODE_TOO_MANY:
		return FATE_REFUSED;
	case CODE_STOPPING:
		return FATE_UNREACHED;
	default:
		return FATE_FAILED;
	}
}

bool
fate_is_failure(enum fate fate)
{
	return fate != FATE_OK && fate != FATE_NO_MATCH;
}

/*
 * The form between two processes of one program: the fate and two lengths,
 * the problem, the notices, and the answer's lines as they are on the wire.
 */
struct head {
	enum fate fate;
	int64_t microseconds;
	size_t problem;
	size_t notices;
	unsigned char
		chunked; /* a bool; what a worker writes may be anything */
};

static void
pack_columns(const struct reply *r, struct buf *out)
{
	size_t i;

	if (r->ncolumns == 0)
		return;
	wire_record(out);
	for (i = 0; i < r->ncolumns; i++)
		wire_puts(out, r->columns[i]);
	wire_end(out);
}

static void
pack_row(const struct reply *r, size_t row, struct buf *out)
{
	const char *cell;
	size_t i, len;

	wire_record(out);
	for (i = 0; i < r->ncolumns; i++) {
		cell = reply_cell(r, row, i, &len);
		/* Encoded it came, and so it goes on. */
		buf_addc(out, '#');
		buf_add(out, cell, len);
	}
	wire_end(out);
}

static void
pack_kept(const struct reply *r, struct buf *out)
{
	const struct buf *kept;
	size_t at, n;
	int i;

	for (i = REPLY_OUTPUT; i < REPLY_STREAMS; i++) {
		kept = &r->kept[i];
		for (at = 0; at < kept->len; at += n) {
			n = kept->len - at;
			n = n < WIRE_CHUNK_MAX ? n : WIRE_CHUNK_MAX;
			buf_addf(out, "1#%d#%d#%zu\n", CODE_CHUNK, i, n);
			buf_add(out, kept->data + at, n);
		}
	}
}

static void
pack_status(const struct reply *r, struct buf *out)
{
	size_t i;

	if (r->code == 0)
		return;
	wire_status(out, r->code, r->said);
	for (i = 0; i < r->npairs; i++)
		wire_pair(out, r->pairs[i].key, r->pairs[i].value);
	wire_end(out);
}

void
answer_pack(const struct answer *a, struct buf *out)
{
	struct head head;
	size_t row;

	/* With what is between its members, lest that be anything. */
	memset(&head, 0, sizeof(head));
	head.fate = a->fate;
	head.microseconds = a->microseconds;
	head.problem = a->problem.len;
	head.notices = a->notices.len;
	head.chunked = a->reply.chunked;
	buf_add(out, &head, sizeof(head));
	buf_add(out, a->problem.data, a->problem.len);
	buf_add(out, a->notices.data, a->notices.len);
	pack_columns(&a->reply, out);
	for (row = 0; row < a->reply.nrows; row++)
		pack_row(&a->reply, row, out);
	pack_kept(&a->reply, out);
	pack_status(&a->reply, out);
}

void
answer_fail(struct answer *a, enum fate fate, const char *why)
{
	reply_free(&a->reply);
	buf_reset(&a->problem);
	buf_adds(&a->problem, why);
	a->fate = fate;
}

static int
unpack_lines(struct reply *r, char *at, char *end)
{
	char *lf;

	enum reply_state state;
	size_t n;

	for (; at < end; at = lf + 1 + n) {
		if ((lf = memchr(at, '\n', (size_t)(end - at))) == NULL)
			return -1;
		state = reply_line(r, at, (size_t)(lf - at));
		n = state == REPLY_CHUNK ? r->chunk : 0;
		if (state == REPLY_BAD || n > (size_t)(end - lf - 1) ||
			(n > 0 && !reply_chunk(r, lf + 1, n)))
			return -1;
	}
	return 0;
}

/* Whether all of it is there, and of that form. */
static bool
unpack(struct answer *a, char *bytes, size_t len)
{
	struct head head;

	if (len < sizeof(head))
		return false;
	memcpy(&head, bytes, sizeof(head));
	bytes += sizeof(head);
	len -= sizeof(head);
	if (head.fate >= FATES || head.chunked > 1 || head.problem > len ||
		head.notices > len - head.problem)
		return false;
	a->fate = head.fate;
	a->microseconds = head.microseconds;
	a->reply.chunked = head.chunked;
	buf_add(&a->problem, bytes, head.problem);
	bytes += head.problem;
	len -= head.problem;
	buf_add(&a->notices, bytes, head.notices);
	bytes += head.notices;
	len -= head.notices;
	return unpack_lines(&a->reply, bytes, bytes + len) == 0 &&
	       (a->problem.len > 0 || a->reply.code != 0);
}

void
answer_unpack(struct answer *a, char *bytes, size_t len)
{
	if (!unpack(a, bytes, len))
		answer_fail(a, FATE_UNREACHED,
			"what its worker found out is garbled");
}

void
answer_free(struct answer *a)
{
	reply_free(&a->reply);
	buf_free(&a->problem);
	buf_free(&a->notices);
}
