"""Many clients, one after another and at once; the limits; the silent."""

import os
import socket
import subprocess
import time
from contextlib import ExitStack

import bridle
import peers
from bridle import Daemon, Skip, Victim, answers, equal, read_all, wait_for
from crowd import KILLS, Asker

# BRIDLE_LOAD: how many connections in a row; few where each is slow.
IN_A_ROW = int(os.environ.get("BRIDLE_LOAD",
                              "200" if bridle.WRAP else "10000"))
AT_ONCE = min(200, IN_A_ROW)
# Under valgrind or ASan the memory is theirs, not ours to measure.
with open(bridle.BRIDLED, "rb") as program:
    MEASURABLE = not bridle.WRAP and b"__asan_init" not in program.read()


# -- a lot of them ---------------------------------------------------------

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
    """Mostly pings, for their number; now and then all else."""
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
    """All are connected and have asked before the first reads."""
    with ExitStack() as stack:
        askers = [stack.enter_context(Asker(d, [None, d.ports[0]][i % 2],
                                            acting=i % 10 < 2))
                  for i in range(n)]
        socks = [stack.enter_context(d.connect(a.port)) for a in askers]
        asked = [a.send(s) for a, s in zip(askers, socks)]
        wait_for("all of them to be in",
                 lambda: len(d.children()) > n)
        for asker, sock, questions in zip(askers, socks, asked):
            sock.shutdown(socket.SHUT_WR)
            asker.receive(sock, questions)


def all_acting(d, n):
    """As many actions as there are sessions; they end as the clients go."""
    with ExitStack() as stack:
        socks = [stack.enter_context(d.connect([None, d.ports[0]][i % 2]))
                 for i in range(n)]
        for sock in socks:
            sock.sendall(b"1#6\n")
        wait_for("all to act", lambda: d.counter("actions") == n)
        for sock in socks:
            bridle.reset(sock)


def anonymous_kib(d):
    """The parent's own memory, and how exactly that is known."""
    try:
        with open("/proc/%d/smaps_rollup" % d.pid) as f:
            return next(int(line.split()[1]) for line in f
                        if line.startswith("Anonymous:")), 8
    except PermissionError:
        # It is undumpable: this is all that others may see, and the kernel
        # may be behind with it by a few dozen pages.
        with open("/proc/%d/status" % d.pid) as f:
            return next(int(line.split()[1]) for line in f
                        if line.startswith("RssAnon:")), 512


def descriptors(d):
    try:
        return d.fds()
    except PermissionError:
        return None  # not ours to see; the limit on them tells, too


def all_of_it(d, n):
    in_a_row(d, n)
    at_once(d, AT_ONCE)
    all_acting(d, AT_ONCE)
    d.wait_quiet()


def test_ten_thousand_in_a_row_and_two_hundred_at_once_leave_nothing():
    limits = {"sessions": AT_ONCE + 100, "sessions_per_source": AT_ONCE + 50,
              "actions": AT_ONCE + 50,
              # What is kept for those who watch is full at the first look.
              "watch_history": 16}
    # No room for a leak: one descriptor in a hundred connections is seen.
    room = {} if bridle.WRAP else {"nofile": AT_ONCE + 100}
    # Of each size libc keeps a few freed pieces, wherever they happen to
    # lie: with that turned off, what is measured is the daemon's alone.
    env = dict(os.environ, GLIBC_TUNABLES="glibc.malloc.tcache_count=0")
    power = {m: ["{dir}/recorder", "{dir}/sock/halted", "{message}"]
             for m in ("halt", "poweroff", "reboot")}
    power["cancel"] = ["{dir}/misbehave", "sleep"]
    with Daemon(tcp=["127.0.0.1:0"], limits=limits, limit=room, env=env,
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
              [b"1", b"0", b"0", b"0"])  # the one session is that which asks


# -- the limits ------------------------------------------------------------

def talk(sock, line=b"1#4\n"):
    sock.sendall(line)
    return bridle.read_answer(sock)


def fill(d, stack, n, port=None):
    """n connections that have been served and stay."""
    socks = [stack.enter_context(d.connect(port)) for _ in range(n)]
    for sock in socks:
        equal(talk(sock).text, "pong")
    return socks


def refusal(d, port=None):
    """What a connection gets that is not let in, whatever it sends."""
    with d.connect(port) as s:
        answer, = answers(read_all(s))
        return answer


def test_tcp_leaves_sixteen_sessions_to_unix_sockets():
    limits = {"sessions": 20, "sessions_per_source": 100}
    with Daemon(tcp=["127.0.0.1:0"], limits=limits) as d, \
            ExitStack() as stack:
        port = d.ports[0]
        tcp = fill(d, stack, 4, port)
        answer = refusal(d, port)
        equal((answer.code, answer.text), (429, "too many sessions"))
        unix = fill(d, stack, 16)
        # All is full. Whoever comes by the unix socket is not refused ...
        waiting = [stack.enter_context(d.connect()) for _ in range(3)]
        for sock in waiting:
            sock.sendall(b"1#4\n")
        # ... and waits: the daemon has looked around twice since.
        equal(refusal(d, port).code, 429)
        equal(refusal(d, port).code, 429)
        for sock in waiting:
            sock.setblocking(False)
            try:
                raise AssertionError("got %r" % sock.recv(100))
            except BlockingIOError:
                pass
        for sock in unix[:3]:
            sock.close()
        for sock in waiting:
            equal(bridle.read_answer(sock).text, "pong")
        # And TCP gets its own back, once there is more than the sixteen.
        for sock in unix[3:] + waiting + tcp[:1]:
            sock.close()
        d.wait_log(r"refused source=127\.0\.0\.1:\d+,uid=\d+ result=429")
        wait_for("a place for TCP",
                 lambda: d.ask("1#4", port).code == 200)
        assert d.counter("refused") >= 3


