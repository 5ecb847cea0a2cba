"""Tests of bridlectl with many keys: `trust` for several hosts, `known-hosts`
and `fingerprint`."""

import contextlib
import os

import bridle
from bridle import equal
from homes import Home, TlsDaemon
from procs import Terminal

WRONG = "SHA256:" + "A" * 43
OTHER = "SHA256:" + "B" * 42 + "E"


@contextlib.contextmanager
def lab(n=4):
    """Yield a home, a daemon that listens at the addresses of n hosts, and the
    list of these addresses. The home's bridlectl.conf has the group "lab" with
    these hosts."""
    with Home() as home:
        port = bridle.free_port("127.1.0.1")
        hosts = ["127.1.0.%d:%d" % (i, port) for i in range(1, n + 1)]
        with TlsDaemon(home, tcp=['{ tcp = "%s"; tls = true; }' % host
                                  for host in hosts]) as d:
            configure(home, hosts)
            yield home, d, hosts


def configure(home, hosts):
    with open(home.file("bridlectl.conf"), "w") as f:
        f.write('groups = ({ name = "lab"; hosts = %s; });'
                % bridle.strings(hosts))


def lines(hosts, fingerprint):
    return ["%s %s" % (host, fingerprint) for host in hosts]


# Tests of `trust` for several hosts

def test_one_question_for_all_hosts():
    with lab() as (home, d, hosts):
        home.know("# kept\n%s %s\n%s %s\n"
                  % (hosts[0], d.fingerprint(), hosts[1], WRONG))
        for answer, code in ((b"y\n", 1), (b"3\n", 0)):
            with Terminal("trust", "@lab", env=home.env) as t:
                shown = t.read_until(b"to confirm:")
                for host in hosts:
                    assert host.encode() in shown, shown
                assert b"already trusted" in shown, shown
                assert b"replaces the known key " + WRONG.encode() in shown
                assert b"Type 3 to confirm" in shown, shown
                t.type(answer)
                equal(t.finish(), code)
            equal(d.fingerprint() in home.read(home.known).split("\n")[2],
                  code == 0)
        equal(sorted(home.read(home.known).splitlines()[1:]),
              sorted(lines(hosts, d.fingerprint())))
        equal(home.read(home.known).splitlines()[0], "# kept")
        # Now all keys are known, so that there is no question.
        done = home.ctl("trust", "@lab", "-y")
        equal([done.returncode, done.stdout], [0, ""], done.stderr)


def test_without_a_terminal_many_hosts_need_an_option():
    with lab() as (home, d, hosts):
        done = home.ctl("trust", "@lab")
        equal([done.returncode, done.stdout], [2, ""])
        assert "--from" in done.stderr, done.stderr
        done = home.ctl("trust", "@lab", "--fingerprint", WRONG)
        equal(done.returncode, 2)
        assert "--from" in done.stderr, done.stderr
        assert not os.path.exists(home.known)
        done = home.ctl("trust", "@lab", "-y", "-x", hosts[3])
        equal(done.stdout.splitlines(), lines(hosts[:3], d.fingerprint()))


def test_a_list_of_keys_decides_without_a_question():
    with lab() as (home, d, hosts):
        path = os.path.join(home.dir, "list")
        with open(path, "w") as f:
            f.write("# the lab\n\n%s %s\r\n%s\t%s\n%s %s\n"
                    % (hosts[0].upper(), d.fingerprint(),
                       hosts[1], d.fingerprint(), hosts[2], WRONG))
        done = home.ctl("trust", "@lab", "--from", path)
        equal(done.returncode, 4, done.stderr)
        equal(done.stdout.splitlines(), lines(hosts[:2], d.fingerprint()))
        equal(home.read(home.known), done.stdout)
        assert "WRONG: the key must be " + WRONG in done.stderr, done.stderr
        assert "is missing in the list" in done.stderr, done.stderr
        # bridlectl compares the key of a single host with the list, too.
        done = home.ctl("trust", hosts[2], "--from", path, "-y")
        equal([done.returncode, done.stdout], [1, ""])
        # The output of `known-hosts list` is a valid list of keys for --from.
        told = home.ctl("known-hosts", "list").stdout
        done = home.ctl("trust", ",".join(hosts[:2]), "--from", "-",
                        stdin=told)
        equal(done.returncode, 0, done.stderr)


def test_a_bad_list_of_keys_changes_nothing():
    with lab(1) as (home, d, hosts):
        path = os.path.join(home.dir, "list")
        for text, part in (("x\n", "list:1: "),
                           ("a SHA256:x\n", "no fingerprint"),
                           ("a %s\na:7075 %s\n" % (WRONG, OTHER),
                            "list:2: a:7075 is already in an earlier line"),
                           ("plain:a %s\n" % WRONG, "does not use TLS"),
                           ("a %s b\n" % WRONG, "list:1: ")):
            with open(path, "w") as f:
                f.write(text)
            done = home.ctl("trust", hosts[0], "--from", path)
            equal([done.returncode, done.stdout], [1, ""])
            assert part in done.stderr, (text, done.stderr)
        done = home.ctl("trust", hosts[0], "--from", path + "x")
        equal(done.returncode, 1)
        assert path + "x: " in done.stderr, done.stderr
        assert not os.path.exists(home.known)


