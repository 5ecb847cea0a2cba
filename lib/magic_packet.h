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
 * Parse "52:54:00:12:34:56" or "52-54-00-12-34-56". Return false for any other
 * text, for a group address, and for an address in which all bytes are 0.
 */
bool mac_parse(const char *text, unsigned char mac[MAC_SIZE]);

/* Write the address in lower case, with a colon between two bytes. */
void mac_format(const unsigned char mac[MAC_SIZE], char text[MAC_TEXT_SIZE]);

/*
 * Fill in the packet that wakes the machine with the MAC address `mac`. The
 * packet has 6 bytes of FF, and then 16 times the MAC address.
 */
void magic_packet_fill(unsigned char packet[MAGIC_PACKET_SIZE],
	const unsigned char mac[MAC_SIZE]);

#endif
