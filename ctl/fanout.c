#include "fanout.h"

#include "clock.h"
#include "hostlist.h"
#include "interrupt.h"
#include "notice.h"
#include "progress.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One that runs. */
struct run {
	struct fanout *f;
	struct worker *workers; /* those that run come first */
	struct pollfd *polls;
	size_t at_once;
	size_t running;
	size_t begun; /* of the order */
	size_t failures;
	unsigned interrupts; /* answered so far */
	bool stopped;        /* nothing new is begun */
	struct progress progress;
};

static void
take(struct run *r, struct answer *a)
{
	if (fate_is_failure(a->fate))
		r->failures++;
	r->progress.done++;
	r->progress.failed = r->failures;
	progress_clear(&r->progress);
	r->f->done(r->f->taker, a);
	answer_free(a);
}

static void
drop_worker(struct run *r, size_t i)
{
	r->running--;
	if (i < r->running)
		r->workers[i] = r->workers[r->running];
	memset(&r->workers[r->running], 0, sizeof(r->workers[0]));
}

static void
end_all(struct run *r, enum fate fate, const char *why)
{
	struct answer a;

	r->stopped = true;
	r->f->ended = true;
	while (r->running > 0) {
		worker_fail(&r->workers[0], &a, fate, why);
		worker_end(&r->workers[0]);
		drop_worker(r, 0);
		take(r, &a);
	}
}

/* 0, or -1 if that must wait until one that runs has ended. */
static int
begin_one(struct run *r)
{
	struct fanout *f = r->f;
	struct answer a = { .index = f->order[r->begun] };
	struct worker *w = &r->workers[r->running];

	if (worker_start(w, f->inv, a.index, f->job, f->context) == 0) {
		r->running++;
		r->begun++;
		return 0;
	}
	if (r->running > 0)
		return -1;
	a.host = &f->inv->hosts.v[a.index];
	buf_addf(&a.problem, "no process to ask it with: %s", strerror(errno));
	a.fate = FATE_FAILED;
	r->begun++;
	take(r, &a);
	return 0;
}

/* Begins as many as may be. Returns when it may be more, by time alone. */
static int64_t
begin_some(struct run *r)
{
	struct fanout *f = r->f;
	int64_t when = 0;

	while (!r->stopped && when == 0 && r->begun < f->n &&
		r->running < r->at_once) {
		when = stage_gate(&f->stage, r->begun, r->running, r->failures,
			clock_ms());
		r->stopped = when == STAGE_STOP;
		if (when == 0 && begin_one(r) != 0)
			break;
	}
	r->progress.paused = when > 0 && r->running == 0;
	return when > 0 ? when : INT64_MAX;
}

static int64_t
earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static void
show_running(struct run *r)
{
	const char **names = calloc(r->running + 1, sizeof(names[0]));
	char *folded;
	size_t i;

	progress_clear(&r->progress);
	if (names == NULL)
		return;
	for (i = 0; i < r->running; i++)
		names[i] = r->workers[i].host->label;
	if ((folded = hostlist_fold(names, r->running)) != NULL)
		notice("%zu of %zu done, %s%zu running%s%s; ^C again ends it",
			r->progress.done, r->f->n,
			r->progress.paused ? "pausing, " : "", r->running,
			r->running ? ": " : "", folded);
	free(folded);
	free(names);
}

static void
answer_interrupt(struct run *r)
{
	r->interrupts++;
	if (r->interrupts == 1)
		show_running(r);
	else
		end_all(r, FATE_UNREACHED, "ended by ^C");
}

/* Waits for news, until then at most. */
static void
wait_for_news(struct run *r, int64_t until)
{
	size_t i;

	for (i = 0; i < r->running; i++) {
		r->polls[i] = (struct pollfd){ r->workers[i].fd, POLLIN, 0 };
		until = earlier(until, r->workers[i].deadline);
	}
	r->progress.running = r->running;
	until = earlier(until, progress_draw(&r->progress));
	until = earlier(until, r->f->deadline);
	if (interrupt_poll(r->polls, r->running, until) < 0)
		memset(r->polls, 0, r->running * sizeof(r->polls[0]));
}

/* What has become of one: whether it has come to something. */
static bool
look_at(struct worker *w, bool readable, int64_t now, struct answer *a)
{
	bool more = !readable || worker_read(w);

	if (worker_next(w, a))
		return true;
	if (!more)
		worker_fail(w, a, FATE_UNREACHED, worker_why(w));
	else if (now >= w->deadline)
		worker_fail(w, a, FATE_TIMED_OUT, "no answer in time");
	else
		return false;
	return true;
}

/* From the last to the first, since those that end make way for the last. */
static void
take_news(struct run *r)
{
	int64_t now = clock_ms();
	struct answer a;
	size_t i;

	for (i = r->running; i-- > 0;) {
		if (!look_at(&r->workers[i], r->polls[i].revents != 0, now, &a))
			continue;
		worker_end(&r->workers[i]);
		drop_worker(r, i);
		take(r, &a);
	}
	while (r->interrupts < interrupt_count())
		answer_interrupt(r);
	if (now >= r->f->deadline)
		end_all(r, FATE_TIMED_OUT,
			"the time of --total-timeout is over");
}

static void
leave_out(struct run *r)
{
	struct fanout *f = r->f;
	struct answer a;

	for (; r->begun < f->n; r->begun++) {
		memset(&a, 0, sizeof(a));
		a.index = f->order[r->begun];
		a.host = &f->inv->hosts.v[a.index];
		answer_fail(&a, FATE_NOT_ASKED, "not asked");
		take(r, &a);
	}
}

static void
loop(struct run *r)
{
	int64_t until;

	while (!r->stopped || r->running > 0) {
		until = begin_some(r);
		if (r->running == 0 && (r->stopped || r->begun == r->f->n))
			break;
		wait_for_news(r, until);
		take_news(r);
	}
}

void
fanout_run(struct fanout *f)
{
	const struct invocation *inv = f->inv;
	struct run r = { .f = f };

	r.at_once = inv->fanout ? inv->fanout : FANOUT_DEFAULT;
	r.workers = calloc(r.at_once, sizeof(r.workers[0]));
	r.polls = calloc(r.at_once, sizeof(r.polls[0]));
	progress_begin(&r.progress, f->n);
	interrupt_catch();
	if (r.workers != NULL && r.polls != NULL)
		loop(&r);
	leave_out(&r);
	progress_clear(&r.progress);
	interrupt_release();
	free(r.workers);
	free(r.polls);
}
