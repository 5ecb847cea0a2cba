"""Tests of many clients, one after another and at the same time. Tests of the
limits, and of silent clients."""

import os
import signal
import socket
import time
from contextlib import ExitStack

import bridle
import peers
from bridle import Daemon, Skip, Victim, answers, equal, read_all, wait_for
from crowd import KILLS, Asker

IN_A_ROW = 200 if bridle.FEW else 10000
AT_ONCE = 200
BOTH = ('{ name = "me"; unix_user = "%d"; allow = ("*"); },'
        '{ name = "stranger"; unix_user = "%d"; allow = ("*"); }'
        % (os.getuid(), bridle.STRANGER))
# True if the memory of the daemon can be measured. Under valgrind or ASan, a
# measurement would include the memory of these tools.
with open(bridle.BRIDLED, "rb") as program:
    MEASURABLE = not bridle.WRAP and b"__asan_init" not in program.read()


# -- tests of many clients --------------------------------------------------

def ping(d, port):
    with d.connect(port) as s:
        s.sendall(b"1#4\n")
        s.shutdown(socket.SHUT_WR)
        data = read_all(s)
    assert data.startswith(b"1#200#pong#"), data


def leave_without_a_word(d, port):
    d.connect(port).close()


def leave_by_reset(d, port):
    s = d.connect(port)
    s.sendall(b"1#2\n")
    bridle.reset(s)


def send_nonsense(d, port):
    answer, = d.send("1#99#\n", port)
    equal(answer.code, 501)


