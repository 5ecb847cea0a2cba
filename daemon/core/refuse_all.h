/*
 * The work of a daemon whose configuration is wrong. The daemon refuses each
 * client until the files of the configuration change or SIGHUP arrives. If the
 * daemon exited instead, the service manager would restart it many times, and
 * finally close the sockets.
 */
#ifndef BRIDLE_REFUSE_ALL_H
#define BRIDLE_REFUSE_ALL_H

#include "buf.h"
#include "config/effective.h"
#include "config/load_child.h"
#include "net/listener.h"
#include "net/sd_notify.h"

struct refusal {
	const char *text; /* status text for clients of unix sockets */
	/* remark for the service manager, see sd_notify_state() */
	const char *remark;
	/* path of the configuration file, which need not exist */
	const char *path;
	/* path of the folder conf.d, which need not exist */
	const char *folder;
	/* result of refusal_look() before the files were read */
	struct buf before;
	/*
	 * The settings file, by which other processes find the daemon; see
	 * effective.h.
	 */
	struct effective *effective;
	const char *errors; /* errors of the configuration, as lines */
	/* the child that reads the files again; LOAD_DONE when it has ended */
	struct load_child *load;
};

/*
 * Store the versions of the files in r->before. Call this before the files are
 * read, so that refuse_all() notices changes since then. The caller frees
 * r->before.
 */
void refusal_look(struct refusal *r);

/*
 * Send the status 503 to each client of the listeners. Clients of unix sockets
 * get `text`. TCP clients get the text "not serving", without TLS even at a TLS
 * port. After SIGHUP, or when the files differ from r->before and have stayed
 * the same for two seconds, a child reads the files. Return 0 when the child
 * has ended: the caller must take the result from r->load. Return -1 after
 * SIGTERM or SIGINT, or if poll(2) fails.
 *
 * From now on, SIGHUP is blocked, because the service manager can send SIGHUP
 * at any time. The next call takes a pending SIGHUP.
 */
int refuse_all(const struct listeners *, struct sd_notify *, struct refusal *);

#endif
