#include "identity.h"

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

/* include/net/tcp_states.h; the netinet/tcp.h of libc clashes with linux/ */
enum { STATE_ESTABLISHED = 1, STATE_FIN_WAIT1 = 4, STATE_FIN_WAIT2 = 5 };

/* The first byte of a source; 0: there is nothing to tell it by. */
enum { SOURCE_USER = 1, SOURCE_IPV4, SOURCE_IPV6 };

static uid_t groupless = (uid_t)-1;

void
identity_ignore_groups(uid_t uid)
{
	groupless = uid;
}

static void
set_none(struct identity *who, const char *why)
{
	who->kind = IDENTITY_NONE;
	who->why = why;
}

/* The supplementary groups as the kernel holds them, and the primary one. */
static int
read_groups(int fd, gid_t primary, struct identity *who)
{
	socklen_t len = 0;
	gid_t *groups;

	/* ERANGE: they are more than none, and len says how many. */
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
	who->groups = groups;
	who->ngroups = len / sizeof(gid_t);
	who->groups[who->ngroups++] = primary;
	return 0;
}

void
identity_unix(int fd, struct identity *who)
{
	struct ucred cred;
	socklen_t len = sizeof(cred);

	memset(who, 0, sizeof(*who));
	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0 ||
		(cred.uid != groupless &&
			read_groups(fd, cred.gid, who) != 0)) {
		set_none(who, "the kernel does not say who is there");
		return;
	}
	who->kind = IDENTITY_UNIX;
	who->uid = cred.uid;
	who->groups_known = true;
	/* A user that our namespace does not know is shown as this one. */
	if (cred.uid == (uid_t)-1 || cred.uid == IDENTITY_OVERFLOW_UID)
		set_none(who, "the peer's user is not one of this machine");
}

bool
identity_in_group(const struct identity *who, gid_t gid)
{
	size_t i;

	for (i = 0; i < who->ngroups; i++)
		if (who->groups[i] == gid)
			return true;
	return false;
}

int
identity_diag_open(void)
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

/* The peer's own socket: its source is our peer, its destination is us. */
static void
make_request(struct diag_request *q, const struct net_addr *peer,
	const struct net_addr *us)
{
	struct inet_diag_sockid *id = &q->body.id;

	memset(q, 0, sizeof(*q));
	q->head.nlmsg_len = sizeof(*q);
	q->head.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	q->head.nlmsg_flags = NLM_F_REQUEST;
	q->body.sdiag_family = (__u8)peer->sa.sa_family;
	q->body.sdiag_protocol = IPPROTO_TCP;
	q->body.idiag_states = ~0u;
	put_address(id->idiag_src, &id->idiag_sport, peer);
	put_address(id->idiag_dst, &id->idiag_dport, us);
	if (peer->sa.sa_family == AF_INET6)
		id->idiag_if = peer->in6.sin6_scope_id;
	id->idiag_cookie[0] = INET_DIAG_NOCOOKIE;
	id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;
}

static ssize_t
exchange(int diag, const struct diag_request *q, void *answer, size_t size)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK }, from;
	socklen_t len = sizeof(from);
	ssize_t n;

	/* An answer that was left over would be taken for this one's. */
	while (recv(diag, answer, size, MSG_DONTWAIT) > 0)
		;
	if (sendto(diag, q, sizeof(*q), 0, (struct sockaddr *)&kernel,
		    sizeof(kernel)) != sizeof(*q))
		return -1;
	do
		n = recvfrom(diag, answer, size, MSG_DONTWAIT,
			(struct sockaddr *)&from, &len);
	while (n < 0 && errno == EINTR);
	/* Others may send here too, if they administer the network. */
	return n < 0 || len != sizeof(from) || from.nl_pid != 0 ? -1 : n;
}

/*
 * Whether one end of a socket, as the table has it, is this address. (That of
 * an IPv6 socket in use for IPv4 is v4-mapped, whatever was asked for.)
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
 * The kernel answers a query for a socket that is gone with any listener of
 * that port: only the very tuple counts, in a state in which a process holds
 * it.
 */
static bool
answers(const struct inet_diag_msg *m, const struct net_addr *peer,
	const struct net_addr *us)
{
	const struct inet_diag_sockid *id = &m->id;

	return is_end(peer, m->idiag_family, id->idiag_src, id->idiag_sport) &&
	       is_end(us, m->idiag_family, id->idiag_dst, id->idiag_dport) &&
	       (m->idiag_state == STATE_ESTABLISHED ||
		       m->idiag_state == STATE_FIN_WAIT1 ||
		       m->idiag_state == STATE_FIN_WAIT2) &&
	       m->idiag_inode != 0 && m->idiag_uid != IDENTITY_OVERFLOW_UID &&
	       m->idiag_uid != (uid_t)-1;
}

static int
ask_kernel(int diag, const struct net_addr *peer, const struct net_addr *us,
	uid_t *uid)
{
	struct diag_request q;
	union {
		struct nlmsghdr head;
		char bytes[4096];
	} answer;
	struct inet_diag_msg *m;
	ssize_t n;

	make_request(&q, peer, us);
	n = exchange(diag, &q, &answer, sizeof(answer));
	if (n < (ssize_t)NLMSG_LENGTH(sizeof(*m)) ||
		answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY ||
		answer.head.nlmsg_len > (size_t)n)
		return -1;
	m = NLMSG_DATA(&answer.head);
	if (!answers(m, peer, us))
		return -1;
	*uid = m->idiag_uid;
	return 0;
}

