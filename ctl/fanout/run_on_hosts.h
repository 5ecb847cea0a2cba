/*
 * Runs a command on one or many hosts.
 */
#ifndef BRIDLE_RUN_ON_HOSTS_H
#define BRIDLE_RUN_ON_HOSTS_H

#include "cli/exit_status.h"
#include "cli/invocation.h"
#include "fanout/fanout.h"

/*
 * Send the request to all hosts, and show the results. If the command changes
 * something, the user must confirm the command. If the command has a dry run,
 * the dry run comes first. With -y, no confirmation is needed. With -n, only a
 * dry run happens. A single host is contacted without a worker, and the output
 * does not begin with the host's name. Return the outcome of all hosts.
 */
enum outcome run_on_hosts(const struct invocation *);

/*
 * Set the kind of a result. `result` is the return value of call_ask() or of a
 * similar function.
 */
void run_on_hosts_judge(const struct invocation *, struct result *, int result);

#endif
