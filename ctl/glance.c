#include "glance.h"

#include "client.h"
#include "clock.h"
#include "request.h"

#define PATIENCE 500 /* ms: somebody has pressed a key, and waits */

/* 0, or -1 if there is no whole answer. */
static int
read_answer(struct client *c, struct reply *r)
{
	enum reply_state state = REPLY_MORE;
	char *line;
	size_t len;

	while (state == REPLY_MORE) {
		if (client_line(c, &line, &len) <= 0)
			return -1;
		state = reply_line(r, line, len);
	}
	return state == REPLY_DONE ? 0 : -1;
}

int
glance(const struct target *t, enum verb_number verb, struct reply *r)
{
	struct buf line = { 0 };
	struct request request;
	struct client client;
	int result;

	if (t->kind != TARGET_UNIX)
		return -1;
	request_init(&request, verb);
	request_format(&request, &line);
	buf_addc(&line, '\n');
	client_init(&client);
	result = client_open_by(&client, t, NULL, clock_ms() + PATIENCE);
	if (result == 0) {
		client_send(&client, buf_str(&line), line.len);
		result = read_answer(&client, r);
	}
	client_close(&client, result == 0);
	buf_free(&line);
	return result;
}
