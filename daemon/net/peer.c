#include "net/peer.h"

#include "fd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/*
 * TCP states of the kernel's net/tcp_states.h. netinet/tcp.h also has them, but
 * cannot be included together with headers of linux/.
 */
enum { STATE_ESTABLISHED = 1, STATE_FIN_WAIT1 = 4, STATE_FIN_WAIT2 = 5 };

/*
 * Values of the first byte of a source, which tells the kind of source. The
 * value 0 means that the source is unknown.
 */
enum {
	SOURCE_USER = 1,
	SOURCE_NO_ACCOUNT,
	SOURCE_IPV4,
	SOURCE_IPV6,
	SOURCE_IPV6_HOST
};

/* bytes at the beginning of a source: its kind and a /64 network */
#define NETWORK_BYTES 9

static uid_t groupless = (uid_t)-1;

void
peer_ignore_groups(uid_t uid)
{
	groupless = uid;
}

static void
set_none(struct peer *peer, const char *why)
{
	peer->kind = PEER_NONE;
	peer->why = why;
}

/*
 * Read the supplementary groups from the kernel, and add the primary group.
 * Return 0, or -1.
 */
static int
read_groups(int fd, gid_t primary, struct peer *peer)
{
	socklen_t len = 0;
	gid_t *groups;

	/*
	 * The kernel returns ERANGE and sets `len` to the size of the groups in
	 * bytes.
	 */
	if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &len) != 0 &&
		errno != ERANGE)
		return -1;
	if ((groups = malloc(len + sizeof(gid_t))) == NULL)
		return -1;
	if (len > 0 &&
		getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, groups, &len) != 0) {
		free(groups);
		return -1;
	}
	peer->groups = groups;
	peer->ngroups = len / sizeof(gid_t);
	peer->groups[peer->ngroups++] = primary;
	return 0;
}

void
peer_unix(int fd, struct peer *peer)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	memset(peer, 0, sizeof(*peer));
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 ||
		(cred.uid != groupless &&
			read_groups(fd, cred.gid, peer) != 0)) {
		set_none(peer, "cannot read the client's user from the kernel");
		return;
	}
	peer->kind = PEER_UNIX;
	peer->uid = cred.uid;
	peer->groups_known = true;
	/*
	 * Do not identify the overflow uid, because it may stand for any user
	 * of another namespace.
	 */
	if (cred.uid == (uid_t)-1 || cred.uid == PEER_OVERFLOW_UID)
		set_none(peer, "the client's user is unknown on this machine");
}

bool
peer_is_root(const struct peer *peer)
{
	return peer->kind == PEER_UNIX && peer->uid == 0;
}

bool
peer_has_uid(const struct peer *peer)
{
	return peer->kind == PEER_UNIX || peer->kind == PEER_LOCAL ||
	       peer->local;
}

bool
peer_in_group(const struct peer *peer, gid_t gid)
{
	size_t i;

	for (i = 0; i < peer->ngroups; i++)
		if (peer->groups[i] == gid)
			return true;
	return false;
}

int
peer_diag_open(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		NETLINK_SOCK_DIAG);
}

struct diag_request {
	struct nlmsghdr head;
	struct inet_diag_req_v2 body;
};

static void
put_address(__be32 out[4], __be16 *port, const struct net_addr *a)
{
	memset(out, 0, 16);
	if (a->sa.sa_family == AF_INET6) {
		memcpy(out, &a->in6.sin6_addr, 16);
		*port = a->in6.sin6_port;
	} else {
		memcpy(out, &a->in.sin_addr, 4);
		*port = a->in.sin_port;
	}
}

/*
 * Fill in a query for the peer's end of the connection. The peer's socket has
 * the local address `address` and the remote address `us`.
 */
static void
make_request(struct diag_request *q, const struct net_addr *address,
	const struct net_addr *us)
{
	struct inet_diag_sockid *id = &q->body.id;

	memset(q, 0, sizeof(*q));
	q->head.nlmsg_len = sizeof(*q);
	q->head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	q->head.nlmsg_flags = NLM_F_REQUEST;
	q->body.sdiag_family = (__u8)address->sa.sa_family;
	q->body.sdiag_protocol = IPPROTO_TCP;
	q->body.idiag_states = ~0u;
	put_address(id->idiag_src, &id->idiag_sport, address);
	put_address(id->idiag_dst, &id->idiag_dport, us);
	if (address->sa.sa_family == AF_INET6)
		id->idiag_if = address->in6.sin6_scope_id;
	id->idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

static ssize_t
query_diag(int diag, const struct diag_request *q, void *answer, size_t size)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK }, from;
	socklen_t len = sizeof(from);
	ssize_t n;

	/*
	 * Drop old answers, which could be mistaken for the answer to this
	 * query.
	 */
	while (recv(diag, answer, size, MSG_DONTWAIT) > 0)
		;
	if (sendto(diag, q, sizeof(*q), 0, (struct sockaddr *)&kernel,
		    sizeof(kernel)) != sizeof(*q))
		return -1;
	do
		n = recvfrom(diag, answer, size, MSG_DONTWAIT,
			(struct sockaddr *)&from, &len);
	while (n < 0 && errno == EINTR);
	/*
	 * Accept only answers of the kernel, which has nl_pid 0. A network
	 * administrator can also send to this socket.
	 */
	return n < 0 || len != sizeof(from) || from.nl_pid != 0 ? -1 : n;
}

