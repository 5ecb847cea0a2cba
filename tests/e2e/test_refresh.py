"""Tests of --watch, which shows a table on a terminal and refreshes it."""

import contextlib
import re
import signal

import bridle
from bridle import Victim, ctl, equal
from herd import Host, herd, hosts, says
from procs import Terminal

VIEW = re.compile(rb"\x1b\[\?7l\x1b\[H(.*?)\x1b\[J\x1b\[\?7h", re.S)


def views(t):
    """Return all screens that bridlectl has shown so far. Each screen is a
    list of lines."""
    return [[line.decode() for line in view.split(b"\x1b[K\r\n")[:-1]]
            for view in VIEW.findall(t.data)]


def view_with(t, condition):
    """Wait for the next screen whose text makes condition(text) true. Return
    this screen."""
    seen = len(views(t))
    while True:
        for view in views(t)[seen:]:
            if condition("\n".join(view)):
                return view
        seen = len(views(t))
        assert t.read(bridle.PATIENCE), t.data


@contextlib.contextmanager
def watching(*args):
    with Terminal(*args, "--watch", "1") as t:
        yield t


def interrupted(t):
    t.process.send_signal(signal.SIGINT)
    return t.finish()


def test_what_comes_and_goes_is_seen_on_one_connection():
    with herd(1) as d:
        name = bridle.unique_name()
        with watching("-H", d.name(1), "list", name) as t:
            view_with(t, lambda text: "1 nothing matched" in text)
            before = d.counter("connections")
            with Victim(name) as v:
                view = view_with(t, lambda text: re.search(r"\b%d\b" % v.pid, text))
                assert re.match(r"\d\d:\d\d:\d\d  bridlectl list, every 1 s, "
                                r"1 host: 1 ok$", view[0]), view
                equal(view[2].split()[0], "PID")
            view_with(t, lambda text: "nothing matched" in text)
            # The second call of counter() has added a connection. bridlectl
            # must have opened no new connection.
            equal(d.counter("connections"), before + 1)
            equal(interrupted(t), 1)


def test_many_hosts_have_one_table():
    with herd(3) as d, Victim() as v:
        with watching("-H", hosts(d.name("[1-3]"), "plain:127.1.0.9:1"),
                      "list", v.name, "--sort", "-host", "--columns",
                      "pid,name") as t:
            view = view_with(t, lambda text: "3 ok, 1 unreachable" in text)
            assert view[2].startswith("plain:127.1.0.9:1: cannot connect")
            equal(view[3].split(), ["HOST", "PID", "NAME"])
            equal([line.split() for line in view[4:]],
                  [[name, str(v.pid), v.name] for name in d.names(3, 2, 1)])
            equal(interrupted(t), 4)


def test_a_host_that_comes_back_is_seen_again():
    with herd(1) as d, watching("-H", d.name("[1-1]"), "status") as t:
        view_with(t, lambda text: "1 ok" in text)
        d.process.terminate()
        d.process.wait()
        view_with(t, lambda text: "1 unreachable" in text)
        d.start()
        view_with(t, lambda text: "1 ok" in text)
        equal(interrupted(t), 0)


def test_no_more_is_shown_than_the_terminal_has_lines():
    lines = [b"1#100#pid#name\n"]
    lines += [b"1#100#%d#x%%1B[31m%%0Ay\n" % i for i in range(500)]
    with Host(says(*lines, b"1#200#done#id=1\n")) as host:
        with watching("-H", host.name, "list") as t:
            view = view_with(t, lambda text: "PID" in text)
            equal(len(view), 49)
            assert "x\\x1b[31m\\x0ay" in view[-1], view[-1]
            equal(interrupted(t), 0)


def test_trees_are_drawn_host_by_host():
    with herd(2) as d, Victim() as v:
        with watching("-H", d.name("[1-2]"), "list", v.name,
                      "--tree") as t:
            view = view_with(t, lambda text: "2 ok" in text)
            for name in d.names(1, 2):
                assert name + ":" in view, view
            equal(interrupted(t), 0)


def test_it_is_for_people_on_a_terminal():
    with herd(1) as d:
        done = ctl("-H", d.name(1), "list", "--watch")
        equal((done.returncode, done.stdout), (2, ""))
        assert "--watch needs a terminal" in done.stderr
        for option in ("--json", "--raw", "--gather"):
            equal(ctl("-H", d.name(1), "list", "--watch", option).returncode,
                  2, option)
        with watching("-H", d.name(1), "list", "--sort", "nothing") as t:
            equal(t.finish(), 2)
            assert b"there is no column 'nothing'" in t.data
        equal(d.counter("requests"), 2)


bridle.main(globals())
