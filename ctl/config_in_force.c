#include "config_in_force.h"

#include "bridled.h"

#include <string.h>

bool
config_in_force(const char *file, struct buf *text, struct buf *why)
{
	const char *args[] = { "--in-force", file, NULL };

	return bridled_run(args, text, why) == 0;
}

static const char *
next_line(const char *line)
{
	line += strcspn(line, "\n");
	return *line == '\n' ? line + 1 : line;
}

const char *
config_in_force_settings(const char *text)
{
	while (*text == '#' || *text == '\n')
		text = next_line(text);
	return text;
}

void
config_in_force_state_dir(const char *text, struct buf *dir)
{
	static const char word[] = "# state_dir: ";

	for (; *text == '#'; text = next_line(text))
		if (strncmp(text, word, sizeof(word) - 1) == 0) {
			text += sizeof(word) - 1;
			buf_add(dir, text, strcspn(text, "\n"));
			return;
		}
}