/*
 * True if `a` is the given end of a socket in the kernel's table. If an IPv6
 * socket is used for IPv4, the table has a v4-mapped address.
 */
static bool
is_end(const struct net_addr *a, int family, const __be32 *address, __be16 port)
{
	struct net_addr b = { .len = 0 };

	b.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET6) {
		memcpy(&b.in6.sin6_addr, address, 16);
		b.in6.sin6_port = port;
		b.in6.sin6_scope_id = a->in6.sin6_scope_id;
	} else {
		memcpy(&b.in.sin_addr, address, 4);
		b.in.sin_port = port;
	}
	net_unmap(&b);
	return net_same(a, &b);
}

/*
 * True if the answer is for exactly this connection, in a state in which a
 * process may own the socket. If the socket no longer exists, the kernel's
 * answer is about any listener of the same port.
 */
static bool
answers(const struct inet_diag_msg *m, const struct net_addr *address,
	const struct net_addr *us)
{
	const struct inet_diag_sockid *id = &m->id;

	return is_end(address, m->idiag_family, id->idiag_src,
		       id->idiag_sport) &&
	       is_end(us, m->idiag_family, id->idiag_dst, id->idiag_dport) &&
	       (m->idiag_state == STATE_ESTABLISHED ||
		       m->idiag_state == STATE_FIN_WAIT1 ||
		       m->idiag_state == STATE_FIN_WAIT2);
}

/*
 * Ask the kernel for the uid of the peer. If no process has the peer's socket
 * open, set peer->gone. Return 0, or -1 if the uid is unknown.
 */
static int
ask_kernel(int diag, const struct net_addr *us, struct peer *peer)
{
	const struct net_addr *address = &peer->addr;
	struct diag_request q;
	union {
		struct nlmsghdr head;
		char bytes[4096];
	} answer;
	struct inet_diag_msg *m;
	ssize_t n;

	make_request(&q, address, us);
	n = query_diag(diag, &q, &answer, sizeof(answer));
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(*m)) ||
		answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		answer.head.nlmsg_len > (size_t)n)
		return -1;
	m = NLMSG_DATA(&answer.head);
	if (!answers(m, address, us))
		return -1;
	peer->gone = m->idiag_inode == 0;
	if (peer->gone || m->idiag_uid == PEER_OVERFLOW_UID ||
		m->idiag_uid == (uid_t)-1)
		return -1;
	peer->uid = m->idiag_uid;
	return 0;
}

/*
 * True if the address belongs to this machine. bind(2) accepts only such
 * addresses.
 */
