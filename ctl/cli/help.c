#include "cli/help.h"

#include "buf.h"

#include <stdio.h>
#include <string.h>

#define LINE_WIDTH 79
#define LEFT_WIDTH 24
#define EXAMPLE_WIDTH 36 /* width of the arguments of an example */
/*
 * Options for many hosts. --help lists these options under a separate heading.
 */
#define OPT_MANY (OPT_FANNED | OPT_STAGED)

static const char general_examples[] =
	"list 'ssh*'|processes whose name matches\n"
	"kill firefox|show, ask, then send TERM\n"
	"-H web1 poweroff --in 10m|another host, in 10 minutes\n"
	"-H 'node[01-32]' ping --gather|32 hosts in parallel\n"
	"explain reboot|is a reboot allowed, and why?\n"
	"ping|does the daemon reply?\n";

static const char exit_statuses[] =
	"Exit status:\n"
	"  0 done   1 refused, failed or only partly done   2 wrong command "
	"line\n"
	"  3 host not reached, or reply incomplete   4 different results of "
	"hosts\n";

/*
 * Print the examples in the text. Each line has the form
 * "ARGUMENTS|explanation".
 */
static void
print_examples(const char *text)
{
	size_t left, right;

	puts("Examples:");
	for (; *text != '\0'; text += left + right + 2) {
		left = strcspn(text, "|");
		right = strcspn(text + left + 1, "\n");
		printf("  bridlectl %.*s", (int)left, text);
		if (right > 0 && left > EXAMPLE_WIDTH)
			printf("\n%*s", EXAMPLE_WIDTH + 12, "");
		else if (right > 0)
			printf("%*s", EXAMPLE_WIDTH - (int)left, "");
		printf(right > 0 ? " %.*s\n" : "%.*s\n", (int)right,
			text + left + 1);
	}
}

/* Append the value of an option, as in --signal SIGNAL or --watch[=SECONDS]. */
static void
add_value(struct buf *out, const struct option_row *row)
{
	if (row->value == NULL)
		return;
	if (*row->value == '[')
		buf_addf(out, "[=%s", row->value + 1);
	else
		buf_addf(out, " %s", row->value);
}

static void
add_option(struct buf *out, const struct option_row *row)
{
	if (row->letter != 0)
		buf_addf(out, "-%c", row->letter);
	else
		buf_addf(out, "--%s", row->name);
	add_value(out, row);
}

/*
 * Print "Usage: bridlectl kill NAME [-s SIGNAL] …", broken into lines. Leave
 * out the options that c->args already has.
 */
static void
print_usage(const struct command *c)
{
	struct buf part = { 0 };
	int column, i;

	column = printf("Usage: bridlectl %s", c->name);
	if (*c->args != '\0')
		column += printf(" %s", c->args);
	for (i = 0; i < OPT_COUNT; i++) {
		if (!(c->options & ~OPT_MANY & OPT_BIT(i)))
			continue;
		buf_reset(&part);
		add_option(&part, &option_rows[i]);
		if (strstr(c->args, buf_str(&part)) != NULL)
			continue;
		if (column + (int)part.len + 3 > LINE_WIDTH)
			column = printf("\n      ") - 1;
		column += printf(" [%s]", buf_str(&part));
	}
	puts(c->options & OPT_MANY ? " ..." : "");
	buf_free(&part);
}

/*
 * Print a row of two columns. If the left column is long, print the right
 * column on the next line.
 */
static void
print_row(const char *left, const char *right)
{
	if (strlen(left) > LEFT_WIDTH)
		printf("  %s\n  %-*s %s\n", left, LEFT_WIDTH, "", right);
	else
		printf("  %-*s %s\n", LEFT_WIDTH, left, right);
}

static void
print_options(const char *heading, option_set options)
{
	const struct option_row *row;
	struct buf left = { 0 };
	int i;

	puts(heading);
	for (i = 0; i < OPT_COUNT; i++) {
		row = &option_rows[i];
		if (!(options & OPT_BIT(i)))
			continue;
		buf_reset(&left);
		if (row->letter != 0)
			buf_addf(&left, "-%c, ", row->letter);
		else
			buf_adds(&left, "    ");
		buf_addf(&left, "--%s", row->name);
		add_value(&left, row);
		print_row(buf_str(&left), row->help);
	}
	buf_free(&left);
}

static void
print_general(const struct command *const *commands)
{
	const struct command *c;
	struct buf left = { 0 };

	puts("bridlectl: control this machine and other hosts through "
	     "bridled\n");
	print_examples(general_examples);
	puts("\nCommands:");
	for (; (c = *commands) != NULL; commands++) {
		buf_reset(&left);
		buf_addf(&left, "%s %s", c->name, c->args);
		print_row(buf_str(&left), c->help);
	}
	puts("\n'bridlectl COMMAND --help' explains a command. Options may "
	     "stand anywhere.\n");
	print_options("Options:", (OPT_REMOTE & ~OPT_MANY) | OPT_ALWAYS);
	print_options("\nFor many hosts:", OPT_REMOTE & OPT_MANY);
	putchar('\n');
	fputs(exit_statuses, stdout);
	buf_free(&left);
}

void
help_print(const struct command *const *commands, const struct command *c)
{
	if (c == NULL) {
		print_general(commands);
		return;
	}
	printf("bridlectl %s: %s\n\n", c->name, c->help);
	print_examples(c->examples);
	putchar('\n');
	print_usage(c);
	putchar('\n');
	print_options("Options:", (c->options & ~OPT_MANY) | OPT_BIT(OPT_HELP));
	if (c->options & OPT_MANY)
		print_options("\nFor many hosts:", c->options & OPT_MANY);
}
