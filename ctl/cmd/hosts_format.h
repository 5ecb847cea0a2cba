/*
 * Formats lists of hosts for people, scripts and other tools. Each function
 * appends its text to a buffer.
 */
#ifndef BRIDLE_HOSTS_FORMAT_H
#define BRIDLE_HOSTS_FORMAT_H

#include "buf.h"
#include "hosts/client_conf.h"
#include "hosts/host.h"

/* Append the labels of the hosts, one per line. */
void hosts_format_lines(struct buf *, const struct hosts *);

/* Append the labels of the hosts as one folded list, such as "node[01-12]". */
void hosts_format_folded(struct buf *, const struct hosts *);

/*
 * Append one JSON object per line, with the name, the transport and the address
 * of a host. If the MAC address of the host is known, append the MAC address
 * and its source too. `macs` is the text of mac_file_read().
 */
void hosts_format_json(struct buf *, const struct hosts *, const char *macs);

/*
 * Append a line "HOST MAC SOURCE" for each host. The source is "bridlectl.conf"
 * or "learnt". If the MAC address is unknown, MAC and SOURCE are "-".
 */
void hosts_format_macs(struct buf *, const struct hosts *, const char *macs);

/*
 * Append the names of the groups that contain any of the hosts, one per line.
 * Return 0. If a group cannot be expanded, return -1 with a sentence appended
 * to `error`.
 */
int hosts_format_groups(struct buf *, const struct hosts *,
	const struct client_conf *, struct buf *error);

/*
 * Append the hosts in the format of a tool: "ansible", "nodeset" or "pdsh". A
 * host given as "unix:PATH" is left out, because the tools need names of
 * machines. Return 0. If the tool is unknown or a group cannot be expanded,
 * return -1 with a sentence in `error`.
 */
int hosts_format_for(struct buf *, const char *tool, const struct hosts *,
	const struct client_conf *, struct buf *error);

#endif
