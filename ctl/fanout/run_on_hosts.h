/*
 * Run a command on one or many hosts.
 */
#ifndef BRIDLE_RUN_ON_HOSTS_H
#define BRIDLE_RUN_ON_HOSTS_H

#include "cli/invocation.h"
#include "cli/exit_status.h"
#include "fanout/fanout.h"

/*
 * Send the request to all hosts, and show the results. A command that changes
 * something needs a confirmation, if possible after a dry run. With -y, no
 * confirmation is needed. With -n, only a dry run happens. A single host is
 * contacted without a worker, and the output does not begin with the host's
 * name. Return the outcome of all hosts.
 */
enum outcome run_on_hosts(const struct invocation *);

/*
 * Set the kind of a result. `result` is the value that call_ask() or a similar
 * function has returned.
 */
void run_on_hosts_judge(const struct invocation *, struct result *, int result);

#endif
