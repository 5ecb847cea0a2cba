/*
 * Limits and default values of bridlectl's options.
 */
#ifndef BRIDLE_LIMITS_H
#define BRIDLE_LIMITS_H

#define FANOUT_DEFAULT 64 /* default number of hosts contacted in parallel */
#define FANOUT_MAX 1000
/* longest timeout that an option accepts, in seconds */
#define TIMEOUT_MAX 86400
/* Default time limit of `wait` and `reboot --wait`, in seconds. */
#define WAIT_HOST_SECONDS 600
/*
 * Default time limit of `wake`, in seconds. A PC needs about a minute to start.
 */
#define WAKE_HOST_SECONDS 120

#endif
