#include "core/resources.h"

#include "config/host_key.h"
#include "request/state.h"

#include <sys/resource.h>

/*
 * Number of the parent's descriptors for a session before its first message.
 * After the message, the session needs only its channel.
 */
#define SESSION_DESCRIPTORS 3
/*
 * Number of descriptors that the parent needs besides the descriptors of
 * sessions, spare sessions and actions.
 */
#define DESCRIPTORS_BESIDE (64 + REJECT_MAX + WAITING_MAX)

void
resources_raise_descriptors(struct parent *p)
{
	const struct settings_limits *limits = &p->settings->limits;
	rlim_t wanted =
		SESSION_DESCRIPTORS * limits->sessions + limits->actions +
		2 * SESSION_POOL_KINDS * limits->spare + DESCRIPTORS_BESIDE;
	struct rlimit l;

	if (getrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur >= wanted)
		return;
	l.rlim_cur = wanted < l.rlim_max ? wanted : l.rlim_max;
	if (setrlimit(RLIMIT_NOFILE, &l) != 0 || l.rlim_cur < wanted)
		logger_log(p->logger, LOG_WARNING,
			"limits.sessions needs %llu descriptors, but no more "
			"than %llu may be open: raise LimitNOFILE",
			(unsigned long long)wanted,
			(unsigned long long)l.rlim_cur);
}

int
resources_start_session_pool(
	struct parent *p, const struct settings *s, struct buf *errors)
{
	char key[PATH_MAX];

	if (session_pool_start(&p->pools[SESSION_POOL_PLAIN], NULL, errors) !=
		0)
		return -1;
	if (!settings_has_tls(s) ||
		session_pool_wanted(&p->pools[SESSION_POOL_TLS]))
		return 0;
	if (host_key_prepare(s, key, errors) != 0)
		return -1;
	return session_pool_start(&p->pools[SESSION_POOL_TLS], key, errors);
}
