#include "command.h"
#include "hostlist.h"
#include "hosts.h"
#include "inventory.h"
#include "invocation.h"
#include "json.h"
#include "notice.h"
#include "output.h"
#include "report.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int
write_out(struct buf *out)
{
	int result = -1;

	if (out->failed)
		notice("out of memory");
	else
		result = output_write(STDOUT_FILENO, buf_str(out), out->len);
	return result;
}

/* As they are named, one a line. */
static void
add_labels(struct buf *out, const struct hosts *hosts)
{
	const char *label;
	size_t i;

	for (i = 0; i < hosts->n; i++) {
		label = hosts->v[i].label;
		text_safe(out, label, strlen(label));
		buf_addc(out, '\n');
	}
}

/* --fold */
static void
add_folded(struct buf *out, const struct hosts *hosts)
{
	const char **names = calloc(hosts->n, sizeof(*names));
	char *folded = NULL;
	size_t i;

	if (names != NULL) {
		for (i = 0; i < hosts->n; i++)
			names[i] = hosts->v[i].label;
		folded = hostlist_fold(names, hosts->n);
	}
	if (folded != NULL) {
		text_safe(out, folded, strlen(folded));
		buf_addc(out, '\n');
	} else {
		out->failed = true;
	}
	free(folded);
	free(names);
}

/* --json: how each is reached. */
static void
add_json(struct buf *out, const struct hosts *hosts)
{
	static const char *const transports[] = { [TARGET_UNIX] = "unix",
		[TARGET_PLAIN] = "plain",
		[TARGET_TLS] = "tls" };
	const struct host *h;
	size_t i;

	for (i = 0; i < hosts->n; i++) {
		h = &hosts->v[i];
		buf_adds(out, "{\"host\":");
		json_string(out, h->label, strlen(h->label));
		buf_addf(out, ",\"transport\":\"%s\",\"address\":",
			transports[h->target.kind]);
		json_string(out, h->target.host, strlen(h->target.host));
		if (h->target.kind != TARGET_UNIX)
			buf_addf(out, ",\"port\":%s", h->target.port);
		buf_adds(out, "}\n");
	}
}

static enum outcome
show(const struct invocation *inv, const struct hosts *hosts)
{
	struct buf out = { 0 };
	int result;

	if (invocation_has(inv, OPT_HOW_MANY))
		buf_addf(&out, "%zu\n", hosts->n);
	else if (invocation_has(inv, OPT_FOLD))
		add_folded(&out, hosts);
	else if (invocation_has(inv, OPT_JSON))
		add_json(&out, hosts);
	else
		add_labels(&out, hosts);
	result = write_out(&out);
	buf_free(&out);
	return result == 0 ? OUTCOME_DONE : OUTCOME_NO;
}

static void
set_hosts(struct options *o, const char *list)
{
	o->given |= OPT_BIT(OPT_HOSTS);
	o->values[OPT_HOSTS] = list;
}

enum outcome
cmd_hosts(struct invocation *inv)
{
	struct options *o = &inv->options;
	struct buf error = { 0 };
	enum outcome outcome = OUTCOME_USAGE;

	if (inv->nargs > 0 && options_given(o, OPT_HOSTS)) {
		notice("say the hosts once: as the argument, or after -H");
		return outcome;
	}
	if (inv->nargs > 0)
		set_hosts(o, inv->args[0]);
	else if (!options_given(o, OPT_HOSTS) &&
		 !options_given(o, OPT_HOSTS_FILE))
		set_hosts(o, INVENTORY_ALL);
	if (invocation_select(inv, &error) == 0)
		outcome = show(inv, &inv->hosts);
	else
		notice_lines(buf_str(&error));
	buf_free(&error);
	return outcome;
}
