"""Tests of Bridle as the agent of a monitoring system, with plugins from
packages of Debian."""

import os
import re
import subprocess

import bridle
from bridle import SOURCE, Daemon, Skip, equal
from runs import Commander, command

PLUGINS = "/usr/lib/nagios/plugins"
PAGE = os.path.join(SOURCE, "man", "bridle-monitoring.7")


def plugin(name):
    path = os.path.join(PLUGINS, name)
    if not os.path.exists(path):
        raise Skip("because monitoring-plugins-basic is not installed")
    return path


def literal(beginning):
    """Return the literal block of the manual page that begins with this
    text."""
    with open(PAGE) as f:
        for block in re.findall(r"\.Bd -literal.*?\n(.*?)\.Ed", f.read(),
                                re.S):
            if block.startswith(beginning):
                return block.replace("\\e", "\\").replace("\\&", "")
    raise AssertionError("the page has no block %r" % beginning)


def directly(*argv):
    return subprocess.run(argv, capture_output=True, text=True)


def same(d, args, argv):
    """Run a plugin through Bridle and directly. Check that the exit status and
    the first two words of the output are the same."""
    through = d.ctl("run", *args, "--exit-status=3")
    alone = directly(*argv)
    equal((through.returncode, through.stdout.split()[:2]),
          (alone.returncode, alone.stdout.split()[:2]))
    return through


def test_the_commands_of_the_manual_give_what_the_plugins_give():
    disk = plugin("check_disk")
    with Daemon(settings=literal("commands = (")) as d:
        log = d.whole_log()
        assert "warning" not in log, log
        done = same(d, ("check_disk", "warn=1%", "crit=0%", "path=/"),
                    (disk, "-w", "1%", "-c", "0%", "-p", "/"))
        assert done.stdout.startswith("DISK "), done.stdout
        same(d, ("check_load",), (plugin("check_load"), "-w", "15,10,5",
                                  "-c", "30,25,20"))
        # This check must fail, because the limits of this check demand that the
        # whole disk is free.
        done = same(d, ("check_disk", "100%", "100%", "/"),
                    (disk, "-w", "100%", "-c", "100%", "-p", "/"))
        equal(done.returncode, 2)
        for bad in ("/etc", "/ -x /", "-p", "/;id"):
            done = d.ctl("run", "check_disk", "1%", "0%", "path=" + bad,
                         "--exit-status=3")
            equal((done.returncode, done.stdout), (3, ""))


def test_every_status_of_a_plugin_is_passed_on():
    dummy = plugin("check_dummy")
    with Commander(command("dummy", dummy, "{n}", "{text}",
                           args='n = "[0-9]"; text = "[a-z ]+";')) as d:
        for n, word in enumerate(("OK", "WARNING", "CRITICAL", "UNKNOWN")):
            done = d.ctl("run", "dummy", str(n), "all is said",
                         "--exit-status=3")
            equal((done.returncode, done.stdout, done.stderr),
                  (n, word + ": all is said\n", ""))


def test_the_definition_for_nagios_works_as_it_stands():
    plugin("check_disk")
    text = literal("define command")
    line = re.search(r"command_line\s+(.*?--exit-status.*?)\n", text, re.S)[1]
    line = line.replace("\\\n", " ").replace("/usr/bin/bridlectl",
                                             bridle.BRIDLECTL)
    values = re.search(r"check_command\s+check_bridle_disk!(.*)", text)[1]
    with Daemon(settings=literal("commands = (")) as d:
        line = line.replace("$HOSTADDRESS$", "unix:" + d.sock)
        for i, value in enumerate(values.split("!"), 1):
            line = line.replace("$ARG%d$" % i, value)
        assert "$" not in line, line
        done = directly("/bin/sh", "-c", line)
        assert done.returncode in (0, 1, 2), (line, done)
        assert done.stdout.startswith("DISK "), done
        done = directly("/bin/sh", "-c", line.replace("unix:", "unix:/none"))
        equal(done.returncode, 3)
        assert "no socket at" in done.stdout, done


def test_a_plugin_that_hangs_is_unknown():
    with Commander(command("hang", "/bin/sleep", "1000",
                           more="timeout = 1;")) as d:
        done = d.ctl("run", "hang", "--exit-status=3")
        equal((done.returncode, done.stdout), (3, ""))
        assert "the time limit was reached" in done.stderr, done.stderr


bridle.main(globals())
