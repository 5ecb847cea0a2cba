/*
 * The kernel's table of neighbours: the MAC addresses of machines in attached
 * networks with which this machine has exchanged packets lately.
 */
#ifndef BRIDLE_NEIGHBOUR_H
#define BRIDLE_NEIGHBOUR_H

#include "magic_packet.h"
#include "net.h"

/*
 * Ask the kernel's table of neighbours for the MAC address of a machine. Return
 * 0, or -1 with errno. ENOENT means that the table has no MAC address for this
 * machine. For example, a router can be between this machine and the other
 * machine.
 */
int neighbour_mac(const struct net_addr *, unsigned char mac[MAC_SIZE]);

#endif
