#include "fanout/watch_hosts.h"

#include "clock.h"
#include "fanout/watch_host.h"
#include "output/render.h"
#include "remote/call.h"
#include "util/limits.h"
#include "util/message.h"
#include "util/sigint.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/*
 * Print the reason why a host sends no more events, and count the outcome of
 * this host.
 */
static void
finish_host(struct watch_hosts *hosts, struct result *result)
{
	if (result->problem.len > 0) {
		message_lines(result->host->label, buf_str(&result->problem));
		outcomes_add(&hosts->outcomes, OUTCOME_UNREACHED);
	} else {
		outcomes_add(&hosts->outcomes,
			render_status(hosts->inv, result->host, &result->reply,
				&hosts->hinted));
	}
}

/*
 * Show the events of a result. Return true if the worker will send more
 * results. The function is a worker_set_take.
 */
static bool
take_result(void *watch_hosts, struct result *result, bool ended)
{
	struct watch_hosts *hosts = watch_hosts;

	(void)ended;
	if (hosts->unshown)
		return false;
	fputs(buf_str(&result->notices), stderr);
	if (result->reply.table.nrows > 0)
		hosts->unshown = hosts->show(hosts->context, result) != 0;
	if (watch_host_continues(result))
		return true;
	finish_host(hosts, result);
	return false;
}

/*
 * For a single host, ask the user to confirm the key before the watch. A worker
 * cannot ask the user. Return 0, or another value after printing a message.
 */
static int
ask_about_key(const struct invocation *inv)
{
	struct endpoint e = endpoint_of(inv, &inv->hosts.v[0]);
	struct conn conn;
	int result;

	if (inv->hosts.n > 1 || e.target->kind != TARGET_TLS)
		return 0;
	if ((result = call_open(&conn, &e, NULL)) != 0)
		message_lines(e.target->name, buf_str(&conn.problem));
	conn_close(&conn, true);
	return result;
}

static int
start_workers(struct watch_hosts *hosts)
{
	size_t i, n = hosts->inv->hosts.n;

	hosts->workers = (struct worker_set){ .inv = hosts->inv,
		.job = watch_host_run,
		.job_context = hosts->request,
		.take = take_result,
		.take_context = hosts };
	if (worker_set_open(&hosts->workers, n) != 0) {
		message_print("out of memory");
		return -1;
	}
	for (i = 0; i < n; i++)
		if (worker_set_add(&hosts->workers, i, CLOCK_NEVER) != 0) {
			message_print(
				"cannot start a process to contact a host: %s",
				strerror(errno));
			return -1;
		}
	return 0;
}

int
watch_hosts_open(struct watch_hosts *hosts)
{
	hosts->outcomes.all = OUTCOME_UNREACHED;
	if (hosts->inv->hosts.n > FANOUT_MAX) {
		message_print("%s keeps a connection to each host: use at most "
			      "%d hosts",
			hosts->inv->command->name, FANOUT_MAX);
		hosts->outcomes.all = OUTCOME_USAGE;
		return -1;
	}
	return ask_about_key(hosts->inv) == 0 ? start_workers(hosts) : -1;
}

bool
watch_hosts_wait(struct watch_hosts *hosts, struct pollfd *also)
{
	worker_set_wait(&hosts->workers, also, CLOCK_NEVER);
	return !hosts->unshown && hosts->workers.running > 0 &&
	       sigint_count() == 0;
}

enum outcome
watch_hosts_close(struct watch_hosts *hosts)
{
	if (hosts->unshown)
		hosts->outcomes.all = OUTCOME_NO;
	else if (sigint_count() > 0 && hosts->outcomes.n == 0)
		hosts->outcomes.all = OUTCOME_DONE;
	worker_set_close(&hosts->workers);
	return hosts->outcomes.all;
}
