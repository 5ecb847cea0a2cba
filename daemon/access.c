#include "access.h"

#include "identity.h"
#include "policy.h"

#include <sys/stat.h>

/* As the kernel asks of who connects: he must be able to write. */
static bool
may_connect(const struct settings_listen *l, const struct access_owner *owner,
	const struct identity *who)
{
	gid_t gid = l->group != NULL ? l->gid : owner->gid;

	if (who->uid == 0)
		return true;
	if (who->uid == owner->uid)
		return l->mode & S_IWUSR;
	return l->mode & (identity_in_group(who, gid) ? S_IWGRP : S_IWOTH);
}

/* Where a connection to this listener comes from, made on this machine. */
static void
set_address(struct identity *who, const struct net_addr *at)
{
	struct in6_addr *in6 = &who->addr.in6.sin6_addr;

	who->addr = *at;
	if (at->sa.sa_family == AF_INET &&
		at->in.sin_addr.s_addr == htonl(INADDR_ANY))
		who->addr.in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else if (at->sa.sa_family == AF_INET6 && IN6_IS_ADDR_UNSPECIFIED(in6))
		*in6 = in6addr_loopback;
	net_unmap(&who->addr);
}

/* Whether he can come by this listener; makes him one who does. */
static bool
reaches(const struct settings_listen *l, const struct access_owner *owner,
	struct identity *who)
{
	if (l->tls)
		return false;
	who->has_addr = l->unix_path == NULL;
	who->kind = who->has_addr ? IDENTITY_LOCAL : IDENTITY_UNIX;
	if (!who->has_addr)
		return may_connect(l, owner, who);
	set_address(who, &l->addr);
	return true;
}

static void
tell(const struct settings_listen *l, const struct settings_client *c,
	struct buf *how)
{
	buf_addf(how, "by %s, at ", c->name);
	if (l->unix_path != NULL)
		buf_addf(how, "unix:%s", l->unix_path);
	else
		net_format(&l->addr, how);
}

static bool
try_listeners(const struct settings *s, const struct access_owner *owner,
	struct identity *who, struct buf *how)
{
	const struct settings_client *c, *match = NULL;
	bool reached = false;
	size_t i;

	for (i = 0; i < s->nlisten; i++) {
		if (!reaches(&s->listen[i], owner, who))
			continue;
		reached = true;
		if ((c = policy_client(s, who)) == NULL)
			continue;
		match = c;
		if (c->verbs != 0) {
			tell(&s->listen[i], c, how);
			return true;
		}
	}
	if (match != NULL)
		buf_addf(how, "the entry %s of clients allows nothing",
			match->name);
	else
		buf_adds(how,
			reached ? "no entry of clients matches"
				: "no listener on this machine can be reached "
				  "(look at mode and group)");
	return false;
}

bool
access_given(const struct settings *s, const struct access_owner *owner,
	uid_t uid, struct buf *how)
{
	gid_t groups[IDENTITY_GROUPS_MAX];
	struct identity who = { .uid = uid, .groups = groups };
	int n = identity_groups(uid, groups);

	if (uid == IDENTITY_OVERFLOW_UID) {
		buf_adds(how, "that user may stand for anybody");
		return false;
	}
	who.groups_known = n >= 0;
	who.ngroups = n > 0 ? (size_t)n : 0;
	if (!who.groups_known) {
		buf_adds(how, "the groups cannot be asked for");
		return false;
	}
	return try_listeners(s, owner, &who, how);
}
