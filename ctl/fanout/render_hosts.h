/*
 * Shows the results of one or many hosts. The options choose the form. Results
 * are shown when they arrive, in the order of the hosts, as one table, or in
 * groups of equal results. For several hosts, a summary follows at the end.
 */
#ifndef BRIDLE_RENDER_HOSTS_H
#define BRIDLE_RENDER_HOSTS_H

#include "cli/invocation.h"
#include "fanout/merge_results.h"
#include "fanout/result.h"
#include "fanout/summary.h"

#include <stdbool.h>
#include <stddef.h>

struct render_hosts {
	const struct invocation *inv;
	struct summary summary;
	struct result *kept; /* results to show later, indexed by host */
	size_t next;         /* index of the next host to show (--ordered) */
	/* bits of the hints that were printed, see render_status() */
	unsigned hinted;
	bool failed; /* true if at least one result could not be shown */
	struct column_check columns;
	/*
	 * outcome of a single host; for several hosts, the outcome is set at
	 * the end
	 */
	enum outcome outcome;
};

/*
 * Prepare to show results. Return 0, or -1 after printing a message. Call
 * render_hosts_end() in both cases.
 */
int render_hosts_begin(struct render_hosts *, const struct invocation *);

/*
 * Show a result now, or keep the result for the end. The first parameter is the
 * struct render_hosts. The function is a fanout_done.
 */
void render_hosts_take(void *, struct result *);

/*
 * Show the results that were kept, and the summary. Free all memory. Return the
 * outcome of all hosts.
 */
enum outcome render_hosts_end(struct render_hosts *);

#endif
