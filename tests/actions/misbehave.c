/*
 * An action that does not do what one hopes. FILE may be left out.
 *
 *     misbehave background FILE  leaves a grandchild that holds the pipe;
 *                                its pid goes to FILE
 *     misbehave closed           closes its output and goes on for a while
 *     misbehave flood            writes for ever
 *     misbehave ignore FILE      ignores SIGTERM; its pid goes to FILE
 *     misbehave signal           dies of SIGSEGV
 *     misbehave stopped FILE     stops itself; its pid goes to FILE
 *     misbehave fail             says why on stderr, exits with 3
 *     misbehave sleep FILE       waits for ever; its pid goes to FILE
 *     misbehave family FILE      the same, with a child in its group that
 *                                ignores SIGTERM; the child's pid goes to FILE
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* Whole or not at all, so that a reader never sees half a number. */
static void
write_pid(const char *path, pid_t pid)
{
	char temporary[4096];
	FILE *f;

	if (path == NULL)
		return;
	snprintf(temporary, sizeof(temporary), "%s.new", path);
	if ((f = fopen(temporary, "w")) == NULL)
		exit(1);
	fprintf(f, "%d\n", (int)pid);
	fclose(f);
	if (rename(temporary, path) != 0)
		exit(1);
}

static void
wait_for_ever(void)
{
	for (;;)
		pause();
}

/* A child that ignores SIGTERM, and is there when its number can be read. */
static void
bear_child(const char *path)
{
	pid_t pid;

	if ((pid = fork()) == 0) {
		signal(SIGTERM, SIG_IGN);
		alarm(120); /* should the test not end it */
		write_pid(path, getpid());
		wait_for_ever();
	}
	if (pid == -1)
		exit(1);
}

static void
background(const char *path)
{
	bear_child(path);
	puts("left one behind");
}

static void
flood(void)
{
	char line[1024];

	memset(line, 'x', sizeof(line));
	line[sizeof(line) - 1] = '\n';
	while (write(STDOUT_FILENO, line, sizeof(line)) > 0)
		;
}

static void
die(void)
{
	struct rlimit none = { 0, 0 };

	setrlimit(RLIMIT_CORE, &none);
	signal(SIGSEGV, SIG_DFL);
	raise(SIGSEGV);
}

int
main(int argc, char **argv)
{
	const char *how = argc > 1 ? argv[1] : "";
	const char *path = argc > 2 ? argv[2] : NULL;

	if (strcmp(how, "background") == 0) {
		background(path);
	} else if (strcmp(how, "closed") == 0) {
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		usleep(300000);
	} else if (strcmp(how, "flood") == 0) {
		flood();
	} else if (strcmp(how, "ignore") == 0) {
		signal(SIGTERM, SIG_IGN);
		write_pid(path, getpid());
		wait_for_ever();
	} else if (strcmp(how, "signal") == 0) {
		die();
	} else if (strcmp(how, "stopped") == 0) {
		write_pid(path, getpid());
		raise(SIGSTOP);
		wait_for_ever();
	} else if (strcmp(how, "family") == 0) {
		bear_child(path);
		wait_for_ever();
	} else if (strcmp(how, "sleep") == 0) {
		write_pid(path, getpid());
		wait_for_ever();
	} else {
		fputs("the halt was refused: no reason given\n", stderr);
		return 3;
	}
	return 0;
}
