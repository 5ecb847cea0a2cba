#include "fanout/worker_set.h"

#include "clock.h"
#include "util/sigint.h"

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define HOSTS 4
#define PATIENCE 30000

/* Kinds of behaviour of a worker. */
enum task { ANSWER, ANSWER_TWICE, KEEP_ANSWERING, HANG, DIE };

static struct host host_list[HOSTS] = { { .label = (char *)"a" },
	{ .label = (char *)"b" }, { .label = (char *)"c" },
	{ .label = (char *)"d" } };
static struct invocation inv = { .hosts = { .n = HOSTS, .v = host_list } };

/* The received results of each host; the index is the number of the host. */
struct taken {
	size_t results[HOSTS];
	size_t ended[HOSTS];
	enum result_kind kind[HOSTS];
	char problem[HOSTS][64];
	size_t wanted; /* the test ends a worker after so many results */
};

static void
do_task(const struct invocation *unused, struct result *result,
	const void *tasks)
{
	enum task task = ((const enum task *)tasks)[result->index];
	size_t i, n = task == KEEP_ANSWERING ? SIZE_MAX : task == ANSWER_TWICE;

	(void)unused;
	if (task == DIE)
		raise(SIGKILL);
	while (task == HANG)
		pause();
	for (i = 0; i < n; i++) {
		reply_conclude(&result->reply, CODE_OK, "more", NULL);
		if (!worker_send(result))
			return;
	}
	reply_conclude(&result->reply, CODE_OK, "done", NULL);
}

static bool
take(void *context, struct result *result, bool ended)
{
	struct taken *taken = context;
	size_t i = result->index;

	assert_ptr_equal(result->host, &host_list[i]);
	taken->kind[i] = result->result_kind;
	snprintf(taken->problem[i], sizeof(taken->problem[i]), "%s",
		buf_str(&result->problem));
	taken->ended[i] += ended;
	taken->results[i] += !ended;
	return taken->results[i] < taken->wanted;
}

static struct worker_set
open_set(const enum task *tasks, struct taken *taken)
{
	struct worker_set set = { .inv = &inv,
		.job = do_task,
		.job_context = tasks,
		.take = take,
		.take_context = taken };

	assert_int_equal(worker_set_open(&set, HOSTS), 0);
	return set;
}

