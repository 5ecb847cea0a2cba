/*
 * A compromised session, which attacks a real parent. This file is linked in
 * place of session/session.c. If a line from the client is the name of an
 * attack, the session starts this attack. The session sends any other line to
 * the parent as a request.
 */
#include "context.h"
#include "fd.h"
#include "privsep.h"
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FLOOD 100000
#define OTHER_KEY "SHA256:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

static int client, channel;

static void
await_client(void)
{
	struct pollfd p = { client, POLLIN, 0 };

	poll(&p, 1, -1);
}

static void
say(const void *data, size_t len)
{
	(void)!send(channel, data, len, MSG_NOSIGNAL);
}

static void
request(const char *line)
{
	char copy[WIRE_LINE_MAX + 1];
	struct request_error e;
	struct request r;

	snprintf(copy, sizeof(copy), "%s", line);
	if (request_parse(copy, strlen(copy), true, &r, &e) == 0)
		privsep_request(channel, &r);
	else
		privsep_malformed(channel, &e);
}

/*
 * Send the parent's messages to the client until the parent has sent the end of
 * the reply.
 */
static void
pass_on(void)
{
	static struct privsep_message m;
	size_t len;
	int pipe;

	while (privsep_receive(channel, &m, &len, &pipe) == 1) {
		fd_close(&pipe);
		(void)!send(client, m.bytes, len, MSG_NOSIGNAL);
		if (m.head.kind != PRIVSEP_RELAY)
			return;
	}
	_exit(0);
}

static void
truncated(void)
{
	struct privsep_request head = { .kind = PRIVSEP_REQUEST,
		.verb = VERB_LIST };

	say(&head, sizeof(head) - 1);
}

static void
oversized(void)
{
	static char bytes[PRIVSEP_INBOUND_MAX + 1];
	uint32_t kind = PRIVSEP_REQUEST;

	memcpy(bytes, &kind, sizeof(kind));
	say(bytes, sizeof(bytes));
}

static void
unknown(void)
{
	uint32_t kind = 99;

	say(&kind, sizeof(kind));
}

/* Send a message that only the parent is allowed to send. */
static void
answer(void)
{
	struct privsep_reply head = { PRIVSEP_REPLY, RELAY_LINES };

	say(&head, sizeof(head));
}

static void
done(void)
{
	privsep_notice(channel, PRIVSEP_DONE);
}

static void
peer(void)
{
	privsep_peer(channel, PRIVSEP_HANDSHAKE_KEY, OTHER_KEY);
}

static void
two_peers(void)
{
	peer();
	peer();
}

/* Send a second request while the parent still works on the first request. */
static void
twice(void)
{
	request("1#1");
	request("1#4");
}

static void
stalled(void)
{
	privsep_notice(channel, PRIVSEP_STALLED);
}

/*
 * Send the request `watch`, and then the request `halt`, which is not allowed
 * during a watch.
 */
static void
watch(void)
{
	request("1#9");
	request("1#1");
}

static void
leave_twice(void)
{
	request("1#9");
	privsep_notice(channel, PRIVSEP_DONE);
	privsep_notice(channel, PRIVSEP_DONE);
	privsep_notice(channel, PRIVSEP_DONE);
}

static void
strings(void)
{
	struct {
		struct privsep_request head;
		char name[4];
	} m = { { .kind = PRIVSEP_REQUEST, .verb = VERB_KILL }, "abc" };

	/* Give a length that is one byte longer than the name. */
	m.head.len[REQUEST_NAME] = sizeof(m.name) + 1;
	say(&m, sizeof(m.head) + sizeof(m.name));
}

static void
descriptor(void)
{
	struct privsep_notice m = { PRIVSEP_DONE };

	fd_send(channel, &m, sizeof(m), NULL, 0, client);
}

/* Receive a descriptor from the client, although no session is allowed to. */
static void
adopt(void)
{
	int pass;

	(void)!fd_recv(client, &(char[1]){ 0 }, 1, 0, &pass);
	(void)!write(client, "taken", 5);
}

/*
 * Send the channel to the client. With the channel, the client could send
 * messages to the parent.
 */
static void
give(void)
{
	fd_send(client, "given", 5, NULL, 0, channel);
}

static void
flood(void)
{
	struct request_error e = { .code = CODE_MALFORMED, .reason = "flood" };
	int i;

	/* Do not read the parent's replies, so that the channel fills up. */
	for (i = 0; i < FLOOD; i++)
		if (privsep_malformed(channel, &e) != 0 && errno != EAGAIN)
			return;
}

static void
noise(void)
{
	char bytes[512];

	if (getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes))
		say(bytes, sizeof(bytes));
}

/* Keep running after closing the channel. */
static void
stay(void)
{
	fd_close(&channel);
	for (;;)
		poll(NULL, 0, -1);
}

/* Keep running after the client has left. */
static void
deaf(void)
{
	request("1#4");
	for (;;)
		poll(NULL, 0, -1);
}

/* Try to fork in the same way as the fork server. */
static void
fork_again(void)
{
	long pid = syscall(
		SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	(void)!write(client, pid == -1 ? "alone" : "forked", pid == -1 ? 5 : 6);
}

/* Use CPU time without sending a message. */
static void
burn(void)
{
	volatile bool on = true;

	while (on)
		;
}

static void
crash(void)
{
	abort();
}

static const struct {
	const char *name;
	void (*evil)(void);
} evils[] = { { "truncated", truncated }, { "oversized", oversized },
	{ "unknown", unknown }, { "answer", answer }, { "done", done },
	{ "peer", peer }, { "two-peers", two_peers }, { "twice", twice },
	{ "stalled", stalled }, { "watch", watch },
	{ "leave-twice", leave_twice }, { "strings", strings },
	{ "descriptor", descriptor }, { "adopt", adopt }, { "give", give },
	{ "fork", fork_again }, { "flood", flood }, { "noise", noise },
	{ "stay", stay }, { "deaf", deaf }, { "burn", burn },
	{ "crash", crash } };

static void
obey(char *line)
{
	size_t i;

	line[strcspn(line, "\r\n")] = '\0';
	for (i = 0; i < sizeof(evils) / sizeof(evils[0]); i++)
		if (strcmp(evils[i].name, line) == 0) {
			evils[i].evil();
			/*
			 * After the attack, wait for a signal, and do not read
			 * the parent's reply.
			 */
			poll(NULL, 0, -1);
		}
	request(line);
	pass_on();
}

/* Replace the function that sets up TLS, because the attacks need no TLS. */
int
context_open(const char *key, struct tls_context **context,
	char problem[TLS_PROBLEM_SIZE])
{
	(void)key;
	(void)problem;
	*context = NULL;
	return 0;
}

void
session_run(int fd, int ask, struct tls_context *tls)
{
	char line[WIRE_LINE_MAX + 1];
	ssize_t n;

	(void)tls;
	client = fd;
	channel = ask;
	while (await_client(), (n = read(client, line, sizeof(line) - 1)) > 0) {
		line[n] = '\0';
		obey(line);
	}
	_exit(0);
}
