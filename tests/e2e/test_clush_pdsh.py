"""Tests of the real ClusterShell and pdsh, which call bridlectl for each host
and use its groups. The tests run the commands of the manual."""

import contextlib
import os
import pwd
import re
import shutil
import subprocess

import bridle
from bridle import SOURCE, Skip, Victim, equal
from herd import multitude
from homes import Home
from procs import kills

# Names of forty nodes, whose numbers have two digits. The node `node07` is not
# in the group `lab`.
NODES = ["node%02d" % i for i in range(1, 41)]
LAB = [node for node in NODES if node != "node07"]
LAB_FOLDED = "node[01-06,08-40]"
CONF = """
hosts = ({ name = "node[01-40]"; address = "127.1.1.[1-40]";
           transport = "plain"; port = %d; } %s);
groups = ({ name = "lab"; hosts = ("node[01-40]"); exclude = ("node07"); },
          { name = "few"; hosts = ("node[01-02]"); });
"""
# Configuration entry of a node where no daemon runs.
GONE = """, { name = "gone"; address = "127.1.1.1"; transport = "plain";
              port = %d; }"""


def need(*programs):
    for program in programs:
        if shutil.which(program) is None:
            raise Skip("because %s is not installed" % program)
    if "pdsh" in programs:
        try:
            pwd.getpwuid(os.getuid())
        except KeyError:
            raise Skip("because pdsh needs a user name")


class Lab:
    """A home folder with a bridlectl.conf for the nodes, and with the
    configuration of ClusterShell that the manual describes."""

    def __init__(self, daemon, home, more):
        self.daemon, self.dir = daemon, home.dir
        self.clustershell = os.path.join(home.dir, "clustershell")
        self.env = dict(home.env, CLUSTERSHELL_CFGDIR=self.clustershell,
                        PATH=bridle.BUILD + ":" + os.environ["PATH"])
        os.makedirs(os.path.dirname(home.key), mode=0o700)
        with open(home.file("bridlectl.conf"), "w") as f:
            f.write(CONF % (daemon.port, more))
        os.makedirs(os.path.join(self.clustershell, "groups.conf.d"))
        if os.path.exists("/etc/clustershell/groups.conf"):
            shutil.copy("/etc/clustershell/groups.conf", self.clustershell)
        # Switch off clush's progress output, which a long run shows even
        # without a terminal.
        with open(os.path.join(self.clustershell, "clush.conf"), "w") as f:
            f.write("[Main]\nverbosity: 0\n")
        shutil.copy(os.path.join(
            SOURCE, "conf", "examples", "clustershell-groups"), self.dir)

    def sh(self, line):
        """Run a command line with bash, in the folder of this lab. Return the
        result of subprocess.run()."""
        return subprocess.run(
            ["bash", "-c", line.replace("/etc/clustershell",
                                        self.clustershell)],
            env=self.env, cwd=self.dir, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=bridle.PATIENCE * 3)

    def good(self, line):
        """Run a command line and return its output. Check that the command
        succeeds and prints no errors."""
        done = self.sh(line)
        equal((done.returncode, done.stderr), (0, ""), line)
        return done.stdout


@contextlib.contextmanager
def lab(*programs, more=""):
    need("bash", *programs)
    with Home() as home, multitude() as d:
        place = Lab(d, home, more)
        place.good(next(line for line in recipes() if line[:3] == "cp "))
        yield place


def recipes():
    """Return the commands in the manual's section CLUSTERSHELL AND PDSH, in
    order."""
    with open(os.path.join(SOURCE, "man", "bridlectl.1")) as f:
        section = re.search(r"^\.Sh CLUSTERSHELL AND PDSH\n(.*?)^\.Sh ",
                            f.read(), re.M | re.S)[1]
    found = re.findall(r"^\.Dl [$#] (.*)$", section, re.M)
    return [line.replace(r"\(dq", '"') for line in found]


def recipes_for(tool):
    found = [line for line in recipes() if tool in line]
    assert found, "the manual has no recipe for " + tool
    return found


def named(output):
    """Return the names at the start of a line that a colon follows. The names
    are sorted, and no name occurs twice."""
    return sorted(set(re.findall(r"^(\S+): ", output, re.M)))


def check_worker(place, line, hosts, folded):
    """Run a recipe for `hosts`. Check that each of these hosts replies, and
    that the daemon gets no further request. `folded` is the list of these
    hosts in folded output."""
    asked = place.daemon.counter("requests")
    output = place.good(line)
    equal(place.daemon.counter("requests") - asked, len(hosts) + 1, line)
    if "dshbak" in line or " -b " in line:
        equal(re.findall(r"^-+\n(\S+).*\n-+$", output, re.M), [folded], line)
    else:
        equal(named(output), hosts, line)


# Tests of the manual's commands

