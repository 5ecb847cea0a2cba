/*
 * The words that describe a halt in a confirmation prompt.
 */
#ifndef BRIDLE_HALT_TEXT_H
#define BRIDLE_HALT_TEXT_H

#include "buf.h"
#include "request.h"

/* Return "Halt", "Power off" or "Reboot", for the mode of the request. */
const char *halt_text(const struct request *);

/*
 * Append the time of a halt: " now", " in 5 minutes" or " at 22:00 (the host's
 * time)".
 */
void halt_text_when(struct buf *, const struct request *);

#endif
