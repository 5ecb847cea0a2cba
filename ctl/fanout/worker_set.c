#include "fanout/worker_set.h"

#include "clock.h"
#include "util/sigint.h"

#include <stdlib.h>

/*
 * Maximum number of bytes for all replies together. In addition, each worker
 * may use BUDGET_FREE bytes. For a short time, a byte can be in memory three
 * times. The copies are in the worker, in the packed result and in this
 * process.
 */
#define REPLIES_MAX ((size_t)256 * 1024 * 1024)

int
worker_set_open(struct worker_set *set, size_t max)
{
	set->workers = calloc(max, sizeof(set->workers[0]));
	set->polls = calloc(max + 1, sizeof(set->polls[0]));
	set->budget = budget_open(REPLIES_MAX);
	if (set->workers == NULL || set->polls == NULL || set->budget == NULL)
		return -1;
	sigint_catch();
	return 0;
}

int
worker_set_add(struct worker_set *set, size_t index, int64_t deadline)
{
	struct worker *w = &set->workers[set->running];

	if (worker_start(w, set->inv, index, set->job, set->job_context,
		    set->budget) != 0)
		return -1;
	w->deadline = deadline;
	set->running++;
	return 0;
}

/* End a worker, and move the last worker of the array to the free place. */
static void
remove_worker(struct worker_set *set, size_t i)
{
	worker_end(&set->workers[i]);
	set->running--;
	set->workers[i] = set->workers[set->running];
	set->polls[i] = set->polls[set->running];
}

static void
fail_worker(struct worker_set *set, size_t i, enum result_kind kind,
	const char *why)
{
	const struct worker *w = &set->workers[i];
	struct result result = { .host = w->host, .index = w->index };

	result_fail(&result, kind, why);
	remove_worker(set, i);
	set->take(set->take_context, &result, true);
	result_free(&result);
}

/*
 * Pass the results of one worker to set->take(). Return true if the worker was
 * removed.
 */
static bool
take_from(struct worker_set *set, size_t i, int64_t now)
{
	struct worker *w = &set->workers[i];
	const char *problem = set->polls[i].revents ? worker_read(w) : NULL;
	bool wanted = true;
	struct result result;

	while (wanted && worker_next(w, &result)) {
		wanted = set->take(set->take_context, &result, false);
		result_free(&result);
	}
	if (!wanted)
		remove_worker(set, i);
	else if (problem != NULL)
		fail_worker(set, i, RESULT_UNREACHED, problem);
	else if (now >= w->deadline)
		fail_worker(set, i, RESULT_TIMED_OUT, "no reply in time");
	else
		return false;
	return true;
}

void
worker_set_wait(struct worker_set *set, struct pollfd *also, int64_t until)
{
	struct pollfd *extra = &set->polls[set->running];
	int64_t now;
	size_t i;

	for (i = 0; i < set->running; i++) {
		set->polls[i] =
			(struct pollfd){ set->workers[i].fd, POLLIN, 0 };
		if (until > set->workers[i].deadline)
			until = set->workers[i].deadline;
	}
	*extra = (struct pollfd){ -1, 0, 0 };
	if (also != NULL)
		*extra = (struct pollfd){ also->fd, also->events, 0 };
	/*
	 * Ignore a failure of sigint_poll(). After a failure, no descriptor has
	 * an event.
	 */
	sigint_poll(set->polls, set->running + 1, until);
	if (also != NULL)
		also->revents = extra->revents;
	now = clock_ms();
	for (i = 0; i < set->running;)
		i += take_from(set, i, now) ? 0 : 1;
}

void
worker_set_fail(struct worker_set *set, enum result_kind kind, const char *why)
{
	while (set->running > 0)
		fail_worker(set, 0, kind, why);
}

void
worker_set_close(struct worker_set *set)
{
	while (set->running > 0)
		remove_worker(set, set->running - 1);
	if (set->workers != NULL && set->polls != NULL && set->budget != NULL)
		sigint_release();
	budget_close(set->budget);
	free(set->workers);
	free(set->polls);
	set->workers = NULL;
	set->polls = NULL;
	set->budget = NULL;
}
