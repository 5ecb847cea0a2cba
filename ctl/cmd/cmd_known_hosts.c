#include "cli/host_select.h"
#include "cmd/commands.h"
#include "remote/host_trust.h"
#include "remote/known_hosts_file.h"
#include "util/message.h"
#include "util/write_out.h"

#include <string.h>
#include <unistd.h>

static enum outcome
list(const char *path)
{
	struct buf out = { 0 }, problem = { 0 };
	enum outcome outcome = OUTCOME_NO;

	if (known_hosts_file_print(path, &out, &problem) != 0)
		message_print("%s", buf_str(&problem));
	else if (write_out_buf(STDOUT_FILENO, &out) == 0)
		outcome = OUTCOME_DONE;
	buf_free(&out);
	buf_free(&problem);
	return outcome;
}

/*
 * Remove the keys of one host. Return 1 if the host was known, and 0 if the
 * host was unknown. Return -1 after an error. Print a message in each case.
 */
static int
forget(const char *path, const struct host *host)
{
	struct buf address = { 0 }, problem = { 0 };
	size_t removed = 0;
	int result = -1;

	target_address(&host->target, &address);
	if (known_hosts_file_remove(
		    path, buf_str(&address), &removed, &problem) != 0) {
		message_print("%s", buf_str(&problem));
	} else if (removed == 0) {
		message_print("%s does not have %s", path, buf_str(&address));
		result = 0;
	} else {
		message_print("%s: the key of %s is removed", path,
			buf_str(&address));
		result = 1;
	}
	buf_free(&address);
	buf_free(&problem);
	return result;
}

static enum outcome
forget_all(const char *path, const struct hosts *hosts)
{
	enum outcome outcome = OUTCOME_DONE;
	size_t i;
	int result;

	for (i = 0; i < hosts->n; i++) {
		if (hosts->v[i].target.kind != TARGET_TLS) {
			message_print(
				"'%s' does not use TLS", hosts->v[i].label);
			outcome = OUTCOME_NO;
			continue;
		}
		if ((result = forget(path, &hosts->v[i])) < 0)
			return OUTCOME_NO;
		if (result == 0)
			outcome = OUTCOME_NO;
	}
	return outcome;
}

static enum outcome
forget_list(const struct invocation *inv, const char *path)
{
	struct options options = inv->options;
	struct client_conf conf = { 0 };
	struct hosts hosts = { 0 };
	struct buf error = { 0 };
	enum outcome outcome = OUTCOME_USAGE;

	options_set(&options, OPT_HOSTS, inv->args[1]);
	if (host_select(&hosts, &conf, &options, HOST_SELECT_WARN, &error) == 0)
		outcome = forget_all(path, &hosts);
	else
		message_lines(NULL, buf_str(&error));
	buf_free(&error);
	hosts_free(&hosts);
	client_conf_free(&conf);
	return outcome;
}

static enum outcome
run(const struct invocation *inv)
{
	bool forgets = strcmp(inv->args[0], "forget") == 0;
	struct buf path = { 0 }, problem = { 0 };
	enum outcome outcome = OUTCOME_NO;

	if (!forgets && strcmp(inv->args[0], "list") != 0) {
		message_print("unknown '%s': use 'known-hosts list' or "
			      "'known-hosts forget HOST'",
			inv->args[0]);
		return OUTCOME_USAGE;
	}
	if (inv->nargs != (forgets ? 2 : 1)) {
		message_print(forgets ? "'known-hosts forget' needs a host"
				      : "'known-hosts list' takes no host");
		return OUTCOME_USAGE;
	}
	if (host_trust_file(&path, &problem) != 0)
		message_print("%s", buf_str(&problem));
	else if (forgets)
		outcome = forget_list(inv, buf_str(&path));
	else
		outcome = list(buf_str(&path));
	buf_free(&path);
	buf_free(&problem);
	return outcome;
}

const struct command cmd_known_hosts = { .name = "known-hosts",
	.args = "list|forget [HOSTS]",
	.help = "print known_hosts, or remove hosts from known_hosts",
	.examples = "known-hosts list|each host and its key\n"
		    "known-hosts forget lab7|remove the keys of lab7\n"
		    "known-hosts forget @lab|remove the keys of a group\n",
	.args_min = 1,
	.args_max = 2,
	.takes = { { ARG_CHOICE, "list|forget" }, { ARG_HOST, NULL } },
	.run = run };
