/*
 * The main function of bridled-session and bridled-session-tls. Each program is
 * a fork server that forks sessions. bridled starts both programs; see
 * fork_server.h.
 */
#include "config.h"

#include "context.h"
#include "fd.h"
#include "filter.h"
#include "fork_server.h"
#include "privdrop.h"
#include "privsep.h"
#include "session.h"

#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>

/*
 * Limits of the address space in bytes, several times the needs of a session.
 */
#define MEMORY_PLAIN ((size_t)16 << 20)
#define MEMORY_TLS ((size_t)32 << 20)

static char *title;
static size_t title_room;

/*
 * Overwrite the program's arguments, so that ps(1) shows this text (proc(5)).
 * Do nothing if the text is too long.
 */
static void
set_title(const char *text)
{
	size_t len = strlen(text);

	if (len > title_room)
		return;
	memcpy(title, text, len);
	memset(title + len, '\0', title_room - len);
}

static bool
send_parent(const void *message, size_t len)
{
	return write(FORK_SERVER_CONTROL, message, len) == (ssize_t)len;
}

static bool
send_hello(const char *problem)
{
	struct fork_hello hello = { .version = PACKAGE_VERSION };

	snprintf(hello.problem, sizeof(hello.problem), "%s", problem);
	return send_parent(&hello, sizeof(hello));
}

/*
 * Fork a session as a child of the parent, so that the parent can reap the
 * session. Call clone(2) with CLONE_PARENT, because fork(3) cannot set this
 * flag. fork(3) does other work only for threads, and this process has no
 * threads. Return the pid, 0 in the session, or -1 with errno.
 */
static pid_t
fork_for_parent(void)
{
	return (pid_t)syscall(
		SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
}

static void __attribute__((noreturn)) become_session(struct tls_context *tls)
{
	int client;

	close(FORK_SERVER_CONTROL);
	privdrop_session();
	set_title(FORK_SERVER_SPARE);
	if (privsep_take_client(FILTER_CHANNEL, 0, &client) != 1)
		_exit(0);
	set_title(FORK_SERVER_SESSION);
	session_run(client, FILTER_CHANNEL, tls);
}

/*
 * Fork a session for each byte from the parent, until the parent closes the
 * control channel.
 */
static void
serve(struct tls_context *tls)
{
	struct fork_done done;
	char byte;
	int channel;

	while (fd_recv(FORK_SERVER_CONTROL, &byte, 1, 0, &channel) > 0) {
		/*
		 * The received channel gets the lowest free number, which is
		 * FILTER_CHANNEL. No dup2(2) is needed.
		 */
		if (channel != FILTER_CHANNEL)
			return;
		if ((done.pid = fork_for_parent()) == 0)
			become_session(tls);
		if (done.pid == -1)
			done.pid = -errno;
		fd_close(&channel);
		if (!send_parent(&done, sizeof(done)))
			return;
	}
}

/* True if bridled has started this program. False if a user has started it. */
static bool
has_control(void)
{
	int type;
	socklen_t len = sizeof(type);

	return getsockopt(FORK_SERVER_CONTROL, SOL_SOCKET, SO_TYPE, &type,
		       &len) == 0 &&
	       type == SOCK_SEQPACKET;
}

int
main(int argc, char **argv)
{
	char problem[TLS_PROBLEM_SIZE], text[FORK_SERVER_PROBLEM_SIZE];
	struct tls_context *tls;
	const char *what;

	if (!has_control()) {
		fprintf(stderr,
			"only bridled starts this program; see bridled(8)\n");
		return EX_USAGE;
	}
	if (privdrop_begin() != 0 || prctl(PR_SET_NAME, FORK_SERVER_NAME) != 0)
		return EX_OSERR;
	if (context_open(argv[1], &tls, problem) != 0) {
		snprintf(text, sizeof(text), "%s: %s", argv[1], problem);
		send_hello(text);
		return EX_CONFIG;
	}
	title = argv[0];
	title_room = strlen(argv[0]);
	/* hide the path, which ps(1) would show after the title */
	if (argc > 1)
		memset(argv[1], '\0', strlen(argv[1]));
	if (privdrop_server(tls ? MEMORY_TLS : MEMORY_PLAIN, &what) != 0) {
		snprintf(text, sizeof(text), "cannot %s: %s", what,
			strerror(errno));
		send_hello(text);
		return EX_OSERR;
	}
	if (send_hello(""))
		serve(tls);
	_exit(0);
}
