"""Tests of commands that change many hosts: the preview, the question, the
batches, and the file of the hosts that are left."""

import contextlib
import json
import os
import signal
import tempfile

import bridle
from bridle import Victim, ctl, equal, wait_for
from herd import Host, hangs, herd, hosts, interrupt, left_in, running, \
    says, summary
from procs import Terminal


class Ground:
    """Hosts from 127.2.0.1 on, all with the same port. A host accepts a
    reboot, unless it is in `broken` or `silent`. .order has the hosts' numbers
    in the order in which bridlectl contacts them."""

    def __init__(self, n, broken=(), silent=()):
        self.n, self.broken, self.silent = n, broken, silent
        self.order = []

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        port = 0
        self.hosts = {}
        for i in range(1, self.n + 1):
            host = self.stack.enter_context(
                Host(self.serve(i), "127.2.0.%d" % i, port))
            port, self.hosts[i] = host.port, host
        self.port = port
        self.file = os.path.join(
            self.stack.enter_context(tempfile.TemporaryDirectory()), "left")
        return self

    def serve(self, number):
        def serve(sock):
            self.order.append(number)
            if number in self.silent:
                hangs(sock)
            elif number in self.broken:
                says(b"1#500#broken#id=1\n")(sock)
            else:
                says(b"1#202#reboot now#id=1\n")(sock)
        return serve

    def name(self, pattern):
        return "plain:127.2.0.%s:%d" % (pattern, self.port)

    def all(self):
        return self.name("[1-%d]" % self.n)

    def reboot(self, *args):
        return ctl("-H", self.all(), "reboot", "-y", *args)

    def left(self):
        return left_in(self.file)

    def __exit__(self, *exc):
        self.stack.close()


def batches(order, size):
    return [sorted(order[i:i + size]) for i in range(0, len(order), size)]


# Tests of batches

def test_batches_come_one_after_the_other():
    with Ground(7) as g:
        for size, batch in ((3, "3"), (3, "40%"), (1, "1"), (7, "100%")):
            g.order.clear()
            done = g.reboot("--batch", batch)
            equal(done.returncode, 0, done.stderr)
            equal(batches(g.order, size), batches(range(1, 8), size), batch)


def test_a_batch_waits_for_the_one_before():
    with Ground(3, silent=[1]) as g:
        done = g.reboot("--batch", "2", "--timeout", "1")
        equal(g.order.index(3), 2)
        equal(summary(done), "3 hosts: 2 ok, 1 timed out (%s)" % g.name("1"))


def test_a_pause_is_kept():
    with Ground(2) as g:
        with running("-H", g.all(), "reboot", "-y", "--batch", "1",
                     "--pause", "600") as process:
            assert g.name("1") in process.stdout.readline()
            equal(g.order, [1])
            interrupt(process)
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=bridle.PATIENCE)
        equal(g.order, [1])
        assert err.endswith("2 hosts: 1 ok, 1 not asked (%s)\n"
                            % g.name("2")), err


def test_failures_end_it():
    with Ground(6, broken=[1, 3]) as g:
        done = g.reboot("--max-failures", "1", "--fanout", "1")
        equal(g.order, [1, 2, 3])
        equal(done.returncode, 4)
        equal(summary(done), "6 hosts: 1 ok, 2 failed (%s), 3 not asked (%s)"
              % (g.name("[1,3]"), g.name("[4-6]")))
        g.order.clear()
        g.reboot("--max-failures", "33%", "--fanout", "1")
        equal(g.order, [1, 2, 3])
        g.order.clear()
        g.reboot("--max-failures", "0", "--batch", "2")
        equal(sorted(g.order), [1, 2])


def test_numbers_of_hosts_are_checked_first():
    with Ground(1) as g:
        for option, value in (("--batch", "0"), ("--batch", "0%"),
                              ("--batch", "x"), ("--batch", "101%"),
                              ("--max-failures", "-1"), ("--batch", ""),
                              ("--max-failures", "1.5"), ("--fanout", "0"),
                              ("--fanout", "9999")):
            done = g.reboot(option, value)
            equal(done.returncode, 2, (option, value, done.stderr))
        equal(g.reboot("--pause", "1").returncode, 2)
        equal(ctl("-H", g.all(), "ping", "--batch", "1").returncode, 2)
        equal(g.order, [])


# Tests of the file of --resume

