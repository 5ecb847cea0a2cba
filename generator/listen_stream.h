/*
 * Functions that write TCP addresses and unit names as systemd.socket(5) and
 * systemd.unit(5) require.
 */
#ifndef BRIDLE_LISTEN_STREAM_H
#define BRIDLE_LISTEN_STREAM_H

#include "buf.h"

#include <stdbool.h>

/*
 * Parse a TCP address, and append it in the form of ListenStream=, such as
 * "[fe80::1]:7075%eth0". All texts of an address give the same result. The text
 * may have the form of ListenStream=, or of the setting `listen`:
 * "[fe80::1%eth0]:7075". A port alone means the address [::]. If the text is
 * not a numeric address with a port from 1 to 65535, return false and append
 * nothing. Interfaces are not looked up.
 */
bool listen_stream_format(const char *text, struct buf *out);

/* Append the text, escaped for the name of a unit as by systemd-escape(1). */
void unit_name_escape(const char *text, struct buf *out);

#endif
