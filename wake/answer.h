/*
 * The requests of bridled to its helper: one line, and the reply to this line.
 */
#ifndef BRIDLE_ANSWER_H
#define BRIDLE_ANSWER_H

#include "buf.h"

/*
 * Carry out the request in the line, which has no LF, and append the reply.
 *
 * The line "52:54:00:12:34:56" sends one packet into each attached network. The
 * reply is "ok NUMBER", with the number of networks, or "error REASON".
 *
 * The line "own" asks for the machine's own interfaces. The reply has a line
 * "INTERFACE MAC ADDRESS..." for each interface, and then "ok NUMBER".
 */
void answer(const char *line, struct buf *reply);

#endif
