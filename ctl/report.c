#include "report.h"

#include "call.h"
#include "json.h"
#include "notice.h"
#include "output.h"
#include "own_key.h"
#include "raw.h"
#include "table.h"
#include "text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* What one may do about a refusal; verb 0 stands for any. */
static const struct {
	int code;
	enum verb_number verb;
	const char *hint;
} hints[] = {
	{ CODE_NO_MATCH, VERB_KILL,
		"a name must match exactly: 'bridlectl list' with a pattern "
		"shows what there is" },
	{ CODE_NO_MATCH, VERB_RUN,
		"'bridlectl verbs' shows which commands there are" },
	{ CODE_TOO_MANY, 0, "try again in a moment" },
	{ CODE_UNKNOWN_VERB, 0, "its version of bridled is another than this" },
	{ CODE_UNKNOWN_VERSION, 0,
		"it speaks another version of the protocol" },
};

bool
report_is_for_people(const struct invocation *inv)
{
	return !invocation_has(inv, OPT_JSON) && !invocation_has(inv, OPT_RAW);
}

enum outcome
report_outcome(int code)
{
	switch (code) {
	case CODE_OK:
	case CODE_ACCEPTED:
		return OUTCOME_DONE;
	case CODE_STOPPING:
		return OUTCOME_UNREACHED;
	default:
		return OUTCOME_NO;
	}
}

/* " [rule x, id 7]", from the pairs of the status line. */
static void
add_pairs(struct buf *out, const struct reply *r)
{
	const char *before = " [";
	size_t i;

	for (i = 0; i < r->npairs; i++) {
		/* That has a line of its own. */
		if (strcmp(r->pairs[i].key, "output") == 0)
			continue;
		buf_addf(out, "%s%s %s", before, r->pairs[i].key,
			r->pairs[i].value);
		before = ", ";
	}
	if (*before == ',')
		buf_addc(out, ']');
}

/* It depends on how one came there who one is. */
static void
hint_identity(const struct invocation *inv, const struct reply *r)
{
	if (inv->target.kind == TARGET_TLS)
		own_key_hint(inv);
	else if (strcmp(r->said, WIRE_TLS_ONLY) == 0)
		notice_host(inv->target.name, "leave out 'plain:'");
	else
		notice_host(inv->target.name,
			"no entry of its clients matches you: see "
			"bridled.conf(5)");
}

/* What to do is told once, however many hosts it is about. */
static bool
is_told(const struct invocation *inv, int code)
{
	static int last;
	bool told = inv->several && code == last;

	last = code;
	return told;
}

static void
show_hints(const struct invocation *inv, const struct reply *r)
{
	const char *rule = reply_pair(r, "rule");
	int code = r->code;
	size_t i;

	if (is_told(inv, code))
		return;

	/* Not where the kernel forbade it, or what everybody is forbidden. */
	if (code == CODE_NOT_ALLOWED && rule != NULL && strchr(rule, '.'))
		notice_host(inv->target.name,
			"'bridlectl verbs' shows what you may do");
	if (code == CODE_NO_IDENTITY)
		hint_identity(inv, r);
	for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++)
		if (hints[i].code == code &&
			(hints[i].verb == 0 ||
				hints[i].verb == inv->request.verb))
			notice_host(inv->target.name, "%s", hints[i].hint);
}

