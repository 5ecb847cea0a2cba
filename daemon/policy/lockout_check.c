#include "policy/lockout_check.h"

#include "clock.h"
#include "net/listen_check.h"
#include "net/peer.h"
#include "policy/policy.h"

#include <sys/stat.h>

/*
 * True if the mode of the socket file lets the user write to this file.
 * connect(2) needs this permission (unix(7)).
 */
static bool
may_connect(const struct settings_listen *l, const struct lockout_owner *owner,
	const struct peer *peer)
{
	gid_t gid = l->group != NULL ? l->gid : owner->gid;

	if (peer->uid == 0)
		return true;
	if (l->root)
		return false;
	if (peer->uid == owner->uid)
		return l->mode & S_IWUSR;
	return l->mode & (peer_in_group(peer, gid) ? S_IWGRP : S_IWOTH);
}

/*
 * Set the peer's address to the source address of a connection from this
 * machine to `at`.
 */
static void
set_address(struct peer *peer, const struct net_addr *at)
{
	struct in6_addr *in6 = &peer->addr.in6.sin6_addr;

	peer->addr = *at;
	if (at->sa.sa_family == AF_INET &&
		at->in.sin_addr.s_addr == htonl(INADDR_ANY))
		peer->addr.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (at->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(in6))
		*in6 = in6addr_loopback;
	net_unmap(&peer->addr);
}

/*
 * True if the user can connect to the listener without a key. Fill in `peer` as
 * the daemon does for such a connection.
 */
static bool
can_connect(const struct settings_listen *l, const struct lockout_owner *owner,
	struct peer *peer)
{
	if (l->tls)
		return false;
	peer->has_addr = l->unix_path == NULL;
	peer->kind = peer->has_addr ? PEER_LOCAL : PEER_UNIX;
	if (!peer->has_addr)
		return may_connect(l, owner, peer);
	set_address(peer, &l->addr);
	return true;
}

static void
add_access(const struct settings_listen *l, const struct settings_client *c,
	struct buf *how)
{
	buf_addf(how, "by %s, at ", c->name);
	if (l->unix_path != NULL)
		buf_addf(how, "unix:%s", l->unix_path);
	else
		net_format(&l->addr, how);
}

struct attempt {
	const struct settings *settings;
	const struct lockout_owner *owner;
	struct peer *peer;
	/* last entry of `clients` that matched, or NULL */
	const struct settings_client *match;
	bool reached; /* true if the user can connect to a listener */
};

/*
 * True if the daemon would serve the user at this listener. If the result is
 * true, append the entry and the listener to `how`.
 */
static bool
try_listener(
	struct attempt *a, const struct settings_listen *l, struct buf *how)
{
	const struct settings_client *c;

	if (!can_connect(l, a->owner, a->peer))
		return false;
	a->reached = true;
	if ((c = policy_client(a->settings, a->peer)) == NULL)
		return false;
	a->match = c;
	if (c->verbs.bits == 0 || policy_expired(c, clock_real_ms()))
		return false;
	add_access(l, c, how);
	return true;
}

/*
 * Try the socket of a socket unit, which the daemon serves even if `listen`
 * does not have this socket.
 */
static bool
try_passed_socket(struct attempt *a, char *path, bool root, struct buf *how)
{
	struct settings_listen l = {
		.unix_path = path, .group = "", .root = root
	};
	struct stat st;

	if (!listen_check_is_live(l.unix_path) || stat(l.unix_path, &st) != 0)
		return false;
	l.mode = st.st_mode & 0777;
	l.gid = st.st_gid;
	return try_listener(a, &l, how);
}

static bool
try_listeners(struct attempt *a, struct buf *how)
{
	const struct settings *s = a->settings;
	size_t i;

	for (i = 0; i < s->nlisten; i++)
		if (try_listener(a, &s->listen[i], how))
			return true;
	if (try_passed_socket(a, SETTINGS_SOCKET, false, how) ||
		try_passed_socket(a, SETTINGS_ROOT_SOCKET, true, how))
		return true;
	if (a->match != NULL && policy_expired(a->match, clock_real_ms()))
		buf_addf(how, "the entry %s of clients has expired",
			a->match->name);
	else if (a->match != NULL)
		buf_addf(how, "the entry %s of clients allows nothing",
			a->match->name);
	else
		buf_adds(how,
			a->reached
				? "no entry of clients matches"
				: "no listener lets this user connect: check "
				  "mode and group in listen");
	return false;
}

bool
lockout_check(const struct settings *s, const struct lockout_owner *owner,
	uid_t uid, struct buf *how)
{
	gid_t groups[PEER_GROUPS_MAX];
	struct peer peer = { .uid = uid, .groups = groups };
	struct attempt attempt = { s, owner, &peer, NULL, false };
	int n = peer_groups(uid, groups);

	if (uid == PEER_OVERFLOW_UID) {
		buf_adds(how, "the kernel shows this uid for every user that "
			      "it cannot map");
		return false;
	}
	peer.groups_known = n >= 0;
	peer.ngroups = n > 0 ? (size_t)n : 0;
	if (!peer.groups_known) {
		buf_adds(how, "cannot look up the user's groups: try again "
			      "later");
		return false;
	}
	return try_listeners(&attempt, how);
}
