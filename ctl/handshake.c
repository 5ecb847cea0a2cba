#include "handshake.h"

#include "fd.h"
#include "wire.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#define PLAIN_MAX 128 /* of a status that comes without TLS */

/*
 * Sees what comes before TLS takes it: a daemon that is too busy for a
 * handshake says so without one.
 */
static void
peek(int fd, char first[PLAIN_MAX])
{
	ssize_t n;

	if (*first != '\0')
		return;
	n = recv(fd, first, PLAIN_MAX - 1, MSG_PEEK);
	first[n > 0 ? n : 0] = '\0';
}

/* What a daemon says that is too busy for TLS; nobody vouches for it. */
static bool
add_refusal(char *first, struct buf *problem)
{
	size_t len = strcspn(first, "\n");
	struct wire_reply r;

	if (first[len] == '\0' || wire_reply(first, len, &r) != 0 ||
		r.nfields < 1 ||
		(r.code != CODE_TOO_MANY && r.code != CODE_FAILED &&
			r.code != CODE_STOPPING))
		return false;
	buf_addf(problem, "it refused, without TLS: %.*s", (int)r.fields[0].len,
		r.fields[0].s);
	return true;
}

/*
 * If it came too soon to be seen, TLS has taken the first bytes of it, among
 * them the code; the text follows.
 */
static void
add_rest(int fd, struct buf *problem)
{
	char rest[PLAIN_MAX];
	ssize_t n = recv(fd, rest, sizeof(rest) - 1, MSG_DONTWAIT);

	if (n < 2 || *rest != '#')
		return;
	rest[n] = '\0';
	buf_addf(problem, " (it says: %.*s)", (int)strcspn(rest + 1, "#\n"),
		rest + 1);
}

static int
fail_plain(const struct target *t, int fd, char *first, struct buf *problem)
{
	if (add_refusal(first, problem))
		return -1;
	buf_adds(problem, "it answers, but without TLS");
	if (*first == '\0')
		add_rest(fd, problem);
	buf_adds(problem, ": if you mean a plain port, say plain:");
	targets_address(t, problem);
	return -1;
}

int
handshake_run(struct tls *tls, int fd, const struct target *t, int64_t deadline,
	char fingerprint[TLS_FINGERPRINT_SIZE], struct buf *problem)
{
	char first[PLAIN_MAX] = "";
	int result;

	peek(fd, first);
	while ((result = tls_handshake(tls)) != 0) {
		if (result == TLS_PLAIN)
			return fail_plain(t, fd, first, problem);
		if (result == TLS_FAILED) {
			buf_addf(problem, "no TLS with it: %s",
				tls_problem(tls));
			return -1;
		}
		if (fd_wait(fd, result == TLS_WANT_READ ? POLLIN : POLLOUT,
			    deadline) != 0) {
			buf_addf(problem, "no handshake of TLS: %s",
				strerror(errno));
			return -1;
		}
		peek(fd, first);
	}
	if (tls_peer(tls, fingerprint))
		return 0;
	buf_adds(problem, "no TLS with it: it shows no key");
	return -1;
}
