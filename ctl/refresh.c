#include "refresh.h"

#include "call.h"
#include "clock.h"
#include "fanout.h"
#include "interrupt.h"
#include "many.h"
#include "notice.h"
#include "screen.h"
#include "worker.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIRST_VIEW 1000 /* ms, if some do not answer */
#define PATIENCE 3000   /* ms that an answer may take */

struct refresh {
	struct invocation *inv;
	struct worker *workers; /* by the hosts' index */
	struct answer *latest;  /* likewise; without a host: none yet */
	bool *fresh;            /* likewise; since the last view */
	size_t nfresh;
	int64_t *heard;   /* likewise; when it last gave an answer */
	int64_t *again;   /* likewise; when a new worker may be tried */
	int64_t deadline; /* of --total-timeout */
	struct pollfd *polls;
	int64_t next; /* when to show what there is */
	enum outcome outcome;
};

/* One more answer of a connection, which is opened if there is none. */
static int
ask_again(struct client *c, struct invocation *inv, struct answer *a)
{
	struct buf line = { 0 };
	int result = 0;

	request_format(&inv->request, &line);
	buf_addc(&line, '\n');
	if (c->fd == -1)
		result = call_open(c, inv, buf_str(&line), line.len);
	else
		client_send(c, line.data, line.len);
	if (inv->timeout > 0)
		client_time(c, inv->timeout);
	if (result == 0)
		result = call_answer(c, inv, &a->reply);
	if (result != 0) {
		result = call_failed(c);
		buf_adds(&a->problem, buf_str(&c->problem));
		client_close(c, false);
	}
	buf_free(&line);
	return result;
}

static void
ask(struct client *c, struct invocation *inv, struct answer *a)
{
	bool kept = c->fd != -1;

	many_judge(inv, a, ask_again(c, inv, a));
	/* It was restarted, or has had enough of a silent connection. */
	if (kept && c->fd == -1) {
		reply_free(&a->reply);
		buf_reset(&a->problem);
		many_judge(inv, a, ask_again(c, inv, a));
	}
}

/* A worker_job without an end. */
static void
keep_asking(struct invocation *inv, struct answer *a, const void *unused)
{
	size_t most = a->reply.max_size;
	int64_t next = clock_ms();
	struct client client;

	(void)unused;
	client_init(&client);
	do {
		a->reply.max_size = most;
		ask(&client, inv, a);
		next += inv->watch * 1000LL;
		if (next < clock_ms())
			next = clock_ms();
		if (!worker_send(a))
			return;
		poll(NULL, 0, clock_left(next));
	} while (true);
}

/* What is too old tells nothing of the host that is to be seen. */
static void
drop_stale(struct refresh *f, int64_t now)
{
	struct answer *a;
	size_t i;

	for (i = 0; i < f->inv->hosts.n; i++) {
		a = &f->latest[i];
		if (now - f->heard[i] < f->inv->watch * 1000LL + PATIENCE)
			continue;
		a->host = &f->inv->hosts.v[i];
		a->index = i;
		answer_fail(a, FATE_TIMED_OUT, "it has fallen silent");
	}
}

static int
show(struct refresh *f)
{
	drop_stale(f, clock_ms());
	memset(f->fresh, 0, f->inv->hosts.n * sizeof(f->fresh[0]));
	f->nfresh = 0;
	f->next = clock_ms() + f->inv->watch * 1000LL;
	return screen_show(f->inv, f->latest, &f->outcome);
}

static void
take(struct refresh *f, size_t i, struct answer *a)
{
	answer_free(&f->latest[i]);
	f->latest[i] = *a;
	f->heard[i] = clock_ms();
	f->nfresh += !f->fresh[i];
	f->fresh[i] = true;
}

/* Its worker has died: the next may do better. */
static void
bury(struct refresh *f, size_t i)
{
	struct worker *w = &f->workers[i];
	struct answer a;

	worker_fail(w, &a, FATE_UNREACHED, worker_why(w));
	take(f, i, &a);
	worker_end(w);
	f->again[i] = clock_ms() + f->inv->watch * 1000LL;
}

