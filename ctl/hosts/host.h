/*
 * The hosts that a command line selects, in the order of the command line.
 */
#ifndef BRIDLE_HOST_H
#define BRIDLE_HOST_H

#include "buf.h"
#include "hosts/target.h"

#include <stdbool.h>
#include <stddef.h>

struct host {
	char *label; /* name in the output; owned */
	struct target target;
	/* The settings that bridlectl.conf has for this host: */
	char *identity; /* path of the user's key; NULL: not set; owned */
	/* fingerprint as for --fingerprint; NULL: not set; owned */
	char *fingerprint;
	unsigned timeout; /* time limit in seconds; 0: not set */
	char *mac; /* MAC address as of mac_format(); NULL: not set; owned */
	char *broadcast; /* address for Wake-on-LAN; NULL: not set; owned */
	/* name of the interface for magic packets; NULL: not set; owned */
	char *wake_interface;
	unsigned wake_port; /* UDP port; 0: not set */
};

struct hosts {
	size_t n;
	size_t room; /* number of hosts that fit into `v` */
	struct host *v;
};

/*
 * Append the host's label without "plain:", port and brackets. A label
 * "unix:PATH" is appended unchanged.
 */
void hosts_name(const struct host *, struct buf *);

/* Free the members of one host. */
void hosts_clear(struct host *);

/* Free all hosts and their array. */
void hosts_free(struct hosts *);

#endif
