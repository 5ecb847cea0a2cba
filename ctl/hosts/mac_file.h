/*
 * The file of learnt MAC addresses, ~/.local/state/bridlectl/macs. Each line
 * has the name of a host and its MAC address. Only bridlectl writes this file.
 */
#ifndef BRIDLE_MAC_FILE_H
#define BRIDLE_MAC_FILE_H

#include "buf.h"
#include "hosts/host.h"
#include "magic_packet.h"

#include <stdbool.h>

/*
 * Return the text of the file, or "" if the file does not exist. On failure,
 * return NULL with a sentence appended to problem. The caller frees the text.
 */
char *mac_file_read(struct buf *problem);

/*
 * Find the line of the host in the text of the file. Return false if the file
 * has no such line. Skip invalid lines. If a line is lost, bridlectl can learn
 * the address again.
 */
bool mac_file_find(
	const char *text, const struct host *, unsigned char mac[MAC_SIZE]);

/* Append the line of a host to the changes for mac_file_update(). */
void mac_file_add_line(struct buf *changes, const struct host *,
	const unsigned char mac[MAC_SIZE]);

/*
 * Write the lines of `changes` into the file, in place of older lines of the
 * same hosts. Do nothing if the file already has these lines. Returns 0, or -1
 * with a sentence appended to problem.
 */
int mac_file_update(struct buf *changes, struct buf *problem);

#endif
