#include "util/problem.h"

#include <stdarg.h>

int
problem_add(struct buf *problem, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_addv(problem, fmt, ap);
	va_end(ap);
	return -1;
}