def in_a_row(d, n):
    """Serve n clients, one after another. Most clients send a ping; the others
    leave or send other requests."""
    rare = [leave_without_a_word, leave_by_reset, send_nonsense]
    ports = [None, d.ports[0]]
    with Asker(d) as asker:
        for i in range(n):
            if i % 10:
                ping(d, ports[i % 2])
            elif i % 50:
                rare[i // 10 % 3](d, ports[i // 30 % 2])
            else:
                asker.port = ports[i // 50 % 2]
                asker.ask()


def at_once(d, n):
    """Connect n clients, send all their requests, and only then read the
    replies."""
    with ExitStack() as stack:
        askers = [stack.enter_context(Asker(d, [None, d.ports[0]][i % 2],
                                            acting=i % 10 < 2))
                  for i in range(n)]
        socks = [stack.enter_context(d.connect(a.port)) for a in askers]
        asked = [a.send(s) for a, s in zip(askers, socks)]
        wait_for("all clients to be served",
                 lambda: len(d.children()) > n)
        for asker, sock, questions in zip(askers, socks, asked):
            sock.shutdown(socket.SHUT_WR)
            asker.receive(sock, questions)


def all_acting(d, n):
    """Connect n clients, and run an action for each of them. Each action ends
    when its client leaves."""
    with ExitStack() as stack:
        socks = [stack.enter_context(d.connect([None, d.ports[0]][i % 2]))
                 for i in range(n)]
        for sock in socks:
            sock.sendall(b"1#6\n")
        wait_for("all actions to run", lambda: d.counter("actions") == n)
        for sock in socks:
            bridle.reset(sock)


def anonymous_kib(d):
    """Return the memory of the main process and the possible error of this
    value, both in KiB."""
    try:
        with open("/proc/%d/smaps_rollup" % d.pid) as f:
            return next(int(line.split()[1]) for line in f
                        if line.startswith("Anonymous:")), 64
    except PermissionError:
        # Only root can read `smaps_rollup` of an undumpable process. Any user
        # can read `status`, but the values there may be wrong by some dozen
        # pages.
        with open("/proc/%d/status" % d.pid) as f:
            return next(int(line.split()[1]) for line in f
                        if line.startswith("RssAnon:")), 512


def descriptors(d):
    try:
        return d.fds()
    except PermissionError:
        # Only root can count the descriptors of an undumpable process.
        return None


def all_of_it(d, n):
    in_a_row(d, n)
    at_once(d, AT_ONCE)
    all_acting(d, AT_ONCE)
    d.wait_quiet()


def test_ten_thousand_in_a_row_and_two_hundred_at_once_leave_nothing():
    limits = {"sessions": AT_ONCE + 100, "sessions_per_source": AT_ONCE + 50,
              "actions": AT_ONCE + 50,
              # The first round already fills this small history of events.
              "watch_history": 16}
    # glibc caches some freed memory of each size. This would disturb the
    # measurement, so switch the cache off.
    env = dict(os.environ, GLIBC_TUNABLES="glibc.malloc.tcache_count=0")
    power = {m: ["{dir}/recorder", "{dir}/sock/halted", "{message}"]
             for m in ("halt", "poweroff", "reboot")}
    power["cancel"] = ["{dir}/misbehave", "sleep"]
    with Daemon(tcp=["127.0.0.1:0"], limits=limits, env=env,
                power=power) as d:
        all_of_it(d, IN_A_ROW // 20)
        before, fds = anonymous_kib(d), descriptors(d)
        all_of_it(d, IN_A_ROW)
        equal([state for _, state in d.children() if state == "Z"], [])
        equal(descriptors(d), fds)
        after, slack = anonymous_kib(d)
        if MEASURABLE:
            assert after <= before[0] + slack, (before[0], after)
        counters = {row["counter"]: row["value"] for row in d.ask("1#7").rows}
        equal([counters[name] for name in
               (b"sessions", b"actions", b"crashes", b"failed")],
              [b"1", b"0", b"0", b"0"])  # only this request has a session


# -- tests of the limits ----------------------------------------------------

def talk(sock, line=b"1#4\n"):
    sock.sendall(line)
    return bridle.read_answer(sock)


def fill(d, stack, n, port=None):
    """Open n connections that stay open. Check that the daemon answers a ping
    on each connection."""
    socks = [stack.enter_context(d.connect(port)) for _ in range(n)]
    for sock in socks:
        equal(talk(sock).text, "pong")
    return socks


def not_root(d, port=None):
    """Return a connection of a user who is not root, because root is exempt
    from some limits."""
    if not bridle.ROOT:
        return d.connect(port)
    where = ("unix", d.sock) if port is None else ("127.0.0.1", port)
    return peers.connect(*where, uid=bridle.STRANGER)


def refusal(d, port=None):
    """Connect, and return the status that the daemon sends before any
    request."""
    with d.connect(port) as s:
        answer, = answers(read_all(s))
        return answer


def test_tcp_leaves_sixteen_sessions_to_unix_sockets():
    limits = {"sessions": 20, "sessions_per_source": 100}
    with Daemon(BOTH, tcp=["127.0.0.1:0"], limits=limits) as d, \
            ExitStack() as stack:
        port = d.ports[0]
        tcp = fill(d, stack, 4, port)
        answer = refusal(d, port)
        equal((answer.code, answer.text), (429, "too many sessions"))
        unix = fill(d, stack, 16)
        # All sessions are in use. Further clients of the unix socket are not
        # refused, but wait for a session.
        waiting = [stack.enter_context(not_root(d)) for _ in range(3)]
        for sock in waiting:
            sock.sendall(b"1#4\n")
        # The daemon refuses two later TCP clients. Meanwhile the clients of
        # the unix socket must get no reply.
        equal(refusal(d, port).code, 429)
        equal(refusal(d, port).code, 429)
        for sock in waiting:
            sock.setblocking(False)
            try:
                raise AssertionError("got %r" % sock.recv(100))
            except BlockingIOError:
                pass
        # A client that leaves while it waits must not block the clients that
        # came later.
        stack.enter_context(not_root(d)).close()
        for sock in unix[:3]:
            sock.close()
        for sock in waiting:
            equal(bridle.read_answer(sock).text, "pong")
        # TCP clients are served again when more than sixteen sessions are
        # free.
        for sock in unix[3:] + waiting + tcp[:1]:
            sock.close()
        d.wait_log(r"refused source=127\.0\.0\.1:\d+,uid=\d+ result=429")
        wait_for("a place for TCP",
                 lambda: d.ask("1#4", port).code == 200)
        assert d.counter("refused") >= 3


def test_all_that_wait_are_told_of_a_stop():
    peers.need_root("come in after those that wait")
    limits = {"sessions": 17, "sessions_per_source": 17}
    with Daemon(BOTH, limits=limits) as d, ExitStack() as stack:
        fill(d, stack, 17)
        waiting = stack.enter_context(not_root(d))
        # The daemon accepts clients in order, so it has accepted the waiting
        # client before this ping.
        equal(d.ask("1#4").text, "pong")
        d.process.send_signal(signal.SIGTERM)
        equal(bridle.read_answer(waiting).code, 503)
        stack.close()


def test_root_always_gets_in_at_a_unix_socket():
    peers.need_root("be root")
    limits = {"sessions": 17, "sessions_per_source": 17, "actions": 1}
    with Daemon(BOTH, tcp=["127.0.0.1:0"], limits=limits) as d, \
            ExitStack() as stack:
        # All sessions belong to another user. Root must still get sessions.
        for _ in range(17):
            s = stack.enter_context(not_root(d))
            equal(talk(s).text, "pong")
        equal(d.ask("1#4").text, "pong")
        for _ in range(3):
            equal(talk(stack.enter_context(d.connect())).text, "pong")
        equal(refusal(d, d.ports[0]).code, 429)
    limits = {"sessions_per_source": 3}
    with Daemon(tcp=["127.0.0.1:0"], limits=limits) as d, \
            ExitStack() as stack:
        # Root's sessions by TCP are not counted against root's sessions at the
        # unix socket.
        fill(d, stack, 3, d.ports[0])
        equal(refusal(d, d.ports[0]).text,
              "too many sessions from this source")
        fill(d, stack, 4)


def ask_as_stranger(d):
    with not_root(d) as s:
        s.sendall(b"1#4\n")
        return bridle.read_answer(s)


def test_one_source_cannot_take_all_sessions():
    with Daemon(BOTH, tcp=["127.0.0.1:0"],
                limits={"sessions_per_source": 3}) as d, \
            ExitStack() as stack:
        # All connections of a user have the same source, with any transport.
        socks = [stack.enter_context(not_root(d, port))
                 for port in (None, None, d.ports[0])]
        for sock in socks:
            equal(talk(sock).text, "pong")
        for port in (None, d.ports[0]):
            with not_root(d, port) as s:
                answer, = answers(read_all(s))
            equal((answer.code, answer.text),
                  (429, "too many sessions from this source"))
        if bridle.ROOT:
            equal(d.ask("1#4", d.ports[0]).text, "pong")
        socks.pop().close()
        wait_for("the source to have room again",
                 lambda: ask_as_stranger(d).code == 200)
        equal(talk(socks[0]).text, "pong")


def test_actions_are_limited():
    if not KILLS:
        raise Skip("because nothing is killed here")
    with Victim(args=["--ignore-term"]) as v, \
            Daemon(limits={"actions": 2}, tcp=["127.0.0.1:0"]) as d, \
            ExitStack() as stack:
        port = d.ports[0]
        busy = [stack.enter_context(d.connect(port)) for _ in range(2)]
        for sock in busy:
            sock.sendall(b"1#3#%s#wait=600\n" % v.comm)
        wait_for("both actions to run", lambda: d.counter("actions") == 2)
        for line in ("1#2", "1#1", "1#3#%s" % v.name):
            answer = d.ask(line, port)
            equal((answer.code, answer.text), (429, "2 actions are running"))
        equal(d.recorded(), [])
        # The daemon serves requests that need no action. Root at the unix
        # socket can even start an action.
        equal(d.ask("1#4", port).code, 200)
        equal(d.ask("1#1#dry-run", port).code, 200)
        if bridle.ROOT:
            equal(d.ask("1#1").code, 202)
        bridle.reset(busy[0])
        answer = wait_for("room for an action", lambda: [
            a for a in [d.ask("1#2#name=" + v.name, port)]
            if a.code == 200])[0]
        equal(int(answer.rows[0]["pid"]), v.pid)


# -- tests of silent clients ------------------------------------------------

def silence(d, port, first=None):
    """Open a connection, and send only the request `first`, if it is given.
    Wait for the status 408. Return the seconds until then, and the text of the
    status."""
    with d.connect(port) as s:
        if first is not None:
            equal(talk(s, first).code, 200)
        began = time.monotonic()
        answer, = answers(read_all(s))
        equal(answer.code, 408)
        return time.monotonic() - began, answer.text


def test_who_says_nothing_is_ended_after_login_seconds():
    limits = {"login_seconds": 1, "idle_seconds": 3600}
    with Daemon(tcp=["127.0.0.1:0"], limits=limits) as d:
        for port in (None, d.ports[0]):
            took, text = silence(d, port)
            equal(text, "no request within 1 second")
            assert took >= 0.9, took
        equal(d.counter("timeouts"), 2)
        d.wait_log("session .* source=uid=.* timed out: no request within 1 s")
        d.wait_quiet()


def test_who_says_nothing_more_is_ended_after_idle_seconds():
    limits = {"login_seconds": 3600, "idle_seconds": 1}
    with Daemon(tcp=["127.0.0.1:0"], limits=limits) as d:
        for port in (None, d.ports[0]):
            took, text = silence(d, port, b"1#4\n")
            equal(text, "no request within 1 second")
            assert took >= 0.9, took
        equal(d.counter("timeouts"), 2)
        d.wait_quiet()


def test_the_time_of_a_request_is_not_idle_time():
    limits = {"login_seconds": 1, "idle_seconds": 1}
    with Victim(args=["--ignore-term"]) as v, Daemon(limits=limits) as d, \
            d.connect() as s:
        answer = talk(s, b"1#3#%s#wait=2\n" % v.comm)
        equal(answer.rows[0]["outcome"], b"survived")
        equal(talk(s).text, "pong")


def test_who_is_not_known_does_not_stay_by_asking():
    clients = '{ name = "x"; unix_user = "61009"; allow = ("*"); }'
    with Daemon(clients, limits={"login_seconds": 1}) as d, d.connect() as s:
        codes = set()
        while 408 not in codes:
            s.sendall(b"1#4\n")
            codes.add(bridle.read_answer(s).code)
        equal(codes, {401, 408})


def drip(d, s, request):
    """Send a request byte by byte until a line comes back. Return this line,
    and the seconds until then."""
    s.setblocking(False)
    data, sent = b"", 0
    began = time.monotonic()
    while not data.endswith(b"\n"):
        assert time.monotonic() < began + bridle.PATIENCE, "it stays open"
        try:
            s.send(request[sent:sent + 1])
            sent += 1
            data += s.recv(100)
        except BlockingIOError:
            time.sleep(0.02)
    assert sent < len(request), "the whole request was sent"
    return data, time.monotonic() - began


# A line within the maximum length. If a client sends this line byte by byte,
# this takes longer than the deadline.
DRIPPED = b"1#2#name=" + b"x" * 4000


def test_a_client_that_drips_is_told_that_it_is_too_slow():
    limits = {"idle_seconds": 1, "request_seconds": 1}
    with Daemon(limits=limits) as d, d.connect() as s:
        equal(talk(s).code, 200)
        data, took = drip(d, s, DRIPPED)
        assert data.startswith(b"1#408#"), data
        assert took >= 0.9, took
        d.wait_quiet()


def test_who_drips_from_the_first_byte_on_has_only_login_seconds():
    limits = {"login_seconds": 1, "idle_seconds": 3600}
    with Daemon(tcp=["127.0.0.1:0"], limits=limits) as d:
        for port in (None, d.ports[0]):
            with d.connect(port) as s:
                data, took = drip(d, s, DRIPPED)
                assert data.startswith(b"1#408#"), data
                assert took >= 0.9, took
        equal(d.counter("timeouts"), 2)
        d.wait_quiet()


def test_empty_requests_are_no_way_to_stay():
    """Each malformed request gets its reply. But the client is still unknown,
    so login_seconds must end the connection."""
    clients = '{ name = "x"; unix_user = "61009"; allow = ("*"); }'
    with Daemon(clients, limits={"login_seconds": 1}) as d, d.connect() as s:
        codes = set()
        while 408 not in codes:
            s.sendall(b"1#\n")
            codes.add(bridle.read_answer(s).code)
            time.sleep(0.02)
        equal(codes, {400, 408})


# -- tests of a thousand silent clients -------------------------------------

def check_others(m, d):
    """Check that the daemon serves another address of the other machine, an
    IPv6 client, and the unix socket."""
    equal(m.ask_there("1#4", m.OURS[0], source=m.OTHERS_SECOND).text, "pong")
    equal(m.ask_there("1#4", m.OURS[1]).text, "pong")
    equal(d.ask("1#4").text, "pong")


def test_a_thousand_silent_ones_of_one_address_leave_others_alone():
    many = 100 if bridle.FEW else 1000
    clients = ('{ name = "me"; unix_user = "%d"; allow = ("*"); },'
               '{ name = "any"; anonymous = true; allow = ("ping"); }'
               % os.getuid())
    # With these login_seconds, the silent clients stay long enough for the
    # checks. There are fewer sessions than silent clients.
    limits = {"login_seconds": 5, "sessions": 64, "sessions_per_source": 16}
    with peers.Machines() as m, m.ours.daemon(
            clients, limits=limits, penalties="") as d, \
            peers.Silent(many, m.OURS[0], m.PORT, network=m.other.fd):
        check_others(m, d)
        wait_for("all connections",
                 lambda: d.counter("connections") > many)
        # The silent clients can have sixteen sessions. A few more sessions may
        # serve the requests of this test, or may be ending.
        assert d.counter("sessions") <= 16 + 4, d.counter("sessions")
        check_others(m, d)
        # The timeouts of the silent clients have blocked their address.
        wait_for("their end", lambda: d.counter("sessions") == 1)
        assert d.counter("refused") >= many - 16, d.counter("refused")
        answer = m.ask_there("1#4", m.OURS[0])
        equal(answer.code, 429)
        assert answer.text.startswith("too many mistakes"), answer.text
        equal(d.counter("penalized"), 1)
        check_others(m, d)


bridle.main(globals())
