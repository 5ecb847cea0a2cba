/*
 * say: what goes to terminals, by the machine's own program for that.
 */
#include "actions.h"

#include "fd.h"
#include "program.h"

#include <fcntl.h>
#include <unistd.h>

int
action_say(const struct action_context *c, char *const *argv)
{
	struct buf text = { 0 };
	int pipes[2];

	/* As its input: an argument might be taken for the name of a file. */
	buf_addf(&text, "%s: %s\n", c->client->name,
		c->request->strings[REQUEST_TEXT]);
	if (text.failed || pipe2(pipes, O_CLOEXEC) != 0 ||
		fd_write_all(pipes[1], text.data, text.len) != 0 ||
		dup2(pipes[0], STDIN_FILENO) == -1)
		return ACTION_FAILED;
	buf_free(&text);
	program_become(argv, c->id);
}
