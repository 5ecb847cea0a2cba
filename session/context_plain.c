#include "context.h"

#include <stddef.h>
#include <stdio.h>

int
context_open(const char *key, struct tls_context **context,
	char problem[TLS_PROBLEM_SIZE])
{
	*context = NULL;
	if (key == NULL)
		return 0;
	snprintf(
		problem, TLS_PROBLEM_SIZE, "this program does not support TLS");
	return -1;
}
