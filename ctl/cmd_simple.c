#include "call.h"
#include "command.h"
#include "report.h"
#include "text.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

/* status, verbs: a table says it all */
enum outcome
cmd_table(struct invocation *inv)
{
	return report_request(inv, false);
}

enum outcome
cmd_cancel(struct invocation *inv)
{
	return report_request(inv, true);
}

/* Seconds in the two largest units that tell something: "3d 4h". */
static void
add_duration(struct buf *out, long seconds)
{
	static const struct {
		long seconds;
		char unit;
	} units[] = { { 86400, 'd' }, { 3600, 'h' }, { 60, 'm' }, { 1, 's' } };
	size_t i = 0;

	while (i < 3 && seconds < units[i].seconds)
		i++;
	buf_addf(out, "%ld%c", seconds / units[i].seconds, units[i].unit);
	seconds %= units[i].seconds;
	if (i < 3 && seconds / units[i + 1].seconds > 0)
		buf_addf(out, " %ld%c", seconds / units[i + 1].seconds,
			units[i + 1].unit);
}

static double
milliseconds_since(const struct timespec *start)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)(now.tv_sec - start->tv_sec) * 1e3 +
	       (double)(now.tv_nsec - start->tv_nsec) / 1e6;
}

/* "pong from HOST: bridled 0.1.0, up 3h 2m, 0.4 ms" */
static int
print_pong(const struct invocation *inv, const struct reply *r, double elapsed)
{
	const char *version = reply_pair(r, "version");
	const char *uptime = reply_pair(r, "uptime");
	struct buf line = { 0 };
	long seconds;
	int result;

	buf_addf(&line, "%s from %s: bridled", r->said, inv->target.name);
	if (version != NULL)
		buf_addf(&line, " %s", version);
	if (uptime != NULL &&
		text_number(uptime, 0, INT32_MAX, &seconds) == 0) {
		buf_adds(&line, ", up ");
		add_duration(&line, seconds);
	}
	result = report_line("%s, %.1f ms", buf_str(&line), elapsed);
	buf_free(&line);
	return result;
}

enum outcome
cmd_ping(struct invocation *inv)
{
	struct buf problem = { 0 };
	struct reply reply = { 0 };
	struct timespec start;
	enum outcome outcome;
	double elapsed;

	clock_gettime(CLOCK_MONOTONIC, &start);
	if (call_ask(inv, &inv->request, &reply, &problem) == 0) {
		elapsed = milliseconds_since(&start);
		outcome = report_reply(inv, &reply, NULL, false);
		if (outcome == OUTCOME_DONE && report_is_for_people(inv) &&
			print_pong(inv, &reply, elapsed) != 0)
			outcome = OUTCOME_NO;
	} else {
		outcome = report_failure(inv, NULL, NULL, buf_str(&problem));
	}
	reply_free(&reply);
	buf_free(&problem);
	return outcome;
}

/* The code that the request itself would have been answered with. */
static int
explained_code(const struct reply *r)
{
	int column = reply_column(r, "code"), code;
	struct buf scratch = { 0 };

	if (column < 0 || r->nrows == 0)
		return 0;
	code = atoi(reply_text(r, 0, (size_t)column, &scratch));
	buf_free(&scratch);
	return code;
}

enum outcome
cmd_explain(struct invocation *inv)
{
	struct buf problem = { 0 };
	struct reply reply = { 0 };
	struct view view = { 0 };
	enum outcome outcome;

	if (call_ask(inv, &inv->request, &reply, &problem) != 0 ||
		report_view(inv, &reply, &view) != 0) {
		outcome = report_failure(inv, NULL, NULL, buf_str(&problem));
	} else {
		outcome = report_reply(inv, &reply, &view, false);
		if (outcome == OUTCOME_DONE)
			outcome = report_outcome(explained_code(&reply));
	}
	view_free(&view);
	reply_free(&reply);
	buf_free(&problem);
	return outcome;
}
