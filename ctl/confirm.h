/*
 * Questions on the terminal.
 */
#ifndef BRIDLE_CONFIRM_H
#define BRIDLE_CONFIRM_H

#include <stdbool.h>

/* Whether there is someone to ask: stdin and stderr are terminals. */
bool confirm_terminal(void);

/*
 * Whether there is; if not, says that the command needs -y or -n.
 */
bool confirm_possible(const char *command);

/*
 * Asks on stderr ("QUESTION [y/N] ") and reads a line from stdin. True only
 * for "y" or "yes"; the end of input is a no.
 */
bool confirm_ask(const char *question);

#endif
