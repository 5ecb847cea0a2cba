#include "ask.h"

#include "fd.h"
#include "tls.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

int
ask_request(int sock, const struct request *r)
{
	struct ask_request head = { .kind = ASK_REQUEST,
		.verb = r->verb,
		.explain = r->explain,
		.dry_run = r->dry_run,
		.wall = r->wall,
		.signal = (uint32_t)r->signal,
		.escalate = (uint32_t)r->escalate,
		.wait = r->wait,
		.mode = (uint32_t)r->mode };
	struct iovec iov[1 + REQUEST_STRINGS] = { { &head, sizeof(head) } };
	int i, n = 1;

	for (i = 0; i < REQUEST_STRINGS; i++) {
		if (r->strings[i] == NULL)
			continue;
		head.len[i] = (uint32_t)strlen(r->strings[i]) + 1;
		iov[n].iov_base = (void *)(uintptr_t)r->strings[i];
		iov[n++].iov_len = head.len[i];
	}
	return writev(sock, iov, n) < 0 ? -1 : 0;
}

int
ask_malformed(int sock, const struct request_error *e)
{
	struct ask_malformed m = { .kind = ASK_MALFORMED,
		.code = (uint32_t)e->code };

	/* No more than the text: what stands behind it is anything. */
	memcpy(m.reason, e->reason, strnlen(e->reason, sizeof(m.reason) - 1));
	return fd_send(sock, &m, sizeof(m), NULL, 0, -1);
}

int
ask_done(int sock)
{
	struct ask_done m = { ASK_DONE };

	return fd_send(sock, &m, sizeof(m), NULL, 0, -1);
}

int
ask_stalled(int sock)
{
	struct ask_done m = { ASK_STALLED };

	return fd_send(sock, &m, sizeof(m), NULL, 0, -1);
}

int
ask_peer(int sock, enum ask_handshake result, const char *text)
{
	struct ask_peer m = { .kind = ASK_PEER, .result = result };

	memcpy(m.text, text, strnlen(text, sizeof(m.text) - 1));
	return fd_send(sock, &m, sizeof(m), NULL, 0, -1);
}

int
ask_receive(int sock, struct ask_message *m, size_t *len, int *pass)
{
	ssize_t n = fd_recv(sock, m, sizeof(*m), 0, pass);

	if (n >= (ssize_t)sizeof(m->head)) {
		*len = (size_t)n - sizeof(m->head);
		return 1;
	}
	/* Even an empty message may bring a descriptor. */
	fd_close(pass);
	if (n <= 0)
		return (int)n;
	errno = EPROTO;
	return -1;
}

/* Strings follow the head one after another, each with its NUL, no more. */
static int
decode_strings(
	struct ask_question *q, const struct ask_request *head, size_t len)
{
	char *at = q->bytes + sizeof(*head);
	size_t left = len - sizeof(*head);
	uint32_t n;
	int i;

	for (i = 0; i < REQUEST_STRINGS; i++) {
		if ((n = head->len[i]) == 0)
			continue;
		if (n > left || memchr(at, '\0', n) != at + n - 1)
			return -1;
		q->request.strings[i] = at;
		at += n;
		left -= n;
	}
	return left == 0 ? 0 : -1;
}

static int
decode_request(struct ask_question *q, size_t len)
{
	struct ask_request head;

	if (len < sizeof(head))
		return -1;
	memcpy(&head, q->bytes, sizeof(head));
	if (head.verb > VERB_LAST || head.explain > 1 || head.dry_run > 1 ||
		head.wall > 1 || head.signal > 255 || head.escalate > 255 ||
		head.mode > 255)
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
decode_malformed(struct ask_question *q, size_t len)
{
	struct ask_malformed m;

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
decode_peer(struct ask_question *q, size_t len)
{
	struct ask_peer *m = &q->peer;

	if (len != sizeof(*m))
		return -1;
	memcpy(m, q->bytes, sizeof(*m));
	if (m->result >= HANDSHAKES ||
		memchr(m->text, '\0', sizeof(m->text)) == NULL)
		return -1;
	return m->result != HANDSHAKE_KEY || tls_fingerprint_valid(m->text)
		       ? 0
		       : -1;
}

int
ask_decode(struct ask_question *q, size_t len)
{
	uint32_t kind;
	int result = -1;

	if (len >= sizeof(kind)) {
		memcpy(&kind, q->bytes, sizeof(kind));
		q->kind = (enum ask_kind)kind;
		if (kind == ASK_REQUEST)
			result = decode_request(q, len);
		else if (kind == ASK_MALFORMED)
			result = decode_malformed(q, len);
		else if (kind == ASK_PEER)
			result = decode_peer(q, len);
		else if ((kind == ASK_DONE || kind == ASK_STALLED) &&
			 len == sizeof(struct ask_done))
			result = 0;
	}
	if (result != 0)
		errno = EPROTO;
	return result;
}

int
ask_question(int sock, struct ask_question *q)
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
	return ask_decode(q, (size_t)n) == 0 ? 1 : -1;
}

void
ask_rebase(struct ask_question *copy, const struct ask_question *q)
{
	const char **s = copy->request.strings;
	int i;

	for (i = 0; i < REQUEST_STRINGS; i++)
		if (s[i] != NULL)
			s[i] = copy->bytes + (s[i] - q->bytes);
}

int
ask_answer(int sock, enum ask_kind kind, enum ask_relay relay,
	const void *bytes, size_t len, int pass)
{
	struct ask_answer head = { kind, relay };

	if (len > ASK_BYTES_MAX) {
		errno = EMSGSIZE;
		return -1;
	}
	return fd_send(sock, &head, sizeof(head), bytes, len, pass);
}
