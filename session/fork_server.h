/*
 * Each session program starts as a fork server, and drops all rights that a
 * session must not have. The fork server then forks sessions at the parent's
 * request, before any client connects. Each session serves one client. The
 * daemon is the parent of each session, and reaps the session.
 *
 * These messages go over the control channel:
 *
 *     parent → fork server   one byte, with the session's end of a new channel
 *     fork server → parent   struct fork_hello: once, when the fork server is
 *                            ready or has failed to start
 *                            struct fork_done: for each byte, in order
 */
#ifndef BRIDLE_FORK_SERVER_H
#define BRIDLE_FORK_SERVER_H

#include <stdint.h>

/*
 * The descriptor number of the fork server's channel to the parent
 * (SOCK_SEQPACKET).
 */
#define FORK_SERVER_CONTROL 15

#define FORK_SERVER_VERSION_SIZE 32
#define FORK_SERVER_PROBLEM_SIZE 512

struct fork_hello {
	char version[FORK_SERVER_VERSION_SIZE]; /* version of the program */
	/*
	 * reason why the fork server cannot start; "" if the fork server is
	 * ready
	 */
	char problem[FORK_SERVER_PROBLEM_SIZE];
};

struct fork_done {
	int32_t pid; /* process id of the session, or -errno */
};

/* Process name of the fork server and of the sessions. */
#define FORK_SERVER_NAME "bridled-session"

/*
 * The titles that ps(1) shows in place of the program's arguments. The fork
 * server starts with its title as argv[0], which also has room for the titles
 * of sessions. For TLS, argv[1] is the path of the host key's file. A title
 * must not begin with the process name. Otherwise, ps(1) would take the title
 * for the full form of a truncated name, and show it as the name.
 */
#define FORK_SERVER_TITLE "bridled: fork server"
#define FORK_SERVER_SPARE "bridled: spare"
#define FORK_SERVER_SESSION "bridled: session"

#endif
