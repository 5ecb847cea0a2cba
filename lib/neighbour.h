/*
 * The kernel's table of neighbours. A neighbour is a machine in an attached
 * network. The table has the MAC addresses of the neighbours with which this
 * machine has exchanged packets lately.
 */
#ifndef BRIDLE_NEIGHBOUR_H
#define BRIDLE_NEIGHBOUR_H

#include "magic_packet.h"
#include "net.h"

/*
 * Look up the MAC address of a machine in the kernel's table of neighbours.
 * Return 0, or -1 with errno. ENOENT means that the table has no MAC address
 * for this machine. For example, a router can be between this machine and the
 * other machine.
 */
int neighbour_mac(const struct net_addr *, unsigned char mac[MAC_SIZE]);

#endif
