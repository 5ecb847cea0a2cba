/*
 * Lines in what a client has sent so far.
 */
#ifndef BRIDLE_INPUT_H
#define BRIDLE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct input_line {
	size_t len;   /* without LF or CR LF */
	size_t whole; /* with it */
	bool ended;   /* it has one */
};

/*
 * Finds the first line of what was read. False if there is none yet: it may
 * still become one that is short enough, and the client may send more.
 */
bool input_line(const char *in, size_t inlen, bool eof, struct input_line *);

#endif