def test_recipes_for_clush():
    with lab("clush") as place:
        for line in recipes_for("clush "):
            every = "@bridle:*" in line
            check_worker(place, line, NODES if every else LAB, LAB_FOLDED)


def test_recipes_for_pdsh():
    with lab("pdsh", "dshbak") as place:
        for line in recipes_for("pdsh"):
            if line.startswith("bridlectl hosts"):
                equal(place.good(line), "")
            elif "WCOLL" in line:
                check_worker(place, line, LAB, LAB_FOLDED)
            else:
                check_worker(place, line, NODES[:3], "node[01-03]")


def test_recipes_for_nodeset():
    with lab("nodeset") as place:
        given = [place.good(line) for line in recipes_for("nodeset -")]
        equal(given, ["@bridle:few node[01-02]\n@bridle:lab %s\n"
                      % LAB_FOLDED, LAB_FOLDED + "\n",
                      "@bridle:few\n@bridle:lab\n"])


# Tests of the groups of bridlectl in both tools

def test_both_tools_have_the_list_of_bridlectl():
    with lab("nodeset", "pdsh") as place:
        for group in ("@lab", "@few", "@*"):
            wanted = place.good("bridlectl hosts '%s'" % group).split()
            equal(place.good("nodeset -e '@bridle:%s'" % group[1:]).split(),
                  wanted)
            # pdsh has no option that only lists its hosts, so print each host
            # with echo.
            told = place.good("bridlectl hosts --format=pdsh '%s' >file; "
                              "WCOLL=file pdsh -R exec echo %%h" % group)
            equal(named(told), sorted(wanted))


def test_groups_can_be_cut_and_found_again():
    with lab("nodeset") as place:
        equal(place.good("nodeset -f @bridle:lab -x @bridle:few"),
              "node[03-06,08-40]\n")
        equal(place.good("nodeset -s bridle -r node01 node02"),
              "@bridle:few\n")
        done = place.sh("nodeset -f @bridle:nowhere")
        assert done.returncode != 0
        assert "unknown group '@nowhere'" in done.stderr, done.stderr


# Tests of many hosts, and of hosts that fail

def test_clush_asks_many():
    with lab("clush") as place:
        told = place.good("clush -R exec -w '127.1.2.[1-100]' bridlectl -H "
                          "plain:%%host:%d ping" % place.daemon.port)
        equal(len(named(told)), 100)
        equal(len(told.splitlines()), 100)


def test_pdsh_asks_many():
    with lab("pdsh") as place:
        told = place.good("pdsh -R exec -w '127.1.2.[1-100]' bridlectl -H "
                          "plain:%%h:%d ping" % place.daemon.port)
        equal(len(named(told)), 100)
        equal(len(told.splitlines()), 100)


def check_status(tool, variable):
    with lab(tool, more=GONE % bridle.free_port()) as place:
        asks = tool + " -R exec -S -w %s bridlectl -H " + variable
        done = place.sh(asks.replace("%s", "node01,gone,node02") + " ping")
        equal(done.returncode, 3, done.stderr)
        equal(named(done.stdout), ["node01", "node02"])
        assert re.search("^gone: bridlectl: gone: cannot connect",
                         done.stderr, re.M), done.stderr
        done = place.sh(asks.replace("%s", "node01,node02") +
                        " list no-such-process")
        equal(done.returncode, 1, done.stderr)


def test_clush_passes_on_how_it_ended():
    check_status("clush", "%host")


def test_pdsh_passes_on_how_it_ended():
    check_status("pdsh", "%h")


def check_argument(place, command, argument):
    """Run the command `list` with this argument. Check that the daemon gets
    the argument with all its special characters."""
    place.sh(command + " list " + argument)
    place.daemon.wait_log(r'verb=list args="name=x y\$\(id\);z"')


def test_clush_wants_quotes_twice():
    with lab("clush") as place:
        check_argument(place, "clush -R exec -w node01 bridlectl -H %host",
                       "\"'x y\\$(id);z'\"")


def test_pdsh_wants_quotes_once():
    with lab("pdsh") as place:
        check_argument(place, "pdsh -R exec -w node01 bridlectl -H %h",
                       "'x y$(id);z'")


# Tests of commands that change something

def check_kill(place, command):
    with Victim() as v:
        done = place.sh(command + " kill " + v.name)
        equal(done.returncode, 2, done.stderr)
        assert v.lives()
        place.good(command + " kill " + v.name + " -y")
        equal(v.wait(), -15)


@kills
def test_clush_kills_with_a_yes_alone():
    with lab("clush") as place:
        check_kill(place, "clush -R exec -S -w node01 bridlectl -H %host")


@kills
def test_pdsh_kills_with_a_yes_alone():
    with lab("pdsh") as place:
        check_kill(place, "pdsh -R exec -S -w node01 bridlectl -H %h")


bridle.main(globals())
