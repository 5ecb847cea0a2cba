#include "feeds.h"

#include "call.h"
#include "fanout.h"
#include "host_feed.h"
#include "interrupt.h"
#include "notice.h"
#include "report.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Of one host a question about its key can be asked, which a worker cannot:
 * so it is asked before.
 */
static int
meet(struct invocation *inv)
{
	struct client client;
	int result = 0;

	if (inv->hosts.n > 1 || inv->target.kind != TARGET_TLS)
		return 0;
	if ((result = call_open(&client, inv, "", 0)) != 0)
		report_problem(inv, buf_str(&client.problem));
	client_close(&client, true);
	return result;
}

static int
start_all(struct feeds *f)
{
	size_t i;

	for (i = 0; i < f->inv->hosts.n; i++) {
		if (worker_start(&f->workers[i], f->inv, i, host_feed_run,
			    NULL) != 0) {
			notice("no process to watch with: %s", strerror(errno));
			return -1;
		}
		f->running++;
	}
	return 0;
}

int
feeds_open(struct feeds *f)
{
	size_t n = f->inv->hosts.n;

	f->outcome = OUTCOME_UNREACHED;
	if (n > FANOUT_MAX) {
		notice("%s keeps a connection to each host: %d at most",
			f->inv->command->name, FANOUT_MAX);
		f->outcome = OUTCOME_USAGE;
		return -1;
	}
	if (meet(f->inv) != 0)
		return -1;
	f->workers = calloc(n, sizeof(f->workers[0]));
	f->polls = calloc(n + 1, sizeof(f->polls[0]));
	if (f->workers == NULL || f->polls == NULL) {
		notice("out of memory");
		return -1;
	}
	interrupt_catch();
	return start_all(f);
}

static void
count(struct feeds *f, enum outcome outcome)
{
	f->outcome = f->done == 0 || f->outcome == outcome ? outcome
							   : OUTCOME_SEVERAL;
	f->done++;
}

/* The last word of a host. */
static void
finish(struct feeds *f, struct answer *a)
{
	struct invocation *inv = f->inv;

	invocation_turn(inv, a->host);
	if (a->problem.len > 0) {
		report_problem(inv, buf_str(&a->problem));
		count(f, OUTCOME_UNREACHED);
	} else {
		count(f, report_status(inv, &a->reply));
	}
}

static int
take(struct feeds *f, struct answer *a)
{
	int result = 0;

	fputs(buf_str(&a->notices), stderr);
	if (a->reply.nrows > 0)
		result = f->take(f->context, a);
	return result;
}

static void
end_one(struct feeds *f, struct worker *w)
{
	worker_end(w);
	f->running--;
}

/* All that one worker has handed over. False if it could not be shown. */
static bool
read_one(struct feeds *f, struct worker *w)
{
	bool more = worker_read(w), shown = true, over = false;
	struct answer a;

	while (shown && !over && worker_next(w, &a)) {
		shown = take(f, &a) == 0;
		if ((over = !host_feed_goes_on(&a)))
			finish(f, &a);
		answer_free(&a);
	}
	if (!more && !over) {
		worker_fail(w, &a, FATE_UNREACHED, worker_why(w));
		finish(f, &a);
		answer_free(&a);
	}
	if (!more || over)
		end_one(f, w);
	return shown;
}

static bool
read_all(struct feeds *f)
{
	size_t i;

	for (i = 0; i < f->inv->hosts.n; i++)
		if (f->polls[i].revents != 0 && !read_one(f, &f->workers[i])) {
			f->outcome = OUTCOME_NO;
			return false;
		}
	return true;
}

bool
feeds_wait(struct feeds *f, struct pollfd *also, int64_t until)
{
	size_t i, n = f->inv->hosts.n;

	for (i = 0; i < n; i++)
		f->polls[i] = (struct pollfd){
			f->workers[i].pid ? f->workers[i].fd : -1, POLLIN, 0
		};
	f->polls[n] = *also;
	also->revents = 0;
	if (interrupt_poll(f->polls, n + 1, until) < 0)
		return interrupt_count() == 0;
	also->revents = f->polls[n].revents;
	return read_all(f) && f->running > 0;
}

enum outcome
feeds_close(struct feeds *f)
{
	size_t i;

	/* By ^C, which is how one ends it. */
	if (interrupt_count() > 0 && f->done == 0)
		f->outcome = OUTCOME_DONE;
	for (i = 0; f->workers != NULL && i < f->inv->hosts.n; i++)
		if (f->workers[i].pid != 0)
			worker_end(&f->workers[i]);
	if (f->polls != NULL)
		interrupt_release();
	free(f->workers);
	free(f->polls);
	f->workers = NULL;
	f->polls = NULL;
	return f->outcome;
}
