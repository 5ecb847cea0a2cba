/*
 * The policy decides if a client is allowed to make a request, and gives a
 * reason. The functions do no I/O. The same functions decide about real
 * requests, about `explain` requests, and in the tests.
 */
#ifndef BRIDLE_POLICY_H
#define BRIDLE_POLICY_H

#include "config/settings.h"
#include "net/peer.h"
#include "policy/command_args.h"
#include "request.h"

#define POLICY_RULE_MAX 128
#define POLICY_REASON_MAX 256

struct verdict {
	/*
	 * The status code: CODE_OK, CODE_NO_IDENTITY or CODE_NOT_ALLOWED. For a
	 * `run` request, the code can also be a result of command_args_bind().
	 * If the code is CODE_NO_IDENTITY and `client` is set, the entry
	 * `client` has expired.
	 */
	int code;
	/* entry of `clients` that matches, or NULL */
	const struct settings_client *client;
	/* name of the rule, such as "teacher.kill.names"; or "" */
	char rule[POLICY_RULE_MAX];
	char reason[POLICY_REASON_MAX];
	/* the command of a `run` request, with its arguments */
	struct command_call call;
};

/*
 * Decide if the peer may make the request, and fill in the verdict. For an
 * explain, decide about the right to use the verb explain, not about the
 * explained request. `now` is the time of clock_real_ms().
 */
void policy_decide(const struct settings *, const struct peer *,
	const struct request *, int64_t now, struct verdict *);

/*
 * True if the entry has expired at the time `now` of clock_real_ms(). An
 * expired entry still decides about its clients, so a later entry cannot give
 * these clients rights.
 */
static inline bool
policy_expired(const struct settings_client *c, int64_t now)
{
	return c->until <= now / 1000;
}

/*
 * Return the first entry of `clients` that matches the peer. Return NULL if no
 * entry matches, or if the result depends on groups that are not known yet. The
 * result can be an entry that has expired.
 */
const struct settings_client *policy_client(
	const struct settings *, const struct peer *);

/*
 * True if the peer's groups are unknown, and the matching entry depends on
 * these groups. The caller must then look up the groups before policy_decide().
 */
bool policy_needs_groups(const struct settings *, const struct peer *);

/*
 * True if only this client is allowed to see the arguments of the request, and
 * each reason that quotes these arguments.
 */
bool policy_secret(const struct settings *, const struct settings_client *,
	const struct request *);

/* True if the entry has no list `run`, or if this list has the command. */
bool policy_may_run(const struct settings_client *, const char *command);

/*
 * The policy's decision about one process that the name in a `kill` request
 * matches.
 */
enum policy_target { TARGET_ALLOWED, TARGET_PROTECTED, TARGET_DENIED };

/* The lowest uid that is not a system user (Debian policy 9.2.2). */
#define POLICY_FIRST_USER 1000

struct policy_process {
	pid_t pid;
	uid_t uid;
	bool kernel; /* true for a kernel thread */
	bool ours;   /* true for bridled itself and its children */
	const char *name;
	size_t namelen;
};

/*
 * Decide if this client is allowed to signal this process. policy_decide() has
 * already checked kill.names.
 */
enum policy_target policy_target(const struct settings *,
	const struct settings_client *, const struct policy_process *);

/*
 * Append the limits of a client's verb, such as "names=firefox,steam
 * users=eve". A list that is too long for a record of a reply ends with "…".
 */
void policy_limits(
	const struct settings_client *, enum verb_number, struct buf *);

#endif
