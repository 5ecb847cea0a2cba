#include "ask.h"

#include "fd.h"
#include "tls.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

/* With its NUL. How long that is. */
static uint32_t
put_string(struct iovec *iov, const char *s)
{
	iov->iov_base = (void *)(uintptr_t)s;
	iov->iov_len = strlen(s) + 1;
	return (uint32_t)iov->iov_len;
}

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
ask_cut(int sock, int code)
{
	struct ask_cut m = { ASK_CUT, (uint32_t)code };

	return fd_send(sock, &m, sizeof(m), NULL, 0, -1);
}

int
ask_take_client(int sock, int *client)
{
	struct ask_answer head;
	ssize_t n = fd_recv(sock, &head, sizeof(head), 0, client);

	if (n == sizeof(head) && head.kind == ASK_CLIENT && *client != -1)
		return 1;
	fd_close(client);
	if (n <= 0)
		return (int)n;
	errno = EPROTO;
	return -1;
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

/* What of the message has not been taken yet. */
struct rest {
	const char *at;
	size_t len;
};

/* The next string, which has n bytes with its NUL; NULL if it has not. */
static const char *
take_string(struct rest *rest, uint32_t n)
{
	const char *s = rest->at;

	if (n == 0 || n > rest->len || memchr(s, '\0', n) != s + n - 1)
		return NULL;
	rest->at += n;
	rest->len -= n;
	return s;
}

/* Strings follow the head one after another, each with its NUL, no more. */
static int
decode_strings(
	struct ask_question *q, const struct ask_request *head, size_t len)
{
	struct rest rest = { q->bytes + sizeof(*head), len - sizeof(*head) };
	struct request *r = &q->request;
	size_t i;

	for (i = 0; i < REQUEST_STRINGS; i++)
		if (head->len[i] != 0 && (r->strings[i] = take_string(
						  &rest, head->len[i])) == NULL)
			return -1;
	for (i = 0; i < head->nargs; i++) {
		r->args[i].text = take_string(&rest, head->args[i].len);
		r->args[i].named = head->args[i].named;
		if (r->args[i].text == NULL)
			return -1;
	}
	r->nargs = head->nargs;
	return rest.len == 0 ? 0 : -1;
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

static int
decode_cut(struct ask_question *q, size_t len)
{
	if (len != sizeof(q->cut))
		return -1;
	memcpy(&q->cut, q->bytes, sizeof(q->cut));
	return q->cut.code == CODE_MALFORMED || q->cut.code == CODE_TOO_LONG
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
		else if (kind == ASK_CUT)
			result = decode_cut(q, len);
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
ask_give_client(int sock, int client)
{
	return ask_answer(sock, ASK_CLIENT, RELAY_LINES, NULL, 0, client);
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
