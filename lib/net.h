/*
 * Socket addresses, networks, and listening sockets.
 */
#ifndef BRIDLE_NET_H
#define BRIDLE_NET_H

#include "buf.h"

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>

/*
 * An IPv4 or IPv6 address with a port. To compare two addresses, call
 * net_same().
 */
struct net_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage ss;
	};
	socklen_t len;
};

/*
 * A network, for example "10.1.0.0/16" or "2001:db8::/32", or a single address.
 */
struct net_block {
	uint8_t bytes[16]; /* address; an IPv4 address is mapped to IPv6 */
	unsigned bits;     /* length of the prefix in `bytes`, 0 to 128 */
};

/*
 * Parse "127.0.0.1:7074", "[::1]:7074" or "[fe80::1%eth0]:7074", without
 * looking up host names. Return 0, or -1 if the text is not an address with a
 * port. Return -1 also if the text names an interface that this machine does
 * not have now.
 */
int net_parse(const char *, struct net_addr *);

/* True for a link-local IPv6 address that lacks the interface (scope). */
bool net_needs_scope(const struct net_addr *);

/* Append the address in the form that net_parse() reads. */
void net_format(const struct net_addr *, struct buf *);

/*
 * Turn the mapped address ::ffff:a.b.c.d into a.b.c.d. Leave other addresses
 * unchanged.
 */
void net_unmap(struct net_addr *);

/*
 * True if both arguments have the same IP address and the same port. Call
 * net_unmap() for both addresses before this function.
 */
bool net_same(const struct net_addr *, const struct net_addr *);
bool net_is_loopback(const struct net_addr *);

/*
 * Set `bytes` to the address without the port. An IPv4 address is mapped to
 * IPv6.
 */
void net_bytes(const struct net_addr *, uint8_t bytes[16]);

/*
 * Parse a network. Return 0, or -1 if the text is malformed or if bits after
 * the prefix are not zero.
 */
int net_block_parse(const char *, struct net_block *);

/*
 * True if the network contains the address. An IPv6 network contains no IPv4
 * address.
 */
bool net_block_contains(const struct net_block *, const struct net_addr *);

/* True if the first network contains each address of the second network. */
bool net_block_covers(const struct net_block *, const struct net_block *);

/*
 * Return a listening TCP socket, close-on-exec and non-blocking, or -1 with
 * errno. A socket at [::] accepts IPv4 connections too.
 */
int net_listen(const struct net_addr *);

/*
 * Return a listening unix socket, or -1 with errno. If no process listens at an
 * existing socket file, replace that file. If a process listens, fail with
 * EADDRINUSE. If the file is not a socket, fail with EEXIST.
 */
int net_listen_unix(const char *path, mode_t mode, uid_t owner, gid_t group);

/*
 * Set the owner, the group and the mode of a socket file. An owner or group of
 * -1 means no change. If owner and group are right already, do not call
 * lchown(2). Some services do not have the right to call lchown(2). Return 0,
 * or -1 with errno.
 */
int net_own_unix(const char *path, mode_t mode, uid_t owner, gid_t group);

/* Fill in a unix address. Return 0, or -1 with ENAMETOOLONG. */
int net_unix(const char *path, struct sockaddr_un *);

#endif
