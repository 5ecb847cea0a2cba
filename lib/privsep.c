#include "privsep.h"

#include "fd.h"
#include "tls.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* Set *iov to a string with its NUL. Return the length including the NUL. */
static uint32_t
put_string(struct iovec *iov, const char *s)
{
	iov->iov_base = (void *)(uintptr_t)s;
	iov->iov_len = strlen(s) + 1;
	return (uint32_t)iov->iov_len;
}

int
privsep_request(int sock, const struct request *r)
{
	struct privsep_request head = { .kind = PRIVSEP_REQUEST,
		.verb = r->verb,
		.explain = r->explain,
		.dry_run = r->dry_run,
		.wall = r->wall,
		.signal = (uint32_t)r->signal,
		.escalate = (uint32_t)r->escalate,
		.wait = r->wait,
		.mode = (uint32_t)r->mode,
		.nargs = (uint32_t)r->nargs };
	struct iovec iov[1 + REQUEST_STRINGS + REQUEST_ARGS_MAX] = { { &head,
		sizeof(head) } };
	size_t i;
	int n = 1;

	for (i = 0; i < REQUEST_STRINGS; i++)
		if (r->strings[i] != NULL)
			head.len[i] = put_string(&iov[n++], r->strings[i]);
	for (i = 0; i < r->nargs; i++) {
		head.args[i].len = put_string(&iov[n++], r->args[i].text);
		head.args[i].named = (uint32_t)r->args[i].named;
	}
	return writev(sock, iov, n) < 0 ? -1 : 0;
}

int
privsep_malformed(int sock, const struct request_error *e)
{
	struct privsep_malformed m = { .kind = PRIVSEP_MALFORMED,
		.code = (uint32_t)e->code };

	/*
	 * Copy only the text, because the bytes after the NUL can be other
	 * data.
	 */
	memcpy(m.reason, e->reason, strnlen(e->reason, sizeof(m.reason) - 1));
	return fd_send(sock, &m, sizeof(m), NULL, 0, -1);
}

int
privsep_notice(int sock, enum privsep_kind kind)
{
	struct privsep_notice m = { kind };

	return fd_send(sock, &m, sizeof(m), NULL, 0, -1);
}

int
privsep_peer(int sock, enum privsep_handshake result, const char *text)
{
	struct privsep_peer m = { .kind = PRIVSEP_PEER, .result = result };

	memcpy(m.text, text, strnlen(text, sizeof(m.text) - 1));
	return fd_send(sock, &m, sizeof(m), NULL, 0, -1);
}

int
privsep_cut(int sock, int code)
{
	struct privsep_cut m = { PRIVSEP_CUT, (uint32_t)code };

	return fd_send(sock, &m, sizeof(m), NULL, 0, -1);
}

int
privsep_take_client(int sock, int flags, int *client)
{
	struct privsep_reply head;
	ssize_t n = fd_recv(sock, &head, sizeof(head), flags, client);

	if (n == sizeof(head) && head.kind == PRIVSEP_CLIENT && *client != -1)
		return 1;
	fd_close(client);
	if (n <= 0)
		return (int)n;
	errno = EPROTO;
	return -1;
}

int
privsep_receive(int sock, struct privsep_message *m, size_t *len, int *pass)
{
	ssize_t n = fd_recv(sock, m, sizeof(*m), 0, pass);

	if (n >= (ssize_t)sizeof(m->head)) {
		*len = (size_t)n - sizeof(m->head);
		return 1;
	}
	/* Even a message that is empty or too short can carry a descriptor. */
	fd_close(pass);
	if (n <= 0)
		return (int)n;
	errno = EPROTO;
	return -1;
}

/* The part of a message that has not been decoded yet. */
struct unread {
	const char *at;
	size_t len;
};

/*
 * Return the next n bytes. Return NULL if these bytes are not one string that
 * ends with NUL.
 */
static const char *
take_string(struct unread *unread, uint32_t n)
{
	const char *s = unread->at;

	if (n == 0 || n > unread->len || memchr(s, '\0', n) != s + n - 1)
		return NULL;
	unread->at += n;
	unread->len -= n;
	return s;
}

/*
 * Decode the strings after the head of the message. Return 0, or -1 if a string
 * is malformed or if bytes follow the last string.
 */
static int
decode_strings(struct privsep_inbound *q, const struct privsep_request *head,
	size_t len)
{
	struct unread unread = { q->bytes + sizeof(*head),
		len - sizeof(*head) };
	struct request *r = &q->request;
	size_t i;

	for (i = 0; i < REQUEST_STRINGS; i++)
		if (head->len[i] != 0 && (r->strings[i] = take_string(&unread,
						  head->len[i])) == NULL)
			return -1;
	for (i = 0; i < head->nargs; i++) {
		r->args[i].text = take_string(&unread, head->args[i].len);
		r->args[i].named = head->args[i].named;
		if (r->args[i].text == NULL)
			return -1;
	}
	r->nargs = head->nargs;
	return unread.len == 0 ? 0 : -1;
}

