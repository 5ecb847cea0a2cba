#include "util/prompt.h"

#include "buf.h"
#include "text.h"
#include "util/message.h"

#include <ctype.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <termios.h>
#include <unistd.h>

bool
prompt_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

void
prompt_refuse(const char *command, bool has_dry_run)
{
	message_print("'%s' needs a confirmation, but stdin or stderr is no "
		      "terminal; use -y to confirm%s",
		command, has_dry_run ? ", or -n for a dry run" : "");
}

/*
 * Print the question and the hint, and return the line that the user types. The
 * caller frees the line. Return NULL at the end of input.
 */
static char *
ask(const char *question, const char *hint)
{
	struct buf shown = { 0 };
	char *result = NULL;
	size_t size = 0;
	ssize_t len;

	/* Drop all text that the user typed before the question was visible. */
	tcflush(STDIN_FILENO, TCIFLUSH);
	text_safe(&shown, question, strlen(question));
	fprintf(stderr, "%s %s", buf_str(&shown), hint);
	buf_free(&shown);
	len = getline(&result, &size, stdin);
	if (len > 0 && result[len - 1] == '\n')
		result[len - 1] = '\0';
	if (len > 0)
		return result;
	fputc('\n', stderr);
	free(result);
	return NULL;
}

bool
prompt_yes(const char *question)
{
	char *result = ask(question, "[y/N] ");
	bool yes = result != NULL && (strcasecmp(result, "y") == 0 ||
					     strcasecmp(result, "yes") == 0);

	free(result);
	return yes;
}

bool
prompt_number(const char *question, size_t number)
{
	char wanted[24], hint[64], *result;
	bool yes;

	snprintf(wanted, sizeof(wanted), "%zu", number);
	snprintf(hint, sizeof(hint), "Type %s to confirm: ", wanted);
	result = ask(question, hint);
	yes = result != NULL && strcmp(result, wanted) == 0;
	free(result);
	return yes;
}

static void
on_interrupt(int sig)
{
	/*
	 * Do nothing, because it is enough that the signal interrupts read(2).
	 */
	(void)sig;
}

char
prompt_choice(const char *question, const char *letters)
{
	struct sigaction interrupt = { .sa_handler = on_interrupt }, before;
	char *result, letter = '\0';

	sigaction(SIGINT, &interrupt, &before);
	while (letter == '\0' && (result = ask(question, "")) != NULL) {
		if (*result != '\0' &&
			strchr(letters, tolower((unsigned char)*result)))
			letter = (char)tolower((unsigned char)*result);
		free(result);
	}
	sigaction(SIGINT, &before, NULL);
	return letter;
}
