#include "command_line.h"

#include "config.h"

#include "config/settings.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static const char usage[] =
	"Usage: bridled [--config FILE] [--daemonize] [--pid-file FILE]\n"
	"               [--log-stderr]\n"
	"       bridled --check [FILE] [--access USER] [--in-place-of FILE]\n"
	"               [--passed]\n"
	"       bridled --entry KEY|NAME [FILE]\n"
	"       bridled --show | --outline [FILE]\n"
	"       bridled --effective | --reload [FILE] [--state-dir DIR]\n"
	"       bridled --fingerprint [FILE]\n"
	"\n"
	"Examples:\n"
	"  bridled --check                    check the configuration\n"
	"  bridled --config my.conf --log-stderr   run in the foreground\n"
	"  bridled --reload                   reload, and show the result\n"
	"  bridled --check --access anna      check that anna has access, too\n"
	"\n"
	"  -c, --config FILE    read FILE instead of " SETTINGS_FILE "\n"
	"  -d, --daemonize      go into the background when the daemon serves\n"
	"  -p, --pid-file FILE  write the process ID to FILE\n"
	"  -e, --log-stderr     log to standard error instead of syslog\n"
	"      --check          check the configuration, then exit\n"
	"      --access USER    check the configuration, and USER's access\n"
	"      --in-place-of F  check a file that will replace F; F may be in "
	"conf.d\n"
	"      --passed         check as if a service manager opens the TCP "
	"sockets\n"
	"      --entry KEY|NAME print file and line of clients with this key "
	"or name\n"
	"      --show           print all settings of the file, then exit\n"
	"      --outline        print the place of each client and "
	"listener\n"
	"      --effective      print the effective settings of the running "
	"daemon\n"
	"      --reload         reload the running daemon, wait for the "
	"result\n"
	"      --state-dir DIR  look for the running daemon in DIR, too\n"
	"      --fingerprint    print the host key's fingerprint; create a "
	"missing key\n"
	"  -V, --version        print the version\n"
	"  -h, --help           print this help\n"
	"\n"
	"See bridled(8) and bridled.conf(5).\n";

static void __attribute__((noreturn)) print_and_exit(const char *text)
{
	fputs(text, stdout);
	if (fflush(stdout) != 0)
		err(EX_IOERR, "cannot write the output");
	exit(0);
}

void
command_line_parse(int argc, char **argv, struct options *o)
{
	enum { ACCESS = 256, STATE_DIR, IN_PLACE_OF, PASSED, ENTRY };
	const struct option longs[] = { { "config", required_argument, NULL,
						'c' },
		{ "daemonize", no_argument, NULL, 'd' },
		{ "pid-file", required_argument, NULL, 'p' },
		{ "log-stderr", no_argument, NULL, 'e' },
		{ "check", no_argument, &o->check, true },
		{ "access", required_argument, NULL, ACCESS },
		{ "entry", required_argument, NULL, ENTRY },
		{ "show", no_argument, &o->show, true },
		{ "outline", no_argument, &o->outline, true },
		{ "effective", no_argument, &o->effective, true },
		/* name that version 0.1 used for `--effective` */
		{ "in-force", no_argument, &o->effective, true },
		{ "reload", no_argument, &o->reload, true },
		{ "state-dir", required_argument, NULL, STATE_DIR },
		{ "in-place-of", required_argument, NULL, IN_PLACE_OF },
		{ "passed", no_argument, NULL, PASSED },
		{ "fingerprint", no_argument, &o->fingerprint, true },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "c:dp:eVh", longs, NULL)) != -1) {
		switch (c) {
		case 0:
			break;
		case 'c':
			o->config = o->config_option = optarg;
			break;
		case 'd':
			o->daemonize = true;
			break;
		case 'p':
			o->pid_file = optarg;
			break;
		case 'e':
			o->log_stderr = true;
			break;
		case ACCESS:
			o->access = optarg;
			o->check = true;
			break;
		case IN_PLACE_OF:
			o->in_place_of = optarg;
			o->check = true;
			break;
		case PASSED:
			o->passed = true;
			o->check = true;
			break;
		case ENTRY:
			o->entry = optarg;
			break;
		case STATE_DIR:
			o->state_dir = optarg;
			break;
		case 'V':
			print_and_exit("bridled " PACKAGE_VERSION "\n");
		case 'h':
			print_and_exit(usage);
		default:
			fputs("Try 'bridled --help'.\n", stderr);
			exit(EX_USAGE);
		}
	}
	if ((o->check || o->show || o->outline || o->fingerprint ||
		    o->effective || o->reload || o->entry != NULL) &&
		optind < argc)
		o->config = argv[optind++];
	if (o->state_dir != NULL && !o->effective && !o->reload)
		errx(EX_USAGE, "--state-dir needs --effective or --reload");
	if (optind < argc)
		errx(EX_USAGE, "unexpected argument '%s'; try 'bridled --help'",
			argv[optind]);
}
