"""Tests of the raw protocol with nc, as in lessons about sockets."""

import contextlib
import subprocess

import bridle
from bridle import Daemon, Victim, answers, equal
from procs import kills


def nc(data, *where):
    done = subprocess.run(["nc", "-N", *where], input=data,
                          capture_output=True, timeout=bridle.PATIENCE)
    return answers(done.stdout)


def test_list_through_nc():
    with Daemon(tcp=["127.0.0.1:0"]) as d:
        answer, = nc(b"1#2\n", "127.0.0.1", str(d.ports[0]))
        equal(answer.code, 200)
        pids = [int(row["pid"]) for row in answer.rows]
        assert d.pid in pids
        equal(pids, sorted(pids))


@kills
def test_kill_by_name_through_nc_with_cr_lf():
    with Daemon(tcp=["127.0.0.1:0"]) as d, Victim() as v:
        answer, = nc(b"1#3#%s\r\n" % v.comm, "127.0.0.1", str(d.ports[0]))
        equal(answer.code, 200)
        equal(answer.rows[0]["outcome"], b"signalled")
        equal(v.wait(), -15)


def test_halt_through_nc():
    with Daemon(tcp=["127.0.0.1:0"]) as d:
        answer, = nc(b"1#1\n", "127.0.0.1", str(d.ports[0]))
        equal(answer.code, 202)
        equal(d.recorded(), [["halt", "now"]])


def test_unix_socket_through_nc():
    with Daemon() as d:
        answer, = nc(b"1#4\n", "-U", d.sock)
        equal(answer.text, "pong")


def test_a_line_without_its_end_is_told_so():
    lines = {b"1#2": "1#2", b"1#3#x\x1b": "1#3#x\\x1b",
             b"1#10#" + b"y" * 100: "1#10#" + "y" * 59 + "…"}
    with Daemon(limits={"login_seconds": 1, "idle_seconds": 3600}) as d, \
            contextlib.ExitStack() as stack:
        socks = {}
        for before in b"", b"1#4\n":
            for line in lines:
                s = socks[before, line] = stack.enter_context(d.connect())
                s.sendall(before + line)
        for (_, line), s in socks.items():
            answer = answers(bridle.read_all(s))[-1]
            equal((answer.code, answer.text),
                  (408, '"%s" came, but no line end (LF) within 1 second'
                   % lines[line]))
        d.wait_log("timed out: no line end .LF. within 1 second")


def test_the_client_of_each_lesson_on_sockets_is_served():
    """The client sends a request without LF, and waits. The daemon replies,
    because the request changes nothing."""
    with Daemon(tcp=["127.0.0.1:0"]) as d:
        socks = [d.connect(port) for port in (None, d.ports[0])]
        with socks[0], socks[1]:
            socks[0].sendall(b"1#2")
            socks[1].sendall(b"1#4\n1#4")
            equal(bridle.read_answer(socks[1]).text, "pong")
            equal(bridle.read_answer(socks[0]).code, 200)
            equal(bridle.read_answer(socks[1]).text, "pong")
            # An LF that comes after this reply does not count as an empty
            # request.
            for s, late in zip(socks, (b"\n", b"\r\n")):
                s.sendall(late + b"1#4\n\n")
                equal(bridle.read_answer(s).text, "pong")
                equal(bridle.read_answer(s).code, 400)


def test_what_changes_something_is_not_served_without_its_end():
    with Daemon(limits={"login_seconds": 3}) as d, contextlib.ExitStack() as e:
        socks = []
        for line in (b"1#1", b"1#1#dry-run", b"1#3#x", b"1#6", b"1#5#x",
                     b"1#2 ", b"1#", b"1#7"):
            socks.append(e.enter_context(d.connect()))
            socks[-1].sendall(line)
        for s in socks:
            equal([a.code for a in answers(bridle.read_all(s))], [408])
        equal(d.recorded(), [])


bridle.main(globals())