static bool
is_own_address(const struct net_addr *a)
{
	struct net_addr any_port = *a;
	bool own;
	int fd;

	if (net_is_loopback(a))
		return true;
	if (a->sa.sa_family == AF_INET6)
		any_port.in6.sin6_port = 0;
	else
		any_port.in.sin_port = 0;
	fd = socket(a->sa.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		/* The test is not possible, so return the stricter result. */
		return true;
	/*
	 * Only EADDRNOTAVAIL proves a foreign address. For other errors, return
	 * the stricter result.
	 */
	own = bind(fd, &any_port.sa, any_port.len) == 0 ||
	      errno != EADDRNOTAVAIL;
	fd_close(&fd);
	return own;
}

/*
 * Read the addresses of both ends of a TCP connection. Return 0, or -1 if the
 * connection no longer exists.
 */
static int
take_addresses(int fd, struct peer *peer, struct net_addr *us)
{
	*us = (struct net_addr){ .len = sizeof(us->ss) };
	peer->addr.len = sizeof(peer->addr.ss);
	if (getpeername(fd, &peer->addr.sa, &peer->addr.len) != 0 ||
		getsockname(fd, &us->sa, &us->len) != 0)
		return -1;
	net_unmap(&peer->addr);
	net_unmap(us);
	peer->has_addr = true;
	return 0;
}

/*
 * Find the user that owns the other end of the connection. Return 0, or -1 if
 * the user is unknown. If the peer resets the connection, another user may
 * connect from the same port before the kernel answers. Therefore test after
 * the answer that the connection still exists.
 */
static int
find_owner(int fd, int diag, struct peer *peer, const struct net_addr *us)
{
	struct net_addr again = { .len = sizeof(again.ss) };
	int result = ask_kernel(diag, us, peer);

	peer->gone = peer->gone || getpeername(fd, &again.sa, &again.len) != 0;
	return peer->gone ? -1 : result;
}

void
peer_tls(int fd, int diag, struct peer *peer)
{
	struct net_addr us;

	memset(peer, 0, sizeof(*peer));
	set_none(peer, "the TLS handshake is not finished");
	if (take_addresses(fd, peer, &us) == 0)
		peer->local = find_owner(fd, diag, peer, &us) == 0;
}

void
peer_key(struct peer *peer, const char *fingerprint)
{
	if (fingerprint == NULL) {
		set_none(peer, "the client showed no key");
		return;
	}
	peer->kind = PEER_KEY;
	snprintf(peer->key, sizeof(peer->key), "%s", fingerprint);
}

void
peer_tcp(int fd, int diag, bool insecure, struct peer *peer)
{
	struct net_addr us;

	memset(peer, 0, sizeof(*peer));
	peer->gone = take_addresses(fd, peer, &us) != 0;
	if (!peer->gone && find_owner(fd, diag, peer, &us) == 0) {
		peer->kind = PEER_LOCAL;
		peer->groups_known = peer->uid == groupless;
	} else if (peer->gone) {
		set_none(peer, "the client has closed the connection");
	} else if (is_own_address(&peer->addr)) {
		set_none(peer,
			"the kernel does not tell the owner of the connection");
	} else if (insecure) {
		peer->kind = PEER_ANONYMOUS;
	} else {
		set_none(peer, "this port serves only clients on this machine");
	}
}

void
peer_came_from(struct peer *peer, const struct net_addr *address)
{
	if (peer->has_addr || address->len == 0)
		return;
	peer->addr = *address;
	net_unmap(&peer->addr);
	peer->has_addr = true;
}

void
peer_source(const struct peer *peer, struct peer_source *s)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };

	memset(s, 0, sizeof(*s));
	if (peer_has_uid(peer) && peer->no_account) {
		s->bytes[0] = SOURCE_NO_ACCOUNT;
	} else if (peer_has_uid(peer)) {
		s->bytes[0] = SOURCE_USER;
		memcpy(s->bytes + 1, &peer->uid, sizeof(peer->uid));
	} else if (peer->has_addr) {
		s->bytes[0] = SOURCE_IPV4;
		net_bytes(&peer->addr, s->bytes + 1);
		if (peer->addr.sa.sa_family != AF_INET6) {
			/*
			 * Count all loopback addresses as 127.0.0.1, because a
			 * local process may use any of them.
			 */
			if (net_is_loopback(&peer->addr))
				memcpy(s->bytes + 13, loopback, 4);
			return;
		}
		s->bytes[0] = SOURCE_IPV6;
		memset(s->bytes + NETWORK_BYTES, 0, 8);
	}
}

void
peer_penalty_source(const struct peer *peer, struct peer_source *s)
{
	peer_source(peer, s);
	if (s->bytes[0] != SOURCE_IPV6)
		return;
	s->bytes[0] = SOURCE_IPV6_HOST;
	net_bytes(&peer->addr, s->bytes + 1);
}

bool
peer_source_network(const struct peer_source *host, struct peer_source *network)
{
	if (host->bytes[0] != SOURCE_IPV6_HOST)
		return false;
	memset(network, 0, sizeof(*network));
	memcpy(network->bytes, host->bytes, NETWORK_BYTES);
	network->bytes[0] = SOURCE_IPV6;
	return true;
}

const char *
peer_source_text(const struct peer_source *s)
{
	static char text[INET6_ADDRSTRLEN + sizeof("/64")];
	uid_t uid;

	switch (s->bytes[0]) {
	case SOURCE_USER:
		memcpy(&uid, s->bytes + 1, sizeof(uid));
		snprintf(text, sizeof(text), "uid=%u", uid);
		return text;
	case SOURCE_NO_ACCOUNT:
		return "uids-without-account";
	case SOURCE_IPV4:
		return inet_ntop(AF_INET, s->bytes + 13, text, sizeof(text));
	case SOURCE_IPV6:
		inet_ntop(AF_INET6, s->bytes + 1, text, sizeof(text));
		return strcat(text, "/64");
	case SOURCE_IPV6_HOST:
		return inet_ntop(AF_INET6, s->bytes + 1, text, sizeof(text));
	default:
		return "unknown";
	}
}

const char *
peer_text(const struct peer *peer)
{
	static struct buf text;

	buf_reset(&text);
	if (peer->has_addr)
		net_format(&peer->addr, &text);
	if (peer->kind == PEER_UNIX || peer->kind == PEER_LOCAL)
		buf_addf(&text, peer->has_addr ? ",uid=%u" : "uid=%u",
			peer->uid);
	else if (peer->kind == PEER_KEY)
		buf_addf(&text, ",key=%s", peer->key);
	else if (!peer->has_addr)
		buf_adds(&text, "unknown");
	return buf_str(&text);
}

int
peer_groups(uid_t uid, gid_t groups[PEER_GROUPS_MAX])
{
	struct passwd *pw;
	int n = PEER_GROUPS_MAX;

	errno = 0;
	if ((pw = getpwuid(uid)) == NULL)
		return errno == 0 || errno == ENOENT ? 0 : -1;
	return getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0 ? -1 : n;
}

void
peer_forget_groups(struct peer *peer)
{
	peer_free(peer);
	peer->groups_known = peer->uid == groupless;
}

void
peer_free(struct peer *peer)
{
	free(peer->groups);
	peer->groups = NULL;
	peer->ngroups = 0;
}
