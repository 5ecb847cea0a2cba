/*
 * A function that splits the bytes from a client into lines.
 */
#ifndef BRIDLE_INPUT_H
#define BRIDLE_INPUT_H

#include <stdbool.h>
#include <stddef.h>

struct input_line {
	size_t len;   /* length of the line in bytes, without LF or CR LF */
	size_t whole; /* length of the line in bytes, with LF or CR LF */
	bool ended;   /* the line ends in LF */
};

/*
 * Find the first line in the input. `eof` is true if the client sends no more.
 * Return false if the line has no LF yet, is not too long, and can still become
 * longer.
 */
bool input_line(const char *in, size_t inlen, bool eof, struct input_line *);

#endif
