/*
 * Switches a host on with Wake-on-LAN packets, and learns MAC addresses of
 * hosts that are on.
 */
#ifndef BRIDLE_WAKE_HOST_H
#define BRIDLE_WAKE_HOST_H

#include "cli/invocation.h"
#include "fanout/result.h"
#include "net.h"

/*
 * Send packets until the host replies to a ping, but at most inv->await
 * seconds. If inv->await is 0, send a few packets without waiting. With
 * --dry-run, only say where the packets would go. The function is a worker_job.
 */
void wake_host(const struct invocation *, struct result *, const void *);

/*
 * Ping the host, and look up its MAC address in the kernel's table of
 * neighbours. The function is a worker_job.
 */
void wake_host_learn(const struct invocation *, struct result *, const void *);

/*
 * Look up the MAC address of the host, which has just replied from the address
 * `reached`. Store the MAC address in the result. Do nothing if bridlectl.conf
 * has a MAC address for the host. Do nothing if a router is between this
 * machine and the host.
 */
void wake_host_note(struct result *, const struct net_addr *reached);

#endif
