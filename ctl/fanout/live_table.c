#include "fanout/live_table.h"

#include "clock.h"
#include "fanout/live_screen.h"
#include "fanout/run_on_hosts.h"
#include "fanout/worker_set.h"
#include "remote/call.h"
#include "util/limits.h"
#include "util/message.h"
#include "util/sigint.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Time in ms that the first view waits for the results of all hosts. */
#define FIRST_VIEW 1000
#define PATIENCE 3000 /* time in ms by which a result may be late */

struct host_state {
	bool fresh;       /* true if a result has arrived since the last view */
	int64_t heard_at; /* time of the last result, as clock_ms() */
	/*
	 * time at which a worker is started; CLOCK_NEVER: a worker is running
	 */
	int64_t restart_at;
};

struct live_table {
	const struct invocation *inv;
	struct worker_set workers;
	/*
	 * the last result of each host, by host; `host` is NULL if no result
	 * has arrived
	 */
	struct result *latest;
	struct host_state *states; /* states, indexed by host */
	size_t fresh;              /* number of hosts with a fresh result */
	int64_t next_view;
	enum outcome outcome; /* outcome of the last view */
};

/*
 * Send the request over the connection, and read the reply. If the connection
 * is closed, open the connection first. Return 0, or a call_result with a
 * problem in the result.
 */
static int
ask_once(struct conn *c, const struct invocation *inv, struct result *result)
{
	struct endpoint e = endpoint_of(inv, result->host);
	int failure = 0;

	if (c->fd == -1)
		failure = call_open(c, &e, &inv->request);
	else
		call_send(c, &inv->request);
	if (e.timeout > 0)
		conn_seconds(c, clock_ms(), e.timeout);
	if (failure == 0)
		failure = call_reply(c, &e, &inv->request, &result->reply);
	return failure == 0 ? 0
			    : call_close(c, &inv->request, failure,
				      &result->problem);
}

static void
ask(struct conn *c, const struct invocation *inv, struct result *result)
{
	bool kept = c->fd != -1;
	int failure = ask_once(c, inv, result);

	/*
	 * The daemon may have closed the idle connection, or the daemon may
	 * have restarted. Therefore try once more with a new connection.
	 */
	if (kept && c->fd == -1) {
		reply_free(&result->reply);
		buf_reset(&result->problem);
		failure = ask_once(c, inv, result);
	}
	run_on_hosts_judge(inv, result, failure);
}

/*
 * Send the request every inv->watch seconds, and send each result to the
 * parent. Return only if the parent takes no more results. The function is a
 * worker_job.
 */
static void
keep_asking(
	const struct invocation *inv, struct result *result, const void *unused)
{
	const struct table limits = result->reply.table;
	int64_t next = clock_ms();
	struct conn conn;

	(void)unused;
	conn_init(&conn);
	do {
		result->reply.table.max_size = limits.max_size;
		result->reply.table.share = limits.share;
		ask(&conn, inv, result);
		next += inv->watch * 1000LL;
		if (next < clock_ms())
			next = clock_ms();
		if (!worker_send(result))
			return;
		result_free(result);
		poll(NULL, 0, clock_left(next));
	} while (true);
}

/*
 * Replace the result of each host that has not replied in time. The new result
 * is a failure.
 */
static void
expire_results(struct live_table *t)
{
	int64_t oldest = clock_ms() - t->inv->watch * 1000LL - PATIENCE;
	struct result *result;
	size_t i;

	for (i = 0; i < t->inv->hosts.n; i++) {
		result = &t->latest[i];
		if (t->states[i].heard_at > oldest)
			continue;
		result->host = &t->inv->hosts.v[i];
		result->index = i;
		result_fail(result, RESULT_TIMED_OUT,
			"the host has stopped replying");
	}
}

static int
show_view(struct live_table *t)
{
	size_t i;

	expire_results(t);
	for (i = 0; i < t->inv->hosts.n; i++)
		t->states[i].fresh = false;
	t->fresh = 0;
	t->next_view = clock_ms() + t->inv->watch * 1000LL;
	return live_screen_show(t->inv, t->latest, &t->outcome);
}

/*
 * Store the result of a host. If the worker has ended, plan to start another
 * worker later. Return true, so that a running worker continues. The function
 * is a worker_set_take.
 */
static bool
take_result(void *live_table, struct result *result, bool ended)
{
	struct live_table *t = live_table;
	struct host_state *state = &t->states[result->index];

	result_free(&t->latest[result->index]);
	t->latest[result->index] = *result;
	memset(result, 0, sizeof(*result));
	t->fresh += !state->fresh;
	state->fresh = true;
	state->heard_at = clock_ms();
	if (ended)
		state->restart_at = state->heard_at + t->inv->watch * 1000LL;
	return true;
}

static int
start_workers(struct live_table *t)
{
	int64_t now = clock_ms();
	size_t i;

	for (i = 0; i < t->inv->hosts.n; i++) {
		if (now < t->states[i].restart_at)
			continue;
		if (worker_set_add(&t->workers, i, CLOCK_NEVER) != 0)
			return -1;
		t->states[i].restart_at = CLOCK_NEVER;
	}
	return 0;
}

static enum outcome
show_views(struct live_table *t)
{
	int64_t deadline = invocation_deadline(t->inv);
	size_t i, n = t->inv->hosts.n;

	t->next_view = clock_ms() + FIRST_VIEW;
	for (i = 0; i < n; i++)
		t->states[i].heard_at = clock_ms();
	while (sigint_count() == 0 && clock_ms() < deadline) {
		if (start_workers(t) != 0) {
			message_print(
				"cannot start a process to contact a host");
			return OUTCOME_UNREACHED;
		}
		worker_set_wait(&t->workers, NULL,
			clock_earlier(t->next_view, deadline));
		if ((t->fresh == n || clock_ms() >= t->next_view) &&
			show_view(t) != 0)
			return OUTCOME_USAGE;
	}
	return t->outcome;
}

static int
check(const struct invocation *inv)
{
	if (!isatty(STDOUT_FILENO))
		message_print("--watch needs a terminal: a program repeats the "
			      "command without --watch");
	else if (inv->hosts.n > FANOUT_MAX)
		message_print("--watch keeps a connection to each host: use at "
			      "most %d hosts",
			FANOUT_MAX);
	else
		return 0;
	return -1;
}

enum outcome
live_table_run(const struct invocation *inv)
{
	size_t i, n = inv->hosts.n;
	struct live_table t = { .inv = inv,
		.workers = { .inv = inv,
			.job = keep_asking,
			.take = take_result,
			.take_context = &t },
		.outcome = OUTCOME_UNREACHED };
	enum outcome outcome = OUTCOME_UNREACHED;

	if (check(inv) != 0)
		return OUTCOME_USAGE;
	t.latest = calloc(n, sizeof(t.latest[0]));
	t.states = calloc(n, sizeof(t.states[0]));
	if (t.latest && t.states && worker_set_open(&t.workers, n) == 0)
		outcome = show_views(&t);
	else
		message_print("out of memory");
	worker_set_close(&t.workers);
	for (i = 0; t.latest != NULL && i < n; i++)
		result_free(&t.latest[i]);
	free(t.latest);
	free(t.states);
	return outcome;
}
