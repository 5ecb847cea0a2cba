"""A session that has been taken over gains nothing, and harms nobody.

tests/actions/hostile is in place of the sessions of a real bridled: they do
to the parent what their clients tell them.
"""

import os
import signal
import subprocess

import bridle
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
    ("done", "done without an answer"),
    ("peer", "a peer that was not due"),
    ("stalled", "stalled without a watch"),
    ("watch", "a question in a watch"),
    ("leave-twice", "(done without an answer|a question before its watch "
                    "has ended)"),
    ("twice", "a question before the last was answered"),
]


class Hostile(Daemon):
    session = HOSTILE


def broken(d, evil, why, port=None):
    """That session is killed, which its client sees, and the log says why."""
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
            wait_for("its action to end", lambda: not d.actions())


def test_a_breach_costs_what_a_crash_costs():
    penalties = "min_seconds = 1000; max_seconds = 1000; crash = 1000;"
    with Hostile(tcp=["127.0.0.1:0"], penalties=penalties) as d:
        broken(d, "done", "done without an answer", d.ports[0])
        d.wait_log("shut out source=uid=%d seconds=1000 cause=crash$"
                   % os.getuid())


def test_an_identity_is_set_once_and_where_it_is_due():
    tls = '{ tcp = "127.0.0.1:0"; tls = true; }'
    with Hostile() as probe:
        state = os.path.join(os.path.dirname(probe.sock), "state")
        with Hostile(tcp=[tls], settings='state_dir = %s;'
                     % bridle.quote(state)) as d:
            broken(d, "two-peers", "a peer that was not due", d.ports[0])
            broken(d, "1#4", "a question before its peer", d.ports[0])
            broken(d, "done", "a question before its peer", d.ports[0])
            equal(d.counter("requests"), 1, "that counter alone")


def test_no_descriptor_comes_from_a_client_or_goes_to_it():
    if not bridle.FILTER:
        raise bridle.Skip("this build has no filter")
    for evil in "adopt", "give":
        with Hostile() as d, d.connect() as s:
            s.sendall(evil.encode() + b"\n")
            equal(bridle.read_all(s), b"", evil)
            d.wait_log("session .* crashed of signal SYS$")


def test_no_session_forks():
    """Whoever the daemon is: root, a user, root by another name."""
    if not bridle.FILTER:
        raise bridle.Skip("this build has no filter")
    us = '{ name = "me"; unix_user = "%d"; allow = ("*"); }'
    daemons = [Hostile()]
    if bridle.ROOT:
        daemons.append(Hostile(uid=bridle.SERVICE))
    # There is no root, and yet it is: RLIMIT_NPROC is none for it.
    renamed = ["unshare", "--user", "--map-user=%d" % bridle.SERVICE,
               "--map-group=%d" % bridle.SERVICE]
    if bridle.ROOT and subprocess.run([*renamed, "true"]).returncode == 0:
        daemons.append(Hostile(clients=us % bridle.SERVICE, wrap=renamed))
    for d in daemons:
        with d, d.connect() as s:
            s.sendall(b"fork\n")
            assert s.recv(16) in (b"", b"alone"), d.wrap


def test_a_flood_ends():
    with Hostile() as d, d.connect() as other:
        with d.connect() as s:
            s.sendall(b"flood\n")
            wait_for("its end", lambda: len(d.children()) <= 2)
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


def test_a_crash_is_told():
    with Hostile() as d:
        with d.connect() as s:
            s.sendall(b"crash\n")
            bridle.read_all(s)
        d.wait_log("session .* crashed of signal (ABRT|SYS)")
        equal(d.counter("crashes"), 1)
        d.process.send_signal(signal.SIGTERM)
        equal(d.process.wait(bridle.PATIENCE), 0)


bridle.main(globals())
