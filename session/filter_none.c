/*
 * In place of filter.c where the program is not alone in its process: what
 * sanitizers and valgrind do there is more than a session may. Never part of
 * a build that is to serve.
 */
#include "filter.h"

int
filter_build(bool limited)
{
	(void)limited;
	return 0;
}

int
filter_install(int inert)
{
	(void)inert;
	return 0;
}

int
filter_forbid_fork(void)
{
	return 0;
}
