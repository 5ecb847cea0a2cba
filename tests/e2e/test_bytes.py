"""Tests of clients that send wrong bytes, do not read, or leave. After each
case the tests check that the daemon serves the next client.
"""

import contextlib
import fcntl
import os
import socket
import struct
import subprocess
import sys
import termios
import threading
import time

import bridle
from bridle import Daemon, Victim, equal, read_answer, wait_for
from crowd import KILLS
from procs import kills

LINE_MAX = 4096  # maximum number of bytes in a request line
FIELDS_MAX = 16


def with_tcp(**limits):
    """Return a daemon with a loopback port. The limits allow many sessions of
    one user."""
    limits.setdefault("sessions_per_source", 64)
    return Daemon(tcp=["127.0.0.1:0"], limits=limits)


def ports(d):
    """Return both values for the parameter `port` of connect() and send():
    None for the unix socket, and the TCP port."""
    return None, d.ports[0]


def check_serves(d):
    """Check that the daemon serves `ping` and `list`, at the unix socket and
    by TCP."""
    with open("/proc/self/comm") as f:
        our_name = f.read().strip()
    for port in ports(d):
        equal(d.ask("1#4", port).text, "pong")
        answer = d.ask("1#2#name=" + our_name, port)
        assert os.getpid() in [int(row["pid"]) for row in answer.rows]


def read_rest(s):
    """Read and return all bytes until the connection ends or is reset."""
    s.settimeout(bridle.PATIENCE)
    end = time.monotonic() + bridle.PATIENCE
    data = b""
    with contextlib.suppress(ConnectionResetError):
        while piece := s.recv(65536):
            data += piece
            assert time.monotonic() < end, "the connection never ends"
    return data


# -- tests of requests that arrive in several pieces ------------------------


def wait_taken(s):
    """Wait until the peer of the unix socket has read all bytes."""
    def unread():
        return fcntl.ioctl(s, termios.TIOCOUTQ, b"\0" * 4)
    wait_for("the byte to be read",
             lambda: struct.unpack("i", unread()) == (0,))


def test_a_request_that_comes_one_byte_at_a_time():
    with with_tcp() as d, Victim() as v:
        for port in ports(d):
            with d.connect(port) as s:
                for byte in b"1#2#name=%s\r\n" % v.comm:
                    s.sendall(bytes([byte]))
                    if port is None:
                        wait_taken(s)
                answer = read_answer(s)
            equal([int(row["pid"]) for row in answer.rows], [v.pid])
        check_serves(d)


def mixed_request(i, victim):
    """Return the request with number `i`, the code of the reply, and a text
    that only this reply contains."""
    kinds = [
        ("1#4", 200, "#pong#"),
        ("1#2#name=" + victim.name, 200, "1#100#%d#" % victim.pid),
        ("1#3#%s#dry-run" % victim.name, 200 if KILLS else 207,
         "1#100#%d#" % victim.pid),
        ("1#2#what%d=x" % i, 400, "'what%d'" % i),
        ("1#1#message=text%d#dry-run" % i, 200, "now text%d" % i),
        ("1#12#1", 200, "#allowed#"),
        ("1#77", 501, "#unknown verb#"),
    ]
    return kinds[i % len(kinds)]


def test_fifty_requests_in_one_write_are_answered_in_order():
    with with_tcp() as d, Victim() as a, Victim() as b, Victim() as c:
        wanted = [mixed_request(i, (a, b, c)[i % 3]) for i in range(50)]
        data = "".join(line + "\n" for line, _, _ in wanted)
        for port in ports(d):
            found = d.send(data, port)
            equal(len(found), len(wanted))
            for answer, (line, code, part) in zip(found, wanted):
                equal(answer.code, code, line)
                assert part in "\n".join(answer.lines), (line, answer.lines)
            ids = [int(a.status.pairs["id"].split("-")[1]) for a in found]
            equal(ids, sorted(set(ids)), "ids")
        assert a.lives() and b.lives() and c.lives()
        equal(d.recorded(), [])
        check_serves(d)