static int
start_missing(struct refresh *f)
{
	int64_t now = clock_ms();
	struct worker *w;
	size_t i;

	for (i = 0; i < f->inv->hosts.n; i++) {
		w = &f->workers[i];
		if (w->pid == 0 && now >= f->again[i] &&
			worker_start(w, f->inv, i, keep_asking, NULL) != 0)
			return -1;
	}
	return 0;
}

static void
take_news(struct refresh *f)
{
	struct answer a;
	bool more;
	size_t i;

	for (i = 0; i < f->inv->hosts.n; i++) {
		if (f->polls[i].fd == -1 || f->polls[i].revents == 0)
			continue;
		more = worker_read(&f->workers[i]);
		while (worker_next(&f->workers[i], &a))
			take(f, i, &a);
		if (!more)
			bury(f, i);
	}
}

/* Waits for what the workers have to say. */
static void
wait_for_news(struct refresh *f)
{
	int64_t until = f->next < f->deadline ? f->next : f->deadline;
	size_t i;

	for (i = 0; i < f->inv->hosts.n; i++)
		f->polls[i] = (struct pollfd){
			f->workers[i].pid ? f->workers[i].fd : -1, POLLIN, 0
		};
	if (interrupt_poll(f->polls, f->inv->hosts.n, until) > 0)
		take_news(f);
}

static enum outcome
loop(struct refresh *f)
{
	size_t i, n = f->inv->hosts.n;

	f->next = clock_ms() + FIRST_VIEW;
	for (i = 0; i < n; i++)
		f->heard[i] = clock_ms();
	while (interrupt_count() == 0 && clock_ms() < f->deadline) {
		if (start_missing(f) != 0) {
			notice("no process to ask with");
			return OUTCOME_UNREACHED;
		}
		wait_for_news(f);
		if ((f->nfresh == n || clock_ms() >= f->next) && show(f) != 0)
			return OUTCOME_USAGE;
	}
	return f->outcome;
}

static void
end(struct refresh *f)
{
	size_t i;

	for (i = 0; f->workers && f->latest && i < f->inv->hosts.n; i++) {
		if (f->workers[i].pid != 0)
			worker_end(&f->workers[i]);
		answer_free(&f->latest[i]);
	}
	free(f->workers);
	free(f->latest);
	free(f->fresh);
	free(f->heard);
	free(f->again);
	free(f->polls);
}

static int
check(const struct invocation *inv)
{
	if (!isatty(STDOUT_FILENO))
		notice("--watch is for a terminal: a program asks without it, "
		       "as often as it likes");
	else if (inv->hosts.n > FANOUT_MAX)
		notice("--watch keeps a connection to each host: %d at most",
			FANOUT_MAX);
	else
		return 0;
	return -1;
}

enum outcome
refresh_run(struct invocation *inv)
{
	struct refresh f = { .inv = inv, .outcome = OUTCOME_UNREACHED };
	enum outcome outcome = OUTCOME_UNREACHED;
	size_t n = inv->hosts.n;

	if (check(inv) != 0)
		return OUTCOME_USAGE;
	f.workers = calloc(n, sizeof(f.workers[0]));
	f.latest = calloc(n, sizeof(f.latest[0]));
	f.fresh = calloc(n, sizeof(f.fresh[0]));
	f.polls = calloc(n, sizeof(f.polls[0]));
	f.heard = calloc(n, sizeof(f.heard[0]));
	f.again = calloc(n, sizeof(f.again[0]));
	f.deadline = invocation_deadline(inv);
	interrupt_catch();
	if (f.workers && f.latest && f.fresh && f.polls && f.heard && f.again)
		outcome = loop(&f);
	else
		notice("out of memory");
	interrupt_release();
	end(&f);
	return outcome;
}