/* Whether an address is one of this machine's own: one can bind to it. */
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
		return true; /* the stricter of the two */
	/* Whatever else goes wrong says nothing: again the stricter. */
	own = bind(fd, &any_port.sa, any_port.len) == 0 ||
	      errno != EADDRNOTAVAIL;
	fd_close(&fd);
	return own;
}

/* Both ends of a TCP connection; -1 if the other has gone. */
static int
take_addresses(int fd, struct identity *who, struct net_addr *us)
{
	*us = (struct net_addr){ .len = sizeof(us->ss) };
	who->addr.len = sizeof(who->addr.ss);
	if (getpeername(fd, &who->addr.sa, &who->addr.len) != 0 ||
		getsockname(fd, &us->sa, &us->len) != 0)
		return -1;
	net_unmap(&who->addr);
	net_unmap(us);
	who->has_addr = true;
	return 0;
}

/*
 * Whose the other end is. If it was reset before the kernel was asked, another
 * user may have connected from the same port meanwhile: so it must be there
 * still, afterwards.
 */
static int
ask_owner(int fd, int diag, struct identity *who, const struct net_addr *us)
{
	struct net_addr again = { .len = sizeof(again.ss) };

	if (ask_kernel(diag, &who->addr, us, &who->uid) != 0)
		return -1;
	return getpeername(fd, &again.sa, &again.len);
}

void
identity_tls(int fd, int diag, struct identity *who)
{
	struct net_addr us;

	memset(who, 0, sizeof(*who));
	set_none(who, "the handshake is not done");
	if (take_addresses(fd, who, &us) == 0)
		who->local = ask_owner(fd, diag, who, &us) == 0;
}

void
identity_key(struct identity *who, const char *fingerprint)
{
	if (fingerprint == NULL) {
		set_none(who, "no key was shown");
		return;
	}
	who->kind = IDENTITY_KEY;
	snprintf(who->key, sizeof(who->key), "%s", fingerprint);
}

void
identity_tcp(int fd, int diag, bool insecure, struct identity *who)
{
	struct net_addr us;

	memset(who, 0, sizeof(*who));
	if (take_addresses(fd, who, &us) != 0) {
		set_none(who, "the peer is gone");
		return;
	}
	if (ask_owner(fd, diag, who, &us) == 0) {
		who->kind = IDENTITY_LOCAL;
		who->groups_known = who->uid == groupless;
	} else if (is_own_address(&who->addr)) {
		set_none(who,
			"the kernel does not say whose connection this is");
	} else if (insecure) {
		who->kind = IDENTITY_ANONYMOUS;
	} else {
		set_none(who, "not a connection from this machine");
	}
}

void
identity_source(const struct identity *who, struct identity_source *s)
{
	static const uint8_t loopback[4] = { 127, 0, 0, 1 };

	memset(s, 0, sizeof(*s));
	if (who->kind == IDENTITY_UNIX || who->kind == IDENTITY_LOCAL ||
		who->local) {
		s->bytes[0] = SOURCE_USER;
		memcpy(s->bytes + 1, &who->uid, sizeof(who->uid));
	} else if (who->has_addr) {
		s->bytes[0] = SOURCE_IPV4;
		net_bytes(&who->addr, s->bytes + 1);
		if (who->addr.sa.sa_family != AF_INET6) {
			/* Whoever is here may take any of them. */
			if (net_is_loopback(&who->addr))
				memcpy(s->bytes + 13, loopback, 4);
			return;
		}
		s->bytes[0] = SOURCE_IPV6;
		memset(s->bytes + 9, 0, 8);
	}
}

void
identity_source_print(const struct identity_source *s, struct buf *out)
{
	char host[INET6_ADDRSTRLEN];
	uid_t uid;

	switch (s->bytes[0]) {
	case SOURCE_USER:
		memcpy(&uid, s->bytes + 1, sizeof(uid));
		buf_addf(out, "uid=%u", uid);
		break;
	case SOURCE_IPV4:
		inet_ntop(AF_INET, s->bytes + 13, host, sizeof(host));
		buf_adds(out, host);
		break;
	case SOURCE_IPV6:
		inet_ntop(AF_INET6, s->bytes + 1, host, sizeof(host));
		buf_addf(out, "%s/64", host);
		break;
	default:
		buf_adds(out, "unknown");
	}
}

void
identity_print(const struct identity *who, struct buf *out)
{
	if (who->has_addr)
		net_format(&who->addr, out);
	if (who->kind == IDENTITY_UNIX || who->kind == IDENTITY_LOCAL)
		buf_addf(out, who->has_addr ? ",uid=%u" : "uid=%u", who->uid);
	else if (who->kind == IDENTITY_KEY)
		buf_addf(out, ",key=%s", who->key);
	else if (!who->has_addr)
		buf_adds(out, "unknown");
}

int
identity_groups(uid_t uid, gid_t groups[IDENTITY_GROUPS_MAX])
{
	struct passwd *pw;
	int n = IDENTITY_GROUPS_MAX;

	errno = 0;
	if ((pw = getpwuid(uid)) == NULL)
		return errno == 0 || errno == ENOENT ? 0 : -1;
	return getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0 ? -1 : n;
}

void
identity_forget_groups(struct identity *who)
{
	identity_free(who);
	who->groups_known = who->uid == groupless;
}

void
identity_free(struct identity *who)
{
	free(who->groups);
	who->groups = NULL;
	who->ngroups = 0;
}
