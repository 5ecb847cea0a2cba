/*
 * Policy: (settings, who, request) → verdict with a reason. Pure: the same
 * function answers a real request, explain, and the tests.
 */
#ifndef BRIDLE_POLICY_H
#define BRIDLE_POLICY_H

#include "commands.h"
#include "identity.h"
#include "request.h"
#include "settings.h"

#define POLICY_RULE_MAX 128
#define POLICY_REASON_MAX 256

struct verdict {
	/*
	 * CODE_OK, CODE_NO_IDENTITY or CODE_NOT_ALLOWED; of a run also what
	 * command_bind() gives.
	 */
	int code;
	const struct settings_client *client; /* NULL: no entry matches */
	char rule[POLICY_RULE_MAX]; /* "teacher.kill.names"; "" if none */
	char reason[POLICY_REASON_MAX];
	struct command_call call; /* of a run that is allowed */
};

/* For an explain, the verdict is about the right to ask for one. */
void policy_decide(const struct settings *, const struct identity *,
	const struct request *, struct verdict *);

/*
 * The first entry that matches, NULL if none does or if that hangs on groups
 * which are not known.
 */
const struct settings_client *policy_client(
	const struct settings *, const struct identity *);

/*
 * Whether the groups of an identity that does not know them yet could decide
 * which entry it is.
 */
bool policy_needs_groups(const struct settings *, const struct identity *);

/*
 * Whether nobody but the client itself is to see the arguments of the request,
 * and what it says of them.
 */
bool policy_secret(const struct settings *, const struct settings_client *,
	const struct request *);

/* Whether its limits of run, if it has any, let it run that. */
bool policy_may_run(const struct settings_client *, const char *command);

/* What kill does with one process that its name matches. */
enum policy_target { TARGET_ALLOWED, TARGET_PROTECTED, TARGET_DENIED };

/* Users below this one are the system's (Debian policy 9.2.2). */
#define POLICY_FIRST_USER 1000

struct policy_process {
	pid_t pid;
	uid_t uid;
	bool kernel; /* a kernel thread */
	bool ours;   /* bridled itself or a child of it */
	const char *name;
	size_t namelen;
};

/* Whether this client may kill this process, its name apart. */
enum policy_target policy_target(const struct settings *,
	const struct settings_client *, const struct policy_process *);

/*
 * Appends the limits of a client's verb ("names=firefox,steam users=eve"),
 * as far as they fit into a record of an answer.
 */
void policy_limits(
	const struct settings_client *, enum verb_number, struct buf *);

#endif
