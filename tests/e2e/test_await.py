"""Tests of `bridlectl wait` and of --wait, with hosts that come up, go down,
or come back."""

import json
import threading

import bridle
from bridle import ctl, equal, free_port, wait_for
from herd import Host, PONG, finish, hangs, herd, hosts, running, says, \
    summary
from homes import Home, TlsDaemon


class Rebooting:
    """A host that simulates a reboot after the first halt request. If
    `returns` is false, the old daemon of this host never stops."""

    def __init__(self, returns=True):
        self.returns, self.told = returns, threading.Event()
        self.pings = 0

    def serve(self, sock):
        line = sock.makefile("rb").readline()
        if line.startswith(b"1#1"):
            self.told.set()
            sock.sendall(b"1#202#reboot now#id=1\n")
            return
        # The first two pings reach the old daemon, which has not stopped yet.
        self.pings += 1
        old = not self.returns or self.pings < 3
        sock.sendall(b"1#200#pong#version=1#uptime=%d#id=2\n"
                     % (12345 if old else 0))
        hangs(sock)


def test_wait_until_a_host_is_up():
    port = free_port("127.2.0.1")
    name = "plain:127.2.0.1:%d" % port
    with running("-H", name, "wait", "--up") as process:
        with Host(says(PONG), "127.2.0.1", port):
            done = finish(process)
    equal(done.returncode, 0, done.stderr)
    assert done.stdout.startswith(name + ": up after "), done.stdout


def test_wait_until_hosts_are_down():
    with herd(1) as d, Host(says(PONG)) as going:
        with running("-H", hosts(d.name(1), going.name), "wait", "--down",
                     "--timeout", "3") as process:
            wait_for("the host to be pinged", lambda: going.asked)
            going.close()
            done = finish(process)
        assert done.stdout.startswith(going.name + ": down after "), \
            done.stdout
        equal(done.returncode, 4)
        equal(summary(done), "2 hosts: 1 ok, 1 timed out (%s)" % d.name(1))


def test_one_that_stops_is_neither_up_nor_down():
    with Host(says(b"1#503#stopping#id=1\n")) as host:
        for way in ("--up", "--down"):
            done = ctl("-H", host.name, "wait", way, "--timeout", "1")
            equal(done.returncode, 3)
            assert "not %s after 1 s" % way[2:] in done.stderr, done.stderr


def test_a_daemon_that_does_not_serve_has_its_reason_in_its_log():
    with Host(says(b"1#503#not serving#id=1\n")) as host:
        done = ctl("-H", host.name, "ping")
        equal(done.returncode, 3, done.stderr)
        assert "on the host, 'journalctl -u bridled' shows why" \
            in done.stderr, done.stderr


def test_a_host_with_another_key_is_no_host_that_was_waited_for():
    with Home() as home, TlsDaemon(home) as d:
        done = d.tls("wait", "--up")
        equal(done.returncode, 3)
        assert "the host's key is unknown" in done.stderr, done.stderr
        # A host with an unknown key still runs, so it does not count as down.
        done = d.tls("wait", "--down", "--timeout", "1")
        equal(done.returncode, 3)
        assert "not down after 1 s" in done.stderr, done.stderr


def test_wait_says_what_for():
    done = ctl("wait")
    equal((done.returncode, done.stdout), (2, ""))
    assert "needs --up or --down" in done.stderr
    equal(ctl("wait", "--up", "--down").returncode, 2)


def test_a_reboot_is_done_when_the_host_is_back():
    for args in ([], ["--json"]):
        one = Rebooting()
        with Host(one.serve) as host:
            done = ctl("-H", host.name, "reboot", "-y", "--wait", *args)
            equal(done.returncode, 0, done.stderr)
            assert one.pings >= 3
            line = done.stdout.splitlines()[-1]
            text = json.loads(line)["text"] if args else line
            assert "back after " in text, text


def test_the_next_batch_waits_for_the_return_of_the_one_before():
    first, second = Rebooting(), Rebooting()
    with Host(first.serve, "127.2.0.1") as a, \
            Host(second.serve, "127.2.0.2", a.port) as b:
        with running("-H", hosts(a.name, b.name), "reboot", "-y", "--batch",
                     "1", "--wait") as process:
            assert a.name + ": back after" in process.stdout.readline()
            assert b.name + ": back after" in process.stdout.readline()
            equal(process.wait(bridle.PATIENCE), 0)
    assert first.pings >= 3


def test_those_that_did_not_return_are_named():
    one, other = Rebooting(), Rebooting(returns=False)
    with Host(one.serve) as a, Host(other.serve) as b:
        done = ctl("-H", hosts(a.name, b.name), "reboot", "-y", "--wait",
                   "4")
        equal(done.returncode, 4)
        assert b.name + ": has not returned after 4 s" in done.stderr
        equal(summary(done), "2 hosts: 1 ok, 1 timed out (%s)" % b.name)


def test_nobody_waits_for_a_reboot_that_is_not_now():
    with herd(1) as d:
        for when in (["--in", "10m"], ["--at", "04:00"]):
            done = ctl("-H", d.name(1), "reboot", "-y", "--wait", *when)
            equal((done.returncode, d.recorded()), (2, []))
        # A dry run with --wait starts no reboot, so it must succeed without
        # waiting.
        done = ctl("-H", d.name(1), "reboot", "-n", "--wait")
        equal(done.returncode, 0, done.stderr)
        done = ctl("-H", d.name("[1-1]"), "reboot", "-n", "--wait")
        equal(done.returncode, 0, done.stderr)


def test_a_wait_without_a_number_has_one():
    with herd(1) as d:
        for words in (["--wait"], ["--wait=7"], ["--wait", "7"], []):
            done = ctl("-H", d.name(1), "kill", *words, "-y", "nosuchthing")
            equal(done.returncode, 1, done.stderr)
        d.wait_log('args="nosuchthing" ')
        waits = [line for line in d.log().splitlines() if "nosuch" in line]
        equal([part.split('"')[0] for line in waits
               for part in line.split("wait=")[1:]], ["5", "7", "7"])


bridle.main(globals())
