#include "context.h"

#include <stdio.h>

int
context_open(const char *path, struct tls_context **context,
	char problem[TLS_PROBLEM_SIZE])
{
	struct tls_key *key;

	snprintf(problem, TLS_PROBLEM_SIZE, "OpenSSL fails");
	if ((key = tls_key_read(path, problem)) == NULL)
		return -1;
	*context = tls_server(key, problem);
	tls_key_free(key);
	if (*context != NULL && tls_warm_up(*context) == 0)
		return 0;
	tls_context_free(*context);
	return -1;
}