def test_end_of_input_in_mid_line_ends_only_what_changes_nothing():
    with with_tcp() as d, Victim() as v:
        cases = [("1#2#name=" + v.name, 200), ("1#4", 200), ("1#7", 200),
                 ("1#11", 200), ("1#12#3#" + v.name, 200), ("1#1", 400),
                 ("1#1#dry-run", 400), ("1#3#" + v.name, 400),
                 ("1#3#%s#dry-run" % v.name, 400), ("1#6", 400),
                 ("1", 400), ("1#", 400), ("1#3", 400), ("0#3", 505),
                 ("1#3#" + v.name + "\r", 400)]
        for port in ports(d):
            for line, code in cases:
                answer, = d.send(line, port)
                equal(answer.code, code, line)
            whole, cut = d.send("1#4\n1#3#" + v.name, port)
            equal([whole.code, cut.code], [200, 400])
            equal(d.send("", port), [])
        assert v.lives()
        equal(d.recorded(), [])
        check_serves(d)


# -- tests of the length of a line ------------------------------------------


def test_a_line_of_4096_bytes_and_one_of_4097():
    with with_tcp() as d:
        name = "x" * (LINE_MAX - len("1#3#"))
        for port in ports(d):
            for end in ("\n", "\r\n"):
                fits, after = d.send("1#3#" + name + end + "1#4\n", port)
                equal([fits.code, after.code], [404, 200])
                answer, = d.send("1#3#x" + name + end + "1#4\n", port)
                equal(answer.code, 413)
                assert "4096" in answer.text, answer.text
        check_serves(d)


def test_a_line_that_is_too_long_is_answered_before_its_end():
    with with_tcp() as d:
        for port in ports(d):
            for size in (LINE_MAX + 1, LINE_MAX + 2, 100 * LINE_MAX):
                with d.connect(port) as s:
                    s.sendall(b"1#3#" + b"x" * (size - 4))
                    equal(read_answer(s).code, 413, size)
                    equal(read_rest(s), b"")
        check_serves(d)


def test_16_fields_and_17():
    with with_tcp() as d, Victim() as v:
        most = "1#3#" + v.name + "#dry-run" * (FIELDS_MAX - 3)
        for port in ports(d):
            fits, after = d.send(most + "\n1#4\n", port)
            equal([fits.code, after.code], [400, 200])
            answer, = d.send(most + "#dry-run\n1#4\n", port)
            equal(answer.code, 413)
            assert "16 fields" in answer.text, answer.text
            answer, = d.send("#" * LINE_MAX + "\n1#4\n", port)
            equal(answer.code, 505)
            answer, = d.send("1" + "#" * (LINE_MAX - 1) + "\n1#4\n", port)
            equal(answer.code, 413)
        assert v.lives()
        check_serves(d)


# -- tests of the content of a line -----------------------------------------

