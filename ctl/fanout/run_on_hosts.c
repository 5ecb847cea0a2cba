#include "fanout/run_on_hosts.h"

#include "clock.h"
#include "fanout/confirm_hosts.h"
#include "fanout/host_order.h"
#include "fanout/kill_selected.h"
#include "fanout/render_hosts.h"
#include "fanout/resume_journal.h"
#include "fanout/wait_host.h"
#include "fanout/wake_host.h"
#include "hosts/mac_file.h"
#include "output/render.h"
#include "remote/call.h"
#include "remote/client_key.h"
#include "util/message.h"
#include "util/prompt.h"

#include <stdlib.h>
#include <string.h>

/* The state of one command on one or many hosts. */
struct many {
	const struct invocation *inv;
	struct resume_journal resume_journal;
	struct render_hosts report;
	struct result *previews; /* results of the dry run, by host; NULL: no
				    dry run */
	int64_t deadline; /* time when --total-timeout expires, as clock_ms() */
	bool ended;       /* true if ^C or the deadline has ended workers */
	struct buf learnt; /* lines for the file of MAC addresses */
};

void
run_on_hosts_judge(const struct invocation *inv, struct result *a, int result)
{
	if (result == CALL_LATE)
		a->result_kind = RESULT_TIMED_OUT;
	else if (result != 0)
		a->result_kind = RESULT_UNREACHED;
	else if (inv->request.explain && a->reply.code == CODE_OK)
		a->result_kind = result_kind_of(reply_explained(&a->reply));
	else
		a->result_kind = reply_run_failed(&a->reply) ||
						 render_is_cut(inv, &a->reply)
					 ? RESULT_FAILED
					 : result_kind_of(a->reply.code);
}

static bool
stops_host(const struct request *r)
{
	return r->verb == VERB_HALT && !r->dry_run && !r->explain;
}

/*
 * Drop the rows of an incomplete reply, because the user could think that the
 * table is complete. Keep the rows of a kill, which say what has happened.
 */
static void
drop_incomplete(struct result *a, const struct request *r)
{
	if (a->problem.len > 0 && (r->verb != VERB_KILL || r->explain))
		table_free(&a->reply.table);
}

/*
 * Send the request to the host, and read the reply. The function is a
 * worker_job.
 */
static void
send_request(
	const struct invocation *inv, struct result *a, const void *request)
{
	struct endpoint e = endpoint_of(inv, a->host);
	struct net_addr reached = { .len = 0 };
	int64_t begin = clock_us();
	int result;

	e.reached = &reached;
	result = call_ask(&e, request, &a->reply, &a->problem);
	a->microseconds = clock_us() - begin;
	drop_incomplete(a, request);
	run_on_hosts_judge(inv, a, result);
	/*
	 * Learn the MAC address of a host that is switched off now, because a
	 * later wake needs this address.
	 */
	if (stops_host(&inv->request) && a->result_kind == RESULT_OK)
		wake_host_note(a, &reached);
}

static bool
waits_for_return(const struct invocation *inv)
{
	return stops_host(&inv->request) && inv->await > 0;
}

/*
 * Reboot the host, and wait until the host replies again. The function is a
 * worker_job.
 */
static void
reboot(const struct invocation *inv, struct result *a, const void *request)
{
	int64_t begin = clock_boot_ms();

	send_request(inv, a, request);
	if (a->result_kind == RESULT_OK)
		wait_host_return(inv, a, begin);
}

/*
 * Wait until a host that has accepted a reboot replies again. `since` points to
 * the clock_boot_ms() before the request. The function is a worker_job.
 */
static void
wait_for_return(
	const struct invocation *inv, struct result *a, const void *since)
{
	wait_host_return(inv, a, *(const int64_t *)since);
}

/* Return the job that each worker runs, except for a kill with a dry run. */
static worker_job *
job_of(const struct invocation *inv)
{
	if (invocation_waits(inv))
		return wait_host_change;
	if (invocation_wakes(inv))
		return invocation_has(inv, OPT_LEARN) ? wake_host_learn
						      : wake_host;
	return inv->several && waits_for_return(inv) ? reboot : send_request;
}

/*
 * Kill the processes that the dry run has shown. `previews` is an array of
 * results, indexed by host. The function is a worker_job.
 */
static void
kill_shown(const struct invocation *inv, struct result *a, const void *previews)
{
	const struct result *shown = previews;
	struct endpoint e = endpoint_of(inv, a->host);
	int result = kill_selected(&e, &inv->request, &shown[a->index].reply,
		&a->reply, &a->problem);

	run_on_hosts_judge(inv, a, result);
}

static void
take_preview(void *taker, struct result *a)
{
	struct many *m = taker;

	m->previews[a->index] = *a;
	memset(a, 0, sizeof(*a));
}

