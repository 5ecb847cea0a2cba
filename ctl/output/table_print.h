/*
 * Prints tables for people, with the library libsmartcols.
 */
#ifndef BRIDLE_TABLE_PRINT_H
#define BRIDLE_TABLE_PRINT_H

#include "buf.h"
#include "output/view.h"

/*
 * Print the view to the descriptor `fd`. If the view has no rows, print
 * nothing. On a terminal, fit the table to the width of the terminal. Otherwise
 * shorten no text. Return 0, or -1 if no memory is available or the output
 * could not be written.
 */
int table_print(const struct view *, int fd);

/*
 * Append the text that table_print() would write. Return 0, or -1 after
 * printing a message.
 */
int table_format(const struct view *, int fd, struct buf *);

#endif
