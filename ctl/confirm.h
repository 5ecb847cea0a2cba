/*
 * Questions on the terminal.
 */
#ifndef BRIDLE_CONFIRM_H
#define BRIDLE_CONFIRM_H

#include <stdbool.h>
#include <stddef.h>

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

/*
 * Asks on stderr and reads a line. True only for that very number: what
 * concerns many is not to be agreed to by habit.
 */
bool confirm_number(const char *question, size_t number);

/*
 * Asks on stderr ("QUESTION ") until the answer begins with one of these
 * (lower-case) letters, and returns it; 0 at the end of input and at ^C.
 */
char confirm_choose(const char *question, const char *letters);

#endif
