/*
 * Telling the service manager how it goes, by the protocol of sd_notify(3):
 * that we serve, reload and stop, what we do, and that we are alive.
 */
#ifndef BRIDLE_NOTIFY_H
#define BRIDLE_NOTIFY_H

#include <stdint.h>

/* What the status says. */
struct notify_counts {
	uint64_t sessions; /* at this moment */
	uint64_t requests;
	uint64_t refused; /* connections and requests */
};

struct notify {
	int fd;        /* -1: nobody wants to know */
	int64_t alive; /* ms from one sign of life to the next; 0: none due */
	int64_t alive_again;
	int64_t status_again; /* not before this */
	struct notify_counts told, now;
	const char *remark; /* constant text before the counts */
};

/*
 * Takes $NOTIFY_SOCKET and $WATCHDOG_USEC, if they are for this process, out
 * of the environment. Before the daemon changes its user: the socket may be
 * out of reach then.
 */
void notify_open(struct notify *);

/*
 * The state in the protocol's words, as "READY=1"; `remark` stands in the
 * status until the next call. May block for as long as the manager does.
 */
void notify_state(struct notify *, const char *state, const char *remark);

/* What the status is to say from now on. */
void notify_counts(struct notify *, const struct notify_counts *);

/* Says what is due; never blocks. To be called by the loop that has to turn. */
void notify_expire(struct notify *, int64_t now);
int64_t notify_deadline(const struct notify *);

#endif