def test_what_is_left_is_gone_on_with():
    with Ground(6, broken=[2]) as g:
        args = ("--resume", g.file, "--fanout", "1", "--max-failures", "0")
        done = g.reboot(*args)
        equal(g.order, [1, 2])
        equal(g.left(), [g.name(str(i)) for i in (2, 3, 4, 5, 6)])
        assert "5 hosts are left: repeat the command with --resume %s " \
            "to continue" % g.file in done.stderr
        g.order.clear()
        g.broken = []
        done = g.reboot(*args)
        equal(done.returncode, 0, done.stderr)
        equal(g.order, [2, 3, 4, 5, 6])
        assert not os.path.exists(g.file)
        equal(os.listdir(os.path.dirname(g.file)), [])


def test_an_interrupted_call_is_gone_on_with():
    with Ground(4, silent=[3]) as g:
        with running("-H", g.all(), "reboot", "-y", "--fanout", "1",
                     "--resume", g.file) as process:
            wait_for("the third host to be contacted", lambda: 3 in g.order)
            interrupt(process)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=bridle.PATIENCE)
        equal(g.left(), [g.name("3"), g.name("4")])
        g.order.clear()
        g.silent = []
        equal(g.reboot("--resume", g.file).returncode, 0)
        equal(sorted(g.order), [3, 4])
        assert not os.path.exists(g.file)


def test_a_killed_call_leaves_what_is_left():
    with Ground(4, silent=[3]) as g:
        with running("-H", g.all(), "reboot", "-y", "--fanout", "1",
                     "--resume", g.file) as process:
            wait_for("the third host to be contacted", lambda: 3 in g.order)
            process.kill()
        equal(g.left(), [g.name("3"), g.name("4")])


def test_the_file_of_something_else_is_refused():
    with Ground(2) as g:
        done = "# done since then:\n"
        ours = "# hosts left of bridlectl reboot 1#1#mode=reboot\n"
        for text, part in (
                ("# hosts left of bridlectl halt 1#1\n%s\n%s"
                 % (g.name("1"), done), "belongs to 'halt 1#1'"),
                (ours + "web1\n" + done,
                 g.file + ":2: 'web1' is not a host"),
                (ours + g.name("1") + "\n", "is incomplete"),
                (ours + "\0\n" + done, "has a NUL byte")):
            with open(g.file, "w") as f:
                f.write(text)
            done = g.reboot("--resume", g.file)
            equal((done.returncode, g.order), (2, []))
            assert part in done.stderr, done.stderr
            with open(g.file) as f:
                equal(f.read(), text)
        done = g.reboot("--resume", "/nonexistent/left")
        equal((done.returncode, g.order), (2, []))


# Tests of the preview and of the question

def test_a_halt_is_shown_and_wants_the_number():
    with herd(3) as d:
        def call(answer):
            with Terminal("-H", d.name("[1-3]"), "reboot") as t:
                t.read_until(b"Type 3 to confirm: ")
                t.type(answer)
                return t.finish(), t.data.decode()
        for answer in (b"y\n", b"2\n", b"\n", b"33\n", b"\x04"):
            status, shown = call(answer)
            equal((status, d.recorded()), (1, []))
            assert "nothing was done" in shown
        status, shown = call(b"3\n")
        equal(status, 0)
        assert d.name("[1-3]") + ": would run" in shown, shown
        assert "Reboot 3 hosts (%s) now" % d.name("[1-3]") in shown
        assert "3 hosts: 3 ok" in shown
        equal(len(d.recorded()), 3)


def test_those_that_refuse_are_left_out():
    refusing = '{ name = "me"; unix_user = "%d"; allow = ("ping"); }' \
        % os.getuid()
    with herd(2) as d, herd(1, 3, clients=refusing) as e:
        with Terminal("-H", hosts(e.name(3), d.name("[1-2]")),
                      "poweroff") as t:
            t.read_until(b"Power off 2 hosts (%s) now"
                         % d.name("[1-2]").encode())
            assert b"not allowed (403)" in t.data
            t.type(b"2\n")
            equal(t.finish(), 4)
            assert b"3 hosts: 2 ok, 1 refused (%s)" % e.name(3).encode() \
                in t.data, t.data
        equal(len(d.recorded()), 2)
        equal(e.recorded(), [])


def test_nobody_is_halted_without_a_terminal_or_yes():
    with herd(2) as d:
        done = ctl("-H", d.name("[1-2]"), "halt")
        equal(done.returncode, 2)
        assert "use -y to confirm" in done.stderr
        equal(d.recorded(), [])


