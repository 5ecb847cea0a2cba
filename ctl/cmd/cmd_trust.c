#include "cli/host_select.h"
#include "clock.h"
#include "cmd/commands.h"
#include "output/render.h"
#include "remote/conn.h"
#include "remote/host_trust.h"
#include "remote/known_hosts_file.h"
#include "util/message.h"
#include "util/prompt.h"

#include <string.h>

/*
 * Connect to the host, and store the fingerprint of the key that the host
 * presents. The client's key is not sent. Return 0, or another value after
 * printing a message.
 */
static int
fetch(const struct endpoint *e, char fingerprint[TLS_FINGERPRINT_SIZE])
{
	unsigned seconds = e->timeout ? e->timeout : CONN_CONNECT_SECONDS;
	struct conn conn;
	char problem[TLS_PROBLEM_SIZE];
	struct tls_context *context = tls_client(NULL, problem);
	int result;

	if (context == NULL) {
		message_lines(e->target->name, problem);
		return -1;
	}
	conn_init(&conn);
	result = conn_open(
		&conn, e->target, context, clock_ms() + seconds * 1000LL);
	if (result == 0)
		memcpy(fingerprint, conn.peer, TLS_FINGERPRINT_SIZE);
	else
		message_lines(e->target->name, buf_str(&conn.problem));
	conn_close(&conn, result == 0);
	tls_context_free(context);
	return result;
}

/*
 * If another key of the host is known, print the known key, which the new key
 * would replace.
 */
static void
show_known(const struct endpoint *e, const char *path,
	const struct known_found *found)
{
	if (found->known == KNOWN_OTHER)
		message_host(e->target->name, "%s:%zu has the key %s", path,
			found->line, found->fingerprint);
}

/*
 * Decide if the key is trusted: by an option, or by asking the user. Return
 * OUTCOME_DONE if the key is trusted.
 */
static enum outcome
decide(const struct invocation *inv, const struct endpoint *e,
	const char *fingerprint)
{
	if (e->pin != NULL && strcmp(e->pin, fingerprint) != 0) {
		message_host(e->target->name,
			"the host's key is not trusted: the host shows %s, "
			"but %s requires %s",
			fingerprint, e->pin_source, e->pin);
		return OUTCOME_NO;
	}
	if (e->pin != NULL || invocation_has(inv, OPT_YES))
		return OUTCOME_DONE;
	host_trust_show(e->target, fingerprint);
	if (prompt_yes("Are the keys equal, and do you trust this host?"))
		return OUTCOME_DONE;
	message_print("nothing was changed");
	return OUTCOME_NO;
}

static enum outcome
fail(const struct endpoint *e, struct buf *problem)
{
	message_host(e->target->name, "%s", buf_str(problem));
	return OUTCOME_NO;
}

static enum outcome
trust(const struct invocation *inv, const struct endpoint *e, const char *path,
	const char *fingerprint, struct buf *problem)
{
	struct known_found found;
	struct buf host = { 0 };
	enum outcome outcome;

	target_address(e->target, &host);
	if (known_hosts_file_find(
		    path, buf_str(&host), fingerprint, &found, problem) != 0) {
		outcome = fail(e, problem);
	} else {
		show_known(e, path, &found);
		outcome = decide(inv, e, fingerprint);
	}
	if (outcome == OUTCOME_DONE &&
		known_hosts_file_replace(
			path, buf_str(&host), fingerprint, problem) != 0)
		outcome = fail(e, problem);
	if (outcome == OUTCOME_DONE &&
		render_line("%s %s", buf_str(&host), fingerprint) != 0)
		outcome = OUTCOME_NO;
	buf_free(&host);
	return outcome;
}

/*
 * Find the host that the argument names, and set its endpoint. The host must
 * use TLS. Return 0, or -1 with a sentence in `error`.
 */
static int
take_host(const struct invocation *inv, struct hosts *hosts,
	struct client_conf *conf, struct endpoint *e, struct buf *error)
{
	struct options options = inv->options;

	options_set(&options, OPT_HOSTS, inv->args[0]);
	if (host_select(hosts, conf, &options, HOST_SELECT_WARN, error) != 0)
		return -1;
	*e = endpoint_of(inv, &hosts->v[0]);
	if (hosts->n > 1)
		buf_adds(error, "trust takes one host at a time");
	else if (e->target->kind != TARGET_TLS)
		buf_adds(error,
			"trust needs a TLS host: give NAME or NAME:PORT");
	else
		return 0;
	return -1;
}

/*
 * True if an option decides about the key, or if there is a terminal for a
 * question. Otherwise append a sentence to `error`.
 */
static bool
can_decide(const struct invocation *inv, const struct endpoint *e,
	struct buf *error)
{
	if (invocation_has(inv, OPT_YES) || e->pin != NULL || prompt_terminal())
		return true;
	buf_adds(error,
		"trust asks to confirm the key, but there is no terminal: use "
		"--fingerprint with the output of 'bridled --fingerprint' on "
		"the host, or -y to trust any key");
	return false;
}

static enum outcome
fetch_and_trust(const struct invocation *inv, const struct endpoint *e)
{
	char fingerprint[TLS_FINGERPRINT_SIZE];
	struct buf path = { 0 }, problem = { 0 };
	enum outcome outcome = OUTCOME_UNREACHED;

	if (host_trust_file(&path, &problem) != 0)
		outcome = fail(e, &problem);
	else if (fetch(e, fingerprint) == 0)
		outcome = trust(inv, e, buf_str(&path), fingerprint, &problem);
	buf_free(&path);
	buf_free(&problem);
	return outcome;
}

static enum outcome
run(const struct invocation *inv)
{
	struct client_conf conf = { 0 };
	struct hosts hosts = { 0 };
	struct buf error = { 0 };
	struct endpoint e;
	enum outcome outcome = OUTCOME_USAGE;

	if (take_host(inv, &hosts, &conf, &e, &error) == 0 &&
		can_decide(inv, &e, &error))
		outcome = fetch_and_trust(inv, &e);
	else
		message_lines(NULL, buf_str(&error));
	buf_free(&error);
	hosts_free(&hosts);
	client_conf_free(&conf);
	return outcome;
}

const struct command cmd_trust = { .name = "trust",
	.args = "HOST",
	.help = "store a host's key, and replace an older key",
	.examples = "trust web1|show the key, ask\n"
		    "trust web1 --fingerprint SHA256:...|in a script\n"
		    "trust web1 -y|trust any key\n",
	.options = OPT_BIT(OPT_FINGERPRINT) | OPT_BIT(OPT_TIMEOUT) |
		   OPT_BIT(OPT_YES),
	.args_min = 1,
	.args_max = 1,
	.takes = { { ARG_HOST, NULL } },
	.run = run };
