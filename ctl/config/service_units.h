/*
 * The systemd units of the daemon: the service, the unix socket, and one socket
 * unit for each TCP address.
 */
#ifndef BRIDLE_SERVICE_UNITS_H
#define BRIDLE_SERVICE_UNITS_H

#include "buf.h"

#include <stdbool.h>
#include <sys/types.h>

/* The properties of the units, as systemctl(1) shows them. */
struct service_units {
	bool running; /* true if the service is running, starting or stopping */
	uid_t uid;    /* user and group of the service; 0: unknown */
	gid_t gid;
	char user[64]; /* name of this user */
	/* paths of the unix sockets that systemd passes; NULL after the last */
	char *sockets[3];
};

/*
 * Fill in the struct. Return true if systemd opens the sockets of the daemon,
 * so that clients can reach the daemon now. Return false if systemd is not
 * running, or if the unit of the socket is stopped or masked. Call
 * service_units_free() in both cases.
 */
bool service_units_look(struct service_units *);

enum service_change {
	SERVICE_SAME,    /* the TCP addresses are unchanged */
	SERVICE_CHANGED, /* addresses were opened or closed */
	SERVICE_FAILED   /* systemctl has failed */
};

/*
 * Tell systemd to read the setting `listen` again. Close the addresses that
 * were removed, and open the new addresses. If an address has changed and the
 * service runs, restart the service. New clients wait during the restart. After
 * a failure, append the messages of systemctl(1) to `problem`.
 */
enum service_change service_units_apply(
	const struct service_units *, struct buf *problem);

/* Restart the service. Return 0, or -1 with messages in `problem`. */
int service_units_restart(struct buf *problem);

void service_units_free(struct service_units *);

#endif
