/*
 * Functions that get the resources that the settings need, at the start and
 * after a reload.
 */
#ifndef BRIDLE_RESOURCES_H
#define BRIDLE_RESOURCES_H

struct buf;
struct parent;
struct settings;

/*
 * Start the fork servers that the listeners of these settings need. Return 0,
 * or -1 with the cause appended to `errors`.
 */
int resources_start_session_pool(
	struct parent *, const struct settings *, struct buf *errors);

/*
 * Raise the limit of open descriptors to the number that the settings need. Log
 * a warning if this fails.
 */
void resources_raise_descriptors(struct parent *);

#endif
