/*
 * What the sessions of a program need to speak TLS, before the first is
 * forked. There are two programs: one that speaks plainly, and is the smaller
 * and faster for it (context_plain.c), and one that speaks TLS
 * (context_tls.c).
 */
#ifndef BRIDLE_CONTEXT_H
#define BRIDLE_CONTEXT_H

#include "tls.h"

/*
 * *context is for session_run(): of the key in that file, or NULL where the
 * program speaks plainly. 0, or -1 with `problem`.
 */
int context_open(const char *key, struct tls_context **context,
	char problem[TLS_PROBLEM_SIZE]);

#endif
