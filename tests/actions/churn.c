/*
 * A program that starts many short-lived children. Half of the children have
 * the name NAME, and half have the name OTHER. Bridle must not signal the
 * children with the name OTHER. The program prints "ready" and runs until its
 * standard input ends. Before the program exits, it prints two numbers for each
 * name: the number of children, and the number of children that a signal ended.
 *
 *     churn [--same-pid] NAME OTHER
 *     named 812 killed 40 others 812 killed 0
 *
 * With --same-pid only one child runs at a time, and each child gets the pid of
 * the previous child. This option needs root and a separate pid namespace.
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
/*
 * Lifetimes of children, in microseconds. Short-lived children end while the
 * daemon reads their names. Long-lived children are alive when a slow daemon
 * sends its signal.
 */
#define LIFE_US 1500
#define LIFE_DOUBLINGS 6
#define LONG_LIFE_US 1000000
#define LONG_LIVES 8 /* one of 8 children named NAME lives long */

struct kind {
	const char *name;
	bool lives_long; /* true if a few of these children live long */
	unsigned started, killed;
};

struct child {
	pid_t pid; /* pid of the child; 0 if the element is free */
	struct kind *kind;
};

/*
 * Ask the kernel to give `pid` to the next child, if no process has this pid.
 */
static void
choose_pid(pid_t pid)
{
	FILE *f = fopen("/proc/sys/kernel/ns_last_pid", "w");

	if (f == NULL || fprintf(f, "%d", (int)pid - 1) < 0 || fclose(f) != 0) {
		perror("ns_last_pid");
		exit(1);
	}
}

static useconds_t
choose_life(const struct kind *kind)
{
	if (kind->lives_long && rand() % LONG_LIVES == 0)
		return LONG_LIFE_US;
	return (useconds_t)(rand() % LIFE_US) << rand() % LIFE_DOUBLINGS;
}

static void
start(struct child *c, struct kind *kind)
{
	useconds_t life = choose_life(kind);

	c->kind = kind;
	if ((c->pid = fork()) == 0) {
		prctl(PR_SET_NAME, kind->name);
		usleep(life);
		_exit(0);
	}
	if (c->pid == -1) {
		/*
		 * The maximum number of processes is reached. The caller tries
		 * again after this short wait.
		 */
		c->pid = 0;
		usleep(1000);
		return;
	}
	kind->started++;
}

/*
 * Return the array element with this pid, or NULL if no element has this pid.
 * The pid 0 finds a free element.
 */
static struct child *
find(struct child *children, unsigned n, pid_t pid)
{
	unsigned i;

	for (i = 0; i < n; i++)
		if (children[i].pid == pid)
			return &children[i];
	return NULL;
}

/*
 * Wait until any child ends, and reap this child. If the program waited for one
 * certain child, other children would stay zombies.
 */
static void
finish_one(struct child *children, unsigned n)
{
	int status;
	pid_t pid = waitpid(-1, &status, 0);
	struct child *c = pid > 0 ? find(children, n, pid) : NULL;

	if (c == NULL)
		return;
	if (WIFSIGNALED(status))
		c->kind->killed++;
	c->pid = 0;
}

/*
 * Return false if standard input has bytes to read or has ended, otherwise
 * true.
 */
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
	struct kind kinds[2] = { { .lives_long = true },
		{ .lives_long = false } };
	unsigned n = same ? 1 : ALIVE_MAX, i;
	struct child *c;
	pid_t pid = 0;

	if (argc != (same ? 4 : 3))
		return 2;
	kinds[0].name = argv[argc - 2];
	kinds[1].name = argv[argc - 1];
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	puts("ready");
	fflush(stdout);
	for (i = 0; goes_on(); i++) {
		while ((c = find(children, n, 0)) == NULL)
			finish_one(children, n);
		if (same && pid != 0)
			choose_pid(pid);
		start(c, &kinds[i / n % 2]);
		if (pid == 0)
			pid = children[0].pid;
	}
	for (i = 0; i < n; i++)
		if (children[i].pid != 0)
			finish_one(children, n);
	printf("named %u killed %u others %u killed %u\n", kinds[0].started,
		kinds[0].killed, kinds[1].started, kinds[1].killed);
	return 0;
}
