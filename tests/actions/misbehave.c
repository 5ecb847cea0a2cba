/*
 * A command that behaves badly when bridled runs it as an action. FILE is
 * optional.
 *
 *     misbehave background FILE  leaves a grandchild that holds the pipe;
 *                                writes the grandchild's pid to FILE
 *     misbehave closed           closes its output and runs for a while
 *     misbehave flood            writes without end
 *     misbehave ignore FILE      ignores SIGTERM; writes its pid to FILE
 *     misbehave signal           dies of SIGSEGV
 *     misbehave stopped FILE     stops itself; writes its pid to FILE
 *     misbehave fail             writes a reason to stderr, exits with 3
 *     misbehave sleep FILE       sleeps without end; writes its pid to FILE
 *     misbehave family FILE      like sleep, but has a child that is in the
 *                                same process group and ignores SIGTERM;
 *                                writes the child's pid to FILE
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/*
 * Write the pid to a new file, and then rename the file to `path`. A reader of
 * `path` never sees an incomplete number.
 */
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

/* Fork a child. The child ignores SIGTERM first, and then writes its pid. */
static void
bear_child(const char *path)
{
	pid_t pid;

	if ((pid = fork()) == 0) {
		signal(SIGTERM, SIG_IGN);
		alarm(120); /* end after 120 s if the test does not kill it */
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
