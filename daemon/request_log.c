#include "request_log.h"

#include "clock.h"
#include "parent.h"
#include "wire.h"

#include <stdio.h>

static void
take_id(struct parent *p, char *id, size_t size)
{
	snprintf(id, size, "%llx-%llu", (unsigned long long)p->run,
		(unsigned long long)++p->last_id);
}

/* Copies what fits of a buffer that need not be terminated. */
static void
copy_text(char *out, size_t size, struct buf *b)
{
	snprintf(out, size, "%s", buf_str(b));
	buf_free(b);
}

void
request_log_begin(struct parent *p, const struct session *s,
	const struct request *r, struct audit_request *log)
{
	struct buf source = { 0 }, args = { 0 };
	struct request shown;

	log->started = clock_ms();
	log->transport = s->transport;
	take_id(p, log->id, sizeof(log->id));
	identity_print(&s->who, &source);
	copy_text(log->source, sizeof(log->source), &source);
	if (r == NULL)
		return;
	log->verb = (int)r->verb;
	log->explain = r->explain;
	shown = *r;
	/* What is for one is for nobody else, whoever reads the log. */
	if (shown.strings[REQUEST_TO] != NULL)
		shown.strings[REQUEST_TEXT] = "...";
	request_arguments(&shown, &args);
	copy_text(log->args, sizeof(log->args), &args);
}

void
request_log_name(struct audit_request *log, const struct request *r)
{
	struct request shown = *r;
	struct buf args = { 0 };

	shown.nargs = 0;
	request_arguments(&shown, &args);
	copy_text(log->args, sizeof(log->args), &args);
}

/* The status line that ends an answer. */
void
request_log_status(struct buf *out, const struct audit_request *log, int code,
	const char *text, const char *rule)
{
	char reached[16];

	wire_status(out, code, text);
	if (rule != NULL && *rule != '\0')
		wire_pair(out, "rule", rule);
	if (log->said) {
		snprintf(reached, sizeof(reached), "%u", log->reached);
		wire_pair(out, "reached", reached);
	}
	if (*log->end != '\0')
		buf_addf(out, "#%s", log->end);
	wire_pair(out, "id", log->id);
	wire_end(out);
}
