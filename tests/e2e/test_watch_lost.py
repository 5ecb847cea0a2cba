"""Tests of a watch whose connection is lost because the network goes down."""

import contextlib
import subprocess
import time

import bridle
from bridle import equal, wait_for
import peers
from peers import Machines
from watchers import Watcher

CLIENTS = ('{ name = "me"; unix_user = "root"; allow = ("*"); },'
           '{ name = "far"; anonymous = true; allow = ("*"); }')
BEAT = 1


def daemon(machines):
    return machines.ours.daemon(CLIENTS, limits={"heartbeat_seconds": BEAT})


def link(machines, state):
    machines.ours.run("ip link set cable " + state)


def watchers(d):
    return sum(r["watching"] == b"yes" for r in d.ask("1#8").rows)


def check_noticed(seconds):
    """Check that the loss was noticed within three heartbeats, plus 20 seconds
    for a busy machine."""
    assert seconds < 3 * BEAT + 20, "noticing took %.1f s" % seconds


def test_the_daemon_notices_a_watcher_that_vanished():
    """Test a subscriber that sends no heartbeat, and a subscriber that sends a
    heartbeat."""
    for pings in False, True:
        with Machines() as m, daemon(m) as d, contextlib.ExitStack() as stack:
            far = peers.connect(m.OURS[0], m.PORT, network=m.other.fd)
            w = stack.enter_context(Watcher(far))
            near = stack.enter_context(Watcher(d.connect()))
            if pings:
                far.sendall(b"1#4\n")
            w.next("heartbeat")
            equal(watchers(d), 2)
            link(m, "down")
            begin = time.monotonic()
            wait_for("the subscriber to be dropped", lambda: watchers(d) == 1)
            check_noticed(time.monotonic() - begin)
            d.wait_log("client=far .* watch ended")
            near.next("request")


def test_the_tool_notices_a_daemon_that_vanished_and_comes_back():
    with Machines() as m, daemon(m) as d, subprocess.Popen(
            [*m.other.inside, bridle.BRIDLECTL, "-H",
             "plain:%s:%d" % (m.OURS[0], m.PORT), "--connect-timeout", "1",
             "watch", "--events", "message"], stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True) as tool:
        try:
            wait_for("the watch", lambda: watchers(d) == 1)
            d.ask("1#10#before")
            assert tool.stdout.readline().endswith("before\n")
            link(m, "down")
            begin = time.monotonic()
            lost = tool.stdout.readline()
            check_noticed(time.monotonic() - begin)
            assert "lost" in lost and "nothing received" in lost, lost
            d.ask("1#10#meanwhile")
            link(m, "up")
            assert "back" in tool.stdout.readline()
            assert tool.stdout.readline().endswith("meanwhile\n")
        finally:
            tool.kill()


bridle.main(globals())
