#include "command_line.h"

#include "config.h"

#include "settings.h"

#include <err.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>

static const char usage[] =
	"Usage: bridled [--config FILE] [--daemonize] [--pid-file FILE]\n"
	"               [--log-stderr]\n"
	"       bridled --check [FILE] [--access USER]\n"
	"       bridled --show [FILE]\n"
	"       bridled --in-force | --reload [FILE] [--state-dir DIR]\n"
	"       bridled --fingerprint [FILE]\n"
	"\n"
	"Examples:\n"
	"  bridled --check                    is the configuration right?\n"
	"  bridled --config my.conf --log-stderr   run in the foreground\n"
	"  bridled --reload                   read it again; did that work?\n"
	"  bridled --check --access anna      and does anna get in by it?\n"
	"\n"
	"  -c, --config FILE    instead of " SETTINGS_FILE "\n"
	"  -d, --daemonize      go into the background once it serves\n"
	"  -p, --pid-file FILE  write the process's number there\n"
	"  -e, --log-stderr     log to standard error instead of syslog\n"
	"      --check          check the configuration, then exit\n"
	"      --access USER    check it, and whether this user here gets in\n"
	"      --show           print all settings of the file, then exit\n"
	"      --in-force       print those of the daemon that runs with it\n"
	"      --reload         have that daemon read it again, and wait\n"
	"      --state-dir DIR  look for that daemon there, too\n"
	"      --fingerprint    print the host key's, then exit; makes the "
	"key\n"
	"  -V, --version        print the version\n"
	"  -h, --help           print this\n"
	"\n"
	"See bridled(8) and bridled.conf(5).\n";

void
command_line_parse(int argc, char **argv, struct options *o)
{
	enum {
		CHECK = 256,
		ACCESS,
		SHOW,
		IN_FORCE,
		RELOAD,
		STATE_DIR,
		FINGERPRINT
	};
	static const struct option longs[] = { { "config", required_argument,
						       NULL, 'c' },
		{ "daemonize", no_argument, NULL, 'd' },
		{ "pid-file", required_argument, NULL, 'p' },
		{ "log-stderr", no_argument, NULL, 'e' },
		{ "check", no_argument, NULL, CHECK },
		{ "access", required_argument, NULL, ACCESS },
		{ "show", no_argument, NULL, SHOW },
		{ "in-force", no_argument, NULL, IN_FORCE },
		{ "reload", no_argument, NULL, RELOAD },
		{ "state-dir", required_argument, NULL, STATE_DIR },
		{ "fingerprint", no_argument, NULL, FINGERPRINT },
		{ "version", no_argument, NULL, 'V' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 } };
	int c;

	while ((c = getopt_long(argc, argv, "c:dp:eVh", longs, NULL)) != -1) {
		switch (c) {
		case 'c':
			o->config = optarg;
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
		case CHECK:
			o->check = true;
			break;
		case ACCESS:
			o->access = optarg;
			o->check = true;
			break;
		case IN_FORCE:
			o->in_force = true;
			break;
		case RELOAD:
			o->reload = true;
			break;
		case STATE_DIR:
			o->state_dir = optarg;
			break;
		case SHOW:
			o->show = true;
			break;
		case FINGERPRINT:
			o->fingerprint = true;
			break;
		case 'V':
			puts("bridled " PACKAGE_VERSION);
			exit(0);
		case 'h':
			fputs(usage, stdout);
			exit(0);
		default:
			fputs("Try 'bridled --help'.\n", stderr);
			exit(EX_USAGE);
		}
	}
	if ((o->check || o->show || o->fingerprint || o->in_force ||
		    o->reload) &&
		optind < argc)
		o->config = argv[optind++];
	if (o->state_dir != NULL && !o->in_force && !o->reload)
		errx(EX_USAGE, "--state-dir is for --in-force and --reload");
	if (optind < argc)
		errx(EX_USAGE, "what is '%s'? Try 'bridled --help'.",
			argv[optind]);
}