def nc_as_stranger(d):
    done = subprocess.run(["nc", "-N", "-U", d.sock], input=b"1#4\n",
                          capture_output=True, timeout=bridle.PATIENCE,
                          user=bridle.STRANGER, group=bridle.STRANGER,
                          extra_groups=[])
    return answers(done.stdout)[0]


def test_one_source_cannot_take_all_sessions():
    clients = ('{ name = "me"; unix_user = "%d"; allow = ("*"); },'
               '{ name = "stranger"; unix_user = "%d"; allow = ("ping"); }'
               % (os.getuid(), bridle.STRANGER))
    with Daemon(clients, tcp=["127.0.0.1:0"],
                limits={"sessions_per_source": 3}) as d, \
            ExitStack() as stack:
        # A user is the same source by whatever way he comes.
        socks = fill(d, stack, 2) + fill(d, stack, 1, d.ports[0])
        for port in (None, d.ports[0]):
            answer = refusal(d, port)
            equal((answer.code, answer.text),
                  (429, "too many sessions from this source"))
        if bridle.ROOT:
            equal(nc_as_stranger(d).text, "pong")
        socks.pop().close()
        wait_for("the source to have room again",
                 lambda: d.ask("1#4").code == 200)
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
        wait_for("both to run", lambda: d.counter("actions") == 2)
        for line in ("1#2", "1#1", "1#3#%s" % v.name):
            answer = d.ask(line, port)
            equal((answer.code, answer.text), (429, "2 actions are running"))
        equal(d.recorded(), [])
        # What needs no action is served, and so is root at the unix socket.
        equal(d.ask("1#4", port).code, 200)
        equal(d.ask("1#1#dry-run", port).code, 200)
        if bridle.ROOT:
            equal(d.ask("1#1").code, 202)
        bridle.reset(busy[0])
        answer = wait_for("room for an action", lambda: [
            a for a in [d.ask("1#2#name=" + v.name, port)]
            if a.code == 200])[0]
        equal(int(answer.rows[0]["pid"]), v.pid)


# -- the silent ------------------------------------------------------------

def silence(d, port, first=None):
    """Until when a connection may stay that says nothing (more)."""
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
    """Sends it byte by byte; what came, and how long that took."""
    s.setblocking(False)
    data, sent = b"", 0
    began = time.monotonic()
    while not data.endswith(b"\n"):
        assert time.monotonic() < began + bridle.PATIENCE, "it goes on"
        try:
            s.send(request[sent:sent + 1])
            sent += 1
            data += s.recv(100)
        except BlockingIOError:
            time.sleep(0.02)
    assert sent < len(request), "it came to its end"
    return data, time.monotonic() - began


# Within a line's length, and longer on its way than anybody waits.
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
    """Each is answered, and none of them makes a client known."""
    clients = '{ name = "x"; unix_user = "61009"; allow = ("*"); }'
    with Daemon(clients, limits={"login_seconds": 1}) as d, d.connect() as s:
        codes = set()
        while 408 not in codes:
            s.sendall(b"1#\n")
            codes.add(bridle.read_answer(s).code)
            time.sleep(0.02)
        equal(codes, {400, 408})


# -- a thousand of them ----------------------------------------------------

def check_others(m, d):
    """Another address, this machine, and the unix socket are served."""
    equal(m.ask_there("1#4", m.OURS[0], source=m.OTHERS_SECOND).text, "pong")
    equal(m.ask_there("1#4", m.OURS[1]).text, "pong")
    equal(d.ask("1#4").text, "pong")


def test_a_thousand_silent_ones_of_one_address_leave_others_alone():
    many = 100 if bridle.WRAP else 1000
    clients = ('{ name = "me"; unix_user = "%d"; allow = ("*"); },'
               '{ name = "any"; anonymous = true; allow = ("ping"); }'
               % os.getuid())
    # It takes long enough to look around, and few are let in at all.
    limits = {"login_seconds": 5, "sessions": 64, "sessions_per_source": 16}
    with peers.Machines() as m, m.ours.daemon(
            clients, limits=limits, penalties="") as d, \
            peers.Silent(many, m.OURS[0], m.PORT, network=m.other.fd):
        check_others(m, d)
        wait_for("all to have come",
                 lambda: d.counter("connections") > many)
        # Sixteen, ourselves, and those of before that are leaving.
        assert d.counter("sessions") <= 16 + 4, d.counter("sessions")
        check_others(m, d)
        # They are ended, and then all of their address is shut out.
        wait_for("the silent to be ended", lambda: d.counter("sessions") == 1)
        assert d.counter("refused") >= many - 16, d.counter("refused")
        answer = m.ask_there("1#4", m.OURS[0])
        equal(answer.code, 429)
        assert answer.text.startswith("too many mistakes"), answer.text
        equal(d.counter("penalized"), 1)
        check_others(m, d)


bridle.main(globals())