static void
close_set(struct worker_set *set)
{
	worker_set_close(set);
	assert_int_equal(set->running, 0);
	/* No child of this process exists, not even a zombie. */
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

static void
run_all(struct worker_set *set)
{
	int64_t patience = clock_ms() + PATIENCE;
	size_t i;

	for (i = 0; i < HOSTS; i++)
		assert_int_equal(worker_set_add(set, i, CLOCK_NEVER), 0);
	assert_int_equal(set->running, HOSTS);
	while (set->running > 0 && clock_ms() < patience)
		worker_set_wait(set, NULL, patience);
	assert_int_equal(set->running, 0);
}

static void
test_an_unwanted_worker_is_ended(void **state)
{
	static const enum task tasks[] = { ANSWER, KEEP_ANSWERING, ANSWER_TWICE,
		KEEP_ANSWERING };
	struct taken taken = { .wanted = 1 };
	struct worker_set set = open_set(tasks, &taken);
	size_t i;

	(void)state;
	run_all(&set);
	for (i = 0; i < HOSTS; i++) {
		assert_int_equal(taken.results[i], 1);
		assert_int_equal(taken.ended[i], 0);
		assert_int_equal(taken.kind[i], RESULT_OK);
	}
	close_set(&set);
}

static void
test_replies_share_one_budget(void **state)
{
	const size_t mib = 1024 * 1024, some = BUDGET_FREE + 2 * mib;
	struct budget *b = budget_open(2 * mib);
	struct budget_share *one = budget_share_open(b, 8 * mib);
	struct budget_share *two = budget_share_open(b, 8 * mib);

	(void)state;
	assert_true(budget_share_reach(one, some));
	assert_true(budget_share_reach(one, some));
	assert_false(budget_share_reach(two, BUDGET_FREE + 1));
	/* A reply up to BUDGET_FREE is always allowed. */
	assert_true(budget_share_reach(two, BUDGET_FREE));
	budget_share_end(one);
	assert_true(budget_share_reach(two, some));
	assert_false(budget_share_reach(two, some + 1));
	/*
	 * A compromised worker can write any number into its share. The budget
	 * must not trust this number.
	 */
	two->used = INT64_MAX;
	budget_share_end(two);
	assert_int_equal(b->left, 0);
	budget_close(b);

	b = budget_open(4 * mib);
	one = budget_share_open(b, 2 * mib);
	budget_keep(b, BUDGET_FREE + 4 * mib);
	assert_false(budget_share_reach(one, BUDGET_FREE + 1));
	assert_false(budget_share_reach(one, 2 * mib + 1));
	budget_share_end(one);
	budget_close(b);
}

static void
test_a_dead_worker_is_a_result(void **state)
{
	static const enum task tasks[] = { DIE, ANSWER, ANSWER_TWICE, DIE };
	static const size_t results[] = { 0, 1, 2, 0 };
	struct taken taken = { .wanted = SIZE_MAX };
	struct worker_set set = open_set(tasks, &taken);
	size_t i;

	(void)state;
	run_all(&set);
	for (i = 0; i < HOSTS; i++) {
		assert_int_equal(taken.results[i], results[i]);
		assert_int_equal(taken.ended[i], 1);
		assert_int_equal(taken.kind[i], RESULT_UNREACHED);
		assert_string_equal(taken.problem[i],
			"the worker process for this host has died");
	}
	close_set(&set);
}

static void
test_a_late_worker_is_ended(void **state)
{
	static const enum task tasks[] = { HANG, HANG };
	struct taken taken = { .wanted = 1 };
	struct worker_set set = open_set(tasks, &taken);
	int64_t deadline = clock_ms() + 100;

	(void)state;
	assert_int_equal(worker_set_add(&set, 0, CLOCK_NEVER), 0);
	assert_int_equal(worker_set_add(&set, 1, deadline), 0);
	while (taken.ended[1] == 0 && clock_ms() < deadline + PATIENCE)
		worker_set_wait(&set, NULL, deadline + PATIENCE);
	assert_true(clock_ms() >= deadline);
	assert_int_equal(taken.ended[1], 1);
	assert_int_equal(taken.kind[1], RESULT_TIMED_OUT);
	assert_string_equal(taken.problem[1], "no reply in time");
	assert_int_equal(taken.ended[0], 0);
	assert_int_equal(set.running, 1);
	assert_ptr_equal(set.workers[0].host, &host_list[0]);
	close_set(&set);
	assert_int_equal(taken.ended[0], 0);
}

static void
test_all_workers_are_ended_at_once(void **state)
{
	static const enum task tasks[] = { HANG, HANG, HANG, HANG };
	struct taken taken = { .wanted = 1 };
	struct worker_set set = open_set(tasks, &taken);
	size_t i;

	(void)state;
	for (i = 0; i < HOSTS; i++)
		assert_int_equal(worker_set_add(&set, i, CLOCK_NEVER), 0);
	worker_set_fail(&set, RESULT_TIMED_OUT, "enough");
	assert_int_equal(set.running, 0);
	for (i = 0; i < HOSTS; i++) {
		assert_int_equal(taken.ended[i], 1);
		assert_int_equal(taken.kind[i], RESULT_TIMED_OUT);
		assert_string_equal(taken.problem[i], "enough");
	}
	close_set(&set);
}

static void
test_the_wait_ends_for_others(void **state)
{
	static const enum task tasks[] = { HANG };
	struct taken taken = { .wanted = 1 };
	int64_t begin = clock_ms();
	struct worker_set set;
	struct pollfd also;
	int ends[2];

	(void)state;
	/*
	 * Restore the default, because SIGINT is ignored if the tests run in
	 * the background.
	 */
	signal(SIGINT, SIG_DFL);
	set = open_set(tasks, &taken);
	assert_int_equal(pipe(ends), 0);
	also = (struct pollfd){ ends[0], POLLIN, 0 };
	assert_int_equal(worker_set_add(&set, 0, CLOCK_NEVER), 0);
	worker_set_wait(&set, &also, begin + 50);
	assert_true(clock_ms() >= begin + 50);
	assert_int_equal(also.revents, 0);
	assert_int_equal(write(ends[1], "x", 1), 1);
	worker_set_wait(&set, &also, begin + PATIENCE);
	assert_int_equal(also.revents, POLLIN);
	assert_int_equal(sigint_count(), 0);
	raise(SIGINT);
	worker_set_wait(&set, NULL, begin + PATIENCE);
	assert_int_equal(sigint_count(), 1);
	assert_int_equal(set.running, 1);
	close_set(&set);
	close(ends[0]);
	close(ends[1]);
}

static void
test_a_worker_that_cannot_start_is_not_counted(void **state)
{
	static const enum task tasks[] = { ANSWER, HANG };
	struct taken taken = { .wanted = 1 };
	struct worker_set set = open_set(tasks, &taken);
	struct rlimit before, none;

	(void)state;
	assert_int_equal(worker_set_add(&set, 1, CLOCK_NEVER), 0);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	none = (struct rlimit){ 0, before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &none), 0);
	assert_int_equal(worker_set_add(&set, 0, CLOCK_NEVER), -1);
	assert_int_equal(errno, EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
	assert_int_equal(set.running, 1);
	assert_int_equal(worker_set_add(&set, 0, CLOCK_NEVER), 0);
	assert_int_equal(set.running, 2);
	while (taken.results[0] == 0)
		worker_set_wait(&set, NULL, clock_ms() + PATIENCE);
	assert_int_equal(set.running, 1);
	close_set(&set);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_an_unwanted_worker_is_ended),
		cmocka_unit_test(test_replies_share_one_budget),
		cmocka_unit_test(test_a_dead_worker_is_a_result),
		cmocka_unit_test(test_a_late_worker_is_ended),
		cmocka_unit_test(test_all_workers_are_ended_at_once),
		cmocka_unit_test(test_the_wait_ends_for_others),
		cmocka_unit_test(
			test_a_worker_that_cannot_start_is_not_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
