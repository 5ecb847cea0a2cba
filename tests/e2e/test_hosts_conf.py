"""Tests of bridlectl.conf: names of hosts and groups, and their settings."""

import contextlib
import json
import os
import re
import socket
import subprocess
import tempfile
import time

import bridle
import herd
import homes
from bridle import Daemon, Skip, ctl, equal, quote
from homes import TlsDaemon
from peers import need_root

WRONG = "SHA256:" + "A" * 43


class Home(homes.Home):
    """A home folder. If `text` is not None, the folder has a bridlectl.conf
    with this text."""

    def __init__(self, text=None):
        self.text = text

    def __enter__(self):
        super().__enter__()
        self.conf = self.file("bridlectl.conf")
        os.makedirs(os.path.dirname(self.conf), mode=0o700)
        if self.text is not None:
            self.write(self.text)
        return self

    def write(self, text, mode=0o644):
        with open(self.conf, "w") as f:
            f.write(text)
        os.chmod(self.conf, mode)

    def hosts(self, *args):
        done = self.ctl("hosts", *args)
        equal((done.returncode, done.stderr), (0, ""))
        return done.stdout.split()


def refused(done, code, *parts):
    equal((done.returncode, done.stdout), (code, ""), done.stderr)
    for part in parts:
        assert part in done.stderr, (part, done.stderr)


def here(d, name="here"):
    """Return an entry of `hosts` for the daemon's unix socket."""
    return ('{ name = "%s"; transport = "unix"; address = %s; }'
            % (name, quote(d.sock)))


def web(d, more=""):
    """Return an entry of `hosts` for the daemon's TLS port. The entry has the
    name "web", which is not the host's address."""
    return ('{ name = "web"; address = "127.0.0.1"; port = %d; %s }'
            % (d.ports[0], more))


def pinned(d, fingerprint=None):
    return 'fingerprint = "%s";' % (fingerprint or d.fingerprint())


# -- tests of names and groups ----------------------------------------------

CONF = """
hosts = (
  { name = "web1"; address = "10.0.0.5"; port = 7000; },
  { name = "node[01-04]"; address = "10.1.0.[1-4]"; } );
groups = (
  { name = "nodes"; hosts = ("node[01-04]"); exclude = ("node03"); },
  { name = "all"; hosts = ("@nodes", "web1", "db.example"); },
  { name = "loop"; hosts = ("a", "@back"); },
  { name = "back"; hosts = "@loop"; } );
"""
GROUPED = CONF.split(",\n  { name = \"loop\"")[0] + ");"


def test_groups_stand_for_their_hosts():
    with Home(CONF) as home:
        equal(home.hosts("@all"),
              ["node01", "node02", "node04", "web1", "db.example"])
        equal(home.hosts("@all", "-x", "@nodes", "--fold"),
              ["web1,db.example"])
        equal(home.hosts("x,@nodes", "-x", "NODE01,10.1.0.2"),
              ["x", "node04"])
        equal(home.hosts("web1:7000,10.0.0.5:7000,@all", "--count"), ["5"])


def test_without_a_list_all_that_is_configured_is_shown():
    with Home(GROUPED) as home:
        equal(home.hosts("--fold"), ["web1,node[01-04],db.example"])
        equal(home.hosts(), home.hosts("@*"))
    with Home() as home:
        refused(home.ctl("hosts"), 2, "no host is configured",
                "~/.config/bridlectl/bridlectl.conf")


def test_an_inventory_for_ansible():
    own = '{ name = "me"; transport = "unix"; address = "/s"; },'
    with Home(GROUPED.replace("(", "(" + own, 1)) as home:
        equal(home.ctl("hosts", "--format=ansible", "@all,me", "-x",
                       "node04").stdout,
              "node01 ansible_host=10.1.0.1\n"
              "node02 ansible_host=10.1.0.2\n"
              "web1 ansible_host=10.0.0.5\n"
              "db.example\n"
              "me ansible_connection=local\n"
              "\n[nodes]\nnode01\nnode02\n")


def test_the_groups_of_hosts():
    with Home(GROUPED) as home:
        equal(home.hosts("--groups"), ["nodes", "all"])
        equal(home.hosts("--groups", "web1:80"), ["all"])
        equal(home.hosts("--groups", "node03,x"), [])


def test_mistakes_of_groups_are_told_before_anything_is_sent():
    with Home(CONF) as home:
        refused(home.ctl("-H", "@nods", "ping"), 2,
                "unknown group '@nods'; did you mean '@nodes'?")
        refused(home.ctl("-H", "@loop", "poweroff", "-y"), 2,
                "'@loop' contains itself: @loop > @back > @loop")


def test_a_host_is_asked_where_its_entry_says():
    with Daemon() as d, Home() as home:
        home.write("hosts = (%s);" % here(d))
        done = home.ctl("-H", "here", "ping")
        equal((done.returncode, done.stderr), (0, ""))
        assert "pong from here:" in done.stdout, done.stdout


