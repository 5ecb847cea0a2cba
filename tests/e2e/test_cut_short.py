"""Tests that a truncated request has no effect.

The first bytes of `1#3#firefox#dry-run` look like a real kill. The first bytes
of `1#1#dry-run` look like a real halt. The daemon must carry out such a
request only with the LF at its end.
"""

import contextlib
import os
import socket

import bridle
from bridle import Daemon, Victim, equal
from procs import kills


def names_in_use():
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            with open("/proc/%s/comm" % pid, "rb") as f:
                found.add(f.read()[:-1])
    return found


def prefixes(data):
    return [data[:n] for n in range(len(data) + 1)]


def claim_name():
    """Return a new name, and a socket that reserves this name for the caller.

    No process has the name or a prefix of the name, because no real program's
    name begins with the first byte of this name. Another run of this test may
    look for a name at the same time. Therefore the socket has an abstract
    address that contains the first byte.
    """
    taken = names_in_use()
    for first in range(0x80, 0x100):
        name = bytes([first]) + bridle.unique_name().encode()[-10:]
        claim = socket.socket(socket.AF_UNIX)
        try:
            claim.bind(b"\0bridle-test-name-%d" % first)
        except OSError:
            claim.close()
            continue
        if not taken.intersection(prefixes(name)[1:]):
            return name, claim
        claim.close()
    raise bridle.Skip("because all names are taken")


class Family:
    """A victim for each prefix of a new name, and for the whole name. A
    truncated kill request may contain any of these names.

    A request that ends with the '#' after the name still has the whole name.
    """

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.name, claim = claim_name()
            stack.enter_context(claim)
            self.victims = [stack.enter_context(Victim(comm=name))
                            for name in prefixes(self.name)[1:]]
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *exc):
        self.stack.close()

    def all_live(self):
        return all(v.lives() for v in self.victims)


# Each of these functions ends the client's connection, and returns the bytes
# that the client reads after that. Only after a half-close can the client still
# read.

def close(s):
    s.close()
    return b""


def half_close(s):
    s.shutdown(socket.SHUT_WR)
    data = bridle.read_all(s)
    s.close()
    return data


def reset(s):
    bridle.reset(s)
    return b""


def cut_off(d, port, cut, leave, greeted):
    """Send a truncated request, and end the connection by leave(socket). Return
    the replies that the client can read.

    If `greeted` is true, send a ping first. The reply to the ping shows that
    the session runs. Without the ping, the client may leave before the daemon
    accepts the connection.
    """
    s = d.connect(port)
    if greeted:
        s.sendall(b"1#4\n")
        equal(bridle.read_answer(s).text, "pong")
    s.sendall(cut)
    return bridle.answers(leave(s))


def check_answers(found, cut):
    if cut == b"":
        equal(found, [])
    else:
        equal([answer.code for answer in found], [400], cut)


def check_log(d):
    """Check that the daemon allowed only pings and status requests, and that
    it signalled no process."""
    log = d.whole_log()
    allowed = [line for line in log.splitlines() if "verdict=allowed" in line
               and "verb=ping" not in line and "verb=status" not in line]
    equal(allowed, [])
    assert "outcome=" not in log, log


def cut_everywhere(request, family, greetings=(False, True)):
    limits = {"sessions_per_source": 200}
    with Daemon(tcp=["127.0.0.1:0"], limits=limits) as d:
        for port in (None, d.ports[0]):
            for leave in (close, half_close, reset):
                for greeted in greetings:
                    for cut in prefixes(request):
                        found = cut_off(d, port, cut, leave, greeted)
                        if leave is half_close:
                            check_answers(found, cut)
        d.wait_quiet()
        equal(d.recorded(), [])
        assert family.all_live()
        check_log(d)
        # The daemon must count each request as malformed that a half-close has
        # truncated. It may count other truncated requests, too.
        count = 2 * len(greetings) * len(request)
        assert d.counter("malformed") >= count, d.counter("malformed")


def test_every_prefix_of_a_dry_kill_kills_nothing():
    with Family() as family:
        cut_everywhere(b"1#3#%s#dry-run" % family.name, family)


def test_every_prefix_of_a_kill_with_all_options_kills_nothing():
    with Family() as family:
        cut_everywhere(b"1#3#%s#signal=KILL#wait=10#escalate=KILL"
                       % family.name, family, [True])


def test_every_prefix_of_a_dry_halt_halts_nothing():
    with Family() as family:
        cut_everywhere(b"1#1#dry-run", family)


def test_every_prefix_of_a_reboot_and_of_a_cancel_does_nothing():
    with Family() as family:
        cut_everywhere(b"1#1#mode=reboot#when=+10#message=later", family,
                       [True])
        cut_everywhere(b"1#6", family)


def test_a_whole_request_before_the_cut_one_is_done():
    with Family() as family, Daemon(tcp=["127.0.0.1:0"]) as d:
        last = family.victims[-1]
        for port in (None, d.ports[0]):
            whole, cut = d.send(b"1#1#dry-run\n1#3#%s" % last.comm, port)
            equal([whole.code, cut.code], [200, 400])
        assert family.all_live()


@kills
def test_with_its_end_each_of_them_would_have_done_it():
    """Check that the requests of the other tests kill and halt if they end with
    LF."""
    with Family() as family, Daemon() as d:
        equal(d.ask("1#1").code, 202)
        equal(d.recorded(), [["halt", "now"]])
        for v in family.victims:
            answer, = d.send(b"1#3#%s\n" % v.comm)
            equal([int(row["pid"]) for row in answer.rows], [v.pid])
            equal(v.wait(), -15)
            rest = family.victims[family.victims.index(v) + 1:]
            assert all(other.lives() for other in rest)


bridle.main(globals())