def test_a_host_that_is_down_does_not_stop_the_others():
    with lab(2) as (home, d, hosts):
        down = "127.1.0.9:%d" % bridle.free_port("127.1.0.9")
        configure(home, [down, *hosts])
        done = home.ctl("trust", "@lab", "-y")
        equal(done.returncode, 4, done.stderr)
        equal(done.stdout.splitlines(), lines(hosts, d.fingerprint()))
        assert down + ": cannot connect" in done.stderr, done.stderr
        done = home.ctl("trust", down, "-y")
        equal(done.returncode, 3, done.stderr)


def test_copies_of_one_machine_are_reported():
    with lab(2) as (home, d, hosts):
        done = home.ctl("trust", "@lab", "-y")
        assert "%s and %s show the same key" % tuple(hosts) in done.stderr


# Tests of known-hosts

def test_known_hosts_lists_and_forgets():
    with Home() as home:
        equal(home.ctl("known-hosts", "list").stdout, "")
        home.know("# x\nweb1:7075 %s\n web1:7075 %s\nweb2:7443  %s\n"
                  % (WRONG, OTHER, WRONG))
        equal(home.ctl("known-hosts", "list").stdout,
              "web1:7075 %s\nweb1:7075 %s\nweb2:7443 %s\n"
              % (WRONG, OTHER, WRONG))
        done = home.ctl("known-hosts", "forget", "web1")
        equal([done.returncode, done.stdout], [0, ""], done.stderr)
        assert "the key of web1:7075 is removed" in done.stderr
        equal(home.read(home.known), "# x\nweb2:7443  %s\n" % WRONG)
        # A host is a name and a port, so the name alone means the default port.
        done = home.ctl("known-hosts", "forget", "web2")
        equal(done.returncode, 1)
        assert "does not have web2:7075" in done.stderr, done.stderr
        equal(home.ctl("known-hosts", "forget", "WEB2.:7443").returncode, 0)
        equal(home.read(home.known), "# x\n")


def test_known_hosts_forgets_a_group():
    with Home() as home:
        home.know("".join("lab%d:7075 %s\n" % (i, WRONG) for i in range(5)))
        with open(home.file("bridlectl.conf"), "w") as f:
            f.write('groups = ({ name = "lab"; hosts = ("lab[0-3]"); });')
        equal(home.ctl("known-hosts", "forget", "@lab").returncode, 0)
        equal(home.read(home.known), "lab4:7075 %s\n" % WRONG)


def test_known_hosts_with_wrong_arguments():
    with Home() as home:
        for args in (["lst"], ["list", "web1"], ["forget"], ["forget", "@x"]):
            equal(home.ctl("known-hosts", *args).returncode, 2, args)
        home.know("web1:7075 %s\nx\n" % WRONG)
        done = home.ctl("known-hosts", "list")
        equal([done.returncode, done.stdout], [1, ""])
        assert home.known + ":2: " in done.stderr, done.stderr


# Tests of fingerprint

def test_fingerprint_prints_the_own_key():
    with Home() as home:
        key, _ = home.keygen()
        done = home.ctl("fingerprint")
        equal([done.returncode, done.stdout, done.stderr], [0, key + "\n", ""])
        other, _ = home.keygen(home.dir + "/other")
        equal(home.ctl("fingerprint", home.dir + "/other").stdout,
              other + "\n")


def test_fingerprint_offers_a_missing_key():
    with Home() as home:
        done = home.ctl("fingerprint")
        equal([done.returncode, done.stdout], [1, ""])
        assert "bridlectl keygen" in done.stderr, done.stderr
        done = home.ctl("fingerprint", home.dir + "/none")
        equal([done.returncode, done.stdout], [1, ""])
        assert home.dir + "/none" in done.stderr, done.stderr
        for answer, code in ((b"n\n", 1), (b"y\n", 0)):
            with Terminal("fingerprint", env=home.env) as t:
                t.read_until(b"[y/N]")
                t.type(answer)
                equal(t.finish(), code)
            equal(os.path.exists(home.key), code == 0)
        shown = home.ctl("fingerprint").stdout.strip()
        assert shown.encode() in t.data, t.data


def test_fingerprint_of_a_bad_key_says_why():
    with Home() as home:
        home.keygen()
        os.chmod(home.key, 0o644)
        done = home.ctl("fingerprint")
        equal([done.returncode, done.stdout], [1, ""])
        assert "chmod 600" in done.stderr, done.stderr


if __name__ == "__main__":
    bridle.main(globals())