def test_many_hosts_are_asked_by_their_names():
    with Daemon() as d, Daemon() as other, Home() as home:
        home.write("hosts = (%s, %s);"
                   'groups = ({ name = "g"; hosts = ("one", "two"); });'
                   "defaults = { fanout = 1; };"
                   % (here(d, "one"), here(other, "two")))
        done = home.ctl("-H", "@g", "ping")
        equal(done.returncode, 0, done.stderr)
        assert "pong from one:" in done.stdout, done.stdout
        assert "pong from two:" in done.stdout, done.stdout
        done = home.ctl("-H", "@g", "ping", "--json", "-x", "one")
        equal(json.loads(done.stdout.splitlines()[0])["host"], "two")


def test_a_default_that_cannot_be_is_told_with_its_place():
    with Home('defaults = { hosts = "@gone"; };') as home:
        refused(home.ctl("ping"), 2, "defaults.hosts of bridlectl.conf: ",
                "unknown group '@gone'")


def test_defaults_count_where_the_call_says_nothing():
    with Daemon() as d, Home() as home, socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        home.write('hosts = (%s, { name = "mute"; transport = "plain"; '
                   'address = "127.0.0.1"; port = %d; });\n'
                   'defaults = { hosts = "here"; timeout = 1; };'
                   % (here(d), mute.getsockname()[1]))
        assert "pong from here:" in home.ctl("ping").stdout
        refused(home.ctl("-H", "mute", "ping"), 3, "1 second")
        refused(home.ctl("-H", "mute", "--timeout", "2", "ping"), 3,
                "2 seconds")


def test_an_entry_has_a_time_of_its_own():
    with Home() as home, socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        home.write('hosts = ({ name = "mute"; transport = "plain"; address = '
                   '"127.0.0.1"; port = %d; timeout = 1; });\n'
                   'defaults = { timeout = 500; };' % mute.getsockname()[1])
        refused(home.ctl("-H", "mute", "ping"), 3, "1 second")


def test_among_several_hosts_each_has_its_own_time():
    def answer_late(sock):
        sock.recv(65536)
        time.sleep(4)
        sock.sendall(herd.PONG)

    entry = ('{ name = "%s"; transport = "plain"; address = "127.2.0.1"; '
             'port = %d; timeout = %d; }')
    with Home() as home, herd.Host(herd.hangs) as mute, \
            herd.Host(answer_late) as late:
        home.write("hosts = (%s, %s);" % (
            entry % ("mute", mute.port, 1), entry % ("late", late.port, 500)))
        done = home.ctl("-H", "mute,late", "ping")
        equal(done.returncode, 4, done.stderr)
        assert "pong from late" in done.stdout, done.stdout
        assert "mute" in done.stderr, done.stderr


# -- tests of fingerprints and keys -----------------------------------------


def test_a_fingerprint_counts_as_the_option_does():
    with Home() as home, TlsDaemon(home) as d:
        home.write("hosts = (%s);" % web(d, pinned(d)))
        equal(home.ctl("-H", "web", "ping").returncode, 0)
        home.write("hosts = (%s);" % web(d, pinned(d, WRONG)))
        refused(home.ctl("-H", "web", "ping"), 3, "web: ", d.fingerprint(),
                "bridlectl.conf requires " + WRONG)
        # The fingerprint in the entry takes precedence over known_hosts. The
        # option --fingerprint takes precedence over the entry.
        home.ctl("trust", "-y", "127.0.0.1:%d" % d.ports[0])
        refused(home.ctl("-H", "web", "ping"), 3, "bridlectl.conf requires")
        equal(home.ctl("-H", "web", "--fingerprint", d.fingerprint(),
                       "ping").returncode, 0)


def test_known_hosts_has_the_address():
    with Home() as home, TlsDaemon(home) as d:
        home.write("hosts = (%s);" % web(d))
        refused(home.ctl("-H", "web", "ping"), 3, "the host's key is unknown",
                "'bridlectl trust web'")
        done = home.ctl("trust", "-y", "web")
        equal((done.returncode, done.stdout),
              (0, "127.0.0.1:%d %s\n" % (d.ports[0], d.fingerprint())))
        equal(home.ctl("-H", "web", "ping").returncode, 0)
        equal(home.ctl("-H", "127.0.0.1:%d" % d.ports[0],
                       "ping").returncode, 0)


def test_trust_goes_by_the_fingerprint_of_the_entry():
    with Home() as home, TlsDaemon(home) as d:
        home.write("hosts = (%s);" % web(d, pinned(d)))
        equal(home.ctl("trust", "web").returncode, 0)
        home.write("hosts = (%s);" % web(d, pinned(d, WRONG)))
        refused(home.ctl("trust", "web"), 1, "bridlectl.conf requires")


def test_an_identity_counts_as_the_option_does():
    with Home() as home:
        key, _ = home.keygen(home.file("other"))
        entry = '{ name = "k"; key = "%s"; allow = ("*"); }' % key
        shows_another_key(home, TlsDaemon(home, entry))


