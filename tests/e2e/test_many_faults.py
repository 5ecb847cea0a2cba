"""Tests of one call for many hosts when something fails: files of other users,
hosts with unusual tables, calls that are ended at any moment, and
shortages."""

import contextlib
import json
import os
import signal
import stat
import subprocess
import tempfile
import time

import bridle
from bridle import BRIDLECTL, ROOT, Skip, ctl, equal, wait_for
from herd import ROOM, Host, hangs, herd, hosts, interrupt, left_in, \
    running, says, summary
from homes import Home, TlsDaemon
from procs import Terminal

COLUMNS = b"1#100#pid#ppid#user#state#rss_kib#cpu_ms#started#name#command\n"
HONEST = says(COLUMNS, b"1#100#1#0#root#S#100#5#1700000000#init#honest\n",
              b"1#200#done#id=1\n")
ODD = says(b"1#100#pid#name\n1#100#66#odd\n1#200#done#id=1\n")
DONE = b"1#202#reboot now#id=1\n"


class Ground:
    """Hosts that accept a reboot. The list .order has the numbers of the hosts
    in the order in which bridlectl contacts the hosts."""

    def __init__(self, n, broken=(), delay=0):
        self.n, self.broken, self.delay, self.order = n, broken, delay, []

    def __enter__(self):
        self.stack = contextlib.ExitStack()
        self.dir = self.stack.enter_context(tempfile.TemporaryDirectory())
        self.file = os.path.join(self.dir, "left")
        self.port = 0
        for i in range(1, self.n + 1):
            self.port = self.stack.enter_context(Host(
                self.serve(i), "127.2.0.%d" % i, self.port)).port
        return self

    def serve(self, number):
        def serve(sock):
            sock.recv(65536)
            self.order.append(number)
            time.sleep(self.delay)
            sock.sendall(b"1#500#broken#id=1\n" if number in self.broken
                         else DONE)
        return serve

    def name(self, number):
        return "plain:127.2.0.%s:%d" % (number, self.port)

    def call(self, *args):
        return ("-H", self.name("[1-%d]" % self.n), "reboot",
                "--resume", self.file, *args)

    def left(self):
        return left_in(self.file)

    def __exit__(self, *exc):
        self.stack.close()


# Tests of the file of --resume

def test_the_file_is_up_to_date_in_a_pause():
    for sig in (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP):
        with Ground(2) as g:
            with running(*g.call("-y", "--batch", "1", "--pause",
                                 "600")) as process:
                assert g.name(1) in process.stdout.readline()
                process.send_signal(sig)
                process.wait(bridle.PATIENCE)
            equal(g.left(), [g.name(2)], sig)


def test_a_third_interrupt_does_not_lose_what_was_done():
    # The third SIGINT arrives while bridlectl handles the second SIGINT.
    with Host(hangs, "127.2.1.1") as silent:
        for attempt in range(20):
            with Ground(3) as g, tempfile.TemporaryDirectory() as d:
                file = os.path.join(d, "left")
                mute = [silent.name]
                with running("-H", hosts(g.name("[1-3]"), *mute), "reboot",
                             "-y", "--resume", file) as process:
                    wait_for("all hosts to be contacted",
                             lambda: len(g.order) == 3 and silent.at_once)
                    time.sleep(0.05)
                    interrupt(process)
                    process.send_signal(signal.SIGINT)
                    time.sleep(0.0003 * attempt)
                    process.send_signal(signal.SIGINT)
                    _, err = process.communicate(timeout=bridle.PATIENCE)
                equal(left_in(file), mute,
                      (attempt, process.returncode, err))


def test_a_dry_run_strikes_nobody_off():
    with Ground(3, broken=[1]) as g:
        ctl(*g.call("-y", "--fanout", "1", "--max-failures", "0"))
        left, g.broken = g.left(), []
        equal(len(left), 3)
        done = ctl(*g.call("-n"))
        equal(done.returncode, 0, done.stderr)
        assert os.path.exists(g.file), "a dry run has removed it"
        equal(g.left(), left)


def test_a_dry_run_and_an_explanation_go_by_the_file():
    with Ground(3) as g:
        for words in (("reboot", "-n"), ("explain", "reboot")):
            with open(g.file, "w") as f:
                f.write("# hosts left of bridlectl reboot 1#1#mode=reboot\n"
                        "%s\n# done since then:\n" % g.name(2))
            g.order.clear()
            done = ctl("-H", g.name("[1-3]"), *words, "--resume", g.file)
            equal((done.returncode == 2, g.order), (False, [2]),
                  done.stderr)
            equal(g.left(), [g.name(2)])


