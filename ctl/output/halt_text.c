#include "output/halt_text.h"

#include <string.h>

static const char *const questions[HALT_MODES] = { [HALT_HALT] = "Halt",
	[HALT_POWEROFF] = "Power off",
	[HALT_REBOOT] = "Reboot",
	[HALT_SUSPEND] = "Suspend",
	[HALT_HIBERNATE] = "Hibernate" };

const char *
halt_text(const struct request *r)
{
	return questions[r->mode];
}

void
halt_text_when(struct buf *out, const struct request *r)
{
	const char *when = r->strings[REQUEST_WHEN];

	if (strcmp(when, "+1") == 0)
		buf_adds(out, " in a minute");
	else if (*when == '+')
		buf_addf(out, " in %s minutes", when + 1);
	else if (strcmp(when, "now") == 0)
		buf_adds(out, " now");
	else
		buf_addf(out, " at %s (the host's time)", when);
}
