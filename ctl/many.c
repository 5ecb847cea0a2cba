#include "many.h"

#include "await.h"
#include "call.h"
#include "clock.h"
#include "confirm.h"
#include "kill_batch.h"
#include "notice.h"
#include "plan.h"
#include "question.h"
#include "report_many.h"
#include "resume.h"

#include <stdlib.h>
#include <string.h>

/* One command on its way. */
struct many {
	struct invocation *inv;
	struct resume resume;
	struct report_many report;
	struct answer *previews; /* by the hosts' index; NULL without them */
	int64_t deadline;        /* of --total-timeout */
	bool ended;              /* before its end */
};

void
many_judge(const struct invocation *inv, struct answer *a, int result)
{
	if (result == CALL_LATE)
		a->fate = FATE_TIMED_OUT;
	else if (result != 0)
		a->fate = FATE_UNREACHED;
	else if (inv->request.explain && a->reply.code == CODE_OK)
		a->fate = fate_of(reply_explained(&a->reply));
	else
		a->fate = reply_run_failed(&a->reply) ? FATE_FAILED
						      : fate_of(a->reply.code);
}

void
many_ask(struct invocation *inv, struct answer *a, const void *request)
{
	int64_t begin = clock_us();
	int result = call_ask(inv, request, &a->reply, &a->problem);

	a->microseconds = clock_us() - begin;
	many_judge(inv, a, result);
}

/* A worker_job: a reboot that has ended when the host is back. */
static void
reboot(struct invocation *inv, struct answer *a, const void *request)
{
	int64_t begin = clock_ms();

	many_ask(inv, a, request);
	if (a->fate == FATE_OK)
		await_return(inv, a, begin);
}

/* What is done on each host, where nothing is shown before. */
static worker_job *
job_of(const struct invocation *inv)
{
	if (inv->command->run == NULL)
		return await_change;
	return inv->await > 0 && !inv->request.dry_run && !inv->request.explain
		       ? reboot
		       : many_ask;
}

/* A worker_job: kills what the previews, by the hosts' index, have shown. */
static void
kill_shown(struct invocation *inv, struct answer *a, const void *previews)
{
	const struct answer *shown = previews;
	int result = kill_batch_run(
		inv, &shown[a->index].reply, &a->reply, &a->problem);

	many_judge(inv, a, result);
}

static void
take_preview(void *taker, struct answer *a)
{
	struct many *m = taker;

	m->previews[a->index] = *a;
	memset(a, 0, sizeof(*a));
}

static void
take_answer(void *taker, struct answer *a)
{
	struct many *m = taker;

	resume_strike(&m->resume, a);
	report_many_take(&m->report, a);
}

static int
fail(struct buf *error)
{
	notice("%s", buf_str(error));
	buf_free(error);
	return -1;
}

/* Who is asked, and how. -1 after a message. */
static int
make_plan(struct many *m, const bool *wanted, struct plan *plan)
{
	struct buf error = { 0 };

	return plan_make(plan, m->inv, wanted, &error) == 0 ? 0 : fail(&error);
}

static void
run(struct many *m, const struct plan *plan, worker_job *job,
	const void *context, fanout_done *done)
{
	struct fanout f = { .inv = m->inv,
		.job = job,
		.context = context,
		.order = plan->order,
		.n = plan->n,
		.stage = plan->stage,
		.deadline = m->deadline,
		.done = done,
		.taker = m };

	fanout_run(&f);
	m->ended = f.ended;
}

static bool
changes_something(const struct invocation *inv)
{
	const struct request *r = &inv->request;

	return (r->verb == VERB_KILL || r->verb == VERB_HALT ||
		       r->verb == VERB_RUN) &&
	       !r->explain && !r->dry_run;
}

/* What -y is about to do, for who looks on. */
static void
announce(const struct many *m, const struct plan *plan)
{
	struct buf line = { 0 };

	plan_describe(plan, m->inv, &line);
	notice("%s: %s", m->inv->command->name, buf_str(&line));
	buf_free(&line);
}

/* Whatever the hosts' answers are, they are shown at once. */
static void
ask_all(struct many *m)
{
	struct plan plan;

	if (make_plan(m, m->resume.left, &plan) == 0) {
		if (changes_something(m->inv))
			announce(m, &plan);
		run(m, &plan, job_of(m->inv), &m->inv->request, take_answer);
	}
	plan_free(&plan);
}

