/*
 * The fork server: what a program of sessions is at first. It has given up
 * all that a session must not have, and forks sessions when the parent asks
 * for them, before a client comes: each waits for the one client that it is
 * for. The parent remains the parent of each, and reaps it.
 *
 *     parent → fork server   a byte, with a session's end of its channel
 *     fork server → parent   struct fork_hello: once, when it is ready or
 *                            knows that it never will be
 *                            struct fork_done: for each byte, in order
 */
#ifndef BRIDLE_FORK_SERVER_H
#define BRIDLE_FORK_SERVER_H

#include <stdint.h>

/* Where it has its channel to the parent (SOCK_SEQPACKET). */
#define FORK_SERVER_CONTROL 15

#define FORK_SERVER_VERSION_SIZE 32
#define FORK_SERVER_PROBLEM_SIZE 512

struct fork_hello {
	char version[FORK_SERVER_VERSION_SIZE]; /* the parent's own */
	char problem[FORK_SERVER_PROBLEM_SIZE]; /* "": it is ready */
};

struct fork_done {
	int32_t pid; /* of the session; or -errno */
};

#define FORK_SERVER_NAME "bridled-session" /* of all of them, in lists */

/*
 * Its argv[0], for ps(1), with room for the titles of sessions. argv[1] is the
 * file of the host key, where clients speak TLS. None begins with their name,
 * which would be taken for the rest of one that is cut off, and shown in its
 * place.
 */
#define FORK_SERVER_TITLE "bridled: fork server"
#define FORK_SERVER_SPARE "bridled: spare"
#define FORK_SERVER_SESSION "bridled: session"

#endif
