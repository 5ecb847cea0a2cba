/*
 * bridle-discover searches the network for machines that announce bridled, and
 * prints a line for each service; search.h describes the lines. bridlectl runs
 * this program, because bridlectl itself does not link Avahi's library.
 */
#include "buf.h"
#include "fd.h"
#include "search.h"
#include "text.h"

#include <stdio.h>
#include <sysexits.h>
#include <unistd.h>

#define SECONDS_MAX 3600
/*
 * Seconds that the program may need beyond the search. Avahi's library waits
 * for the D-Bus daemon without a deadline.
 */
#define SECONDS_MORE 15

int
main(int argc, char **argv)
{
	struct buf lines = { 0 }, problem = { 0 };
	int status = EX_OK;
	long seconds;
	int result;

	if (fd_std_open() != 0)
		return EX_OSERR;
	if (argc != 2 || text_number(argv[1], 0, SECONDS_MAX, &seconds) != 0) {
		fputs("usage: bridle-discover SECONDS\n"
		      "bridlectl runs this program: see 'bridlectl discover "
		      "--help'\n",
			stderr);
		return EX_USAGE;
	}
	alarm((unsigned)seconds + SECONDS_MORE);
	result = search_run((unsigned)seconds, &lines, &problem);
	if (result > 0)
		fprintf(stderr,
			"bridlectl: more than %d announcements: some are not "
			"shown\n",
			SEARCH_SERVICES_MAX);
	if (result < 0) {
		fprintf(stderr, "bridlectl: %s\n", buf_str(&problem));
		status = EX_UNAVAILABLE;
	} else if (lines.failed ||
		   fd_write_all(STDOUT_FILENO, lines.data, lines.len) != 0) {
		status = EX_IOERR;
	}
	buf_free(&lines);
	buf_free(&problem);
	return status;
}