def shows_another_key(home, daemon):
    with daemon as d:
        home.write("hosts = (%s);" % web(d, pinned(d)))
        refused(home.ctl("-H", "web", "ping"), 1, "no identity (401)")
        home.write("hosts = (%s);" % web(
            d, pinned(d) + 'identity = "~/.config/bridlectl/other";'))
        equal(home.ctl("-H", "web", "ping").returncode, 0)
        refused(home.ctl("-H", "web", "-i", "/nowhere", "ping"), 3,
                "/nowhere")
        home.write("hosts = (%s);" % web(
            d, pinned(d) + 'identity = "/gone";'))
        refused(home.ctl("-H", "web", "ping"), 3, "/gone")


# -- tests of the files -----------------------------------------------------


def test_a_bad_file_fails_only_what_may_need_it():
    with Daemon() as d, Home("hosts = (\n{ nam = 3; } );\n") as home:
        said = home.conf + ":2: hosts[0].nam: unknown key"
        refused(home.ctl("ping"), 2, said, "did you mean name?")
        refused(home.ctl("-H", "web1", "ping"), 2, said)
        refused(home.ctl("hosts", "web1"), 2, said)
        here_too = "unix:" + d.sock
        refused(home.ctl("-H", here_too + ",web1", "ping"), 2, said)
        refused(home.ctl("-H", here_too, "-x", "web1", "ping"), 2, said)
        equal(home.ctl("-H", here_too, "ping").returncode, 0)
        equal(home.ctl("-H", here_too, "-x", "plain:a,unix:/b",
                       "ping").returncode, 0)
        equal(home.ctl("help").returncode, 0)


def test_a_file_that_others_may_write_is_not_taken():
    with Home() as home:
        home.write(CONF, 0o666)
        refused(home.ctl("hosts", "web1"), 2, "may be written by others",
                "chmod go-w")


def keys_of(home, *groups):
    """Yield the known keys of each group of settings. bridlectl lists these
    keys in its message about an unknown key."""
    for group in groups:
        home.write(group % "zzzzzzzzzzzz = 1;")
        said = home.ctl("hosts", "a").stderr
        yield from said.split("known keys are ")[1].strip().split(", ")


def test_the_example_and_the_manual_have_every_key():
    with open(os.path.join(bridle.SOURCE, "conf", "examples",
                           "bridlectl.conf")) as f:
        example = f.read()
    with open(os.path.join(bridle.SOURCE, "man", "bridlectl.conf.5")) as f:
        manual = f.read()
    with Home(example) as home:
        equal(home.hosts("@lab", "--fold"),
              ["node[01-30],web[1-2].example.org"])
        keys = list(keys_of(home, "%s", "hosts = ({ %s });",
                            "groups = ({ %s });", "defaults = { %s };"))
        assert len(keys) > 12, keys
        for key in keys:
            assert re.search(r"\b%s = " % key, example), key
            assert ".Ss %s\n" % key in manual or (
                ".It Ic %s = " % key in manual), key


@contextlib.contextmanager
def machine_file(text):
    """Yield words to put before a bridlectl command. With these words,
    bridlectl finds `text` in the machine's bridlectl.conf."""
    need_root("mount")
    told = ctl("hosts", "@nobody-has-this").stderr
    place = re.search(r" and (\S+)/bridlectl\.conf", told)[1]
    with tempfile.TemporaryDirectory(prefix="bridle-etc-") as folder:
        os.chmod(folder, 0o755)
        with open(os.path.join(folder, "bridlectl.conf"), "w") as f:
            f.write(text)
        wrap = ["unshare", "-m", "sh", "-c",
                'mount --bind "$0" "$1" && shift && exec "$@"', folder, place]
        if not os.path.isdir(place):
            raise Skip("because there is no %s to mount over" % place)
        if subprocess.run([*wrap, "true"], capture_output=True).returncode:
            raise Skip("because mounts are not permitted here")
        yield wrap


def test_the_own_file_goes_before_the_machines():
    theirs = ('hosts = ({ name = "a"; port = 1; }, { name = "b"; port = 2; });'
              'groups = ({ name = "g"; hosts = "theirs"; },'
              '{ name = "h"; hosts = "@g"; });')
    with machine_file(theirs) as wrap, Home() as home:
        def shown(*args):
            done = subprocess.run([*wrap, bridle.BRIDLECTL, "hosts", *args],
                                  env=home.env, text=True,
                                  capture_output=True)
            return done.stdout + done.stderr
        equal(shown("@h"), "theirs\n")
        home.write('hosts = ({ name = "a"; port = 3; });'
                   'groups = ({ name = "g"; hosts = "mine"; });')
        equal(shown("@h"), "mine\n")
        equal([line.split('"port":')[1] for line in
               shown("--json", "a,b").splitlines()], ["3}", "2}"])


bridle.main(globals())
