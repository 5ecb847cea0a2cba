#include "remote/service_state.h"

#include "buf.h"
#include "clock.h"
#include "util/program.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define SYSTEMCTL_MS 1000
#define MANAGER 1 /* process ID of systemd */

/* True if systemd has opened the socket at the other end of the connection. */
static bool
is_of_manager(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       peer.pid == MANAGER;
}

/* True if the text has a line "NAME=VALUE". */
static bool
has(const char *text, const char *line)
{
	size_t len = strlen(line);
	const char *at = text;

	while ((at = strstr(at, line)) != NULL) {
		if ((at == text || at[-1] == '\n') &&
			(at[len] == '\n' || at[len] == '\0'))
			return true;
		at += len;
	}
	return false;
}

bool
service_state_is_failure(const char *properties)
{
	if (has(properties, "ActiveState=failed"))
		return true;
	if (!has(properties, "ActiveState=activating"))
		return false;
	/*
	 * True if systemd waits before another attempt to start the service, or
	 * if the first attempt has failed.
	 */
	return has(properties, "SubState=auto-restart") ||
	       !has(properties, "NRestarts=0");
}

bool
service_state_fails(int fd)
{
	static const char *const argv[] = { "systemctl", "show", "-p",
		"ActiveState,SubState,NRestarts", "bridled.service", NULL };
	struct buf text = { 0 };
	bool fails;

	if (!is_of_manager(fd))
		return false;
	fails = program_run(argv, clock_ms() + SYSTEMCTL_MS, &text, NULL) ==
			0 &&
		service_state_is_failure(buf_str(&text));
	buf_free(&text);
	return fails;
}
