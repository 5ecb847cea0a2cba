/*
 * The TLS context that all sessions of a program share. The program makes the
 * context before it forks the first session. The program bridled-session has no
 * TLS (context_plain.c). It is smaller and faster than bridled-session-tls
 * (context_tls.c).
 */
#ifndef BRIDLE_CONTEXT_H
#define BRIDLE_CONTEXT_H

#include "tls.h"

/*
 * Make the context for session_run() from the host key's file `key`. In the
 * program without TLS, the context is NULL. Return 0, or -1 with a text in
 * `problem`.
 */
int context_open(const char *key, struct tls_context **context,
	char problem[TLS_PROBLEM_SIZE]);

#endif
