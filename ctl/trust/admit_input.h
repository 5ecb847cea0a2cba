/*
 * The form in which `enrol` sends an admission to the host, and the form of the
 * reply. Both are lines of text, "WORD VALUE".
 */
#ifndef BRIDLE_ADMIT_INPUT_H
#define BRIDLE_ADMIT_INPUT_H

#include "buf.h"
#include "trust/admit.h"

#include <stddef.h>

#define ADMIT_INPUT_MAX 8192 /* maximum size of an admission in bytes */

/* The first words of the lines of a reply. */
#define ADMIT_HELLO "bridle-admit 1"   /* the host has read the admission */
#define ADMIT_SUDO "bridle-admit sudo" /* the host calls sudo(8) */
#define ADMIT_NO_PROGRAM "no-bridled"
#define ADMIT_STATE "state "
#define ADMIT_FINGERPRINT "fingerprint "
#define ADMIT_LISTENER "tls "
#define ADMIT_PLAN "plan "
#define ADMIT_END "end"

/* Append the lines of an admission. */
void admit_input_format(const struct admit *, struct buf *out);

/*
 * Read the lines of an admission into the struct. The struct then has pointers
 * into the text. The text is overwritten. If the last line is missing, fail,
 * because other lines can be missing too. Returns 0, or -1 with a sentence
 * appended to error.
 */
int admit_input_parse(struct admit *, char *text, struct buf *error);

#endif
