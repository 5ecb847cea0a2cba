#include "fanout/wait_host.h"

#include "clock.h"
#include "remote/call.h"
#include "text.h"

#include <poll.h>
#include <stdio.h>

#define PAUSE_FIRST 250 /* ms between the first two pings */
#define PAUSE_MOST 5000
#define TRY_SECONDS 5 /* longest duration of one ping, in seconds */

/* The state of a host that the reply to one ping shows. */
enum sign {
	SIGN_UP,
	SIGN_STOPPING,
	SIGN_DOWN,
	SIGN_STRANGER, /* the host's key is not trusted */
	SIGN_UNKNOWN   /* the ping could not be sent, so the state is unknown */
};

/* Return the milliseconds until a deadline of clock_boot_ms(), at least 0. */
static int64_t
time_left(int64_t deadline)
{
	int64_t left = deadline - clock_boot_ms();

	return left > 0 ? left : 0;
}

static enum sign
ping(const struct invocation *inv, int64_t deadline, struct result *a)
{
	struct endpoint e = endpoint_of(inv, a->host);
	struct request request;
	int64_t left = time_left(deadline) / 1000 + 1;
	int result;

	reply_free(&a->reply);
	buf_reset(&a->problem);
	request_init(&request, VERB_PING);
	e.timeout = left < TRY_SECONDS ? (unsigned)left : TRY_SECONDS;
	result = call_ask(&e, &request, &a->reply, &a->problem);
	if (result == CALL_UNTRUSTED)
		return SIGN_STRANGER;
	if (result == CALL_UNABLE)
		return SIGN_UNKNOWN;
	if (result != 0)
		return SIGN_DOWN;
	return a->reply.code == CODE_UNAVAILABLE ? SIGN_STOPPING : SIGN_UP;
}

/*
 * Sleep for *pause ms, but not beyond the deadline, and then increase *pause.
 * Return false if the deadline has passed.
 */
static bool
pause_more(int *pause, int64_t deadline)
{
	int64_t left = time_left(deadline);

	poll(NULL, 0, left < *pause ? (int)left : *pause);
	*pause = *pause * 3 / 2 < PAUSE_MOST ? *pause * 3 / 2 : PAUSE_MOST;
	return time_left(deadline) > 0;
}

static void
succeed(struct result *a, const char *what, int64_t since)
{
	const char *id = reply_pair(&a->reply, "id");
	char text[64], copy[64] = "";

	if (id != NULL)
		snprintf(copy, sizeof(copy), "%s", id);
	snprintf(text, sizeof(text), "%s after %.1f s", what,
		(double)(clock_boot_ms() - since) / 1e3);
	buf_reset(&a->problem);
	reply_free(&a->reply);
	if (reply_conclude(&a->reply, CODE_OK, text, *copy ? copy : NULL) == 0)
		a->result_kind = RESULT_OK;
	else
		result_fail(a, RESULT_FAILED, "out of memory");
}

static void
fail_late(struct result *a, const char *what, int64_t since)
{
	struct buf text = { 0 };

	buf_addf(&text, "%s after %lld s", what,
		(long long)(clock_boot_ms() - since) / 1000);
	if (a->problem.len > 0)
		buf_addf(&text, ": %s", buf_str(&a->problem));
	result_fail(a, RESULT_TIMED_OUT, buf_str(&text));
	buf_free(&text);
}

/* True if the daemon that sent the reply was started after the time `since`. */
static bool
is_new(const struct reply *r, int64_t since)
{
	const char *uptime = reply_pair(r, "uptime");
	long seconds;

	return uptime != NULL &&
	       text_number(uptime, 0, INT32_MAX, &seconds) == 0 &&
	       seconds < (clock_boot_ms() - since) / 1000;
}

/* The parameters of a wait. All times are those of clock_boot_ms(). */
struct waiting {
	enum sign wanted;
	bool restarted; /* true: wait for a daemon that started after `begin` */
	int64_t begin;
	/*
	 * Function to call before each ping, or NULL. The wait ends if this
	 * function returns false.
	 */
	wait_host_step *step;
	void *context;
};

/*
 * Ping the host until the host is in the wanted state, or until inv->await
 * seconds have passed. Store the outcome in the result.
 */
static void
wait_for_sign(
	const struct invocation *inv, struct result *a, const struct waiting *w)
{
	const char *what = w->restarted           ? "back"
			   : w->wanted == SIGN_UP ? "up"
						  : "down";
	const char *late = w->restarted           ? "has not returned"
			   : w->wanted == SIGN_UP ? "not up"
						  : "not down";
	int64_t deadline = clock_boot_ms() + inv->await * 1000LL;
	int pause = PAUSE_FIRST;
	enum sign sign;

	do {
		if (w->step != NULL && !w->step(w->context))
			return;
		sign = ping(inv, deadline, a);
		/*
		 * Do not wait for a host with a wrong key, because the key will
		 * not change.
		 */
		if (w->wanted == SIGN_UP && sign == SIGN_STRANGER) {
			a->result_kind = RESULT_UNREACHED;
			return;
		}
		if (sign == w->wanted &&
			(!w->restarted || is_new(&a->reply, w->begin))) {
			succeed(a, what, w->begin);
			return;
		}
	} while (pause_more(&pause, deadline));
	fail_late(a, late, w->begin);
}

void
wait_host_change(
	const struct invocation *inv, struct result *a, const void *unused)
{
	struct waiting w = { .wanted = invocation_has(inv, OPT_UP) ? SIGN_UP
								   : SIGN_DOWN,
		.begin = clock_boot_ms() };

	(void)unused;
	wait_for_sign(inv, a, &w);
}

void
wait_host_return(const struct invocation *inv, struct result *a, int64_t since)
{
	struct waiting w = {
		.wanted = SIGN_UP, .restarted = true, .begin = since
	};

	wait_for_sign(inv, a, &w);
}

void
wait_host_up(const struct invocation *inv, struct result *a,
	wait_host_step *step, void *context)
{
	struct waiting w = { .wanted = SIGN_UP,
		.begin = clock_boot_ms(),
		.step = step,
		.context = context };

	wait_for_sign(inv, a, &w);
}
