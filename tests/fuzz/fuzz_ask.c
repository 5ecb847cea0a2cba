/*
 * What a session may send that has been taken over: any bytes at all. What
 * the parent takes for a request is one that a client could have made; it
 * can be written down, and sent again, and is the same.
 */
#include "ask.h"
#include "fd.h"
#include "tls.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
must(bool good)
{
	if (!good)
		abort();
}

static void
must_be_same(const struct request *a, const struct request *b)
{
	struct buf one = { 0 }, two = { 0 };

	must(request_valid(b));
	request_format(a, &one);
	request_format(b, &two);
	must(strcmp(buf_str(&one), buf_str(&two)) == 0);
	must(*buf_str(&one) != '\0');
	buf_free(&one);
	buf_free(&two);
}

/* Sent once more, it arrives as what it is. */
static void
send_again(const struct request *r)
{
	static struct ask_question q, moved;
	static int pair[2] = { -1, -1 };

	if (pair[0] == -1)
		must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     pair) == 0);
	must(ask_request(pair[0], r) == 0);
	must(ask_question(pair[1], &q) == 1);
	must(q.kind == ASK_REQUEST);
	must_be_same(r, &q.request);
	moved = q;
	ask_rebase(&moved, &q);
	memset(&q, 0xee, sizeof(q));
	must_be_same(r, &moved.request);
}

/* As a line, unless that gets longer than a client's may be. */
static void
write_down(const struct request *r)
{
	struct request_error e;
	struct request parsed;
	struct buf line = { 0 };
	size_t len;

	request_format(r, &line);
	len = line.len;
	must(buf_room(&line, 1) != NULL);
	if (len <= WIRE_LINE_MAX) {
		must(request_parse(line.data, len, true, &parsed, &e) == 0);
		must_be_same(r, &parsed);
	}
	buf_free(&line);
}

static void
take_request(const struct ask_question *q, size_t len)
{
	const char *s;
	int i;

	must(request_valid(&q->request));
	for (i = 0; i < REQUEST_STRINGS; i++) {
		if ((s = q->request.strings[i]) == NULL)
			continue;
		must(s > q->bytes && s < q->bytes + len);
		must(memchr(s, '\0', (size_t)(q->bytes + len - s)) != NULL);
	}
	send_again(&q->request);
	write_down(&q->request);
}

static void
take_malformed(const struct ask_question *q)
{
	must(q->error.code >= 400 && wire_code_text(q->error.code) != NULL);
	must(memchr(q->error.reason, '\0', sizeof(q->error.reason)) != NULL);
}

static void
take_peer(const struct ask_peer *m)
{
	must(m->result < HANDSHAKES);
	must(memchr(m->text, '\0', sizeof(m->text)) != NULL);
	must(m->result != HANDSHAKE_KEY || tls_fingerprint_valid(m->text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Volatile, or gcc sees that it is less than a whole struct. */
	volatile size_t room = offsetof(struct ask_question, bytes) + size;
	struct ask_question *q;

	/* A longer one does not get so far: see ask_question(). */
	if (size > ASK_QUESTION_MAX)
		return 0;
	/* Of just this size, so that a step beyond its end is seen. */
	q = malloc(room);
	must(q != NULL);
	memset(q, 0xee, offsetof(struct ask_question, bytes));
	memcpy(q->bytes, data, size);
	if (ask_decode(q, size) == 0) {
		if (q->kind == ASK_REQUEST)
			take_request(q, size);
		else if (q->kind == ASK_MALFORMED)
			take_malformed(q);
		else if (q->kind == ASK_PEER)
			take_peer(&q->peer);
		else if (q->kind == ASK_CUT)
			must(wire_code_text((int)q->cut.code) != NULL);
		else
			must(q->kind == ASK_DONE || q->kind == ASK_STALLED);
	}
	free(q);
	return 0;
}