enum outcome
report_status(const struct invocation *inv, const struct reply *r)
{
	const char *meaning = wire_code_text(r->code);
	const char *output = reply_pair(r, "output");
	enum outcome outcome = report_outcome(r->code);
	struct buf line = { 0 };

	if (reply_pair(r, "truncated") != NULL)
		notice_host(inv->target.name,
			"of its output the last %s bytes were dropped",
			reply_pair(r, "truncated"));
	if (reply_run_failed(r)) {
		/* Who has asked for the status, has it. */
		if (!invocation_has(inv, OPT_EXIT_STATUS))
			notice_host(inv->target.name, "%s", r->said);
		return OUTCOME_NO;
	}
	if (outcome == OUTCOME_DONE)
		return outcome;
	buf_addf(&line, "%s (%d)", meaning ? meaning : "status", r->code);
	if (*r->said != '\0' && (meaning == NULL || strcmp(r->said, meaning)))
		buf_addf(&line, ": %s", r->said);
	add_pairs(&line, r);
	notice_host(inv->target.name, "%s", buf_str(&line));
	buf_free(&line);
	if (output != NULL)
		notice_host(inv->target.name, "it said: %s", output);
	show_hints(inv, r);
	return outcome;
}

int
report_line(const char *fmt, ...)
{
	struct buf line = { 0 };
	char *text = NULL;
	int result = -1;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) >= 0) {
		text_safe(&line, text, strlen(text));
		buf_addc(&line, '\n');
		result = output_buf(STDOUT_FILENO, &line);
		free(text);
	}
	va_end(ap);
	buf_free(&line);
	return result;
}

static int
print_json(const struct invocation *inv, const struct reply *r,
	const struct view *v, const char *problem)
{
	struct buf line = { 0 };
	int result = -1;

	json_answer(&line, inv->target.name, r, v, problem, NULL);
	if (line.failed)
		notice("no memory for the answer");
	else
		result = output_write(STDOUT_FILENO, line.data, line.len);
	buf_free(&line);
	return result;
}

/* The records in the form that was asked for; -1 if they were not written. */
static int
print(const struct invocation *inv, const struct reply *r, const struct view *v,
	const char *problem)
{
	if (invocation_has(inv, OPT_JSON))
		return print_json(inv, r, v, problem);
	if (v == NULL)
		return 0;
	if (invocation_has(inv, OPT_RAW))
		return raw_print(r, v, STDOUT_FILENO);
	return table_print(r, v, STDOUT_FILENO);
}

enum outcome
report_reply(const struct invocation *inv, const struct reply *r,
	const struct view *v, bool text)
{
	int written = print(inv, r, v, NULL);
	enum outcome outcome;

	if (text && report_is_for_people(inv) &&
		report_outcome(r->code) == OUTCOME_DONE)
		written |= report_line("%s: %s", inv->target.name, r->said);
	outcome = report_status(inv, r);
	/* What was not shown was not answered, whatever the daemon said. */
	return written != 0 && outcome == OUTCOME_DONE ? OUTCOME_NO : outcome;
}

void
report_problem(const struct invocation *inv, const char *problem)
{
	size_t len;

	for (;; problem += len + 1) {
		len = strcspn(problem, "\n");
		notice_host(inv->target.name, "%.*s", (int)len, problem);
		if (problem[len] == '\0')
			return;
	}
}

enum outcome
report_failure(const struct invocation *inv, const struct reply *r,
	const struct view *v, const char *problem)
{
	print(inv, r, v, problem);
	report_problem(inv, problem);
	return OUTCOME_UNREACHED;
}

int
report_view(const struct invocation *inv, const struct reply *r, struct view *v)
{
	if (view_all(v, r) != 0)
		return -1;
	/* It says nothing to people; scripts hand it back with only=. */
	if (report_is_for_people(inv))
		view_hide(v, r, "token");
	return 0;
}

enum outcome
report_request(const struct invocation *inv, bool text)
{
	struct buf problem = { 0 };
	struct reply reply = { 0 };
	struct view view = { 0 };
	enum outcome outcome;
	int result;

	result = call_ask(inv, &inv->request, &reply, &problem);
	if (report_view(inv, &reply, &view) != 0)
		outcome = report_failure(inv, &reply, NULL, "out of memory");
	else if (result != 0)
		outcome = report_failure(inv, &reply, &view, buf_str(&problem));
	else
		outcome = report_reply(inv, &reply, &view, text);
	view_free(&view);
	reply_free(&reply);
	buf_free(&problem);
	return outcome;
}
