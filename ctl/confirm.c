#include "confirm.h"

#include "buf.h"
#include "notice.h"
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

bool
confirm_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool
confirm_possible(const char *command)
{
	if (confirm_terminal())
		return true;
	notice("%s asks before it acts, and there is no terminal to ask on: "
	       "say -y to do it, -n to see what would be done",
		command);
	return false;
}

bool
confirm_ask(const char *question)
{
	struct buf shown = { 0 };
	char *answer = NULL;
	size_t size = 0;
	ssize_t len;
	bool yes;

	/* What was typed before the question cannot be its answer. */
	tcflush(STDIN_FILENO, TCIFLUSH);
	text_safe(&shown, question, strlen(question));
	fprintf(stderr, "%s [y/N] ", buf_str(&shown));
	buf_free(&shown);
	len = getline(&answer, &size, stdin);
	if (len > 0 && answer[len - 1] == '\n')
		answer[len - 1] = '\0';
	yes = len > 0 &&
	      (strcasecmp(answer, "y") == 0 || strcasecmp(answer, "yes") == 0);
	if (len <= 0)
		fputc('\n', stderr);
	free(answer);
	return yes;
}
