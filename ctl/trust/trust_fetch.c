#include "trust/trust_fetch.h"

#include "clock.h"
#include "remote/conn.h"

#include <string.h>

int
trust_fetch(const struct endpoint *e, char fingerprint[TLS_FINGERPRINT_SIZE],
	struct buf *problem)
{
	unsigned seconds = e->timeout ? e->timeout : CONN_CONNECT_SECONDS;
	struct conn conn;
	char why[TLS_PROBLEM_SIZE];
	struct tls_context *context = tls_client(NULL, why);
	int result;

	if (context == NULL) {
		buf_adds(problem, why);
		return -1;
	}
	conn_init(&conn);
	result = conn_open(
		&conn, e->target, context, clock_ms() + seconds * 1000LL);
	if (result == 0)
		memcpy(fingerprint, conn.peer, TLS_FINGERPRINT_SIZE);
	else
		buf_adds(problem, buf_str(&conn.problem));
	conn_close(&conn, result == 0);
	tls_context_free(context);
	return result == 0 ? 0 : -1;
}
