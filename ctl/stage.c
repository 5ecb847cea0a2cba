#include "stage.h"

#include "text.h"

#include <limits.h>
#include <string.h>

/* Whether a batch ends before the host that would be begun next. */
static bool
at_boundary(const struct stage *s, size_t begun)
{
	size_t first = s->total - s->last;

	if (begun == 0 || begun >= s->total)
		return false;
	if (begun == first)
		return true;
	if (s->batch == 0)
		return false;
	return (begun < first ? begun : begun - first) % s->batch == 0;
}

int64_t
stage_gate(struct stage *s, size_t begun, size_t running, size_t failures,
	int64_t now)
{
	if (s->bounded && failures > s->max_failures)
		return STAGE_STOP;
	if (!at_boundary(s, begun))
		return 0;
	if (running > 0)
		return INT64_MAX;
	if (s->paused_at != begun) {
		s->paused_at = begun;
		s->until = now + s->pause;
	}
	return now >= s->until ? 0 : s->until;
}

int
stage_share(const char *text, size_t least, struct stage_share *out)
{
	size_t len = strlen(text);
	bool share = len > 0 && text[len - 1] == '%';
	char digits[12];
	long v;

	if (len >= sizeof(digits))
		return -1;
	memcpy(digits, text, len + 1);
	if (share)
		digits[len - 1] = '\0';
	if (text_number(digits, (long)least, share ? 100 : INT_MAX, &v) != 0)
		return -1;
	*out = (struct stage_share){ .least = least };
	*(share ? &out->percent : &out->number) = (size_t)v;
	return 0;
}

size_t
stage_number(const struct stage_share *s, size_t total)
{
	if (s->percent == 0)
		return s->number;
	return (s->percent * total + (s->least ? 99 : 0)) / 100;
}
