/*
 * The descriptors that the loop polls, and the owner of each descriptor.
 */
#ifndef BRIDLE_POLL_SET_H
#define BRIDLE_POLL_SET_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum poll_kind {
	POLL_LISTENER,
	POLL_SESSION,
	POLL_FORK_SERVER,
	POLL_LOOKUP,
	POLL_ACCOUNTS,
	POLL_LOAD,
	POLL_REJECTED,
	POLL_HANGUP,
	POLL_WAITING
};

/*
 * The set of descriptors. Zero the struct before the first use. Set `n` to 0 to
 * empty the set.
 */
struct poll_set {
	size_t n, room;
	struct pollfd *fds;
	struct poll_owner {
		enum poll_kind kind;
		void *object;
	} * owners;
	bool incomplete; /* memory has run out, so a descriptor is missing */
};

/*
 * Add a descriptor and its owner. If memory has run out, mark the set as
 * incomplete.
 */
void poll_set_add(
	struct poll_set *, int fd, short events, enum poll_kind, void *object);

/*
 * Wait until a descriptor is ready, a signal outside `mask` arrives, or the
 * deadline has passed. If the set is incomplete, wait for at most 10 ms, so
 * that the caller can fill the set again.
 */
void poll_set_wait(
	struct poll_set *, int64_t now, int64_t deadline, const sigset_t *mask);

void poll_set_free(struct poll_set *);

#endif