/* Asks all of them for a dry run. -1 after a message. */
static int
preview(struct many *m)
{
	struct request dry = m->inv->request;
	struct plan plan;
	int result;

	dry.dry_run = true;
	m->previews = calloc(m->inv->hosts.n + 1, sizeof(m->previews[0]));
	if (m->previews == NULL) {
		notice("out of memory");
		return -1;
	}
	if ((result = make_plan(m, m->resume.left, &plan)) == 0) {
		memset(&plan.stage, 0, sizeof(plan.stage));
		run(m, &plan, many_ask, &dry, take_preview);
	}
	plan_free(&plan);
	return result;
}

/* Those that are left out have had their answer. */
static bool *
sort_previews(struct many *m)
{
	bool *wanted = calloc(m->inv->hosts.n + 1, sizeof(wanted[0]));
	size_t i;

	for (i = 0; wanted != NULL && i < m->inv->hosts.n; i++) {
		wanted[i] = question_is_worth(&m->previews[i]);
		if (!wanted[i] && m->previews[i].host != NULL) {
			take_answer(m, &m->previews[i]);
			answer_free(&m->previews[i]);
			m->previews[i].host = NULL;
		}
	}
	return wanted;
}

/* There is no telling what a command would do: what is asked is how many. */
static bool
ask_and_run(struct many *m)
{
	struct plan plan = { 0 };
	bool done = false;

	if (make_plan(m, m->resume.left, &plan) == 0) {
		done = plan.n == 0 || question_ask(m->inv, NULL, &plan);
		if (done && plan.n > 0)
			run(m, &plan, many_ask, &m->inv->request, take_answer);
	}
	plan_free(&plan);
	return done;
}

/* It was ended while they were asked: those that agreed were not told to. */
static void
leave_out(struct many *m, const bool *wanted)
{
	size_t i;

	for (i = 0; i < m->inv->hosts.n; i++) {
		if (!wanted[i])
			continue;
		answer_fail(&m->previews[i], FATE_NOT_ASKED, "not asked");
		take_answer(m, &m->previews[i]);
	}
	notice("nothing was done");
}

/* What was shown and agreed to. Whether it was. */
static bool
confirm_and_do(struct many *m, const bool *wanted)
{
	struct plan plan;
	bool done = false;

	if (make_plan(m, wanted, &plan) == 0) {
		done = plan.n == 0 || question_ask(m->inv, m->previews, &plan);
		if (plan.n > 0 && done && m->inv->request.verb == VERB_KILL)
			run(m, &plan, kill_shown, m->previews, take_answer);
		else if (plan.n > 0 && done)
			run(m, &plan, job_of(m->inv), &m->inv->request,
				take_answer);
	}
	plan_free(&plan);
	return done;
}

/* Asks before it acts. False if that was not agreed to. */
static bool
ask_and_do(struct many *m)
{
	bool *wanted = NULL, done = false;

	if (preview(m) != 0 || (wanted = sort_previews(m)) == NULL)
		return false;
	if (m->ended) {
		leave_out(m, wanted);
		done = true;
	} else {
		done = confirm_and_do(m, wanted);
	}
	free(wanted);
	return done;
}

static void
free_previews(struct many *m)
{
	size_t i;

	for (i = 0; m->previews != NULL && i < m->inv->hosts.n; i++)
		answer_free(&m->previews[i]);
	free(m->previews);
}

enum outcome
many_run(struct invocation *inv)
{
	bool asks = changes_something(inv) && !invocation_has(inv, OPT_YES);
	struct many m = { .inv = inv, .deadline = invocation_deadline(inv) };
	struct buf error = { 0 };
	enum outcome outcome;
	bool done = true;

	if (asks && !confirm_possible(inv->command->name))
		return OUTCOME_USAGE;
	if (resume_begin(&m.resume, inv, &error) != 0) {
		fail(&error);
		resume_end(&m.resume);
		return OUTCOME_USAGE;
	}
	if (report_many_begin(&m.report, inv) == 0) {
		if (asks && inv->request.verb == VERB_RUN)
			done = ask_and_run(&m);
		else if (asks)
			done = ask_and_do(&m);
		else
			ask_all(&m);
	}
	outcome = report_many_end(&m.report);
	resume_end(&m.resume);
	free_previews(&m);
	return done ? outcome : OUTCOME_NO;
}
