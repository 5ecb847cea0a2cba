/*
 * What sessions ask: each in its turn, one at a time, and not before the
 * policy has all it needs to know of who is asking.
 */
#ifndef BRIDLE_QUESTIONS_H
#define BRIDLE_QUESTIONS_H

#include <stdint.h>

struct parent;
struct session;

/* The session has said something, or its end of the channel is closed. */
void questions_hear(struct parent *, struct session *);

/* A lookup has ended: questions that waited for groups go on. */
void questions_resume(struct parent *);

/* Where a run has ended, the next that waits for its command has its turn. */
void questions_advance(struct parent *);

/* Answers those that have waited for groups too long as if there were none. */
void questions_expire(struct parent *, int64_t now);

#endif