static void
take_answer(void *taker, struct result *a)
{
	struct many *m = taker;

	if (a->has_mac)
		mac_file_add_line(&m->learnt, a->host, a->mac);
	resume_journal_remove(&m->resume_journal, a);
	render_hosts_take(&m->report, a);
}

/*
 * Run the job in this process if there is only one host, because a single host
 * needs no worker.
 */
static void
run_here(
	struct many *m, worker_job *job, const void *context, fanout_done *done)
{
	struct result a = { .host = &m->inv->hosts.v[0] };

	job(m->inv, &a, context);
	done(m, &a);
	result_free(&a);
}

static void
run(struct many *m, const struct host_order *host_order, worker_job *job,
	const void *context, fanout_done *done)
{
	struct fanout f = { .inv = m->inv,
		.job = job,
		.context = context,
		.order = host_order->order,
		.n = host_order->n,
		.batch = host_order->batch,
		.deadline = m->deadline,
		.done = done,
		.taker = m };

	if (!m->inv->several) {
		run_here(m, job, context, done);
		return;
	}
	fanout_run(&f);
	m->ended = f.ended;
}

/*
 * Send the request to the hosts, or kill the processes that the dry run has
 * shown. After a reboot of a single host, show the first reply immediately.
 * Show a second result when the host replies again.
 */
static void
run_request(struct many *m, const struct host_order *host_order)
{
	const struct invocation *inv = m->inv;
	int64_t begin = clock_boot_ms();

	if (m->previews != NULL && inv->request.verb == VERB_KILL)
		run(m, host_order, kill_shown, m->previews, take_answer);
	else
		run(m, host_order, job_of(inv), &inv->request, take_answer);
	if (!inv->several && waits_for_return(inv) &&
		m->report.outcome == OUTCOME_DONE)
		run(m, host_order, wait_for_return, &begin, take_answer);
}

static bool
changes_something(const struct invocation *inv)
{
	const struct request *r = &inv->request;

	return (r->verb == VERB_KILL || r->verb == VERB_HALT ||
		       r->verb == VERB_RUN) &&
	       !r->explain && !r->dry_run;
}

/*
 * Print the hosts on which the command acts. This replaces the question that -y
 * leaves out.
 */
static void
announce(const struct many *m, const struct host_order *host_order)
{
	struct buf line = { 0 };

	host_order_hosts(host_order, m->inv, &line);
	host_order_steps(host_order, m->inv, &line);
	message_print("%s: %s", m->inv->command->name, buf_str(&line));
	buf_free(&line);
}

/*
 * Send the request to the wanted hosts. `wanted` has one element for each host.
 * If `asks` is true, first ask the user. Return false if the user did not
 * agree, or after a failure.
 */
static bool
act(struct many *m, const bool *wanted, bool asks)
{
	struct host_order order;
	bool agreed = false;

	if (host_order_make(&order, m->inv, wanted) == 0) {
		agreed = !asks || order.n == 0 ||
			 confirm_hosts(m->inv, m->previews, &order);
		if (!asks && m->inv->several && changes_something(m->inv))
			announce(m, &order);
		if (agreed && order.n > 0)
			run_request(m, &order);
	}
	host_order_free(&order);
	return agreed;
}

/*
 * Request a dry run from all hosts on which the command must still run. Store
 * the results in m->previews. Return 0, or -1 after printing a message.
 */
static int
preview(struct many *m)
{
	struct request dry = m->inv->request;
	struct host_order order;
	int result = -1;

	dry.dry_run = true;
	m->previews = calloc(m->inv->hosts.n + 1, sizeof(m->previews[0]));
	if (m->previews == NULL) {
		message_print("out of memory");
		return -1;
	}
	if (host_order_make(&order, m->inv, m->resume_journal.left) == 0) {
		memset(&order.batch, 0, sizeof(order.batch));
		run(m, &order, send_request, &dry, take_preview);
		result = 0;
	}
	host_order_free(&order);
	return result;
}

/*
 * Return an array with one element for each host. An element is true if the
 * command has something to do on the host. Show the results of all other hosts
 * now. The caller frees the array. Return NULL if no memory is available.
 */
static bool *
sort_previews(struct many *m)
{
	bool *wanted = calloc(m->inv->hosts.n + 1, sizeof(wanted[0]));
	size_t i;

	for (i = 0; wanted != NULL && i < m->inv->hosts.n; i++) {
		wanted[i] = confirm_hosts_needed(m->inv, &m->previews[i]);
		if (!wanted[i] && m->previews[i].host != NULL) {
			/*
			 * For a single host, do not show an incomplete dry run.
			 */
			if (!m->inv->several && m->previews[i].problem.len > 0)
				reply_free(&m->previews[i].reply);
			take_answer(m, &m->previews[i]);
			result_free(&m->previews[i]);
			m->previews[i].host = NULL;
		}
	}
	return wanted;
}

