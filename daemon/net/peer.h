/*
 * The peer of a connection, with the user, address or key that identifies the
 * peer.
 */
#ifndef BRIDLE_PEER_H
#define BRIDLE_PEER_H

#include "buf.h"
#include "net.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * The uid that the kernel shows for a user outside the daemon's user namespace.
 */
#define PEER_OVERFLOW_UID 65534

enum peer_kind {
	PEER_NONE,  /* unidentified peer: each request gets status 401 */
	PEER_UNIX,  /* client of a unix socket, with uid and groups */
	PEER_LOCAL, /* TCP client on this machine, with uid */
	/* TCP client of an insecure listener, from another machine */
	PEER_ANONYMOUS,
	PEER_KEY /* TLS client, with the fingerprint of its key */
};

struct peer {
	enum peer_kind kind;
	/* user ID; valid for PEER_UNIX and PEER_LOCAL, or if `local` is true */
	uid_t uid;
	/* true if the user `uid` of this machine connected by TLS */
	bool local;
	bool gone; /* true if the peer left before its user was known */
	/* true if `uid` has no account; all such uids are one source */
	bool no_account;
	bool groups_known;
	gid_t *groups; /* all groups of the user; peer_free() frees them */
	size_t ngroups;
	bool has_addr; /* true if the peer connected by TCP, from `addr` */
	/* address of the peer; a v4-mapped IPv6 address becomes IPv4 */
	struct net_addr addr;
	const char *why; /* reason for PEER_NONE, a constant text */
	char key[64];    /* fingerprint for PEER_KEY, such as "SHA256:…" */
};

/*
 * The source of a connection, for limits and penalties. If the client is on
 * this machine, the source is the uid. All uids without an account are one
 * source, because one account can own 65,536 such uids. Otherwise, the source
 * is the IPv4 address, the IPv6 address, or its /64 network. All loopback
 * addresses count as the same source.
 */
struct peer_source {
	uint8_t bytes[17];
};

/*
 * True if the peer is root at a unix socket. No limit and no penalty refuses
 * such a client.
 */
bool peer_is_root(const struct peer *);

/* True if the peer is on this machine, so that `uid` is its user. */
bool peer_has_uid(const struct peer *);

/* True if the peer's known groups contain the group. */
bool peer_in_group(const struct peer *, gid_t);

/*
 * Treat this user as a member of no group from now on. The caller passes the
 * daemon's own user, because a command of this user must not get the rights of
 * a group in the policy.
 */
void peer_ignore_groups(uid_t);

/* Identify the peer of a unix socket by SO_PEERCRED and SO_PEERGROUPS. */
void peer_unix(int fd, struct peer *);

/*
 * Identify the peer of a TCP socket. `diag` is the result of peer_diag_open().
 * `insecure` is true if the listener admits anonymous clients.
 */
void peer_tcp(int fd, int diag, bool insecure, struct peer *);

/*
 * Set up the peer of a TLS connection as PEER_NONE. After the handshake, call
 * peer_key() once with the client key's fingerprint, or NULL if the client
 * showed no key. The uid of a peer on this machine serves only for limits and
 * penalties.
 */
void peer_tls(int fd, int diag, struct peer *);
void peer_key(struct peer *, const char *fingerprint);

/*
 * If the peer has no address, set the address that accept(2) returned. The
 * kernel forgets the address of a peer that has reset the connection.
 */
void peer_came_from(struct peer *, const struct net_addr *);

/*
 * Open a netlink socket to the kernel's socket table, see sock_diag(7). Return
 * its descriptor, or -1 with errno.
 */
int peer_diag_open(void);

/*
 * Fill in the source for limits. An IPv6 address counts as its /64 network. Two
 * connections have the same source if all bytes are equal.
 */
void peer_source(const struct peer *, struct peer_source *);

/*
 * Fill in the source for penalties. An IPv6 address counts alone, not as its
 * /64 network.
 */
void peer_penalty_source(const struct peer *, struct peer_source *);

/*
 * If the first source is a single IPv6 address, store its /64 network as the
 * second source. Return false for any other source.
 */
bool peer_source_network(const struct peer_source *, struct peer_source *);

/*
 * Return a text for the source: "uid=1000", "uids-without-account", "10.0.0.1",
 * "2001:db8::1", "2001:db8::/64" or "unknown". The text is valid until the next
 * call.
 */
const char *peer_source_text(const struct peer_source *);

/*
 * Return a text for messages and logs, such as "uid=1000" or
 * "127.0.0.1:40001,uid=1000". The text is valid until the next call.
 */
const char *peer_text(const struct peer *);

/*
 * Look up all groups of a user with getgrouplist(3). The name service may block
 * this function, so call it in a child with a deadline. Return the number of
 * groups, 0 if the user does not exist, or -1 if the name service failed or the
 * user has more than PEER_GROUPS_MAX groups.
 */
#define PEER_GROUPS_MAX 1023
int peer_groups(uid_t uid, gid_t groups[PEER_GROUPS_MAX]);

/* Forget the peer's groups, which may have changed. */
void peer_forget_groups(struct peer *);

/* Free the peer's groups, but not the struct. A second call does nothing. */
void peer_free(struct peer *);

#endif