# Malformed lines. NAME stands for the name of a victim, which must survive
# each line.
REFUSED = [
    # Lines with a wrong encoding.
    b"1#3#%", b"1#3#NAME%", b"1#3#%4", b"1#3#NAME%4", b"1#3#%GG",
    b"1#3#%4G", b"1#3#%G4", b"1#3#%%", b"1#3#%-1", b"1#3#% 1", b"1#3#%00",
    b"1#3#NAME%00", b"1#3#NAME%00#dry-run", b"1#2#name=%", b"1#2#name=%4",
    b"1#2#name=%GG", b"1#2#name=%00", b"1#1#message=%", b"1#1#message=%00",
    b"1#1#mode=%00halt", b"1#1#when=now%00",
    # Lines with bytes that are not allowed in a line.
    b"1#3#NAME\0", b"1#3#\0NAME", b"1#3#NAME#\0", b"1#1\0", b"1#1#\0",
    b"1#\0", b"1#\x003#NAME", b"1#3#NAME\x01", b"1#3#NAME\t", b"1#1\x1b",
    b"1#1\r\r", b"1#1\r#dry-run", b"1#3\r#NAME", b"1#\xff", b"1#1#\xff",
    b"1#1#\xff=x", b"1#3#NAME#\xff", b"1#1#message=\xff",
    b"1#1#message=%FF", b"1#1#message=%0A",
    # Lines with malformed verbs.
    b"1", b"1#", b"1##", b"1#-1", b"1#-3#NAME", b"1#+3#NAME", b"1#03#NAME",
    b"1#0", b"1#00", b"1# 3#NAME", b"1#3 #NAME", b"1#3.0#NAME", b"1#0x3#NAME",
    b"1#kill#NAME", b"1#%33#NAME", b"1#1e0", b"",
    # Lines without a required field.
    b"1#3", b"1#3#", b"1#3##dry-run", b"1#12", b"1#12#", b"1#12#3",
    b"1#12#3#", b"1#12#12", b"1#12#12#1",
    # Lines with too many fields.
    b"1#1#", b"1#1#now", b"1#2#", b"1#2#x", b"1#3#NAME#", b"1#3#NAME#NAME",
    b"1#3#NAME##dry-run", b"1#4#", b"1#4#x", b"1#6#", b"1#6#now", b"1#7#x",
    b"1#11#x", b"1#12#4#x",
    # Lines with keys that are unknown, repeated, empty, misspelt or without a
    # value.
    b"1#1#nonsense=x", b"1#1#name=x", b"1#2#signal=TERM", b"1#3#NAME#x=y",
    b"1#3#NAME#mode=halt", b"1#4#user=root", b"1#1#=", b"1#1#=now",
    b"1#3#NAME#=", b"1#3#NAME#=KILL", b"1#1#dry-run#dry-run",
    b"1#1#mode=halt#mode=halt", b"1#3#NAME#dry-run#dry-run",
    b"1#3#NAME#signal=KILL#signal=TERM", b"1#2#name=NAME#name=x",
    b"1#1#mode", b"1#1#mode=", b"1#1#when=", b"1#1#message=", b"1#2#name=",
    b"1#2#user=", b"1#3#NAME#signal", b"1#3#NAME#signal=", b"1#3#NAME#only=",
    b"1#3#NAME#only", b"1#3#NAME#user=", b"1#3#NAME#wait=",
    b"1#1#dry-run=", b"1#1#dry-run=no", b"1#3#NAME#dry-run=1",
    b"1#1#DRY-RUN", b"1#1#dry-run ", b"1#1# dry-run", b"1#1#dry%2Drun",
    b"1#1#dry-ru", b"1#3#NAME#%64ry-run", b"1#3#NAME#dry_run",
    b"1#3#NAME#Signal=KILL", b"1#3#NAME#signal%3DKILL",
    # Lines with malformed values.
    b"1#1#mode=sleep", b"1#1#mode=Halt", b"1#1#when=later", b"1#1#when=24:00",
    b"1#1#when=+", b"1#1#when=+-1", b"1#1#when=+10081", b"1#1#when=-1",
    b"1#1#message=-r", b"1#1#message=" + b"m" * 201,
    b"1#3#NAME#signal=0", b"1#3#NAME#signal=-9", b"1#3#NAME#signal=65",
    b"1#3#NAME#signal=NONSENSE", b"1#3#NAME#signal=9x",
    b"1#3#NAME#signal=99999999999999999999", b"1#3#NAME#wait=-1",
    b"1#3#NAME#wait=601", b"1#3#NAME#wait=1.5", b"1#3#NAME#wait= 1",
    b"1#3#NAME#wait=4294967297", b"1#3#NAME#escalate=0",
    b"1#3#NAME#escalate=KILL#wait=0", b"1#3#NAME#only=1",
    b"1#3#NAME#only=1-2", b"1#3#NAME#only=,", b"1#3#NAME#only=1-2-3,",
]

UNKNOWN = [b"1#14", b"1#99", b"1#256", b"1#65539#NAME", b"1#4294967299#NAME",
           b"1#18446744073709551619#NAME", b"1#" + b"9" * 4000,
           b"1#12#99"]

