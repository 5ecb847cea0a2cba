#include "output/render.h"

#include "output/json.h"
#include "output/raw.h"
#include "output/table_print.h"
#include "remote/call.h"
#include "remote/client_key.h"
#include "remote/key_create.h"
#include "text.h"
#include "util/message.h"
#include "util/write_out.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * The bit in *hinted for the hint of render_pid_hint(). The lower bits are for
 * hints[].
 */
#define HINTED_PID (1u << 31)

/*
 * The hints after an unsuccessful request. If `verb` is 0, the hint is for all
 * verbs. If `see` is a command, the hint is shown only if the reply has the
 * pair see=COMMAND. If `said` is not NULL, the hint is shown only if the status
 * of another machine has these words.
 */
static const struct hint {
	int code;
	enum verb_number verb;
	const char *see;  /* the command that helps; NULL: no command */
	const char *text; /* the hint; NULL: hint_identity() prints the hint */
	const char *said; /* words of the status; NULL: each status */
} hints[] = {
	{ CODE_NO_IDENTITY, 0, NULL, NULL, NULL },
	{ CODE_NOT_ALLOWED, 0, "verbs", "shows what you may do", NULL },
	{ CODE_NO_MATCH, VERB_KILL, "list",
		"with a pattern shows the processes; a name must match "
		"exactly",
		NULL },
	{ CODE_NO_MATCH, VERB_RUN, "verbs", "shows the commands", NULL },
	{ CODE_NO_MATCH, VERB_LIST, "list", "shows all processes", NULL },
	{ CODE_TOO_MANY, 0, NULL, "try again in a moment", NULL },
	{ CODE_TOO_MANY, 0, NULL,
		"another user of your address may have made these mistakes; "
		"penalties.exempt of the host's bridled.conf(5) can exempt an "
		"address",
		"too many mistakes" },
	{ CODE_UNAVAILABLE, 0, NULL,
		"on the host, 'journalctl -u bridled' shows why",
		"not serving" },
	{ CODE_UNKNOWN_VERB, 0, NULL,
		"the host runs another version of bridled", NULL },
	{ CODE_UNKNOWN_VERSION, 0, NULL,
		"the host speaks another version of the protocol", NULL },
};

bool
render_is_text(const struct invocation *inv)
{
	return !invocation_has(inv, OPT_JSON) && !invocation_has(inv, OPT_RAW);
}

bool
render_is_cut(const struct invocation *inv, const struct reply *r)
{
	return reply_truncated(r) && !invocation_has(inv, OPT_ALLOW_TRUNCATED);
}

/* Append the pairs of the status line, as in " [rule x, id 7]". */
static void
add_pairs(struct buf *out, const struct reply *r)
{
	const char *before = " [";
	size_t i;

	for (i = 0; i < r->npairs; i++) {
		/*
		 * Leave out these pairs, because they are shown on separate
		 * lines or in the text.
		 */
		if (strcmp(r->pairs[i].key, "output") == 0 ||
			strcmp(r->pairs[i].key, "see") == 0 ||
			strcmp(r->pairs[i].key, "hidden") == 0)
			continue;
		buf_addf(out, "%s%s %s", before, r->pairs[i].key,
			r->pairs[i].value);
		before = ", ";
	}
	if (*before == ',')
		buf_addc(out, ']');
}

/* Print an entry of `clients` for this user of the local daemon. */
static void
hint_entry(const struct host *host)
{
	const struct passwd *pw = getpwuid(geteuid());
	struct buf login = { 0 }, user = { 0 };

	key_create_login(&login);
	if (pw != NULL && strcmp(pw->pw_name, buf_str(&login)) == 0)
		buf_adds(&user, pw->pw_name);
	else
		buf_addf(&user, "%u", (unsigned)geteuid());
	message_host(host->label,
		"ask root for an entry in clients: { name = \"%s\"; "
		"unix_user = \"%s\"; allow = (\"list\"); }",
		buf_str(&login), buf_str(&user));
	buf_free(&login);
	buf_free(&user);
}

/*
 * Explain why the host did not recognize the client. The explanation depends on
 * the transport.
 */
static void
hint_identity(const struct invocation *inv, const struct host *host,
	const struct reply *r)
{
	struct endpoint e = endpoint_of(inv, host);

	if (host->target.kind == TARGET_TLS) {
		client_key_hint(&e);
	} else if (host->target.kind == TARGET_UNIX) {
		hint_entry(host);
	} else if (strcmp(r->said, WIRE_TLS_ONLY) == 0) {
		message_host(host->label, "leave out 'plain:'");
	} else {
		message_host(host->label, "no entry in the host's clients "
					  "matches you: see bridled.conf(5)");
	}
}

static bool
hint_applies(const struct hint *hint, const struct invocation *inv,
	const struct host *host, const struct reply *r)
{
	const char *see = reply_pair(r, "see");

	if (hint->code != r->code ||
		(hint->verb != 0 && hint->verb != inv->request.verb))
		return false;
	/*
	 * If the reply names a rule of an entry, that entry matches the client.
	 * Then the hint would be wrong.
	 */
	if (r->code == CODE_NO_IDENTITY && reply_pair(r, "rule") != NULL)
		return false;
	if (hint->said != NULL)
		return host->target.kind != TARGET_UNIX &&
		       strstr(r->said, hint->said) != NULL;
	/*
	 * Leave out the hint if the daemon's text already says when to try
	 * again.
	 */
	if (r->code == CODE_TOO_MANY && strstr(r->said, "try again") != NULL)
		return false;
	return hint->see == NULL ||
	       (see != NULL && strcmp(see, hint->see) == 0);
}

