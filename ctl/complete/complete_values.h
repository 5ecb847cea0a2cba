/*
 * Finds candidates for each kind of value.
 */
#ifndef BRIDLE_COMPLETE_VALUES_H
#define BRIDLE_COMPLETE_VALUES_H

#include "cli/arg_kind.h"
#include "complete/candidates.h"
#include "complete/partial_line.h"

/* Add the candidates for a value or argument of this kind. */
void complete_values_add(struct candidates *, const struct arg_spec *,
	const struct partial_line *);

#endif
