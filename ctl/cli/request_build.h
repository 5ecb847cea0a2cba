/*
 * Builds the request to bridled from a checked command line. No I/O.
 */
#ifndef BRIDLE_REQUEST_BUILD_H
#define BRIDLE_REQUEST_BUILD_H

#include "buf.h"
#include "cli/command.h"
#include "cli/options.h"
#include "request.h"

/* Texts that request_build() makes from arguments. */
struct request_texts {
	char when[24]; /* value of --in in the form of the protocol */
	/* the words of `say`, with a space between two words */
	struct buf said;
};

/*
 * Fill in a request, which request_init() has initialised with the command's
 * verb. The request points into args, the options and the texts. Returns 0, or
 * -1 with a sentence appended to error. In both cases, the caller must free
 * texts->said.
 */
int request_build(struct request *, const struct command *,
	const struct options *, char *const *args, struct request_texts *,
	struct buf *error);

#endif
