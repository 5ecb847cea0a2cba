#include "magic_packet.h"

#include <stdio.h>
#include <string.h>

static int
hex_digit(char c)
{
	static const char digits[] = "0123456789abcdef";
	const char *at;

	if (c >= 'A' && c <= 'F')
		c = (char)(c - 'A' + 'a');
	at = c != '\0' ? strchr(digits, c) : NULL;
	return at != NULL ? (int)(at - digits) : -1;
}

bool
mac_parse(const char *text, unsigned char mac[MAC_SIZE])
{
	char separator = strlen(text) == MAC_TEXT_SIZE - 1 ? text[2] : '\0';
	unsigned char any = 0;
	int high, low, i;

	if (separator != ':' && separator != '-')
		return false;
	for (i = 0; i < MAC_SIZE; i++, text += 3) {
		high = hex_digit(text[0]);
		low = hex_digit(text[1]);
		if (high < 0 || low < 0 ||
			text[2] != (i < MAC_SIZE - 1 ? separator : '\0'))
			return false;
		mac[i] = (unsigned char)(high << 4 | low);
		any |= mac[i];
	}
	/* The lowest bit of the first byte marks a group address. */
	return any != 0 && (mac[0] & 1) == 0;
}

void
mac_format(const unsigned char mac[MAC_SIZE], char text[MAC_TEXT_SIZE])
{
	snprintf(text, MAC_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0],
		mac[1], mac[2], mac[3], mac[4], mac[5]);
}

void
magic_packet_fill(unsigned char packet[MAGIC_PACKET_SIZE],
	const unsigned char mac[MAC_SIZE])
{
	int i;

	memset(packet, 0xff, MAC_SIZE);
	for (i = 1; i <= 16; i++)
		memcpy(packet + (size_t)i * MAC_SIZE, mac, MAC_SIZE);
}
