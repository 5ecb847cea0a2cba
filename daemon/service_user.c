#include "service_user.h"

#include "sys/sandbox.h"

#include <err.h>
#include <errno.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

int
service_user_find(const struct settings *s, struct account *user)
{
	int error;

	*user = (struct account){ geteuid(), getegid() };
	if (user->uid != 0 || (error = account_by_name(s->user, user)) == 0)
		return 0;
	if (error == ESRCH) {
		warnx("there is no user '%s': create it (useradd --system "
		      "--user-group --shell /usr/sbin/nologin %s) or set user "
		      "in %s",
			s->user, s->user, s->path);
		return EX_NOUSER;
	}
	warnx("the user '%s' cannot be looked up now: %s (try again when the "
	      "name service answers)",
		s->user, strerror(error));
	return EX_TEMPFAIL;
}

int
service_user_become(const struct settings *s, const struct account *user)
{
	return user->uid == geteuid()
		       ? 0
		       : sandbox_become(user->uid, user->gid, s->user);
}
