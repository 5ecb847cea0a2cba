#include "command.h"
#include "event_line.h"
#include "feeds.h"
#include "json.h"
#include "output.h"
#include "raw.h"
#include "report.h"
#include "width.h"

#include <string.h>
#include <unistd.h>

struct watching {
	struct invocation *inv;
	struct event_line line;
};

/* The fields as they came, after the host where there may be several. */
static void
add_raw(const struct watching *w, const struct answer *a, size_t row,
	struct buf *out)
{
	struct buf fields = { 0 };
	const char *cell;
	size_t i, len;

	if (w->inv->several)
		buf_adds(&fields, a->host->label);
	for (i = 0; i < a->reply.ncolumns; i++) {
		cell = reply_cell(&a->reply, row, i, &len);
		if (fields.len > 0 || i > 0)
			buf_addc(&fields, '#');
		buf_add(&fields, cell, len);
	}
	raw_record(out, buf_str(&fields), fields.len, isatty(STDOUT_FILENO));
	buf_free(&fields);
}

static void
add_row(struct watching *w, const struct answer *a, size_t row, struct buf *out)
{
	const char *host = a->host->label;

	if (invocation_has(w->inv, OPT_JSON))
		json_record(out, host, &a->reply, row);
	else if (invocation_has(w->inv, OPT_RAW))
		add_raw(w, a, row, out);
	else
		event_line_add(&w->line, host, &a->reply, row, out);
}

static int
show(void *context, const struct answer *a)
{
	struct buf out = { 0 };
	size_t row;
	int result;

	for (row = 0; row < a->reply.nrows; row++)
		add_row(context, a, row, &out);
	result = output_write(STDOUT_FILENO, out.data, out.len);
	buf_free(&out);
	return result;
}

enum outcome
cmd_watch(struct invocation *inv)
{
	struct watching w = { .inv = inv, .line = { .hosts = inv->several } };
	struct feeds f = { .inv = inv, .take = show, .context = &w };
	struct pollfd none = { -1, 0, 0 };

	width_locale();
	w.line.host_width = event_line_hosts(inv);
	if (feeds_open(&f) == 0)
		while (feeds_wait(&f, &none, INT64_MAX))
			;
	return feeds_close(&f);
}
