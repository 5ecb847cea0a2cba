#include "cli/host_select.h"
#include "cmd/commands.h"
#include "output/render.h"
#include "remote/host_trust.h"
#include "remote/known_hosts_file.h"
#include "trust/trust_fetch.h"
#include "trust/trust_list.h"
#include "trust/trust_many.h"
#include "util/message.h"
#include "util/prompt.h"

#include <string.h>

/*
 * If known_hosts has another key of the host, print this other key. The new key
 * would replace the other key.
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
 * Decide if the key is trusted. If no option decides, ask the user. Return
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
 * Find the hosts that the argument names. All hosts must use TLS. Return 0, or
 * -1 with a sentence in `error`.
 */
static int
take_hosts(struct invocation *inv, struct buf *error)
{
	struct options options = inv->options;
	size_t i;

	options_set(&options, OPT_HOSTS, inv->args[0]);
	if (host_select(&inv->hosts, &inv->conf, &options, HOST_SELECT_WARN,
		    error) != 0)
		return -1;
	for (i = 0; i < inv->hosts.n; i++) {
		if (inv->hosts.v[i].target.kind == TARGET_TLS)
			continue;
		buf_addf(error,
			"trust needs a TLS host: give NAME or NAME:PORT, not "
			"%s",
			inv->hosts.v[i].label);
		return -1;
	}
	if (inv->hosts.n == 1 || !invocation_has(inv, OPT_FINGERPRINT))
		return 0;
	buf_adds(error, "--fingerprint is for one host; for several hosts, use "
			"--from with a list");
	return -1;
}

/*
 * True if an option decides about the keys, or if there is a terminal for a
 * question. Otherwise append a sentence to `error`.
 */
static bool
can_decide(const struct invocation *inv, struct buf *error)
{
	struct endpoint e = endpoint_of(inv, &inv->hosts.v[0]);

	if (invocation_has(inv, OPT_YES) || invocation_has(inv, OPT_FROM) ||
		(inv->hosts.n == 1 && e.pin != NULL) || prompt_terminal())
		return true;
	if (inv->hosts.n == 1)
		buf_adds(error,
			"trust asks to confirm the key, but there is no "
			"terminal: use --fingerprint with the output of "
			"'bridled --fingerprint' on the host, or -y to trust "
			"any key");
	else
		buf_adds(error,
			"trust asks to confirm the keys, but there is no "
			"terminal: use --from with a list of hosts and "
			"fingerprints, or -y to trust any key");
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
	else if (trust_fetch(e, fingerprint, &problem) != 0)
		message_lines(e->target->name, buf_str(&problem));
	else
		outcome = trust(inv, e, buf_str(&path), fingerprint, &problem);
	buf_free(&path);
	buf_free(&problem);
	return outcome;
}

static enum outcome
trust_listed(const struct invocation *inv)
{
	struct trust_list list;
	struct buf problem = { 0 };
	enum outcome outcome = OUTCOME_NO;

	if (trust_list_read(&list, inv->options.values[OPT_FROM], &problem) !=
		0)
		message_print("%s", buf_str(&problem));
	else
		outcome = trust_many(inv, &list);
	trust_list_free(&list);
	buf_free(&problem);
	return outcome;
}

static enum outcome
trust_all(const struct invocation *inv)
{
	struct endpoint e;

	if (invocation_has(inv, OPT_FROM))
		return trust_listed(inv);
	if (inv->hosts.n > 1)
		return trust_many(inv, NULL);
	e = endpoint_of(inv, &inv->hosts.v[0]);
	return fetch_and_trust(inv, &e);
}

static enum outcome
run(const struct invocation *given)
{
	/* A copy, because only commands with a request have hosts. */
	struct invocation inv = *given;
	struct buf error = { 0 };
	enum outcome outcome = OUTCOME_USAGE;

	if (take_hosts(&inv, &error) == 0 && can_decide(&inv, &error))
		outcome = trust_all(&inv);
	else
		message_lines(NULL, buf_str(&error));
	buf_free(&error);
	hosts_free(&inv.hosts);
	client_conf_free(&inv.conf);
	return outcome;
}

const struct command cmd_trust = { .name = "trust",
	.args = "HOSTS",
	.help = "store hosts' keys, and replace older keys",
	.examples = "trust web1|show the key, ask\n"
		    "trust web1 --fingerprint SHA256:...|in a script\n"
		    "trust @lab|show the keys of a group, ask once\n"
		    "trust @lab --from FILE|compare with a list, do not ask\n"
		    "trust web1 -y|trust any key, even a changed one\n",
	.options = OPT_BIT(OPT_FINGERPRINT) | OPT_BIT(OPT_FROM) |
		   OPT_BIT(OPT_EXCLUDE) | OPT_BIT(OPT_TIMEOUT) |
		   OPT_BIT(OPT_FANOUT) | OPT_BIT(OPT_YES),
	.args_min = 1,
	.args_max = 1,
	.takes = { { ARG_HOST, NULL } },
	.run = run };
