/*
 * A session that has been taken over: linked in place of session/session.c,
 * it speaks to a real parent. A client that sends a request is served, more
 * or less; any other line says what is to be done to the parent.
 */
#include "ask.h"
#include "context.h"
#include "fd.h"
#include "session.h"

#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
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
		ask_request(channel, &r);
	else
		ask_malformed(channel, &e);
}

/* Whatever the parent says goes to the client. */
static void
pass_on(void)
{
	static struct ask_message m;
	size_t len;
	int pipe;

	while (ask_receive(channel, &m, &len, &pipe) == 1) {
		fd_close(&pipe);
		(void)!send(client, m.bytes, len, MSG_NOSIGNAL);
		if (m.head.kind != ASK_RELAY)
			return;
	}
	_exit(0);
}

static void
truncated(void)
{
	struct ask_request head = { .kind = ASK_REQUEST, .verb = VERB_LIST };

	say(&head, sizeof(head) - 1);
}

static void
oversized(void)
{
	static char bytes[ASK_QUESTION_MAX + 1];
	uint32_t kind = ASK_REQUEST;

	memcpy(bytes, &kind, sizeof(kind));
	say(bytes, sizeof(bytes));
}

static void
unknown(void)
{
	uint32_t kind = 99;

	say(&kind, sizeof(kind));
}

/* What only the parent says. */
static void
answer(void)
{
	struct ask_answer head = { ASK_ANSWER, RELAY_LINES };

	say(&head, sizeof(head));
}

static void
done(void)
{
	ask_done(channel);
}

static void
peer(void)
{
	ask_peer(channel, HANDSHAKE_KEY, OTHER_KEY);
}

static void
two_peers(void)
{
	peer();
	peer();
}

/* Two questions, of which the first takes its time. */
static void
twice(void)
{
	request("1#1");
	request("1#4");
}

static void
stalled(void)
{
	ask_stalled(channel);
}

/* What is no heartbeat, from one who watches. */
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
	ask_done(channel);
	ask_done(channel);
	ask_done(channel);
}

static void
strings(void)
{
	struct {
		struct ask_request head;
		char name[4];
	} m = { { .kind = ASK_REQUEST, .verb = VERB_KILL }, "abc" };

	/* One byte more than there is. */
	m.head.len[REQUEST_NAME] = sizeof(m.name) + 1;
	say(&m, sizeof(m.head) + sizeof(m.name));
}

static void
descriptor(void)
{
	struct ask_done m = { ASK_DONE };

	fd_send(channel, &m, sizeof(m), NULL, 0, client);
}

/* What its client sends: a descriptor of the client's choice. */
static void
adopt(void)
{
	int pass;

	(void)!fd_recv(client, &(char[1]){ 0 }, 1, 0, &pass);
	(void)!write(client, "taken", 5);
}

/* The channel itself, for others to go on with. */
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

	/* Its answers are never read. */
	for (i = 0; i < FLOOD; i++)
		if (ask_malformed(channel, &e) != 0 && errno != EAGAIN)
			return;
}

static void
noise(void)
{
	char bytes[512];

	if (getrandom(bytes, sizeof(bytes), 0) == sizeof(bytes))
		say(bytes, sizeof(bytes));
}

/* Lives on when it has been told to go, or when it has said nothing. */
static void
stay(void)
{
	fd_close(&channel);
	for (;;)
		poll(NULL, 0, -1);
}

/* As the fork server did. */
static void
fork_again(void)
{
	long pid = syscall(
		SYS_clone, CLONE_PARENT | SIGCHLD, NULL, NULL, NULL, NULL);

	if (pid == 0)
		_exit(0);
	(void)!write(client, pid == -1 ? "alone" : "forked", pid == -1 ? 5 : 6);
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
	{ "stay", stay }, { "crash", crash } };

static void
obey(char *line)
{
	size_t i;

	line[strcspn(line, "\r\n")] = '\0';
	for (i = 0; i < sizeof(evils) / sizeof(evils[0]); i++)
		if (strcmp(evils[i].name, line) == 0) {
			evils[i].evil();
			/* The parent's word on it is not waited for. */
			poll(NULL, 0, -1);
		}
	request(line);
	pass_on();
}

/* TLS is left out: whoever has taken a session over needs none. */
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
