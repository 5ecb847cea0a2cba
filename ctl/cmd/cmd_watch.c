#include "cmd/commands.h"
#include "fanout/watch_hosts.h"
#include "output/event_line.h"
#include "output/json.h"
#include "output/raw.h"
#include "output/render.h"
#include "util/text_width.h"
#include "util/write_out.h"

#include <poll.h>
#include <string.h>
#include <unistd.h>

struct watching {
	const struct invocation *inv;
	struct event_line line;
};

/*
 * Append the encoded fields of an event as a line. If there may be several
 * hosts, the first field is the host's name.
 */
static void
add_raw(const struct watching *w, const struct result *a, size_t row,
	struct buf *out)
{
	struct buf fields = { 0 };
	const char *cell;
	size_t i, len;

	if (w->inv->several)
		buf_adds(&fields, a->host->label);
	for (i = 0; i < a->reply.table.ncolumns; i++) {
		cell = table_cell(&a->reply.table, row, i, &len);
		if (fields.len > 0 || i > 0)
			buf_addc(&fields, '#');
		buf_add(&fields, cell, len);
	}
	raw_record(out, buf_str(&fields), fields.len, isatty(STDOUT_FILENO));
	buf_free(&fields);
}

static void
add_row(struct watching *w, const struct result *a, size_t row, struct buf *out)
{
	const char *host = a->host->label;

	if (invocation_has(w->inv, OPT_JSON))
		json_record(out, host, &a->reply.table, row);
	else if (invocation_has(w->inv, OPT_RAW))
		add_raw(w, a, row, out);
	else
		event_line_add(&w->line, host, &a->reply.table, row, out);
}

static int
show(void *context, const struct result *a)
{
	struct buf out = { 0 };
	size_t row;
	int result;

	for (row = 0; row < a->reply.table.nrows; row++)
		add_row(context, a, row, &out);
	result = write_out(STDOUT_FILENO, out.data, out.len);
	buf_free(&out);
	return result;
}

static enum outcome
run(const struct invocation *inv)
{
	struct watching w = { .inv = inv, .line = { .hosts = inv->several } };
	struct watch_hosts f = { .inv = inv,
		.request = &inv->request,
		.show = show,
		.context = &w };

	/*
	 * Poll stdout only for an error. An error means that no program reads
	 * the pipe any more.
	 */
	struct pollfd out = { STDOUT_FILENO, 0, 0 };
	enum outcome outcome;

	text_width_locale();
	w.line.host_width = event_line_hosts(inv);
	if (watch_hosts_open(&f) == 0)
		while (watch_hosts_wait(&f, &out) && out.revents == 0)
			;
	outcome = watch_hosts_close(&f);
	return out.revents == 0 ? outcome : OUTCOME_NO;
}

const struct command cmd_watch = { .name = "watch",
	.args = "",
	.help = "show events of hosts as they happen",
	.examples = "watch|until ^C\n"
		    "watch --events request,halt|only these events\n"
		    "watch --client teacher|only events of this client\n"
		    "-H @lab watch|many hosts in one stream\n"
		    "watch --json|one object per line, for jq\n",
	.options = OPT_WATCHING | OPT_BIT(OPT_JSON) | OPT_BIT(OPT_RAW) |
		   OPT_BIT(OPT_EVENTS) | OPT_BIT(OPT_CLIENT),
	.verb = VERB_WATCH,
	.run = run };
