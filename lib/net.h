/*
 * Socket addresses, address blocks, and the making of sockets.
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

/* Either kind of internet address; compare with net_same(). */
struct net_addr {
	union {
		struct sockaddr sa;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
		struct sockaddr_storage ss;
	};
	socklen_t len;
};

/* A network: "10.1.0.0/16", "2001:db8::/32", or one address. */
struct net_block {
	uint8_t bytes[16]; /* IPv4 stands v4-mapped */
	unsigned bits;     /* 0 to 128 */
};

/*
 * "127.0.0.1:7070", "[::1]:7070"; numbers only, no names are looked up.
 * 0, or -1 if it is not an address with a port.
 */
int net_parse(const char *, struct net_addr *);

/* Appends the address in the form that net_parse() reads. */
void net_format(const struct net_addr *, struct buf *);

/* Turns ::ffff:a.b.c.d into a.b.c.d; leaves all others as they are. */
void net_unmap(struct net_addr *);

/* The same address and port; a v4-mapped one is not the same as its IPv4. */
bool net_same(const struct net_addr *, const struct net_addr *);
bool net_is_loopback(const struct net_addr *);

/* The address as 16 bytes, IPv4 v4-mapped, without the port. */
void net_bytes(const struct net_addr *, uint8_t bytes[16]);

/* 0, or -1 if it is not a block or has bits beyond its prefix. */
int net_block_parse(const char *, struct net_block *);

/* A block of IPv6 holds no IPv4 address, however wide it is. */
bool net_block_contains(const struct net_block *, const struct net_addr *);

/*
 * A listening TCP socket, close-on-exec and non-blocking; an IPv6 one takes
 * IPv4 too where its address is the unspecified one. -1 with errno.
 */
int net_listen(const struct net_addr *);

/*
 * A listening unix socket; -1 with errno. A dead socket file is replaced, a
 * live one is EADDRINUSE; anything else at that path is left alone (EEXIST).
 */
int net_listen_unix(const char *path, mode_t mode, uid_t owner, gid_t group);

/*
 * Gives a socket file its owner, group (-1: as they are) and mode. What is so
 * already is left alone, since a service may not be allowed to chown at all.
 * 0, or -1 with errno.
 */
int net_own_unix(const char *path, mode_t mode, uid_t owner, gid_t group);

/* Fills in a unix address; -1 with ENAMETOOLONG. */
int net_unix(const char *path, struct sockaddr_un *);

#endif
