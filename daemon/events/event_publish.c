#include "events/event_publish.h"

#include "wire.h"

#include <stdio.h>
#include <time.h>

/*
 * The maximum number of events that wait until the main loop sends them. The
 * smallest history has room for twice as many events. Therefore no event is
 * dropped before it is sent.
 */
#define UNSENT_MAX 8

void
event_write(const struct event *e, uint64_t number, struct buf *out)
{
	const char *before[] = { event_names[e->kind], e->name, e->source,
		e->transport, e->request, e->arguments, e->verdict };
	const char *after[] = { e->text, e->id, e->to };
	size_t i;

	wire_record(out);
	wire_putu(out, number);
	wire_putu(out, (unsigned long long)time(NULL));
	for (i = 0; i < sizeof(before) / sizeof(before[0]); i++)
		wire_puts(out, before[i] != NULL ? before[i] : "");
	if (e->code != 0)
		wire_putu(out, (unsigned)e->code);
	else
		wire_puts(out, "");
	for (i = 0; i < sizeof(after) / sizeof(after[0]); i++)
		wire_puts(out, after[i] != NULL ? after[i] : "");
	wire_end(out);
}

void
event_publish(struct history *h, const struct event *e)
{
	struct event_history_record record = { .kind = e->kind,
		.number = event_history_next(h) };
	struct buf out = { 0 };

	snprintf(record.name, sizeof(record.name), "%s",
		e->name != NULL ? e->name : "");
	snprintf(
		record.to, sizeof(record.to), "%s", e->to != NULL ? e->to : "");
	event_write(e, record.number, &out);
	/*
	 * If no memory is available, the event is lost, and the next event gets
	 * the same number.
	 */
	if (!out.failed)
		event_history_add(h, &record, out.data, out.len);
	buf_free(&out);
	if (++h->unsent >= UNSENT_MAX)
		h->send(h->send_to);
}
