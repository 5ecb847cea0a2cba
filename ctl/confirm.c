#include "confirm.h"

#include "buf.h"
#include "notice.h"
#include "text.h"

#include <ctype.h>
#include <signal.h>
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

/* The line that is typed, the caller's to free; NULL at the end of input. */
static char *
ask(const char *question, const char *hint)
{
	struct buf shown = { 0 };
	char *answer = NULL;
	size_t size = 0;
	ssize_t len;

	/* What was typed before the question cannot be its answer. */
	tcflush(STDIN_FILENO, TCIFLUSH);
	text_safe(&shown, question, strlen(question));
	fprintf(stderr, "%s %s", buf_str(&shown), hint);
	buf_free(&shown);
	len = getline(&answer, &size, stdin);
	if (len > 0 && answer[len - 1] == '\n')
		answer[len - 1] = '\0';
	if (len > 0)
		return answer;
	fputc('\n', stderr);
	free(answer);
	return NULL;
}

bool
confirm_ask(const char *question)
{
	char *answer = ask(question, "[y/N] ");
	bool yes = answer != NULL && (strcasecmp(answer, "y") == 0 ||
					     strcasecmp(answer, "yes") == 0);

	free(answer);
	return yes;
}

bool
confirm_number(const char *question, size_t number)
{
	char *answer = ask(question, "Type their number to go on: ");
	char wanted[24];
	bool yes;

	snprintf(wanted, sizeof(wanted), "%zu", number);
	yes = answer != NULL && strcmp(answer, wanted) == 0;
	free(answer);
	return yes;
}

static void
on_interrupt(int sig)
{
	(void)sig; /* that read(2) ends is all that is wanted */
}

char
confirm_choose(const char *question, const char *letters)
{
	struct sigaction interrupt = { .sa_handler = on_interrupt }, before;
	char *answer, letter = '\0';

	sigaction(SIGINT, &interrupt, &before);
	while (letter == '\0' && (answer = ask(question, "")) != NULL) {
		if (*answer != '\0' &&
			strchr(letters, tolower((unsigned char)*answer)))
			letter = (char)tolower((unsigned char)*answer);
		free(answer);
	}
	sigaction(SIGINT, &before, NULL);
	return letter;
}
