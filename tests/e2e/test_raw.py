"""The raw protocol, as it stands in every lesson on sockets, through nc."""

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
    with Daemon(limits={"login_seconds": 1}) as d, d.connect() as s:
        s.sendall(b"1#2")
        answer = bridle.read_answer(s)
        equal(answer.code, 408)
        assert "within 1 second" in answer.text, answer.text


bridle.main(globals())
