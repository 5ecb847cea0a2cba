#include "util/installed.h"

#include "util/message.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

bool
installed_bridled(void)
{
	static const char *const paths[] = { INSTALLED_CONFIG,
		SBINDIR "/bridled", "/usr/sbin/bridled" };
	size_t i;

	/* A file that this user may not look for is perhaps there. */
	for (i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		if (access(paths[i], F_OK) == 0 ||
			(errno != ENOENT && errno != ENOTDIR))
			return true;
	return false;
}

void
installed_explain(const char *file)
{
	int error = errno;

	if (error == ENOENT && strcmp(file, INSTALLED_CONFIG) == 0 &&
		!installed_bridled())
		message_print("bridled is not installed on this machine: "
			      "install the package bridle, or run this "
			      "command on the host itself");
	else
		message_print("%s: %s%s", file, strerror(error),
			error == EACCES && geteuid() != 0 ? INSTALLED_AS_ROOT
							  : "");
}
