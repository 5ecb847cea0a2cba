#include "fanout/watch_host.h"

#include "clock.h"
#include "fanout/worker.h"
#include "remote/call.h"
#include "verbs.h"
#include "wire.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MORE "more"
#define ROWS_MAX 500 /* maximum number of rows in one result */
#define TABLE_MAX (4u << 20)
/* seconds; used until the host sends its own value */
#define HEARTBEAT_DEFAULT 30
/* seconds; the largest value that a host may send */
#define HEARTBEAT_MAX 3600
/*
 * A host counts as lost after this number of heartbeat intervals without data.
 */
#define HEARTBEATS_MISSED 3
/* ms before the first new attempt to connect; doubled for each attempt */
#define PAUSE_FIRST 500
#define PAUSE_MAX 30000

enum ending { LOST, OVER };

struct subscription {
	struct endpoint endpoint;
	const struct request *request;
	struct result *result; /* the next result for the parent */
	struct conn conn;
	/*
	 * id of the run of the daemon; empty until the daemon has sent the id
	 */
	char daemon_run[40];
	char last_number[40]; /* number of the last event */
	unsigned heartbeat;   /* seconds between heartbeats */
	int64_t heard_at;     /* time of the last line, as clock_ms() */
	int64_t ping_at;      /* time of the next ping, as clock_ms() */
	bool subscribed_once;
	bool reported_lost; /* true from an event "lost" to the event "back" */
};

bool
watch_host_continues(const struct result *result)
{
	return result->problem.len == 0 && result->reply.code == CODE_OK &&
	       strcmp(result->reply.said, MORE) == 0;
}

/*
 * Send the collected records to the parent, and remove the records from the
 * table. The columns stay for further records. If the parent takes no more
 * results, exit.
 */
static void
hand_over(struct subscription *s)
{
	struct result *result = s->result;
	struct reply *r = &result->reply;

	if ((r->table.nrows > 0 || result->notices.len > 0) &&
		(reply_conclude(r, CODE_OK, MORE, NULL) != 0 ||
			!worker_send(result)))
		_exit(0);
	table_clear(&r->table);
	buf_reset(&result->notices);
}

/* Add an event of this worker, such as "lost", to the events of the host. */
static void
add_own_event(struct subscription *s, const char *event, const char *text)
{
	static const char *const names[] = { "event", "text", "time" };
	struct table *t = &s->result->reply.table;
	struct wire_field cells[WIRE_COLUMNS_MAX];
	struct buf values[3] = { 0 };
	char empty[] = "";
	size_t i;
	int column;

	for (i = 0; t->ncolumns == i && verb_watch_columns[i] != NULL; i++)
		table_add_column(t, verb_watch_columns[i],
			strlen(verb_watch_columns[i]));
	for (i = 0; i < t->ncolumns; i++)
		cells[i] = (struct wire_field){ empty, 0 };
	wire_encode(&values[0], event, strlen(event));
	wire_encode(&values[1], text, strlen(text));
	buf_addu(&values[2], (unsigned long long)time(NULL));
	for (i = 0; i < 3; i++)
		if ((column = table_column(t, names[i])) >= 0)
			cells[column] = (struct wire_field){ values[i].data,
				values[i].len };
	table_add_row(t, cells, t->ncolumns);
	for (i = 0; i < 3; i++)
		buf_free(&values[i]);
}

/*
 * Copy the cell that the last record has in this column to `to`. If there is no
 * such column, copy "".
 */
static void
copy_cell(const struct reply *r, const char *column, char *to, size_t size)
{
	const struct table *t = &r->table;
	struct buf value = { 0 };

	snprintf(to, size, "%s",
		table_named_text(t, t->nrows - 1, column, &value));
	buf_free(&value);
}

/*
 * Take the record "watching", which says that the host has accepted the
 * subscription. Store the data that a later connection needs, and remove the
 * record.
 */
static void
take_subscribed(struct subscription *s, struct reply *r)
{
	char text[64];
	unsigned n;

	copy_cell(r, "id", s->daemon_run, sizeof(s->daemon_run));
	copy_cell(r, "arguments", text, sizeof(text));
	if (sscanf(text, "heartbeat=%u", &n) == 1 && n > 0 &&
		n <= HEARTBEAT_MAX)
		s->heartbeat = n;
	s->ping_at = clock_ms() + s->heartbeat * 1000LL;
	r->table.nrows--;
	if (s->reported_lost)
		add_own_event(s, "back", "the host replies again");
	s->subscribed_once = true;
	s->reported_lost = false;
}

/*
 * Process the last record of the table. A record about the connection itself is
 * removed.
 */
static void
take_record(struct subscription *s)
{
	struct reply *r = &s->result->reply;
	char event[32];

	if (r->table.nrows == 0)
		return;
	copy_cell(r, "event", event, sizeof(event));
	copy_cell(r, "number", s->last_number, sizeof(s->last_number));
	if (strcmp(event, "heartbeat") == 0)
		r->table.nrows--;
	else if (strcmp(event, "watching") == 0)
		take_subscribed(s, r);
	if (r->table.nrows >= ROWS_MAX)
		hand_over(s);
}