def test_a_mistake_is_named_before_the_need_for_yes():
    two = ["-H", "plain:127.0.0.1:1,plain:127.0.0.2:1"]
    with tempfile.TemporaryDirectory() as home:
        left = os.path.join(home, "left")
        other = os.path.join(home, "other")
        with open(other, "w") as f:
            f.write("# hosts left of bridlectl kill 1#3#other\n")
        missing = os.path.join(home, "missing")
        for words, status, mistake in (
                (["kill", "1234"], 2, "1234 looks like a process ID"),
                (two + ["kill", "1234"], 2, "1234 looks like a process ID"),
                (two + ["kill", "x", "--resume", other], 2, other),
                (["-H", "lab7", "-i", missing, "kill", "x"], 3, missing),
                (["-H", "lab[7-8]", "-i", missing, "run", "x"], 3, missing),
                (two + ["kill", "x", "--resume", left], 2,
                 "use -y to confirm, or -n for a dry run\n"),
                (two + ["run", "x"], 2, "use -y to confirm\n")):
            done = ctl(*words, stdin="")
            equal((done.returncode, done.stdout), (status, ""), done.stderr)
            assert mistake in done.stderr.splitlines(True)[0], done.stderr
        equal(sorted(os.listdir(home)), ["other"])



def test_kill_kills_on_each_host_what_was_shown_there():
    def only(name):
        return '{ name = "me"; unix_user = "%d"; allow = ("*"); ' \
            'kill = { names = ("%s"); }; }' % (os.getuid(), name)
    with Victim(b"herdmate") as v, Victim(b"herdmate") as w, \
            herd(1, 1, clients=only("herdmate")) as d, \
            herd(1, 2, clients=only("other")) as e:
        with Terminal("-H", hosts(e.name(2), d.name(1)), "kill",
                      "herdmate") as t:
            t.read_until(b"to confirm: ")
            assert b"Kill 2 processes with TERM on 1 host (%s)" \
                % d.name(1).encode() in t.data, t.data
            for victim in (v, w):
                assert b" %d " % victim.pid in t.data
            # This process starts after the preview, so the kill must not signal
            # it.
            with Victim(b"herdmate") as later:
                t.type(b"1\n")
                equal(t.finish(), 4)
                equal((v.wait(), w.wait()), (-15, -15))
                assert later.lives()
        assert b"2 hosts: 1 ok, 1 refused" in t.data, t.data


def test_hosts_without_such_a_process_are_no_failure():
    with herd(2) as d:
        with Terminal("-H", d.name("[1-2]"), "kill", "nosuchthing") as t:
            equal(t.finish(), 1)
            assert b"2 hosts: 2 nothing matched" in t.data
            assert b"to confirm" not in t.data
        done = ctl("-H", d.name("[1-2]"), "kill", "nosuchthing", "-y",
                   "--max-failures", "0", "--fanout", "1")
        assert summary(done).startswith("2 hosts: 2 nothing matched")


def test_kill_with_yes_kills_everywhere():
    with herd(1) as d, Victim() as v, Host(says(
            b"1#404#no process matches#id=1\n")) as other:
        done = ctl("-H", hosts(d.name(1), other.name), "kill", v.name, "-y",
                   "--json", "--fanout", "1")
        *answers, total = map(json.loads, done.stdout.splitlines())
        equal([a["result"] for a in answers], ["ok", "no_match"])
        equal((total["ok"], total["no_match"]), (1, 1))
        equal(v.wait(), -15)
        assert "kill: 2 hosts (%s,%s)" % (d.name(1), other.name) \
            in done.stderr, done.stderr


def test_ones_own_machine_comes_last():
    with herd(1) as d:
        # No host has this address, which is reserved for documentation.
        ours, other = "unix:" + d.sock, "plain:192.0.2.1:7074"
        done = ctl("-H", hosts(ours, other), "halt", "-y",
                   "--connect-timeout", "1", "--max-failures", "0")
        assert "this machine last (%s)" % ours in done.stderr, done.stderr
        equal((d.recorded(), done.stdout), ([], ""))
        assert "1 not asked (%s)" % ours in summary(done), done.stderr
        # A command that changes nothing keeps the order of the hosts.
        done = ctl("-H", hosts(ours, d.name(1)), "ping", "--fanout", "1")
        assert done.stdout.startswith("pong from " + ours)


bridle.main(globals())
