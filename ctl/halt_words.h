/*
 * A halt in the words of a question.
 */
#ifndef BRIDLE_HALT_WORDS_H
#define BRIDLE_HALT_WORDS_H

#include "buf.h"
#include "request.h"

/* "Halt", "Power off" or "Reboot" */
const char *halt_words(const struct request *);

/* Appends " now", " in 5 minutes" or " at 22:00 (its time)". */
void halt_words_when(struct buf *, const struct request *);

#endif
