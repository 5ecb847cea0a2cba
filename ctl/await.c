#include "await.h"

#include "call.h"
#include "clock.h"
#include "text.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#define PAUSE_FIRST 250 /* ms */
#define PAUSE_MOST 5000
#define TRY_SECONDS 5 /* for one ping, from the connection on */

/* A ping's outcome, of which there are more than of other calls. */
enum sign {
	SIGN_UP,
	SIGN_STOPPING,
	SIGN_DOWN,
	SIGN_STRANGER,
	SIGN_UNKNOWN /* it could not be asked */
};

static enum sign
ping(struct invocation *inv, int64_t deadline, struct answer *a)
{
	unsigned timeout = inv->timeout;
	struct request request;
	int result, left = clock_left(deadline) / 1000 + 1;

	reply_free(&a->reply);
	buf_reset(&a->problem);
	request_init(&request, VERB_PING);
	inv->timeout = left < TRY_SECONDS ? (unsigned)left : TRY_SECONDS;
	result = call_ask(inv, &request, &a->reply, &a->problem);
	inv->timeout = timeout;
	if (result == CALL_UNTRUSTED)
		return SIGN_STRANGER;
	if (result == CALL_UNABLE)
		return SIGN_UNKNOWN;
	if (result != 0)
		return SIGN_DOWN;
	return a->reply.code == CODE_STOPPING ? SIGN_STOPPING : SIGN_UP;
}

/* False once the time is over. */
static bool
wait_a_bit(int *pause, int64_t deadline)
{
	int left = clock_left(deadline);

	poll(NULL, 0, left < *pause ? left : *pause);
	*pause = *pause * 3 / 2 < PAUSE_MOST ? *pause * 3 / 2 : PAUSE_MOST;
	return clock_left(deadline) > 0;
}

static void
succeed(struct answer *a, const char *what, int64_t since)
{
	const char *id = reply_pair(&a->reply, "id");
	char text[64], copy[64] = "";

	if (id != NULL)
		snprintf(copy, sizeof(copy), "%s", id);
	snprintf(text, sizeof(text), "%s after %.1f s", what,
		(double)(clock_ms() - since) / 1e3);
	buf_reset(&a->problem);
	reply_free(&a->reply);
	if (reply_conclude(&a->reply, CODE_OK, text, *copy ? copy : NULL) == 0)
		a->fate = FATE_OK;
	else
		answer_fail(a, FATE_FAILED, "out of memory");
}

static void
give_up(struct answer *a, const char *what, int64_t since)
{
	struct buf text = { 0 };

	buf_addf(&text, "%s after %lld s", what,
		(long long)(clock_ms() - since) / 1000);
	if (a->problem.len > 0)
		buf_addf(&text, ": %s", buf_str(&a->problem));
	answer_fail(a, FATE_TIMED_OUT, buf_str(&text));
	buf_free(&text);
}

void
await_change(struct invocation *inv, struct answer *a, const void *unused)
{
	bool up = invocation_has(inv, OPT_UP);
	int64_t begin = clock_ms();
	int64_t deadline = begin + inv->await * 1000LL;
	int pause = PAUSE_FIRST;
	enum sign sign;

	(void)unused;
	do {
		sign = ping(inv, deadline, a);
		/* It is up, but waiting does not make it the one we know. */
		if (up && sign == SIGN_STRANGER) {
			a->fate = FATE_UNREACHED;
			return;
		}
		if (sign == (up ? SIGN_UP : SIGN_DOWN)) {
			succeed(a, up ? "up" : "down", begin);
			return;
		}
	} while (wait_a_bit(&pause, deadline));
	give_up(a, up ? "not up" : "not down", begin);
}

/* Whether the daemon that has answered was started after that. */
static bool
is_new(const struct reply *r, int64_t since)
{
	const char *uptime = reply_pair(r, "uptime");
	long seconds;

	return uptime != NULL &&
	       text_number(uptime, 0, INT32_MAX, &seconds) == 0 &&
	       seconds < (clock_ms() - since) / 1000;
}

void
await_return(struct invocation *inv, struct answer *a, int64_t since)
{
	int64_t deadline = clock_ms() + inv->await * 1000LL;
	int pause = PAUSE_FIRST;
	enum sign sign;

	while (wait_a_bit(&pause, deadline)) {
		sign = ping(inv, deadline, a);
		if (sign == SIGN_STRANGER) {
			a->fate = FATE_UNREACHED;
			return;
		}
		if (sign == SIGN_UP && is_new(&a->reply, since)) {
			succeed(a, "back", since);
			return;
		}
	}
	give_up(a, "has not returned", since);
}
