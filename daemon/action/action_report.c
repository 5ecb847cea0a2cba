#include "action/action_report.h"

#include <stdarg.h>
#include <stdio.h>

int
action_report(const struct action_context *c, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(c->report->text, sizeof(c->report->text), fmt, args);
	va_end(args);
	c->report->code = code;
	return ACTION_FOUND;
}
