/*
 * bridled-session and bridled-session-tls: the fork server, and the sessions
 * that it forks. bridled starts them; see fork_server.h.
 */
#include "config.h"

#include "ask.h"
#include "confine.h"
#include "context.h"
#include "fd.h"
#include "filter.h"
#include "fork_server.h"
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

static char *title;
static size_t title_room;

/* For ps(1): in place of the arguments, which all may read (proc(5)). */
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
tell_parent(const void *message, size_t len)
{
	return write(FORK_SERVER_CONTROL, message, len) == (ssize_t)len;
}

static bool
say_hello(const char *problem)
{
	struct fork_hello hello = { .version = PACKAGE_VERSION };

	snprintf(hello.problem, sizeof(hello.problem), "%s", problem);
	return tell_parent(&hello, sizeof(hello));
}

/*
 * The parent's child, not ours: the parent reaps it. fork(3) could not, and
 * what else it does is for threads, of which there are none.
 */
static pid_t
fork_for_parent(void)
{
	return (pid_t)syscall(
		SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);
}

static void __attribute__((noreturn)) be_session(struct tls_context *tls)
{
	int client;

	close(FORK_SERVER_CONTROL);
	confine_session();
	set_title(FORK_SERVER_SPARE);
	if (ask_take_client(FILTER_CHANNEL, &client) != 1)
		_exit(0);
	set_title(FORK_SERVER_SESSION);
	session_run(client, FILTER_CHANNEL, tls);
}

/* Until the parent is gone. */
static void
serve(struct tls_context *tls)
{
	struct fork_done done;
	char byte;
	int ask;

	while (fd_recv(FORK_SERVER_CONTROL, &byte, 1, 0, &ask) > 0) {
		/* The lowest number is free: no call is needed to move it. */
		if (ask != FILTER_CHANNEL)
			return;
		if ((done.pid = fork_for_parent()) == 0)
			be_session(tls);
		if (done.pid == -1)
			done.pid = -errno;
		fd_close(&ask);
		if (!tell_parent(&done, sizeof(done)))
			return;
	}
}

/* Else somebody has started this by hand. */
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
		fprintf(stderr, "bridled starts this: see bridled(8)\n");
		return EX_USAGE;
	}
	if (confine_begin() != 0 || prctl(PR_SET_NAME, FORK_SERVER_NAME) != 0)
		return EX_OSERR;
	if (context_open(argv[1], &tls, problem) != 0) {
		snprintf(text, sizeof(text), "%s: %s", argv[1], problem);
		say_hello(text);
		return EX_CONFIG;
	}
	title = argv[0];
	title_room = strlen(argv[0]);
	if (argc > 1) /* it stands behind the other, for no longer */
		memset(argv[1], '\0', strlen(argv[1]));
	if (confine_server(&what) != 0) {
		snprintf(text, sizeof(text), "cannot %s: %s", what,
			strerror(errno));
		say_hello(text);
		return EX_OSERR;
	}
	if (say_hello(""))
		serve(tls);
	_exit(0);
}
