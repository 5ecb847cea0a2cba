/*
 * Shows the events of all hosts of an invocation, in order of arrival.
 */
#ifndef BRIDLE_WATCH_HOSTS_H
#define BRIDLE_WATCH_HOSTS_H

#include "cli/exit_status.h"
#include "cli/invocation.h"
#include "fanout/worker_set.h"

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

/*
 * Show the records of one host, and return 0. If the records cannot be shown,
 * print a message and return -1. After -1, the watch ends.
 */
typedef int watch_hosts_show(void *context, const struct result *);

struct watch_hosts {
	const struct invocation *inv;
	const struct request *request; /* the request with the verb `watch` */
	watch_hosts_show *show;
	void *context;
	/* Private: */
	struct worker_set workers;
	struct outcomes outcomes; /* of the hosts that send no more events */
	/* bits of the hints that were printed, see render_status() */
	unsigned hinted;
	bool unshown; /* true if records could not be shown */
};

/*
 * Subscribe to the events of all hosts. Return 0, or -1 after printing a
 * message. Call watch_hosts_close() in both cases.
 */
int watch_hosts_open(struct watch_hosts *);

/*
 * Wait for events or ^C, and show the events. If `also` is not NULL, also wait
 * for this descriptor, as poll(2) does. Return false when the watch is over.
 */
bool watch_hosts_wait(struct watch_hosts *, struct pollfd *also);

/*
 * End the watch and free the workers. Call this function also after
 * watch_hosts_open() has failed. Return the outcome of all hosts.
 */
enum outcome watch_hosts_close(struct watch_hosts *);

#endif
