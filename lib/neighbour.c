#include "neighbour.h"

#include "clock.h"
#include "fd.h"

#include <errno.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#define REPLY_SIZE 32768
/* maximum wait in ms; normally, the kernel replies at once */
#define PATIENCE 1000

/* The result of one message from the kernel. */
enum step { STEP_FOUND, STEP_MORE, STEP_END };

/*
 * True if the MAC address in the entry is known. Either the kernel has learnt
 * the address, or an operator has set the address.
 */
static bool
is_usable(const struct ndmsg *n)
{
	return (n->ndm_state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY |
				       NUD_PROBE | NUD_PERMANENT)) != 0;
}

/*
 * True if the attribute holds the address. If the address names an interface,
 * the entry must be for this interface.
 */
static bool
is_address(const struct rtattr *a, const struct ndmsg *n,
	const struct net_addr *addr)
{
	if (addr->sa.sa_family == AF_INET)
		return RTA_PAYLOAD(a) == sizeof(addr->in.sin_addr) &&
		       memcmp(RTA_DATA(a), &addr->in.sin_addr,
			       sizeof(addr->in.sin_addr)) == 0;
	return RTA_PAYLOAD(a) == sizeof(addr->in6.sin6_addr) &&
	       memcmp(RTA_DATA(a), &addr->in6.sin6_addr,
		       sizeof(addr->in6.sin6_addr)) == 0 &&
	       (addr->in6.sin6_scope_id == 0 ||
		       (int)addr->in6.sin6_scope_id == n->ndm_ifindex);
}

/*
 * True if the entry is for the address, and has a usable MAC address. In this
 * case, `mac` is set to the MAC address.
 */
static bool
read_entry(const struct nlmsghdr *h, const struct net_addr *addr,
	unsigned char mac[MAC_SIZE])
{
	const struct ndmsg *n = NLMSG_DATA(h);
	const struct rtattr *a;
	unsigned left = (unsigned)NLMSG_PAYLOAD(h, sizeof(*n));
	bool same = false, has_mac = false;
	static const unsigned char none[MAC_SIZE];

	if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*n)) || !is_usable(n))
		return false;
	a = (const struct rtattr *)((const char *)n + NLMSG_ALIGN(sizeof(*n)));
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == NDA_DST)
			same = is_address(a, n, addr);
		if (a->rta_type == NDA_LLADDR && RTA_PAYLOAD(a) == MAC_SIZE) {
			memcpy(mac, RTA_DATA(a), MAC_SIZE);
			has_mac = true;
		}
	}
	return same && has_mac && memcmp(mac, none, MAC_SIZE) != 0 &&
	       (mac[0] & 1) == 0;
}

static enum step
read_messages(const struct nlmsghdr *h, unsigned left,
	const struct net_addr *addr, unsigned char mac[MAC_SIZE])
{
	for (; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
			return STEP_END;
		if (h->nlmsg_type == RTM_NEWNEIGH && read_entry(h, addr, mac))
			return STEP_FOUND;
	}
	return STEP_MORE;
}

/* Request all entries of one address family. Return 0, or -1 with errno. */
static int
request_all(int fd, int family)
{
	struct {
		struct nlmsghdr head;
		struct ndmsg body;
	} request = { .head = { .nlmsg_len = sizeof(request),
			      .nlmsg_type = RTM_GETNEIGH,
			      .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			      .nlmsg_seq = 1 },
		.body = { .ndm_family = (unsigned char)family } };

	return send(fd, &request, sizeof(request), 0) ==
			       (ssize_t)sizeof(request)
		       ? 0
		       : -1;
}

static int
read_reply(int fd, const struct net_addr *addr, unsigned char mac[MAC_SIZE])
{
	union {
		struct nlmsghdr head;
		char bytes[REPLY_SIZE];
	} reply;
	enum step step = STEP_MORE;
	int64_t deadline = clock_ms() + PATIENCE;
	ssize_t n;

	while (step == STEP_MORE) {
		if (fd_wait(fd, POLLIN, deadline) != 0 ||
			(n = recv(fd, &reply, sizeof(reply), 0)) < 0)
			return -1;
		step = read_messages(&reply.head, (unsigned)n, addr, mac);
	}
	errno = ENOENT;
	return step == STEP_FOUND ? 0 : -1;
}

int
neighbour_mac(const struct net_addr *addr, unsigned char mac[MAC_SIZE])
{
	struct net_addr plain = *addr;
	int fd, result = -1;

	net_unmap(&plain);
	fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (fd != -1 && request_all(fd, plain.sa.sa_family) == 0)
		result = read_reply(fd, &plain, mac);
	fd_close(&fd);
	return result;
}
