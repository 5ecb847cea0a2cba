#include "remote/conn_tls.h"

#include "fd.h"
#include "util/problem.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define PLAIN_MAX 128 /* maximum length of a status line without TLS */

/*
 * True if the text begins with a status line by which the daemon refuses the
 * connection. In this case, append the text of the status. This text is not
 * authenticated.
 */
static bool
add_refusal(char *first, struct buf *problem)
{
	size_t len = strcspn(first, "\n");
	struct wire_reply r;

	if (first[len] == '\0' || wire_reply(first, len, &r) != 0 ||
		r.nfields < 1 ||
		(r.code != CODE_TOO_MANY && r.code != CODE_FAILED &&
			r.code != CODE_UNAVAILABLE))
		return false;
	buf_addf(problem, "refused without TLS: %.*s", (int)r.fields[0].len,
		r.fields[0].s);
	return true;
}

/*
 * Append the reason why the handshake failed, if the host has replied without
 * TLS. The bytes of the reply stay in the socket. Always return -1.
 */
static int
fail_plain(const struct target *t, int fd, bool *refused, struct buf *problem)
{
	char first[PLAIN_MAX];
	ssize_t n = recv(fd, first, sizeof(first) - 1, MSG_PEEK);

	first[n > 0 ? n : 0] = '\0';
	*refused = add_refusal(first, problem);
	if (*refused)
		return -1;
	buf_adds(problem, "the host replies without TLS; if this port is "
			  "plain, use plain:");
	target_address(t, problem);
	buf_adds(problem, "; else the program there may not be bridled");
	return -1;
}

int
conn_tls_handshake(struct tls *tls, int fd, const struct target *t,
	int64_t deadline, char fingerprint[TLS_FINGERPRINT_SIZE], bool *refused,
	struct buf *problem)
{
	int result;

	*refused = false;
	while ((result = tls_handshake(tls)) != 0) {
		if (result == TLS_PLAIN)
			return fail_plain(t, fd, refused, problem);
		if (result == TLS_FAILED)
			return problem_add(problem,
				"the TLS handshake failed: %s",
				tls_problem(tls));
		if (fd_wait(fd, result == TLS_WANT_READ ? POLLIN : POLLOUT,
			    deadline) != 0)
			return problem_add(problem,
				"the TLS handshake failed: %s",
				strerror(errno));
	}
	if (tls_peer(tls, fingerprint))
		return 0;
	return problem_add(
		problem, "the TLS handshake failed: the host has shown no key");
}
