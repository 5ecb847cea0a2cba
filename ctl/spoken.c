#include "spoken.h"

#include "events.h"

#include <string.h>

static int
fill_say(struct invocation *inv, struct request *r, char *const *words,
	struct buf *error)
{
	size_t i;

	for (i = 0; words[i] != NULL; i++)
		buf_addf(&inv->text, i ? " %s" : "%s", words[i]);
	r->strings[REQUEST_TEXT] = buf_str(&inv->text);
	r->strings[REQUEST_TO] = inv->options.values[OPT_TO];
	r->wall = invocation_has(inv, OPT_WALL);
	if (!request_text_valid(r->strings[REQUEST_TEXT])) {
		buf_addf(error,
			"what is said has at most %d printable bytes, on one "
			"line",
			REQUEST_TEXT_MAX);
		return -1;
	}
	if (r->strings[REQUEST_TO] != NULL &&
		!request_string_valid(REQUEST_TO, r->strings[REQUEST_TO])) {
		buf_adds(error, "--to needs a name or a source, as 'who' shows "
				"them");
		return -1;
	}
	return 0;
}

static int
fill_watch(struct invocation *inv, struct request *r, struct buf *error)
{
	const char *events = inv->options.values[OPT_EVENTS];
	const char *client = inv->options.values[OPT_CLIENT];
	int i;

	r->strings[REQUEST_EVENTS] = events;
	r->strings[REQUEST_NAME] = client;
	if (events != NULL && !request_string_valid(REQUEST_EVENTS, events)) {
		buf_adds(error, "--events needs a list with commas, of");
		for (i = 0; i < EVENT_KINDS; i++)
			buf_addf(error, "%s %s", i ? "," : "", event_names[i]);
		return -1;
	}
	if (client != NULL && *client == '\0') {
		buf_adds(error, "--client needs a name, as 'who' shows it");
		return -1;
	}
	return 0;
}

int
spoken_fill(struct invocation *inv, struct request *r, char *const *words,
	struct buf *error)
{
	if (r->verb == VERB_SAY)
		return fill_say(inv, r, words, error);
	if (r->verb == VERB_WATCH)
		return fill_watch(inv, r, error);
	return 0;
}
