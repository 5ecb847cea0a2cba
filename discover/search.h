/*
 * Searches the network for services of the type _bridle._tcp, through
 * avahi-daemon. All texts that other machines announce are untrusted.
 */
#ifndef BRIDLE_SEARCH_H
#define BRIDLE_SEARCH_H

#include "buf.h"

#define SEARCH_SERVICES_MAX 1000

/*
 * Search for `seconds` seconds. If `seconds` is 0, search until avahi-daemon
 * reports that no more services are likely to follow. Append a line for each
 * service that could be resolved:
 *
 *     NAME TAB HOST TAB ADDRESS TAB PORT TAB INTERFACE TAB FINGERPRINT
 *
 * printable_add() has escaped each field. The fingerprint is valid or empty. A
 * link-local address has its %interface. Services that withdraw during the
 * search are left out. Return 0, or 1 if there were more than
 * SEARCH_SERVICES_MAX services, which makes the lines incomplete. After an
 * error, return -1 with a sentence in `problem`.
 */
int search_run(unsigned seconds, struct buf *lines, struct buf *problem);

#endif
