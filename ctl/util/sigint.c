#include "util/sigint.h"

#include "clock.h"

#include <limits.h>
#include <signal.h>
#include <stddef.h>
#include <time.h>

static volatile sig_atomic_t count;
static struct sigaction action_before;
static sigset_t mask_before;

static void
on_interrupt(int sig)
{
	(void)sig;
	count++;
}

void
sigint_catch(void)
{
	struct sigaction action = { .sa_handler = on_interrupt };
	sigset_t mask;

	count = 0;
	sigemptyset(&mask);
	sigaddset(&mask, SIGINT);
	sigprocmask(SIG_BLOCK, &mask, &mask_before);
	sigaction(SIGINT, NULL, &action_before);
	if (action_before.sa_handler != SIG_IGN)
		sigaction(SIGINT, &action, NULL);
}

unsigned
sigint_count(void)
{
	return (unsigned)count;
}

int
sigint_poll(struct pollfd *fds, nfds_t n, int64_t deadline)
{
	int left = deadline == INT64_MAX ? INT_MAX : clock_left(deadline);
	struct timespec wait = { left / 1000, left % 1000 * 1000000L };
	sigset_t mask = mask_before;

	sigdelset(&mask, SIGINT);
	return ppoll(fds, n, deadline == INT64_MAX ? NULL : &wait, &mask);
}

void
sigint_release(void)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN };

	sigaction(SIGINT, count > 0 ? &ignore : &action_before, NULL);
	sigprocmask(SIG_SETMASK, &mask_before, NULL);
}
