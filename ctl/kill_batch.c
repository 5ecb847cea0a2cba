#include "kill_batch.h"

#include "call.h"

#include <string.h>

#define TOKEN_MAX 64

/* The kill of what was shown: so many requests, and what they came to. */
struct batch {
	struct buf lines;
	size_t requests;
	int code;       /* the answers' so far */
	struct buf ids; /* of the answers, separated by commas */
};

static bool
is_chosen(const struct reply *preview, size_t row, struct buf *scratch)
{
	int outcome = reply_column(preview, "outcome");

	return outcome >= 0 &&
	       strcmp(reply_text(preview, row, (size_t)outcome, scratch),
		       "would-signal") == 0;
}

size_t
kill_batch_count(const struct reply *preview)
{
	struct buf scratch = { 0 };
	size_t row, n = 0;

	for (row = 0; row < preview->nrows; row++)
		n += is_chosen(preview, row, &scratch);
	buf_free(&scratch);
	return n;
}

/* Tokens are opaque, but they are known to need no encoding. */
static bool
token_valid(const struct buf *token)
{
	return token->len > 0 && token->len <= TOKEN_MAX &&
	       strspn(token->data, "0123456789abcdefABCDEF-") == token->len;
}

/* Ends a request line with the tokens gathered, and begins to gather anew. */
static void
add_request(struct batch *b, struct request *r, struct buf *tokens)
{
	r->strings[REQUEST_ONLY] = buf_str(tokens);
	request_format(r, &b->lines);
	buf_addc(&b->lines, '\n');
	b->requests++;
	buf_reset(tokens);
}

/*
 * Writes the requests that kill exactly what was chosen, each as long as a
 * line may be. -1 if the preview has no proper tokens.
 */
static int
fill_batch(struct batch *b, const struct invocation *inv,
	const struct reply *preview)
{
	struct request r = inv->request;
	struct buf tokens = { 0 }, token = { 0 }, line = { 0 };
	int column = reply_column(preview, "token"), result = -1;
	size_t row, room;

	if (column < 0)
		return -1;
	r.strings[REQUEST_ONLY] = "-";
	request_format(&r, &line);
	if (line.len + TOKEN_MAX > WIRE_LINE_MAX)
		goto out;
	room = WIRE_LINE_MAX - (line.len - 1);
	for (row = 0; row < preview->nrows; row++) {
		if (!is_chosen(preview, row, &token))
			continue;
		reply_text(preview, row, (size_t)column, &token);
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

/* Whether a status only sums up the outcomes in the records before it. */
static bool
is_summary(int code)
{
	return code == CODE_OK || code == CODE_PARTLY ||
	       code == CODE_NOT_ALLOWED || code == CODE_NO_MATCH;
}

static void
add_status(struct batch *b, const struct reply *r)
{
	const char *id = reply_pair(r, "id");

	if (b->code == 0 || !is_summary(r->code))
		b->code = r->code;
	else if (b->code != r->code)
		b->code = CODE_PARTLY;
	if (id != NULL)
		buf_addf(&b->ids, "%s%s", b->ids.len ? "," : "", id);
}

/* "12 signalled, 1 denied", in the order in which they first occur. */
static void
count_outcomes(const struct reply *r, struct buf *out)
{
	static const char *const outcomes[] = { "signalled", "exited", "gone",
		"survived", "denied", "protected", NULL };
	int column = reply_column(r, "outcome");
	struct buf scratch = { 0 };
	size_t i, row, n;

	for (i = 0; column >= 0 && outcomes[i] != NULL; i++) {
		n = 0;
		for (row = 0; row < r->nrows; row++)
			n += !strcmp(
				reply_text(r, row, (size_t)column, &scratch),
				outcomes[i]);
		if (n > 0)
			buf_addf(out, "%s%zu %s", out->len ? ", " : "", n,
				outcomes[i]);
	}
	buf_free(&scratch);
}

/* Sends the batch and reads its answers into one. -1 with a problem. */
static int
run_batch(struct batch *b, const struct invocation *inv, struct reply *r,
	struct buf *problem)
{
	struct buf text = { 0 };
	struct client client;
	int opened, result;
	size_t i;

	opened = call_open(&client, inv, buf_str(&b->lines), b->lines.len);
	result = opened;
	for (i = 0; i < b->requests && result == 0; i++) {
		if (i > 0)
			reply_next(r);
		if ((result = call_answer(&client, inv, r)) != 0)
			break;
		add_status(b, r);
		/* After such a status the rest would only fail likewise. */
		if (!is_summary(r->code))
			break;
	}
	if (result != 0) {
		result = call_failed(&client);
		buf_adds(problem, buf_str(&client.problem));
	}
	if (result != 0 && opened == 0)
		call_unsure(&inv->request, problem);
	client_close(&client, result == 0);
	if (result == 0 && b->requests > 1 && is_summary(b->code)) {
		count_outcomes(r, &text);
		result = reply_conclude(
			r, b->code, buf_str(&text), buf_str(&b->ids));
		buf_free(&text);
		if (result != 0)
			buf_adds(problem, "out of memory");
	}
	return result;
}

int
kill_batch_run(const struct invocation *inv, const struct reply *preview,
	struct reply *r, struct buf *problem)
{
	struct batch batch = { 0 };
	int result = -1;

	if (fill_batch(&batch, inv, preview) == 0)
		result = run_batch(&batch, inv, r, problem);
	else
		buf_adds(problem, "its list has no proper tokens to kill by");
	buf_free(&batch.lines);
	buf_free(&batch.ids);
	return result;
}