def test_a_file_that_is_none_of_ours_is_refused_and_stays():
    for text in ("", "# my own notes\n", "\n\n"):
        with Ground(2) as g:
            with open(g.file, "w") as f:
                f.write(text)
            done = ctl(*g.call("-y"))
            assert os.path.exists(g.file), (text, done.stderr)
            equal((done.returncode, g.order), (2, []), text)


def test_a_device_is_not_removed():
    if not ROOT:
        raise Skip("because only root can make devices")
    with Ground(1) as g:
        os.mknod(g.file, stat.S_IFCHR | 0o666, os.makedev(1, 3))
        ctl(*g.call("-y"))
        assert os.path.exists(g.file)


def test_a_file_that_may_be_another_users_is_refused():
    with Ground(2) as g:
        os.chmod(g.dir, 0o1777)
        text = "# hosts left of bridlectl reboot 1#1#mode=reboot\n%s\n%s\n" \
            "# done since then:\n" % (g.name(1), g.name(2))
        for part in bridle.traps(g.file, g.dir, text):
            for more in ("-y", "-n"):
                done = ctl(*g.call(more))
                equal((done.returncode, g.order), (2, []), part)
                assert g.file in done.stderr and part in done.stderr, done


def test_a_file_that_leaves_no_host_is_no_success():
    with Ground(2) as g:
        with open(g.file, "w") as f:
            f.write("# hosts left of bridlectl reboot 1#1#mode=reboot\n%s\n"
                    "# done since then:\n%s\n" % (g.name(1), g.name(1)))
        for more in ("-y", "-n"):
            done = ctl(*g.call(more))
            equal((done.returncode, g.order), (2, []))
            assert g.file + " has no host left" in done.stderr, done.stderr


def test_two_calls_with_one_file_do_nothing_twice():
    with Ground(3, delay=0.5) as g:
        with running(*g.call("-y", "--fanout", "1")) as first:
            wait_for("the first", lambda: 1 in g.order)
            ctl(*g.call("-y", "--fanout", "1"))
            first.communicate(timeout=bridle.PATIENCE)
        equal(sorted(g.order), [1, 2, 3])


# Tests of long output

def test_no_row_is_lost_where_a_table_comes_in_parts():
    rows = b"".join(b"1#100#%d#0#root#S#100#5#1700000000#init#%s\n"
                    % (i, b"x" * 600) for i in range(30000))
    with contextlib.ExitStack() as stack:
        port = 0
        for i in range(1, 8):
            port = stack.enter_context(Host(
                says(COLUMNS, rows, b"1#200#done#id=1\n"),
                "127.2.0.%d" % i, port)).port
        done = ctl("-H", "plain:127.2.0.[1-7]:%d" % port, "list",
                   "--columns", "pid")
        assert "shown as several tables" in done.stderr, done.stderr
        found = [line.split()[0] for line in done.stdout.splitlines()]
        equal({name: found.count(name) for name in set(found) - {"HOST"}},
              {"plain:127.2.0.%d:%d" % (i, port): 30000
               for i in range(1, 8)})


# Tests of hosts with unusual tables

def test_an_incomplete_table_is_not_shown_as_a_complete_one():
    row = b"1#100#1#0#root#S#100#5#1700000000#init#%s\n"

    def cut(sock):
        """End the connection in the middle of the table."""
        sock.recv(65536)
        sock.sendall(COLUMNS + row % b"cut")

    long = says(COLUMNS, row % (b"cut" * 1500) * 8000, b"1#200#done#id=1\n")
    for serve, options in ((cut, ("--ordered", "--gather", "--json", "--raw")),
                           (long, ("--ordered",))):
        with Host(serve, "127.2.0.1") as bad, \
                Host(HONEST, "127.2.0.2") as honest:
            for option in options:
                done = ctl("-H", hosts(bad.name, honest.name), "list", option)
                equal(done.returncode, 4, done.stderr)
                assert "honest" in done.stdout, option
                assert "cut" not in done.stdout, (option, done.stdout[:500])


def test_an_odd_table_does_not_silence_the_others():
    with Host(ODD, "127.2.0.1") as odd, Host(HONEST, "127.2.0.2") as honest:
        done = ctl("-H", hosts(odd.name, honest.name), "list", "--sort",
                   "rss_kib", "--json", "--fanout", "1")
        found = [json.loads(line).get("host")
                 for line in done.stdout.splitlines()]
        assert honest.name in found, done
        for args in (["--tree"], ["--raw", "--columns", "rss_kib,command"],
                     ["--gather", "--sort", "rss_kib"]):
            done = ctl("-H", hosts(odd.name, honest.name), "list",
                       "--fanout", "1", *args)
            assert "honest" in done.stdout, (args, done)


