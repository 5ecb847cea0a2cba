/*
 * A process for tests of the request `kill`. The program prints "ready" and
 * sleeps without end.
 *
 *     victim [--comm NAME] [--ignore-term] [--exit-on-term STATUS]
 *            [--rename-on-term NAME] [--euid UID]
 *     victim --argv0 TEXT [OPTION...]     runs with TEXT as its argv[0]
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

static volatile sig_atomic_t exit_status;

static const char *new_name;

static void
change_name(int sig)
{
	(void)sig;
	prctl(PR_SET_NAME, new_name);
}

static void
leave(int sig)
{
	(void)sig;
	_exit(exit_status);
}

int
main(int argc, char **argv)
{
	int i;

	if (argc > 2 && strcmp(argv[1], "--argv0") == 0) {
		execv("/proc/self/exe", argv + 2);
		return 1;
	}
	for (i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--comm") == 0 && i + 1 < argc) {
			prctl(PR_SET_NAME, argv[++i]);
		} else if (strcmp(argv[i], "--ignore-term") == 0) {
			signal(SIGTERM, SIG_IGN);
		} else if (strcmp(argv[i], "--exit-on-term") == 0 &&
			   i + 1 < argc) {
			exit_status = atoi(argv[++i]);
			signal(SIGTERM, leave);
		} else if (strcmp(argv[i], "--rename-on-term") == 0 &&
			   i + 1 < argc) {
			new_name = argv[++i];
			signal(SIGTERM, change_name);
		} else if (strcmp(argv[i], "--euid") == 0 && i + 1 < argc) {
			if (seteuid((uid_t)atoi(argv[++i])) != 0)
				return 1;
		}
	}
	/* Ask the kernel to kill this process when the parent process ends. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	puts("ready");
	fflush(stdout);
	for (;;)
		pause();
}
