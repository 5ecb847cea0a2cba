/*
 * A command that prints its arguments, environment and credentials, each on a
 * line of its own. Arguments are printed in hexadecimal, so that no argument
 * can imitate another line.
 *
 *     reveal ARG...
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

extern char **environ;

static void
print(const char *what, const char *bytes)
{
	printf("%s ", what);
	for (; *bytes != '\0'; bytes++)
		printf("%02x", (unsigned char)*bytes);
	putchar('\n');
}

/*
 * Print the numbers of the open descriptors. Leave out the descriptor that this
 * function itself has opened for /proc/self/fd.
 */
static void
print_descriptors(void)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *e;

	while (dir != NULL && (e = readdir(dir)) != NULL)
		if (*e->d_name != '.' && atoi(e->d_name) != dirfd(dir))
			printf("fd %s\n", e->d_name);
	if (dir != NULL)
		closedir(dir);
}

static void
print_groups(void)
{
	gid_t groups[64];
	int i, n = getgroups(64, groups);

	for (i = 0; i < n; i++)
		printf("group %u\n", (unsigned)groups[i]);
}

int
main(int argc, char **argv)
{
	char cwd[4096];
	char **e;
	int i;

	for (i = 1; i < argc; i++)
		print("arg", argv[i]);
	for (e = environ; *e != NULL; e++)
		printf("env %s\n", *e);
	printf("cwd %s\n", getcwd(cwd, sizeof(cwd)));
	printf("uid %u\ngid %u\n", (unsigned)getuid(), (unsigned)getgid());
	print_groups();
	printf("nice %d\n", getpriority(PRIO_PROCESS, 0));
	printf("leader %d\n", getsid(0) == getpid() && getpgrp() == getpid());
	print_descriptors();
	return 0;
}