def watched(seconds, *args):
    """Run bridlectl --watch on a terminal for `seconds` seconds. Return the
    output, and True if bridlectl was still running at the end."""
    with Terminal(*args, "--watch", "1") as t:
        end = time.monotonic() + seconds
        with contextlib.suppress(AssertionError):
            while time.monotonic() < end:
                if not t.read(0.2):
                    break
        while time.monotonic() < end and t.process.poll() is None:
            with contextlib.suppress(AssertionError):
                t.read(0.2)
        went_on = t.process.poll() is None
        if went_on:
            t.process.send_signal(signal.SIGINT)
            t.finish()
        return t.data, went_on


def test_an_odd_table_does_not_blank_the_watch():
    with Host(ODD, "127.2.0.1") as odd, Host(HONEST, "127.2.0.2") as honest:
        data, _ = watched(2, "-H", hosts(odd.name, honest.name), "list")
        assert b"honest" in data, data


def test_an_odd_table_does_not_end_the_watch():
    with Host(ODD, "127.2.0.1") as odd, Host(HONEST, "127.2.0.2") as honest:
        for args in (["--sort", "-rss_kib"], ["--tree"]):
            data, went_on = watched(2, "-H", hosts(odd.name, honest.name),
                                    "list", *args)
            assert went_on, (args, data)


def test_what_is_watched_is_not_ok_once_it_is_silent():
    def once(sock):
        sock.recv(65536)
        sock.sendall(b"1#100#counter#value\n1#100#x#1\n1#200#ok#id=1\n")
        hangs(sock)

    with Host(once) as host:
        data, _ = watched(8, "-H", host.name, "status")
        last = data.rpartition(b"\x1b[H")[2]
        assert b"1 host: 1 ok" not in last, last


def test_too_long_an_answer_is_not_asked_for_again_at_once():
    rows = b"".join(b"1#100#%d#%s\n" % (i, b"x" * 900) for i in range(45000))
    with Host(says(b"1#100#pid#name\n", rows, b"1#200#ok#id=1\n")) as host:
        with Terminal("-H", host.name, "list", "--watch", "600") as t:
            wait_for("the host to be contacted", lambda: host.asked)
            time.sleep(6)
            t.process.kill()
            t.process.wait()
        equal(host.asked, 1)


def test_the_whole_watch_has_an_end():
    with herd(1) as d:
        _, went_on = watched(4, "-H", d.name(1), "status",
                             "--total-timeout", "2")
        assert not went_on


# Tests of wait

def test_a_name_that_is_not_known_is_not_down():
    done = ctl("-H", "no-such-host.invalid", "wait", "--down",
               "--timeout", "2")
    assert done.returncode != 0, done


def test_what_may_not_be_asked_is_not_down():
    if not ROOT:
        raise Skip("because only root can change its user")
    with herd(1, mode="0600") as d:
        done = ctl("-H", "unix:" + d.sock, "wait", "--down", "--timeout",
                   "2", uid=bridle.STRANGER)
        assert done.returncode != 0, done


def test_what_cannot_be_asked_for_want_of_a_key_is_not_down():
    with Home() as home, TlsDaemon(home) as d:
        d.trust()
        os.chmod(home.key, 0o644)
        done = d.tls("wait", "--down", "--timeout", "2")
        assert done.returncode != 0, done


def test_to_explain_a_reboot_is_not_to_wait_for_it():
    with herd(2) as d:
        done = ctl("-H", d.name("[1-2]"), "explain", "reboot", "--wait", "3")
        equal(done.returncode, 0, done.stderr)


# Tests of shortages

def test_few_descriptors_make_it_slower_and_nothing_else():
    with herd(40, limits=ROOM) as d:
        done = subprocess.run(
            ["prlimit", "--nofile=20", BRIDLECTL, "-H", d.name("[1-40]"),
             "ping"], capture_output=True, text=True)
        equal(summary(done), "40 hosts: 40 ok")


# Tests of groups

def test_groups_that_double_are_refused_in_time():
    with Home() as home:
        os.makedirs(os.path.dirname(home.key), mode=0o700)
        with open(home.file("bridlectl.conf"), "w") as f:
            f.write("groups = (%s { name = \"g40\"; hosts = (\"x\"); });" %
                    "".join('{ name = "g%d"; hosts = ("@g%d", "@g%d"); },'
                            % (i, i + 1, i + 1) for i in range(40)))
        done = subprocess.run([BRIDLECTL, "hosts", "@g0"], env=home.env,
                              capture_output=True, text=True,
                              timeout=bridle.PATIENCE)
        assert done.returncode in (0, 2), done


bridle.main(globals())
