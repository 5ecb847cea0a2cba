/*
 * Fuzz target for the reply of a hostile daemon. The target reads the reply
 * line by line as bridlectl does. After this the target sorts the rows, draws a
 * tree, and prints the reply in each output format.
 */
#include "output/json.h"
#include "output/raw.h"
#include "output/table_print.h"
#include "output/view.h"
#include "remote/reply.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
sink(void)
{
	static int null = -1;

	if (null == -1 && (null = open("/dev/null", O_WRONLY)) == -1)
		abort();
	return null;
}

static void
show(const struct reply *r, const char *problem)
{
	struct buf out = { 0 }, error = { 0 };
	struct view v;

	if (view_all(&v, &r->table) != 0)
		abort();
	json_reply(&out, "host", r, &v, problem, problem ? NULL : "ok");
	/*
	 * Programs that read JSON output rely on exactly one line for each
	 * reply.
	 */
	if (out.failed ||
		memchr(out.data, '\n', out.len) != out.data + out.len - 1)
		abort();
	view_sort(&v, "-pid", &error);
	view_tree(&v, &error);
	view_hide(&v, "token");
	raw_print(&v, sink());
	table_print(&v, sink());
	view_free(&v);
	buf_free(&out);
	buf_free(&error);
}

/*
 * Check that the raw output of a line has no control byte, except the bytes
 * that raw output itself adds.
 */
static void
pass_through(const char *line, size_t len)
{
	struct buf out = { 0 };
	size_t i;

	raw_record(&out, line, len, false);
	raw_record(&out, line, len, true);
	for (i = 0; i < out.len; i++)
		if ((unsigned char)out.data[i] < 0x20 && out.data[i] != '\t' &&
			out.data[i] != '\n')
			abort();
	buf_free(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	enum reply_state state = REPLY_MORE;
	struct reply reply = { 0 };
	char *text = malloc(size + 1), *at = text, *lf;

	if (text == NULL)
		abort();
	memcpy(text, data, size);
	text[size] = '\n';
	for (; at < text + size && state != REPLY_BAD; at = lf + 1) {
		lf = memchr(at, '\n', (size_t)(text + size + 1 - at));
		pass_through(at, (size_t)(lf - at));
		if (state == REPLY_DONE)
			reply_next(&reply);
		state = reply_line(&reply, at, (size_t)(lf - at));
	}
	show(&reply, state == REPLY_DONE ? NULL : "not whole");
	reply_free(&reply);
	free(text);
	return 0;
}
