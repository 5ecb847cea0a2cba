#include "client.h"
#include "command.h"
#include "confirm.h"
#include "hosts_file.h"
#include "notice.h"
#include "report.h"
#include "trust.h"

#include <string.h>

/* The key that the host shows now; ours need not be shown for that. */
static int
fetch(const struct invocation *inv, char fingerprint[TLS_FINGERPRINT_SIZE])
{
	unsigned seconds = inv->timeout ? inv->timeout : CLIENT_CONNECT_SECONDS;
	struct client client;
	char problem[TLS_PROBLEM_SIZE];
	struct tls_context *context = tls_client(NULL, problem);
	int result;

	if (context == NULL) {
		report_failure(inv, NULL, NULL, problem);
		return -1;
	}
	client_init(&client);
	result = client_open(&client, &inv->target, context, seconds);
	if (result == 0)
		memcpy(fingerprint, client.peer, TLS_FINGERPRINT_SIZE);
	else
		report_failure(inv, NULL, NULL, buf_str(&client.problem));
	client_close(&client, result == 0);
	tls_context_free(context);
	return result;
}

/* What was known of it, for who is about to replace it. */
static void
show_known(const struct invocation *inv, const char *path,
	const struct known_found *found)
{
	if (found->known == KNOWN_OTHER)
		notice_host(inv->target.name, "%s:%zu has the key %s", path,
			found->line, found->fingerprint);
}

/* Whether the key that was shown is the right one. */
static enum outcome
decide(const struct invocation *inv, const char *fingerprint)
{
	const char *source, *pin = trust_pin(inv, &source);

	if (pin != NULL && strcmp(pin, fingerprint) != 0) {
		notice_host(inv->target.name,
			"it is not trusted: it shows the key %s, and %s says "
			"%s",
			fingerprint, source, pin);
		return OUTCOME_NO;
	}
	if (pin != NULL || invocation_has(inv, OPT_YES))
		return OUTCOME_DONE;
	trust_show(&inv->target, fingerprint);
	if (confirm_ask("Are they the same, and is it to be trusted?"))
		return OUTCOME_DONE;
	notice("nothing was changed");
	return OUTCOME_NO;
}

static enum outcome
fail(const struct invocation *inv, struct buf *problem)
{
	notice_host(inv->target.name, "%s", buf_str(problem));
	return OUTCOME_NO;
}

static enum outcome
trust(const struct invocation *inv, const char *path, const char *fingerprint,
	struct buf *problem)
{
	struct known_found found;
	struct buf host = { 0 };
	enum outcome outcome;

	targets_address(&inv->target, &host);
	if (hosts_file_find(
		    path, buf_str(&host), fingerprint, &found, problem) != 0) {
		outcome = fail(inv, problem);
	} else {
		show_known(inv, path, &found);
		outcome = decide(inv, fingerprint);
	}
	if (outcome == OUTCOME_DONE && hosts_file_replace(path, buf_str(&host),
					       fingerprint, problem) != 0)
		outcome = fail(inv, problem);
	if (outcome == OUTCOME_DONE &&
		report_line("%s %s", buf_str(&host), fingerprint) != 0)
		outcome = OUTCOME_NO;
	buf_free(&host);
	return outcome;
}

static enum outcome
refuse(const char *error)
{
	notice_lines(error);
	return OUTCOME_USAGE;
}

static int
take_host(struct invocation *inv, struct buf *error)
{
	inv->options.given |= OPT_BIT(OPT_HOSTS);
	inv->options.values[OPT_HOSTS] = inv->args[0];
	if (invocation_select(inv, error) != 0)
		return -1;
	if (inv->hosts.n > 1) {
		buf_adds(error, "trust is for one host at a time");
		return -1;
	}
	invocation_turn(inv, &inv->hosts.v[0]);
	return 0;
}

/* NAME or NAME:PORT, and someone or something to compare with. */
static enum outcome
check(struct invocation *inv)
{
	struct buf error = { 0 };
	enum outcome outcome = OUTCOME_DONE;
	const char *source;

	if (take_host(inv, &error) != 0)
		outcome = refuse(buf_str(&error));
	else if (inv->target.kind != TARGET_TLS)
		outcome = refuse("trust is for TLS: say NAME or NAME:PORT");
	else if (!invocation_has(inv, OPT_YES) &&
		 trust_pin(inv, &source) == NULL && !confirm_terminal())
		outcome = refuse(
			"trust asks whether it is the right key, and there is "
			"no terminal to ask on: say --fingerprint with what "
			"'bridled --fingerprint' prints there, or -y to take "
			"what it shows");
	buf_free(&error);
	return outcome;
}

enum outcome
cmd_trust(struct invocation *inv)
{
	char fingerprint[TLS_FINGERPRINT_SIZE];
	struct buf path = { 0 }, problem = { 0 };
	enum outcome outcome = check(inv);

	if (outcome != OUTCOME_DONE)
		return outcome;
	if (trust_file(&path, &problem) != 0)
		outcome = fail(inv, &problem);
	else if (fetch(inv, fingerprint) != 0)
		outcome = OUTCOME_UNREACHED;
	else
		outcome = trust(inv, buf_str(&path), fingerprint, &problem);
	buf_free(&path);
	buf_free(&problem);
	return outcome;
}
