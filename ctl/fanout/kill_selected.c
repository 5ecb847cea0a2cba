#include "fanout/kill_selected.h"

#include "remote/call.h"
#include "verbs.h"

#include <string.h>

#define TOKEN_MAX 64

/*
 * The requests that kill the selected processes, and the status of all replies.
 */
struct selection {
	struct buf lines;
	size_t requests;
	/*
	 * combined status code of the replies so far; 0: no reply has arrived
	 */
	int code;
	struct buf ids; /* ids of the replies, separated by commas */
};

static bool
is_chosen(const struct reply *preview, size_t row, struct buf *scratch)
{
	return strcmp(table_named_text(
			      &preview->table, row, "outcome", scratch),
		       "would-signal") == 0;
}

size_t
kill_selected_count(const struct reply *preview)
{
	struct buf scratch = { 0 };
	size_t row, n = 0;

	for (row = 0; row < preview->table.nrows; row++)
		n += is_chosen(preview, row, &scratch);
	buf_free(&scratch);
	return n;
}

/*
 * True if the token can be sent without encoding. bridlectl does not check
 * more, because only the daemon knows the meaning of a token.
 */
static bool
token_valid(const struct buf *token)
{
	return token->len > 0 && token->len <= TOKEN_MAX &&
	       strspn(token->data, "0123456789abcdefABCDEF-") == token->len;
}

/* Append a request with these tokens to b->lines, and empty `tokens`. */
static void
add_request(struct selection *b, struct request *r, struct buf *tokens)
{
	r->strings[REQUEST_ONLY] = buf_str(tokens);
	request_format(r, &b->lines);
	buf_addc(&b->lines, '\n');
	b->requests++;
	buf_reset(tokens);
}

/*
 * Append the requests that kill exactly the selected processes to b->lines. If
 * one line cannot hold all tokens, append several requests. Return 0, or -1 if
 * a token is missing or invalid, or if no memory is available.
 */
static int
fill_selection(struct selection *b, const struct request *request,
	const struct reply *preview)
{
	struct request r = *request;
	struct buf tokens = { 0 }, token = { 0 }, line = { 0 };
	int column = table_column(&preview->table, "token"), result = -1;
	size_t row, room;

	if (column < 0)
		return -1;
	r.strings[REQUEST_ONLY] = "-";
	request_format(&r, &line);
	if (line.len + TOKEN_MAX > WIRE_LINE_MAX)
		goto out;
	room = WIRE_LINE_MAX - (line.len - 1);
	for (row = 0; row < preview->table.nrows; row++) {
		if (!is_chosen(preview, row, &token))
			continue;
		table_text(&preview->table, row, (size_t)column, &token);
		if (!token_valid(&token))
			goto out;
		if (tokens.len + 1 + token.len > room)
			add_request(b, &r, &tokens);
		if (tokens.len > 0)
			buf_addc(&tokens, ',');
		buf_add(&tokens, token.data, token.len);
	}
	add_request(b, &r, &tokens);
	result = b->lines.failed ? -1 : 0;
out:
	buf_free(&tokens);
	buf_free(&token);
	buf_free(&line);
	return result;
}

/*
 * True if a status with this code is only a summary of the outcomes in the
 * records.
 */
static bool
is_summary(int code)
{
	return code == CODE_OK || code == CODE_PARTLY ||
	       code == CODE_NOT_ALLOWED || code == CODE_NO_MATCH;
}

static void
add_status(struct selection *b, const struct reply *r)
{
	const char *id = reply_pair(r, "id");

	if (b->code == 0 || !is_summary(r->code))
		b->code = r->code;
	else if (b->code != r->code)
		b->code = CODE_PARTLY;
	if (id != NULL)
		buf_addf(&b->ids, "%s%s", b->ids.len ? "," : "", id);
}

/*
 * Append the number of processes for each outcome, as in "12 signalled, 1
 * denied".
 */
static void
count_outcomes(const struct reply *r, struct buf *out)
{
	static const char *const outcomes[] = { "signalled", "exited", "gone",
		"survived", "denied", "protected", NULL };
	struct buf scratch = { 0 };
	size_t i, row, n;

	for (i = 0; outcomes[i] != NULL; i++) {
		n = 0;
		for (row = 0; row < r->table.nrows; row++)
			n += !strcmp(table_named_text(&r->table, row, "outcome",
					     &scratch),
				outcomes[i]);
		if (n > 0)
			buf_addf(out, "%s%zu %s", out->len ? ", " : "", n,
				outcomes[i]);
	}
	buf_free(&scratch);
}

/*
 * Send the requests, and merge all replies into one reply. Return 0, or a
 * call_result with a sentence appended to `problem`.
 */
static int
run_selection(struct selection *b, const struct endpoint *e,
	const struct request *request, struct reply *r, struct buf *problem)
{
	struct buf text = { 0 };
	struct conn conn;
	int result = call_open(&conn, e, NULL);
	size_t i;

	if (result == 0)
		conn_send(&conn, b->lines.data, b->lines.len);
	for (i = 0; i < b->requests && result == 0; i++) {
		if (i > 0)
			reply_next(r);
		if ((result = call_reply(&conn, e, request, r)) != 0)
			break;
		add_status(b, r);
		/*
		 * Stop if the status is not a summary, because all further
		 * requests would fail too.
		 */
		if (!is_summary(r->code))
			break;
	}
	result = call_close(&conn, request, result, problem);
	if (result == 0 && b->requests > 1 && is_summary(b->code)) {
		count_outcomes(r, &text);
		if (text.len == 0)
			buf_adds(&text, KILL_NONE);
		result = reply_conclude(
			r, b->code, buf_str(&text), buf_str(&b->ids));
		buf_free(&text);
		if (result != 0)
			buf_adds(problem, "out of memory");
	}
	return result;
}

int
kill_selected(const struct endpoint *e, const struct request *request,
	const struct reply *preview, struct reply *r, struct buf *problem)
{
	struct selection selection = { 0 };
	int result = -1;

	if (fill_selection(&selection, request, preview) == 0)
		result = run_selection(&selection, e, request, r, problem);
	else
		buf_adds(problem,
			"the host's list has no valid tokens for the kill");
	buf_free(&selection.lines);
	buf_free(&selection.ids);
	return result;
}