/* Print a hint such as "'bridlectl -H web1 verbs' shows what you may do". */
static void
show_hint(const struct hint *hint, const struct host *host)
{
	bool local = strcmp(host->label, TARGET_DEFAULT) == 0;

	if (hint->see == NULL)
		message_host(host->label, "%s", hint->text);
	else
		message_host(host->label, "'bridlectl%s%s %s' %s",
			local ? "" : " -H ", local ? "" : host->label,
			hint->see, hint->text);
}

void
render_pid_hint(const struct invocation *inv, const char *label)
{
	const char *name = inv->request.strings[REQUEST_NAME];
	enum verb_number verb = inv->request.verb;

	if (name != NULL && *name != '\0' &&
		(verb == VERB_KILL || verb == VERB_LIST) &&
		name[strspn(name, "0123456789")] == '\0')
		message_host(label,
			"%s looks like a process ID, but %s takes process "
			"names",
			name, inv->command->name);
}

static void
show_hints(const struct invocation *inv, const struct host *host,
	const struct reply *r, unsigned *hinted)
{
	unsigned i;

	if (r->code == CODE_NO_MATCH && !(*hinted & HINTED_PID)) {
		*hinted |= HINTED_PID;
		render_pid_hint(inv, host->label);
	}
	for (i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		if ((*hinted & 1u << i) ||
			!hint_applies(&hints[i], inv, host, r))
			continue;
		*hinted |= 1u << i;
		if (hints[i].text != NULL)
			show_hint(&hints[i], host);
		else
			hint_identity(inv, host, r);
	}
}

enum outcome
render_status(const struct invocation *inv, const struct host *host,
	const struct reply *r, unsigned *hinted)
{
	const char *meaning = wire_code_text(r->code);
	const char *output = reply_pair(r, "output");
	enum outcome outcome = outcome_of_code(r->code);
	struct buf line = { 0 };

	if (reply_truncated(r))
		message_host(host->label,
			"the last %s bytes of the output were dropped",
			reply_pair(r, "truncated"));
	if (reply_run_failed(r)) {
		/*
		 * Print no message with --exit-status, because the exit status
		 * of bridlectl is the exit status of the command.
		 */
		if (!invocation_has(inv, OPT_EXIT_STATUS))
			message_host(host->label, "%s", r->said);
		return OUTCOME_NO;
	}
	if (outcome == OUTCOME_DONE) {
		/*
		 * For a list, print the text of the status if the daemon cannot
		 * see all processes. For other verbs, the caller prints the
		 * text.
		 */
		if (inv->request.verb == VERB_LIST &&
			reply_pair(r, "hidden") != NULL)
			message_host(host->label, "%s", r->said);
		return render_is_cut(inv, r) ? OUTCOME_NO : outcome;
	}
	buf_addf(&line, "%s (%d)", meaning ? meaning : "status", r->code);
	if (*r->said != '\0' && (meaning == NULL || strcmp(r->said, meaning)))
		buf_addf(&line, ": %s", r->said);
	add_pairs(&line, r);
	message_host(host->label, "%s", buf_str(&line));
	buf_free(&line);
	if (output != NULL)
		message_host(host->label, "output: %s", output);
	show_hints(inv, host, r, hinted);
	return outcome;
}

int
render_line(const char *fmt, ...)
{
	struct buf line = { 0 };
	char *text = NULL;
	int result = -1;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) >= 0) {
		text_safe(&line, text, strlen(text));
		buf_addc(&line, '\n');
		result = write_out_buf(STDOUT_FILENO, &line);
		free(text);
	}
	va_end(ap);
	buf_free(&line);
	return result;
}

int
render_json(const char *label, const struct reply *r, const struct view *v,
	const char *problem, const char *result)
{
	struct buf line = { 0 };
	int status;

	json_reply(&line, label, r, v, problem, result);
	status = write_out_buf(STDOUT_FILENO, &line);
	buf_free(&line);
	return status;
}

/*
 * Print the records in the requested format. Return 0, or -1 if the output
 * could not be written.
 */
static int
print(const struct invocation *inv, const struct host *host,
	const struct reply *r, const struct view *v, const char *problem)
{
	if (invocation_has(inv, OPT_JSON))
		return render_json(host->label, r, v, problem, NULL);
	if (v == NULL)
		return 0;
	if (invocation_has(inv, OPT_RAW))
		return raw_print(v, STDOUT_FILENO);
	return table_print(v, STDOUT_FILENO);
}

enum outcome
render_reply(const struct invocation *inv, const struct host *host,
	const struct reply *r, const struct view *v, bool text)
{
	int written = print(inv, host, r, v, NULL);
	enum outcome outcome;
	unsigned hinted = 0;

	if (text && render_is_text(inv) &&
		outcome_of_code(r->code) == OUTCOME_DONE)
		written |= render_line("%s: %s", host->label, r->said);
	outcome = render_status(inv, host, r, &hinted);
	/* If the output failed, the command was not successful. */
	return written != 0 && outcome == OUTCOME_DONE ? OUTCOME_NO : outcome;
}

enum outcome
render_failure(const struct invocation *inv, const struct host *host,
	const struct reply *r, const struct view *v, const char *problem)
{
	print(inv, host, r, v, problem);
	message_lines(host->label, problem);
	return OUTCOME_UNREACHED;
}
