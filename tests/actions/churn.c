/*
 * Processes that come and go: children that live for a moment, half of them
 * under one name, half under another. Nobody has reason to signal those of
 * the second. Says "ready", goes on until its input ends, and then tells how
 * many there were and how many of each were ended by a signal:
 *
 *     churn [--same-pid] NAME OTHER
 *     named 812 killed 40 others 812 killed 0
 *
 * With --same-pid there is one at a time, and each gets the pid of the one
 * before it; that needs a pid namespace of one's own, and root.
 */
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ALIVE_MAX 8
#define LIFE_US 1500

struct kind {
	const char *name;
	unsigned started, killed;
};

struct child {
	pid_t pid; /* 0: none */
	struct kind *kind;
};

/* The next process to be forked gets this pid if it is free. */
static void
choose_pid(pid_t pid)
{
	FILE *f = fopen("/proc/sys/kernel/ns_last_pid", "w");

	if (f == NULL || fprintf(f, "%d", (int)pid - 1) < 0 || fclose(f) != 0) {
		perror("ns_last_pid");
		exit(1);
	}
}

static void
start(struct child *c, struct kind *kind)
{
	useconds_t life = (useconds_t)(rand() % LIFE_US);

	c->kind = kind;
	if ((c->pid = fork()) == 0) {
		prctl(PR_SET_NAME, kind->name);
		usleep(life);
		_exit(0);
	}
	if (c->pid == -1) {
		/* The machine is full; the next one may find room. */
		c->pid = 0;
		usleep(1000);
		return;
	}
	kind->started++;
}

static void
finish(struct child *c)
{
	int status;

	if (c->pid == 0 || waitpid(c->pid, &status, 0) != c->pid)
		return;
	if (WIFSIGNALED(status))
		c->kind->killed++;
	c->pid = 0;
}

/* Until there is something to read, or its end. */
static bool
goes_on(void)
{
	struct pollfd p = { STDIN_FILENO, POLLIN, 0 };

	return poll(&p, 1, 0) == 0;
}

int
main(int argc, char **argv)
{
	bool same = argc > 1 && strcmp(argv[1], "--same-pid") == 0;
	struct child children[ALIVE_MAX] = { { 0, NULL } };
	struct kind kinds[2] = { { NULL, 0, 0 }, { NULL, 0, 0 } };
	unsigned n = same ? 1 : ALIVE_MAX, i;
	pid_t pid = 0;

	if (argc != (same ? 4 : 3))
		return 2;
	kinds[0].name = argv[argc - 2];
	kinds[1].name = argv[argc - 1];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	puts("ready");
	fflush(stdout);
	for (i = 0; goes_on(); i++) {
		finish(&children[i % n]);
		if (same && pid != 0)
			choose_pid(pid);
		start(&children[i % n], &kinds[i / n % 2]);
		if (pid == 0)
			pid = children[0].pid;
	}
	for (i = 0; i < n; i++)
		finish(&children[i]);
	printf("named %u killed %u others %u killed %u\n", kinds[0].started,
		kinds[0].killed, kinds[1].started, kinds[1].killed);
	return 0;
}
