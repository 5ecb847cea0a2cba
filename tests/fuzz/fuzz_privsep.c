/*
 * Fuzz target for messages of any bytes from a compromised session. If the
 * parent accepts a message as a request, a client could have sent this request.
 * The target sends the request again, and formats and parses the request. The
 * request must stay the same.
 */
#include "fd.h"
#include "privsep.h"
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

/*
 * Send the request over a channel, and check that the request arrives
 * unchanged.
 */
static void
send_again(const struct request *r)
{
	static struct privsep_inbound q, moved;
	static int pair[2] = { -1, -1 };

	if (pair[0] == -1)
		must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			     pair) == 0);
	must(privsep_request(pair[0], r) == 0);
	must(privsep_inbound(pair[1], &q) == 1);
	must(q.kind == PRIVSEP_REQUEST);
	must_be_same(r, &q.request);
	moved = q;
	privsep_rebase(&moved, &q);
	memset(&q, 0xee, sizeof(q));
	must_be_same(r, &moved.request);
}

/*
 * Format the request as a line, and check that the line parses to the same
 * request. Skip a request whose line is too long.
 */
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
take_request(const struct privsep_inbound *q, size_t len)
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
take_malformed(const struct privsep_inbound *q)
{
	must(q->error.code >= 400 && wire_code_text(q->error.code) != NULL);
	must(memchr(q->error.reason, '\0', sizeof(q->error.reason)) != NULL);
}

static void
take_peer(const struct privsep_peer *m)
{
	must(m->result < PRIVSEP_HANDSHAKES);
	must(memchr(m->text, '\0', sizeof(m->text)) != NULL);
	must(m->result != PRIVSEP_HANDSHAKE_KEY ||
		tls_fingerprint_valid(m->text));
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/*
	 * The volatile size keeps gcc from warning that the allocated memory is
	 * smaller than the struct.
	 */
	volatile size_t room = offsetof(struct privsep_inbound, bytes) + size;
	struct privsep_inbound *q;

	/*
	 * privsep_inbound() refuses a longer message before it calls
	 * privsep_decode().
	 */
	if (size > PRIVSEP_INBOUND_MAX)
		return 0;
	/*
	 * Allocate the exact size, so that ASan detects a read beyond the end.
	 */
	q = malloc(room);
	must(q != NULL);
	memset(q, 0xee, offsetof(struct privsep_inbound, bytes));
	memcpy(q->bytes, data, size);
	if (privsep_decode(q, size) == 0) {
		if (q->kind == PRIVSEP_REQUEST)
			take_request(q, size);
		else if (q->kind == PRIVSEP_MALFORMED)
			take_malformed(q);
		else if (q->kind == PRIVSEP_PEER)
			take_peer(&q->peer);
		else if (q->kind == PRIVSEP_CUT)
			must(wire_code_text((int)q->cut.code) != NULL);
		else
			must(q->kind == PRIVSEP_DONE ||
				q->kind == PRIVSEP_STALLED ||
				q->kind == PRIVSEP_BEGUN ||
				q->kind == PRIVSEP_ALIVE);
	}
	free(q);
	return 0;
}
