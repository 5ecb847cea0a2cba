/*
 * Messages to the service manager, in the protocol of sd_notify(3). The
 * messages tell the state and the status of the daemon. Watchdog messages tell
 * that the daemon's loop still runs.
 */
#ifndef BRIDLE_SD_NOTIFY_H
#define BRIDLE_SD_NOTIFY_H

#include <stdint.h>

/* The numbers that the daemon's status shows. */
struct sd_notify_counts {
	uint64_t sessions; /* number of present sessions */
	uint64_t requests;
	uint64_t refused; /* number of refused connections and requests */
};

struct sd_notify {
	int fd; /* socket to the service manager, or -1 */
	/* milliseconds between watchdog messages; 0 to send none */
	int64_t alive;
	int64_t alive_again; /* clock_ms() of the next watchdog message */
	/* earliest clock_ms() of the next status message */
	int64_t status_again;
	struct sd_notify_counts sent, now;
	const char *remark; /* constant text at the beginning of the status */
};

/*
 * Connect to $NOTIFY_SOCKET, read $WATCHDOG_USEC, and unset both variables.
 * Call this before the daemon changes its user, because the new user may have
 * no access to the socket.
 */
void sd_notify_open(struct sd_notify *);

/*
 * Send a state, such as "READY=1", and the status. Until the next call, each
 * status begins with the text `remark`, which the caller must keep. The
 * function may block while the service manager does not read.
 */
void sd_notify_state(struct sd_notify *, const char *state, const char *remark);

/*
 * Send the watchdog message and the status if they are due. The function never
 * blocks. The daemon's loop calls this function, so that the watchdog notices
 * if the loop hangs. Return the next deadline, or CLOCK_NEVER.
 */
int64_t sd_notify_expire(
	struct sd_notify *, const struct sd_notify_counts *, int64_t now);

#endif
