/*
 * MAC addresses, and the packet of Wake-on-LAN that switches a machine on. No
 * I/O.
 */
#ifndef BRIDLE_MAGIC_PACKET_H
#define BRIDLE_MAGIC_PACKET_H

#include <stdbool.h>

#define MAC_SIZE 6       /* bytes of a MAC address */
#define MAC_TEXT_SIZE 18 /* bytes of a MAC address as text, with the NUL */
#define MAGIC_PACKET_SIZE (17 * MAC_SIZE)
/* usual UDP port, the port of the service "discard" */
#define MAGIC_PACKET_PORT 9

/*
 * Parse "52:54:00:12:34:56", or the same with dashes. Return false for another
 * text, and for an address that no single machine can have: a group address or
 * only zeros.
 */
bool mac_parse(const char *text, unsigned char mac[MAC_SIZE]);

/* Write the address in lower case, with colons. */
void mac_format(const unsigned char mac[MAC_SIZE], char text[MAC_TEXT_SIZE]);

/* Fill in the packet for this machine: 6 bytes of FF, and 16 times the MAC. */
void magic_packet_fill(unsigned char packet[MAGIC_PACKET_SIZE],
	const unsigned char mac[MAC_SIZE]);

#endif
