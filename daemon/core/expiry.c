#include "core/expiry.h"

#include "clock.h"
#include "policy/policy.h"
#include "request/state.h"
#include "request/subscribers.h"

#include <stdbool.h>

#define LOOK_MS 60000

static void
log_expired(struct parent *p, const struct settings_client *c)
{
	logger_log(p->logger, LOG_NOTICE,
		"%s:%d: the entry %s of clients has expired (until %s)",
		c->file, c->line, c->name, c->until_text);
}

/*
 * Find the entries that have expired since the last look. Return the
 * milliseconds until the next entry expires, or CLOCK_NEVER. Set *found to true
 * if an entry has expired.
 */
static int64_t
look(struct parent *p, int64_t real, bool *found)
{
	const struct settings *s = p->settings;
	const struct settings_client *c;
	int64_t next = CLOCK_NEVER;

	for (c = s->clients; c < s->clients + s->nclients; c++) {
		if (c->until == SETTINGS_FOREVER)
			continue;
		if (!policy_expired(c, real)) {
			next = clock_earlier(next, c->until * 1000 - real);
		} else if (!policy_expired(c, p->expiry_looked)) {
			log_expired(p, c);
			*found = true;
		}
	}
	return next;
}

int64_t
expiry_expire(struct parent *p, int64_t now)
{
	int64_t real, left;
	bool found = false;

	if (now < p->expiry_next)
		return p->expiry_next;
	real = clock_real_ms();
	left = look(p, real, &found);
	p->expiry_looked = real;
	if (found)
		subscribers_review(p);
	p->expiry_next = left == CLOCK_NEVER
				 ? CLOCK_NEVER
				 : now + clock_earlier(left, LOOK_MS);
	return p->expiry_next;
}

void
expiry_reset(struct parent *p)
{
	p->expiry_next = 0;
}
