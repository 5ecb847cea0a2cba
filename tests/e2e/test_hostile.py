"""Tests that a compromised session gains no rights and harms no other client.

The program tests/actions/hostile replaces the session program of a real
bridled. Each client tells its session which message the session must send to
the daemon.
"""

import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
import time

import bridle
import peers
from bridle import Daemon, equal, read_answer, wait_for

HOSTILE = os.path.join(bridle.ACTIONS, "hostile")
BREAKS = [
    ("truncated", "not a message"),
    ("oversized", "not a message"),
    ("unknown", "not a message"),
    ("answer", "not a message"),
    ("strings", "not a message"),
    ("descriptor", "not a message"),
    ("noise", "not a message"),
    ("done", "done without a reply"),
    ("peer", "an unexpected peer"),
    ("stalled", "stalled without a watch"),
    ("watch", "a request during a watch"),
    ("leave-twice", "(done without a reply|a message during a watch)"),
    ("twice", "a request before the last reply"),
]


class Hostile(Daemon):
    session = HOSTILE


def session_pids(d):
    return [pid for pid, _, title in d.all_children()
            if title == "bridled: session"]


def broken(d, evil, why, port=None):
    """Order the session to do `evil`. Check that the daemon kills the session,
    closes the connection and logs the reason `why`."""
    with d.connect(port) as s:
        s.sendall(evil.encode() + b"\n")
        bridle.read_all(s)
        d.wait_log("source=.* broke the protocol: %s: killed" % why)


def test_each_breach_ends_that_session_alone():
    power = {m: ["/bin/sleep", "60"] for m in ("halt", "poweroff", "reboot")}
    for evil, why in BREAKS:
        with Hostile(power=power) as d, d.connect() as other:
            other.sendall(b"1#4\n")
            equal(read_answer(other).text, "pong")
            broken(d, evil, why)
            other.sendall(b"1#4\n")
            equal(read_answer(other).text, "pong", evil)
            other.close()
            d.wait_quiet()
            wait_for("the action to end", lambda: not d.actions())


def test_a_breach_costs_what_a_crash_costs():
    penalties = "min_seconds = 1000; max_seconds = 1000; crash = 1000;"
    with Hostile(tcp=["127.0.0.1:0"], penalties=penalties) as d:
        broken(d, "done", "done without a reply", d.ports[0])
        d.wait_log("blocked source=uid=%d seconds=1000 cause=crash$"
                   % os.getuid())


def test_an_identity_is_set_once_and_where_it_is_due():
    tls = '{ tcp = "127.0.0.1:0"; tls = true; }'
    with Hostile() as probe:
        state = os.path.join(os.path.dirname(probe.sock), "state")
        with Hostile(tcp=[tls], settings='state_dir = %s;'
                     % bridle.quote(state)) as d:
            broken(d, "two-peers", "an unexpected peer", d.ports[0])
            broken(d, "1#4", "a message before its peer", d.ports[0])
            broken(d, "done", "a message before its peer", d.ports[0])
            equal(d.counter("requests"), 1, "that counter alone")


def is_session_dead(answer):
    """True if the client got no reply, or only the reply that the session died
    before its first message."""
    return not answer or re.fullmatch(
        rb"1#500#the session of this connection has died: [^\n]*\n", answer)


def test_no_descriptor_comes_from_a_client_or_goes_to_it():
    if not bridle.FILTER:
        raise bridle.Skip("because this build has no filter")
    for evil in "adopt", "give":
        with Hostile() as d, d.connect() as s:
            s.sendall(evil.encode() + b"\n")
            assert is_session_dead(bridle.read_all(s)), evil
            d.wait_log("session .* crashed of signal SYS$")


def test_no_session_forks():
    """Test a daemon that runs as root, as another user, and as root in a user
    namespace without uid 0."""
    if not bridle.FILTER:
        raise bridle.Skip("because this build has no filter")
    us = '{ name = "me"; unix_user = "%d"; allow = ("*"); }'
    daemons = [Hostile()]
    if bridle.ROOT:
        daemons.append(Hostile(uid=bridle.SERVICE))
    # In this user namespace no process has uid 0. The daemon still has root's
    # rights, and the kernel exempts the daemon from RLIMIT_NPROC.
    renamed = ["unshare", "--user", "--map-user=%d" % bridle.SERVICE,
               "--map-group=%d" % bridle.SERVICE]
    if bridle.ROOT and subprocess.run([*renamed, "true"]).returncode == 0:
        daemons.append(Hostile(clients=us % bridle.SERVICE, wrap=renamed))
    for d in daemons:
        with d, d.connect() as s:
            s.sendall(b"fork\n")
            answer = bridle.read_all(s)
            assert answer == b"alone" or is_session_dead(answer), \
                (answer, d.wrap)


def test_a_flood_ends():
    with Hostile() as d, d.connect() as other:
        with d.connect() as s:
            s.sendall(b"flood\n")
            wait_for("the process to end", lambda: len(d.children()) <= 2)
        other.sendall(b"1#4\n")
        equal(read_answer(other).text, "pong")
        other.close()
        d.wait_quiet()


def test_who_does_not_go_is_killed():
    with Hostile() as d:
        with d.connect() as s:
            s.sendall(b"stay\n")
            bridle.read_all(s)
        d.wait_quiet()


