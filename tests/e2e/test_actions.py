"""Tests of actions whose program misbehaves, and of clients that leave during
an action."""

import contextlib
import os
import signal
import socket
import time

import bridle
from bridle import (Daemon, Victim, equal, is_running, read_answer,
                    wait_for)
from crowd import KILLS

# Value of request_seconds in tests that wait for this deadline. A request
# `list` takes less time, even under valgrind.
SECONDS = 10 if bridle.WRAP else 1


def halting(how, **kwargs):
    """Return a daemon whose halting commands run the program `misbehave`. The
    argument `how` tells this program how to misbehave."""
    argv = ["{dir}/misbehave", how, "{dir}/sock/pid"]
    return Daemon(power={m: argv for m in ("halt", "poweroff", "reboot")},
                  **kwargs)


def noted_pid(d):
    """Wait until the program has written its pid to the file, and return this
    pid."""
    path = os.path.join(d.dir, "sock", "pid")

    def read():
        with contextlib.suppress(FileNotFoundError):
            with open(path) as f:
                return int(f.read())
    return wait_for("the program's pid", read)


def wait_gone(pid):
    wait_for("process %d to end" % pid, lambda: not is_running(pid))


def halt(d, meanwhile=lambda: None):
    """Send a request `halt`, call meanwhile(), and return the reply."""
    with d.connect() as s:
        s.sendall(b"1#1\n")
        meanwhile()
        return read_answer(s)


def check_served(d):
    """Check that the daemon serves a request `list`. The request asks for a
    name that no process has, so the reply is short on any machine."""
    equal(d.ask("1#2#name=no.such.name").code, 404)


def check_rest(d):
    """Check that no process of an action is left, and that the counter of
    actions is 0. Check that the daemon serves the next request."""
    d.wait_quiet()
    equal([state for _, state in d.children() if state == "Z"], [])
    equal(d.counter("actions"), 0)
    check_served(d)


# -- tests of programs that misbehave ---------------------------------------

def test_a_grandchild_that_keeps_the_pipe_does_not_keep_the_request():
    with halting("background") as d:
        answer = d.ask("1#1")
        pid = noted_pid(d)
        try:
            equal((answer.code, answer.text), (202, "halt now"))
            equal(answer.status.pairs["output"], "left one behind")
            check_rest(d)
            assert is_running(pid), "the daemon has ended another process"
        finally:
            os.kill(pid, signal.SIGKILL)
        wait_gone(pid)


def test_one_that_closes_its_output_is_waited_for():
    with halting("closed") as d:
        began = time.monotonic()
        answer = d.ask("1#1")
        equal((answer.code, answer.text), (202, "halt now"))
        assert time.monotonic() - began >= 0.3, "the action ended too early"
        check_rest(d)


def test_one_that_floods_its_output_disturbs_nobody():
    def meanwhile():
        wait_for("the action to run", lambda: d.counter("actions") == 1)
        check_served(d)

    with halting("flood", limits={"request_seconds": SECONDS}) as d:
        answer = halt(d, meanwhile)
        equal((answer.code, answer.text),
              (500, "ended by TERM: the time limit was reached"))
        output = answer.status.pairs["output"]
        assert set(output) == {"x"} and len(output) <= 256, output
        check_rest(d)


def test_one_that_ignores_term_is_killed_after_the_deadline():
    with halting("ignore", limits={"request_seconds": SECONDS}) as d:
        began = time.monotonic()
        answer = halt(d)
        took = time.monotonic() - began
        equal((answer.code, answer.text),
              (500, "ended by KILL: the time limit was reached"))
        assert took >= SECONDS + 1, "SIGKILL came too early: %f" % took
        assert not is_running(noted_pid(d))
        check_rest(d)


def test_one_that_dies_of_a_signal_has_failed():
    with halting("signal") as d:
        answer = d.ask("1#1")
        equal((answer.code, answer.text),
              (500, "the process died of signal SEGV"))
        equal(d.counter("crashes"), 0)  # only crashes of sessions are counted
        equal(d.counter("failed"), 1)
        check_rest(d)


def test_one_that_is_stopped_is_ended_by_the_deadline():
    with halting("stopped", limits={"request_seconds": SECONDS}) as d:
        answer = halt(d)
        equal((answer.code, answer.text),
              (500, "ended by TERM: the time limit was reached"))
        assert not is_running(noted_pid(d))
        check_rest(d)


def test_one_that_fails_has_its_reason_passed_on():
    with halting("fail") as d:
        answer = d.ask("1#1")
        equal((answer.code, answer.text),
              (500, "halt now failed with exit status 3"))
        equal(bridle.decode(answer.status.pairs["output"]),
              b"the halt was refused: no reason given")
        check_rest(d)


def test_one_that_is_not_there_has_failed():
    with Daemon(power={m: ["{dir}/gone"] for m in
                       ("halt", "poweroff", "reboot")}) as d:
        answer = d.ask("1#1")
        equal((answer.code, answer.text),
              (500, "halt now failed with exit status 127"))
        assert "gone: No such file" in answer.status.pairs["output"]
        check_rest(d)


def test_children_of_one_that_is_ended_are_ended():
    with halting("family", limits={"request_seconds": SECONDS}) as d:
        equal(halt(d).text, "ended by TERM: the time limit was reached")
        # The child of the ended program ignores SIGTERM, so the daemon must
        # have sent SIGKILL.
        wait_gone(noted_pid(d))
        check_rest(d)


def test_one_that_is_killed_by_others_has_failed():
    with halting("sleep") as d:
        answer = halt(d, lambda: os.kill(noted_pid(d), signal.SIGKILL))
        equal((answer.code, answer.text),
              (500, "the process died of signal KILL"))
        check_rest(d)


# -- tests of clients that leave --------------------------------------------

def close(sock):
    sock.close()


def shut_both_ways(sock):
    sock.shutdown(socket.SHUT_RDWR)


def go_away(d, port, how):
    """Call how(socket) to leave during a halt that would never end. Check that
    the daemon ends the processes of the halt."""
    with d.connect(port) as s:
        s.sendall(b"1#1\n")
        child = noted_pid(d)
        how(s)
        # The program must end because the client has left. The default
        # request_seconds is much longer than this wait.
        wait_gone(child)
    d.wait_quiet()
    os.unlink(os.path.join(d.dir, "sock", "pid"))


def test_a_client_that_goes_away_takes_the_whole_group_with_it():
    with halting("family", tcp=["127.0.0.1:0"]) as d:
        port = d.ports[0]
        go_away(d, None, close)
        go_away(d, None, shut_both_ways)
        go_away(d, port, bridle.reset)
        equal(d.counter("failed"), 0)
        check_rest(d)


def test_the_end_of_a_clients_input_ends_nothing():
    with halting("sleep", tcp=["127.0.0.1:0"],
                 limits={"request_seconds": SECONDS}) as d:
        for port in (None, d.ports[0]):
            answer = d.ask("1#1", port)
            equal(answer.text, "ended by TERM: the time limit was reached")


def test_a_waiting_kill_ends_with_its_client():
    if not KILLS:
        raise bridle.Skip("because nothing is killed here")
    with Daemon() as d, Victim(args=["--ignore-term"]) as v:
        with d.connect() as s:
            s.sendall(b"1#3#%s#wait=600#escalate=KILL\n" % v.comm)
            d.wait_log("signal=TERM outcome=signalled")
        d.wait_quiet()
        assert v.lives(), "it was killed without a client"
        check_rest(d)


bridle.main(globals())