/*
 * Report "not asked" for all wanted hosts, because the dry run was interrupted.
 */
static void
skip_agreed(struct many *m, const bool *wanted)
{
	size_t i;

	for (i = 0; i < m->inv->hosts.n; i++) {
		if (!wanted[i])
			continue;
		result_fail(&m->previews[i], RESULT_NOT_ASKED, "not asked");
		take_answer(m, &m->previews[i]);
	}
	message_print("nothing was done");
}

/*
 * Request a dry run, show the results, ask the user, and carry out the command.
 * Return false if the user did not agree, or after a failure.
 */
static bool
ask_and_do(struct many *m)
{
	bool *wanted = NULL, done = true;

	if (preview(m) != 0 || (wanted = sort_previews(m)) == NULL)
		return false;
	if (m->ended)
		skip_agreed(m, wanted);
	else
		done = act(m, wanted, true);
	free(wanted);
	return done;
}

static void
free_previews(struct many *m)
{
	size_t i;

	for (i = 0; m->previews != NULL && i < m->inv->hosts.n; i++)
		result_free(&m->previews[i]);
	free(m->previews);
}

/*
 * Read the key file of -i now, so that a missing key is reported before the
 * user is asked. Keys in bridlectl.conf are not read here. Such a key belongs
 * to some hosts only, and an error must not stop the other hosts. Return 0, or
 * -1 after printing a message.
 */
static int
read_identity(const struct invocation *inv)
{
	struct buf problem = { 0 };
	struct endpoint e;
	size_t i = 0;
	int result = 0;

	if (!invocation_has(inv, OPT_IDENTITY))
		return 0;
	while (inv->hosts.v[i].target.kind != TARGET_TLS)
		i++;
	e = endpoint_of(inv, &inv->hosts.v[i]);
	if (client_key_context(&e, CLIENT_KEY_NOW, &problem) == NULL) {
		message_host(e.target->name, "%s", buf_str(&problem));
		result = -1;
	}
	buf_free(&problem);
	return result;
}

/*
 * Store the learnt MAC addresses, and return `outcome`. With --learn, report a
 * failure and return OUTCOME_NO. After a halt, ignore a failure, because the
 * user has not asked for the addresses.
 */
static enum outcome
store_macs(struct many *m, enum outcome outcome)
{
	struct buf problem = { 0 };

	if (m->learnt.len > 0 && mac_file_update(&m->learnt, &problem) != 0 &&
		invocation_has(m->inv, OPT_LEARN)) {
		message_print("the MAC addresses were not stored: %s",
			buf_str(&problem));
		outcome = OUTCOME_NO;
	}
	buf_free(&problem);
	buf_free(&m->learnt);
	return outcome;
}

/*
 * Before any question, report the errors that bridlectl can find without
 * contacting a host. Return OUTCOME_DONE if there are no errors.
 */
static enum outcome
begin(struct many *m, bool asks)
{
	const struct invocation *inv = m->inv;
	bool wakes = invocation_wakes(inv) && !inv->request.dry_run;
	bool acts = wakes ||
		    (changes_something(inv) && (!asks || prompt_terminal()));
	struct buf error = { 0 };
	int begun;

	if (asks && read_identity(inv) != 0)
		return OUTCOME_UNREACHED;
	begun = resume_journal_begin(&m->resume_journal, inv, !acts, &error);
	if (begun != 0)
		message_print("%s", buf_str(&error));
	buf_free(&error);
	if (begun == 0 && (acts || !asks))
		return OUTCOME_DONE;
	if (begun == 0) {
		render_pid_hint(inv, NULL);
		prompt_refuse(
			inv->command->name, inv->request.verb != VERB_RUN);
	}
	return OUTCOME_USAGE;
}

enum outcome
run_on_hosts(const struct invocation *inv)
{
	bool asks = changes_something(inv) && !invocation_has(inv, OPT_YES);
	struct many m = { .inv = inv,
		.resume_journal.fd = -1,
		.deadline = invocation_deadline(inv) };
	enum outcome outcome = begin(&m, asks);
	bool done = true;

	if (outcome == OUTCOME_DONE &&
		render_hosts_begin(&m.report, inv) == 0) {
		/*
		 * Ask without a dry run for the verb `run`, which has no dry
		 * run. The question names only the hosts.
		 */
		if (asks && inv->request.verb != VERB_RUN)
			done = ask_and_do(&m);
		else
			done = act(&m, m.resume_journal.left, asks);
	}
	if (outcome == OUTCOME_DONE)
		outcome = store_macs(&m, render_hosts_end(&m.report));
	resume_journal_end(&m.resume_journal);
	free_previews(&m);
	return done ? outcome : OUTCOME_NO;
}
