#include "fanout/fanout.h"

#include "clock.h"
#include "fanout/host_names.h"
#include "remote/endpoint.h"
#include "util/limits.h"
#include "util/message.h"
#include "util/sigint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Time in ms between --timeout and the kill of a worker. Normally, a worker
 * ends without a kill when --timeout expires.
 */
#define GRACE 2000

static void
count_result(struct fanout *f, struct result *result)
{
	size_t size = result->reply.table.text.len +
		      result->reply.kept[REPLY_OUTPUT].len +
		      result->reply.kept[REPLY_ERRORS].len;

	f->progress.failed += result_kind_is_failure(result->result_kind);
	f->progress.done++;
	progress_clear(&f->progress);
	f->done(f->taker, result);
	/*
	 * If f->done() has zeroed the result, the reply stays in memory. Then
	 * its bytes count against the budget.
	 */
	if (result->host == NULL && f->workers.budget != NULL)
		budget_keep(f->workers.budget, size);
}

/*
 * Take the only result of a worker. Return false, so that the worker is ended.
 * The function is a worker_set_take.
 */
static bool
take_result(void *fanout, struct result *result, bool ended)
{
	(void)ended;
	count_result(fanout, result);
	return false;
}

/* Report a result for the next host without contacting the host. */
static void
skip_host(struct fanout *f, enum result_kind kind, const char *why)
{
	struct result result = { .index = f->order[f->begun] };

	f->begun++;
	result.host = &f->inv->hosts.v[result.index];
	result_fail(&result, kind, why);
	count_result(f, &result);
	result_free(&result);
}

static void
end_all(struct fanout *f, enum result_kind kind, const char *why)
{
	f->stopped = true;
	f->ended = true;
	worker_set_fail(&f->workers, kind, why);
}

static size_t
max_workers(const struct fanout *f)
{
	return f->inv->fanout ? f->inv->fanout : FANOUT_DEFAULT;
}

/*
 * Return the deadline, as clock_ms(), for a worker that starts now. The worker
 * is for the host with this index.
 */
static int64_t
worker_deadline(const struct invocation *inv, size_t index)
{
	struct endpoint e = endpoint_of(inv, &inv->hosts.v[index]);

	if (e.timeout == 0)
		return CLOCK_NEVER;
	return clock_ms() + (e.timeout + inv->await) * 1000LL + GRACE;
}

/*
 * Start a worker for the next host, and return 0. If the start fails while
 * other workers run, return -1, so that the caller tries again later. If the
 * start fails and no other worker runs, skip the host, and return 0.
 */
static int
begin_one(struct fanout *f)
{
	size_t index = f->order[f->begun];
	char why[128];

	if (worker_set_add(
		    &f->workers, index, worker_deadline(f->inv, index)) == 0) {
		f->begun++;
		return 0;
	}
	if (f->workers.running > 0)
		return -1;
	snprintf(why, sizeof(why), "cannot start a process for this host: %s",
		strerror(errno));
	skip_host(f, RESULT_FAILED, why);
	return 0;
}

/*
 * Start workers for as many hosts as the batches and --fanout allow now. Return
 * the time, as clock_ms(), at which more workers may start even if no worker
 * ends.
 */
static int64_t
begin_some(struct fanout *f)
{
	size_t max = max_workers(f);
	int64_t when = 0;

	while (!f->stopped && when == 0 && f->begun < f->n &&
		f->workers.running < max) {
		when = batch_gate(&f->batch, f->begun, f->workers.running,
			f->progress.failed, clock_ms());
		f->stopped = when == BATCH_STOP;
		if (when == 0 && begin_one(f) != 0)
			break;
	}
	f->progress.paused = when > 0 && f->workers.running == 0;
	return when > 0 ? when : CLOCK_NEVER;
}

static void
show_running(struct fanout *f)
{
	size_t i, n = f->workers.running;
	size_t *indexes = calloc(n + 1, sizeof(indexes[0]));
	struct buf names = { 0 };

	progress_clear(&f->progress);
	for (i = 0; indexes != NULL && i < n; i++)
		indexes[i] = f->workers.workers[i].index;
	if (indexes != NULL)
		host_names_add(&f->inv->hosts, indexes, n, &names);
	message_print(
		"%zu of %zu done, %s%zu running%s%s; press ^C again to end",
		f->progress.done, f->n, f->progress.paused ? "pausing, " : "",
		n, n ? ": " : "", buf_str(&names));
	buf_free(&names);
	free(indexes);
}

static void
answer_interrupt(struct fanout *f)
{
	f->interrupts++;
	if (f->interrupts == 1)
		show_running(f);
	else
		end_all(f, RESULT_UNREACHED, "ended by ^C");
}

/*
 * Wait for results at most until the time `until` (clock_ms()), and take the
 * results.
 */
static void
wait_for_results(struct fanout *f, int64_t until)
{
	int64_t deadline = f->deadline;

	f->progress.running = f->workers.running;
	until = clock_earlier(until, progress_draw(&f->progress));
	worker_set_wait(&f->workers, NULL, clock_earlier(until, deadline));
	while (f->interrupts < sigint_count())
		answer_interrupt(f);
	if (clock_ms() >= deadline)
		end_all(f, RESULT_TIMED_OUT, "--total-timeout has expired");
}

static void
ask_hosts(struct fanout *f)
{
	int64_t until = begin_some(f);

	while (f->workers.running > 0 || (!f->stopped && f->begun < f->n)) {
		wait_for_results(f, until);
		until = begin_some(f);
	}
}

void
fanout_run(struct fanout *f)
{
	f->workers = (struct worker_set){ .inv = f->inv,
		.job = f->job,
		.job_context = f->context,
		.take = take_result,
		.take_context = f };
	progress_begin(&f->progress, f->n);
	if (worker_set_open(&f->workers, max_workers(f)) == 0)
		ask_hosts(f);
	while (f->begun < f->n)
		skip_host(f, RESULT_NOT_ASKED, "not asked");
	progress_clear(&f->progress);
	worker_set_close(&f->workers);
}
