/*
 * Where the words of each kind of value come from.
 */
#ifndef BRIDLE_SOURCES_H
#define BRIDLE_SOURCES_H

#include "candidates.h"
#include "typed.h"
#include "value.h"

/* Offers what such a value may be, after what is written already. */
void sources_add(
	struct candidates *, const struct value *, const struct typed *);

#endif