/*
 * Process one line of the reply. Return REPLY_DONE if the line is the status,
 * which ends the watch.
 */
static enum reply_state
take_line(struct subscription *s, char *line, size_t len)
{
	struct reply *r = &s->result->reply;
	enum reply_state state = reply_line(r, line, len);

	s->heard_at = clock_ms();
	if (state == REPLY_MORE)
		take_record(s);
	else if (state == REPLY_BAD)
		call_garbled(&s->conn, r->problem);
	return state;
}

/*
 * Connect to the host, and request all events after the last received event.
 * Return 0, or -1 with conn.problem set.
 */
static int
subscribe(struct subscription *s)
{
	struct request request = *s->request;
	char since[96];

	if (s->daemon_run[0] != '\0') {
		snprintf(since, sizeof(since), "%s-%s", s->daemon_run,
			s->last_number);
		request.strings[REQUEST_SINCE] = since;
	}
	reply_free(&s->result->reply);
	s->result->reply.table.max_size = TABLE_MAX;
	s->ping_at = CLOCK_NEVER;
	if (call_open(&s->conn, &s->endpoint, &request) != 0)
		return -1;
	s->heard_at = clock_ms();
	return 0;
}

static int64_t
lost_at(const struct subscription *s)
{
	return s->heard_at + HEARTBEATS_MISSED * s->heartbeat * 1000LL;
}

/*
 * Send a ping if the next ping is due, and wait for a line. The wait ends when
 * another ping is due, or when the host counts as lost. Return the value of
 * conn_line().
 */
static int
wait_for_line(struct subscription *s, char **line, size_t *len)
{
	if (clock_ms() >= s->ping_at) {
		conn_send(&s->conn, "1#4\n", 4);
		s->ping_at = clock_ms() + s->heartbeat * 1000LL;
	}
	s->conn.deadline = clock_earlier(lost_at(s), s->ping_at);
	return conn_line(&s->conn, line, len);
}

/*
 * Receive events. Return OVER when the host ends the watch. Return LOST when
 * the connection is lost, with the cause in conn.problem.
 */
static enum ending
receive(struct subscription *s)
{
	enum reply_state state = REPLY_MORE;
	char *line;
	size_t len;
	int got;

	while (state == REPLY_MORE) {
		if (!conn_has_line(&s->conn))
			hand_over(s);
		got = wait_for_line(s, &line, &len);
		if (got == 1) {
			state = take_line(s, line, len);
			continue;
		}
		if (got == 0)
			call_cut(&s->conn);
		if (got == 0 || !conn_late(&s->conn))
			return LOST;
		buf_reset(&s->conn.problem);
		if (clock_ms() < lost_at(s))
			continue;
		buf_addf(&s->conn.problem, "nothing received for %u s",
			HEARTBEATS_MISSED * s->heartbeat);
		return LOST;
	}
	return state == REPLY_DONE ? OVER : LOST;
}

/* True if the host has ended the watch for a temporary reason. */
static bool
may_subscribe_again(const struct subscription *s)
{
	int code = s->result->reply.code;

	return s->subscribed_once &&
	       (code == CODE_UNAVAILABLE || code == CODE_TOO_SLOW ||
		       code == CODE_TOO_MANY);
}

static void
report_lost(struct subscription *s, const char *why)
{
	struct buf text = { 0 };

	buf_addf(&text, "%.*s; trying again", (int)strcspn(why, "\n"), why);
	hand_over(s);
	if (!s->reported_lost)
		add_own_event(s, "lost", buf_str(&text));
	s->reported_lost = true;
	hand_over(s);
	buf_free(&text);
}

void
watch_host_run(const struct invocation *inv, struct result *result,
	const void *request)
{
	struct subscription s = { .endpoint = endpoint_of(inv, result->host),
		.request = request,
		.result = result,
		.heartbeat = HEARTBEAT_DEFAULT };
	int pause = PAUSE_FIRST;
	enum ending ending;

	for (;;) {
		ending = subscribe(&s) == 0 ? receive(&s) : LOST;
		if (s.subscribed_once && !s.reported_lost)
			pause = PAUSE_FIRST;
		if (ending == OVER && !may_subscribe_again(&s)) {
			result->result_kind =
				result_kind_of(result->reply.code);
			break;
		}
		if (ending == LOST && !s.subscribed_once && inv->hosts.n == 1) {
			result_fail(result, RESULT_UNREACHED,
				buf_str(&s.conn.problem));
			break;
		}
		report_lost(&s, ending == OVER ? result->reply.said
					       : buf_str(&s.conn.problem));
		conn_close(&s.conn, false);
		poll(NULL, 0, pause);
		pause = pause * 2 < PAUSE_MAX ? pause * 2 : PAUSE_MAX;
	}
	conn_close(&s.conn, true);
}
