/*
 * The result of a built-in action that is no exit status of a program.
 */
#ifndef BRIDLE_ACTION_REPORT_H
#define BRIDLE_ACTION_REPORT_H

#include "action/action.h"

/*
 * Write the status code and the formatted text to c->report. They replace the
 * status that describes the exit of a program. A text that is too long is cut.
 * Return ACTION_FOUND.
 */
int action_report(const struct action_context *c, int code, const char *fmt,
	...) __attribute__((format(printf, 3, 4)));

#endif