static int
decode_request(struct privsep_inbound *q, size_t len)
{
	struct privsep_request head;

	if (len < sizeof(head))
		return -1;
	memcpy(&head, q->bytes, sizeof(head));
	if (head.verb > VERB_LAST || head.explain > 1 || head.dry_run > 1 ||
		head.wall > 1 || head.signal > 255 || head.escalate > 255 ||
		head.mode > 255 || head.nargs > REQUEST_ARGS_MAX)
		return -1;
	memset(&q->request, 0, sizeof(q->request));
	q->request.verb = (enum verb_number)head.verb;
	q->request.explain = head.explain;
	q->request.dry_run = head.dry_run;
	q->request.wall = head.wall;
	q->request.signal = (int)head.signal;
	q->request.escalate = (int)head.escalate;
	q->request.wait = head.wait;
	q->request.mode = (int)head.mode;
	if (decode_strings(q, &head, len) != 0)
		return -1;
	return request_valid(&q->request) ? 0 : -1;
}

static int
decode_malformed(struct privsep_inbound *q, size_t len)
{
	struct privsep_malformed m;

	if (len != sizeof(m))
		return -1;
	memcpy(&m, q->bytes, sizeof(m));
	if (m.code < 400 || m.code > 599 ||
		wire_code_text((int)m.code) == NULL ||
		memchr(m.reason, '\0', sizeof(m.reason)) == NULL)
		return -1;
	q->error.code = (int)m.code;
	memcpy(q->error.reason, m.reason, sizeof(m.reason));
	return 0;
}

static int
decode_peer(struct privsep_inbound *q, size_t len)
{
	struct privsep_peer *m = &q->peer;

	if (len != sizeof(*m))
		return -1;
	memcpy(m, q->bytes, sizeof(*m));
	if (m->result >= PRIVSEP_HANDSHAKES ||
		memchr(m->text, '\0', sizeof(m->text)) == NULL)
		return -1;
	return m->result != PRIVSEP_HANDSHAKE_KEY ||
			       tls_fingerprint_valid(m->text)
		       ? 0
		       : -1;
}

static int
decode_cut(struct privsep_inbound *q, size_t len)
{
	if (len != sizeof(q->cut))
		return -1;
	memcpy(&q->cut, q->bytes, sizeof(q->cut));
	return q->cut.code == CODE_MALFORMED || q->cut.code == CODE_TOO_LONG
		       ? 0
		       : -1;
}

int
privsep_decode(struct privsep_inbound *q, size_t len)
{
	uint32_t kind;
	int result = -1;

	if (len >= sizeof(kind)) {
		memcpy(&kind, q->bytes, sizeof(kind));
		q->kind = (enum privsep_kind)kind;
		if (kind == PRIVSEP_REQUEST)
			result = decode_request(q, len);
		else if (kind == PRIVSEP_MALFORMED)
			result = decode_malformed(q, len);
		else if (kind == PRIVSEP_PEER)
			result = decode_peer(q, len);
		else if (kind == PRIVSEP_CUT)
			result = decode_cut(q, len);
		else if ((kind == PRIVSEP_DONE || kind == PRIVSEP_STALLED ||
				 kind == PRIVSEP_BEGUN ||
				 kind == PRIVSEP_ALIVE) &&
			 len == sizeof(struct privsep_notice))
			result = 0;
	}
	if (result != 0)
		errno = EPROTO;
	return result;
}

int
privsep_inbound(int sock, struct privsep_inbound *q)
{
	ssize_t n =
		fd_recv(sock, q->bytes, sizeof(q->bytes), MSG_DONTWAIT, NULL);

	if (n == 0)
		return 0;
	if (n < 0) {
		if (errno == EMSGSIZE)
			errno = EPROTO;
		return -1;
	}
	return privsep_decode(q, (size_t)n) == 0 ? 1 : -1;
}

void
privsep_rebase(struct privsep_inbound *copy, const struct privsep_inbound *q)
{
	struct request *r = &copy->request;
	const char **s = r->strings;
	size_t i;

	for (i = 0; i < REQUEST_STRINGS; i++)
		if (s[i] != NULL)
			s[i] = copy->bytes + (s[i] - q->bytes);
	for (i = 0; i < r->nargs; i++)
		r->args[i].text = copy->bytes + (r->args[i].text - q->bytes);
}

int
privsep_give_client(int sock, int client)
{
	return privsep_reply(
		sock, PRIVSEP_CLIENT, RELAY_LINES, NULL, 0, client);
}

int
privsep_reply(int sock, enum privsep_kind kind, enum privsep_relay relay,
	const void *bytes, size_t len, int pass)
{
	struct privsep_reply head = { kind, relay };

	if (len > PRIVSEP_BYTES_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	return fd_send(sock, &head, sizeof(head), bytes, len, pass);
}