OTHER_VERSIONS = [b"0#3#NAME", b"2#3#NAME", b"#3#NAME", b"01#3#NAME",
                  b"11#3#NAME", b"-1#3#NAME", b" 1#3#NAME", b"1 #3#NAME",
                  b"1.0#3#NAME", b"%31#3#NAME", b"\xff#3#NAME",
                  b"\x001#3#NAME", b"1\0#3#NAME", b"NAME", b"#", b"0",
                  b"\0", b"\xff",
                  b"GET / HTTP/1.1", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc"]


def check_refused(lines, code, v, d):
    """Send all lines and then a ping on one connection. Check that each line
    gets a reply with this code, and that the ping gets a reply."""
    data = b"".join(line.replace(b"NAME", v.comm) + b"\n" for line in lines)
    for port in ports(d):
        found = d.send(data + b"1#4\n", port)
        for line, answer in zip(lines, found):
            equal(answer.code, code, line)
            equal(len(answer.lines), 1, line)
        equal(len(found), len(lines) + 1)
        equal(found[-1].text, "pong")
        assert v.lives()
    equal(d.recorded(), [])


def test_malformed_requests_are_400_and_do_nothing():
    with with_tcp() as d, Victim() as v:
        check_refused(REFUSED, 400, v, d)
        equal(d.counter("malformed"), 2 * len(REFUSED))
        check_serves(d)


def test_malformed_requests_alone_on_their_connection():
    with with_tcp() as d, Victim() as v:
        for line in REFUSED:
            with d.connect() as s:
                s.sendall(line.replace(b"NAME", v.comm) + b"\n")
                equal(read_answer(s).code, 400, line)
                s.sendall(b"1#4\n")
                equal(read_answer(s).code, 200, line)
        assert v.lives()
        equal(d.recorded(), [])


def test_unknown_verbs_are_501_and_do_nothing():
    with with_tcp() as d, Victim() as v:
        check_refused(UNKNOWN, 501, v, d)
        check_serves(d)


def test_bytes_that_are_part_of_a_name_are_looked_for():
    with with_tcp() as d:
        name = bridle.unique_name().encode()
        with Victim(comm=b"\xff%#\x7f" + name[-8:]) as v:
            line = b"1#3#\xff%25%23\x7f" + name[-8:]
            for field in (line, line.replace(b"\xff", b"%fF")):
                answer, = d.send(field + b"#dry-run\n")
                equal([int(row["pid"]) for row in answer.rows], [v.pid])
            nobody, = d.send(b"1#3#\xff\xfe" + name + b"\n")
            equal(nobody.code, 404)
            assert v.lives()
        check_serves(d)


def test_another_version_is_505_and_the_rest_is_discarded():
    with with_tcp() as d, Victim() as v:
        for port in ports(d):
            for line in OTHER_VERSIONS:
                data = line + b"\n1#1\n1#3#NAME\n1#4\n"
                answer, = d.send(data.replace(b"NAME", v.comm), port)
                equal(answer.code, 505, line)
        assert v.lives()
        equal(d.recorded(), [])
        check_serves(d)


# -- tests of connections that the daemon ends ------------------------------


class Talker:
    """A client that sends `first`, and then repeats `then` until the daemon
    closes the connection."""

    def __init__(self, sock, first, then):
        self.sock, self.first, self.then = sock, first, then
        self.sent, self.closed = 0, False
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            self.sock.sendall(self.first)
            while True:
                self.sock.sendall(self.then)
                self.sent += len(self.then)
        except (BrokenPipeError, ConnectionResetError):
            self.closed = True

    def wait_end(self):
        self.thread.join(bridle.PATIENCE)
        assert self.closed, "the daemon still reads"


def test_the_answer_arrives_although_the_client_goes_on_sending():
    with with_tcp() as d, Victim() as v, contextlib.ExitStack() as open_ones:
        rest = b"1#1\n1#3#%s\n" % v.comm
        talkers = []
        for port in ports(d):
            for first, code in [(b"2#4\n", 505),
                                (b"1#3#" + b"x" * LINE_MAX + b"\n", 413),
                                (b"1#3#x" + b"#" * FIELDS_MAX + b"\n", 413)]:
                s = open_ones.enter_context(d.connect(port))
                talkers.append(Talker(s, first, rest * 100))
                equal(read_answer(s).code, code)
                equal(read_rest(s), b"")
        # The daemon closes the connection although the client still sends.
        # Before this, the daemon has read and discarded much more than the
        # buffers hold.
        for talker in talkers:
            talker.wait_end()
            assert talker.sent > 2 ** 20, talker.sent
        assert v.lives()
        equal(d.recorded(), [])
        d.wait_quiet()
        check_serves(d)


# -- tests of clients that do not read their reply --------------------------

# A Python program: argument 1 is the name of its processes, argument 2 the
# number of its children. Each child has the command line of the program, and
# ends when the pipe is closed.
CROWD = """
import os, sys
with open("/proc/self/comm", "w") as f:
    f.write(sys.argv[1])
pipe = os.pipe()
for i in range(int(sys.argv[2])):
    if os.fork() == 0:
        os.close(pipe[1])
        os.read(pipe[0], 1)
        os._exit(0)
print("ready", flush=True)
sys.stdin.read()
os.close(pipe[1])
while True:
    try:
        os.wait()
    except ChildProcessError:
        break
"""


class Crowd:
    """Processes whose list is longer than all buffers between the daemon and
    the client.

    The argument of these processes contains only the character '#'. In a list
    each '#' takes three bytes.
    """

    SIZE = 1000

    def __enter__(self):
        self.name = bridle.unique_name("c")
        self.process = subprocess.Popen(
            [sys.executable, "-S", "-c", CROWD, self.name,
             str(self.SIZE - 1), "#" * 3000],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        equal(self.process.stdout.readline(), b"ready\n")
        self.request = b"1#2#name=%s\n" % self.name.encode()
        return self

    def __exit__(self, *exc):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def check_whole(self, s):
        """Read the reply to the end. Check its number of lines and its status
        without parsing the long list."""
        s.shutdown(socket.SHUT_WR)
        lines = bridle.read_all(s).split(b"\n")
        equal(len(lines), 1 + self.SIZE + 1 + 1)
        assert lines[-2].startswith(b"1#200#"), lines[-2]


def send_until_full(s, data):
    s.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            s.send(data)


def test_clients_that_send_and_never_read():
    with Crowd() as crowd, with_tcp(request_seconds=1) as d, \
            d.connect() as a, d.connect(d.ports[0]) as b:
        for s in (a, b):
            send_until_full(s, crowd.request * 50)
        wait_for("both to be in the middle of a reply",
                 lambda: d.counter("actions") == 2)
        for port in ports(d):
            equal(d.ask("1#4", port).text, "pong")
        wait_for("the end of both actions",
                 lambda: d.log().count("time limit was reached") >= 2)
        wait_for("the end of both sessions",
                 lambda: d.counter("sessions") == 1)
        for s in (a, b):
            # A truncated list must never end with the status 200.
            data = read_rest(s)
            assert data.startswith((b"1#100#pid#", b"1#500#")), data[:80]
            assert b"\n1#200#" not in data
        d.wait_quiet()
        # A busy machine may need more than 1 second for the next requests.
        d.limits["request_seconds"] = 60
        d.write_config()
        assert d.reload()
        check_serves(d)
        with d.connect() as s:
            s.sendall(crowd.request)
            crowd.check_whole(s)


def test_clients_that_close_in_mid_answer():
    with Crowd() as crowd, with_tcp() as d:
        gone = 0
        for port in ports(d):
            for leave in (socket.socket.close, bridle.reset):
                s = d.connect(port)
                with d.connect(port) as other:
                    other.sendall(crowd.request)
                    s.sendall(crowd.request)
                    assert bridle.read_line(s).startswith(b"1#100#pid#")
                    leave(s)
                    gone += 1
                    # The daemon's signal ends the action, unless writing to
                    # the broken pipe has ended it before.
                    wait_for("the end of its action", lambda: d.log().count(
                        'the client is gone"') == gone)
                    # The list of the other client ran at the same time, and
                    # must be complete.
                    crowd.check_whole(other)
                d.wait_quiet()
        check_serves(d)


@kills
def test_clients_that_leave_before_their_answer_begins():
    """A closed unix socket and a reset end the action. A closed TCP connection
    looks like a half-close, so the action continues."""
    line = "1#3#%s#wait=%d\n"
    with with_tcp() as d, Victim(args=["--ignore-term"]) as v:
        for port, leave in [(None, socket.socket.close),
                            (None, bridle.reset),
                            (d.ports[0], bridle.reset)]:
            s = d.connect(port)
            s.sendall((line % (v.name, 600)).encode())
            wait_for("the action", lambda: d.counter("actions") == 1)
            leave(s)
            wait_for("the action's end", lambda: d.counter("actions") == 0)
        wait_for("all lines in the log", lambda: d.log().count(
            'text="ended by TERM: the client is gone"') == 3)
        before = d.log().count("outcome=signalled")
        s = d.connect(d.ports[0])
        s.sendall((line % (v.name, 1)).encode())
        wait_for("the action", lambda: d.counter("actions") == 1)
        s.close()
        wait_for("the action's end", lambda: d.counter("actions") == 0)
        wait_for("the line in the log", lambda: d.log().count(
            "outcome=signalled") == before + 1)
        d.wait_quiet()
        assert v.lives()
        check_serves(d)


bridle.main(globals())