def test_none_outlives_its_client():
    with Hostile(tcp=["127.0.0.1:0"]) as d:
        for port, leave in ((None, socket.socket.close),
                            (d.ports[0], bridle.reset)):
            s = d.connect(port)
            s.sendall(b"deaf\n")
            pid = wait_for("its title", lambda: session_pids(d))[0]
            leave(s)
            d.wait_log("session %d source=.* did not end after its client: "
                       "killed" % pid)
            d.wait_quiet()


def test_the_action_of_one_that_is_stopped_ends_with_its_client():
    power = {m: ["/bin/sleep", "60"] for m in ("halt", "poweroff", "reboot")}
    with Daemon(power=power) as d:
        s = d.connect()
        s.sendall(b"1#1\n")
        action, = wait_for("the action", d.actions)
        for pid in session_pids(d):
            os.kill(pid, signal.SIGSTOP)
        s.close()
        wait_for("its end", lambda: not bridle.is_running(action))
        d.wait_quiet()


BOTH = ('{ name = "me"; unix_user = "%d"; allow = ("*"); },'
        '{ name = "stranger"; unix_user = "%d"; allow = ("*"); }'
        % (os.getuid(), bridle.STRANGER))


def not_root(d):
    """Connect by TCP as a user who is not root, because root is exempt from
    the rate of requests."""
    if bridle.ROOT:
        return peers.connect("127.0.0.1", d.ports[0], uid=bridle.STRANGER)
    return d.connect(d.ports[0])


def test_the_sessions_of_one_source_have_a_rate_of_requests():
    """The daemon delays sessions that send requests too fast, but does not
    refuse their requests."""
    n = 600
    with Daemon(BOTH, tcp=["127.0.0.1:0"],
                limits={"sessions_per_source": 4}) as d:
        with not_root(d) as one, not_root(d) as other:
            start = time.monotonic()
            for s in one, other:
                s.sendall(b"1#4\n" * n)
                s.shutdown(socket.SHUT_WR)
            for s in one, other:
                texts = [a.text for a in bridle.answers(bridle.read_all(s))]
                equal(texts, ["pong"] * n)
            taken = time.monotonic() - start
        # The limit allows 200 requests without a wait, and then 2000 requests a
        # second.
        assert taken > (2 * n - 200) / 2000 - 0.01, taken


def test_a_new_connection_does_not_reset_the_rate_of_requests():
    n, connections = 150, 8
    with Daemon(BOTH, tcp=["127.0.0.1:0"]) as d:
        start = time.monotonic()
        for _ in range(connections):
            with not_root(d) as s:
                s.sendall(b"1#4\n" * n)
                s.shutdown(socket.SHUT_WR)
                equal([a.text for a in bridle.answers(bridle.read_all(s))],
                      ["pong"] * n)
        taken = time.monotonic() - start
        assert taken > (connections * n - 200) / 2000 - 0.01, taken


def test_none_outlives_the_daemon():
    with Hostile() as d:
        with d.connect() as s:
            s.sendall(b"stay\n")
            sessions = wait_for("its title", lambda: session_pids(d))
            d.process.kill()
            d.process.wait()
            for pid in sessions:
                wait_for("its end", lambda: not bridle.is_running(pid))


def test_none_has_much_memory():
    """Check that the kernel limits the memory of each session."""
    if not bridle.FILTER:
        raise bridle.Skip("because this build has no filter")
    tls = '{ tcp = "127.0.0.1:0"; tls = true; }'
    with bridle.Daemon(tcp=[tls]) as d:
        def limits():
            found = set()
            for pid, _, title in d.all_children():
                if title == "bridled: spare":
                    with open("/proc/%d/limits" % pid) as f:
                        found.update(line.split()[3] for line in f
                                     if line.startswith("Max address"))
            return found
        wait_for("both kinds of spare sessions",
                 lambda: limits() == {str(16 << 20), str(32 << 20)})


def cpu_seconds(pid):
    """Return the limit of the process's CPU time in seconds, as text."""
    with open("/proc/%d/limits" % pid) as f:
        line, = (line for line in f if line.startswith("Max cpu time"))
    return line.split()[3]


def test_the_cpu_time_of_a_session_is_limited():
    """Each message renews the limit, so that a session can work for a long
    time."""
    with bridle.Daemon() as d, d.connect() as s:
        def ask():
            s.sendall(b"1#4\n")
            equal(read_answer(s).text, "pong")
        ask()
        pid, = session_pids(d)
        equal(cpu_seconds(pid), "10")
        resource.prlimit(pid, resource.RLIMIT_CPU, (99, -1))
        wait_for("a new limit", lambda: ask() or cpu_seconds(pid) == "10")
    with Hostile() as d, d.connect() as s:
        s.sendall(b"burn\n")
        pid = wait_for("its title", lambda: session_pids(d))[0]
        # When the session reports that it has taken its client, the daemon sets
        # the limit again. Therefore repeat the change of the limit.
        def limited():
            with contextlib.suppress(ProcessLookupError):
                resource.prlimit(pid, resource.RLIMIT_CPU, (1, -1))
            return re.search("session %d .* crashed of signal XCPU$" % pid,
                             d.log(), re.M)
        wait_for("the signal XCPU", limited)


def test_a_crash_is_told():
    with Hostile() as d:
        with d.connect() as s:
            s.sendall(b"crash\n")
            equal(read_answer(s).code, 500)
        d.wait_log("session .* crashed of signal (ABRT|SYS)")
        equal(d.counter("crashes"), 1)
        d.process.send_signal(signal.SIGTERM)
        equal(d.process.wait(bridle.PATIENCE), 0)


bridle.main(globals())
