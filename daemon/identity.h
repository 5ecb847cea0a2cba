/*
 * Who is at the other end of a connection, as the kernel attests it.
 */
#ifndef BRIDLE_IDENTITY_H
#define BRIDLE_IDENTITY_H

#include "buf.h"
#include "net.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* What the kernel shows for a user that our namespace does not know. */
#define IDENTITY_OVERFLOW_UID 65534

enum identity_kind {
	IDENTITY_NONE,      /* 401, whatever the policy says */
	IDENTITY_UNIX,      /* unix socket: uid and groups */
	IDENTITY_LOCAL,     /* TCP from this machine: uid, groups if known */
	IDENTITY_ANONYMOUS, /* TCP from elsewhere, insecure listener */
	IDENTITY_KEY        /* TLS: the client key's fingerprint */
};

struct identity {
	enum identity_kind kind;
	uid_t uid;  /* IDENTITY_UNIX, IDENTITY_LOCAL, and if `local` */
	bool local; /* by TLS from this machine, by this uid */
	bool groups_known;
	gid_t *groups; /* all of them, the primary one too; owned */
	size_t ngroups;
	bool has_addr; /* it came by TCP, from addr (v4-mapped unwrapped) */
	struct net_addr addr;
	const char *why; /* IDENTITY_NONE: the reason, constant text */
	char key[64];    /* IDENTITY_KEY: "SHA256:…" */
};

/*
 * Whose limits and penalties it counts for: the uid for unix sockets and
 * local TCP, TLS or not; the address for IPv4, the /64 for IPv6. Loopback's
 * many addresses are one.
 */
struct identity_source {
	uint8_t bytes[17];
};

/* Whether the groups that are known of him hold this one. */
bool identity_in_group(const struct identity *, gid_t);

/*
 * From now on this user is in no group, for us: that of a service, whose
 * commands must not get the rights of those who may command it.
 */
void identity_ignore_groups(uid_t);

/* The peer of a unix socket, by SO_PEERCRED and SO_PEERGROUPS. */
void identity_unix(int fd, struct identity *);

/*
 * The peer of a TCP socket. `diag` is what identity_diag_open() gave, -1 if
 * it could not; `insecure` whether the listener admits the anonymous.
 */
void identity_tcp(int fd, int diag, bool insecure, struct identity *);

/*
 * The peer of a TLS connection: nobody, until identity_key() says once what
 * its key is, NULL if it has shown none. Its uid, where it has one, tells for
 * whose limits and penalties it counts, and nothing else.
 */
void identity_tls(int fd, int diag, struct identity *);
void identity_key(struct identity *, const char *fingerprint);

/* The kernel's socket table, by sock_diag(7); -1 with errno. */
int identity_diag_open(void);

/* Two connections with equal bytes are of one source. */
void identity_source(const struct identity *, struct identity_source *);

/* Appends "uid=1000", "10.0.0.1", "2001:db8::/64" or "unknown". */
void identity_source_print(const struct identity_source *, struct buf *);

/* Appends "uid=1000" or "127.0.0.1:40001 uid=1000", for people and logs. */
void identity_print(const struct identity *, struct buf *);

/*
 * All groups of a user by getgrouplist(3), which may hang as long as the
 * name service does: for a child that has a deadline. Returns their number,
 * 0 if there is no such user, -1 if that cannot be told or they are too many.
 */
#define IDENTITY_GROUPS_MAX 1023
int identity_groups(uid_t uid, gid_t groups[IDENTITY_GROUPS_MAX]);

/* A user's groups may have changed: they are to be asked for again. */
void identity_forget_groups(struct identity *);

/* Frees what it owns, not the struct; may be done twice. */
void identity_free(struct identity *);

#endif
