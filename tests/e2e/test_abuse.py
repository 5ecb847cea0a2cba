"""Tests of penalties. A source that sends wrong requests is blocked for a
while, and cannot fill the log."""

import os
import re
import signal
import socket

import bridle
import peers
from bridle import STRANGER, Daemon, answers, equal, read_all, wait_for
from peers import need_root

US = os.getuid()
STRANGERS = '{ name = "x"; unix_user = "61009"; allow = ("*"); }'
BOTH = ('{ name = "me"; unix_user = "%d"; allow = ("*"); },'
        '{ name = "stranger"; unix_user = "%d"; allow = ("ping"); }'
        % (US, STRANGER))
# With these settings, one mistake blocks the source for longer than any test
# takes.
STRICT = ("min_seconds = 1000; max_seconds = 4000; malformed = 1000;"
          " handshake = 1000;"
          " unknown = 1000; timeout = 1000; crash = 1000;")
TLS = '{ tcp = "127.0.0.1:0"; tls = true; }'
# With these settings no source is ever blocked. Use these settings in tests
# that look only at the log.
LENIENT = "min_seconds = 86400; max_seconds = 86400; crash = 0; "

SHUT_OUT = re.compile(r"too many mistakes: try again in (\d+) seconds?")


def knock(d, port=None, uid=None):
    """Send a correct request on a new connection, as the user `uid`. Return
    the first reply."""
    where = ("unix", d.sock) if port is None else ("127.0.0.1", port)
    with peers.connect(*where, uid=uid) as s:
        s.sendall(b"1#4\n")
        s.shutdown(socket.SHUT_WR)
        return answers(read_all(s))[0]


def seconds_out(answer):
    equal(answer.code, 429)
    return int(SHUT_OUT.fullmatch(answer.text)[1])


# -- tests of blocks and of their end ---------------------------------------

def test_a_source_is_shut_out_and_comes_in_again():
    # Length of a block in seconds. Even on a slow machine, the test must
    # connect again before the block ends.
    most = 10 if bridle.WRAP else 3
    penalties = ("min_seconds = %d; max_seconds = %d; unknown = %d;"
                 % (most, most, most))
    with Daemon(STRANGERS, tcp=["127.0.0.1:0"], penalties=penalties) as d:
        port = d.ports[0]
        equal(knock(d, port).code, 401)
        assert 1 <= seconds_out(knock(d, port)) <= most
        wait_for("the end of the penalty",
                 lambda: knock(d, port).code == 401)
        # max_seconds limits the second block, which would otherwise be longer.
        assert 1 <= seconds_out(knock(d, port)) <= most
        d.wait_log(r"blocked source=uid=%d seconds=%d cause=unknown$"
                   % (US, most))
        d.wait_log(r"refused source=127\.0\.0\.1:\d+,uid=%d result=429 "
                   r'text="too many mistakes: try again in \d+ second' % US)


def test_who_stays_within_the_threshold_is_not():
    penalties = "min_seconds = 1500; max_seconds = 2000; malformed = 1000;"
    with Daemon(tcp=["127.0.0.1:0"], penalties=penalties) as d:
        equal(d.ask("1#x", d.ports[0]).code, 400)
        equal(knock(d, d.ports[0]).code, 200)
        equal(d.ask("1#x", d.ports[0]).code, 400)
        assert 1500 < seconds_out(knock(d, d.ports[0])) <= 2000


def test_the_mistakes_of_a_human_do_not_lock_him_out():
    need_root("be two users")
    with Daemon(tcp=["127.0.0.1:0"], penalties="") as d:
        port = d.ports[0]
        for _ in range(10):
            equal(d.ask("1#lsit", port).code, 400)
        equal(knock(d, port).code, 200)
        for _ in range(2):
            equal(knock(d, port, STRANGER).code, 401)
        equal(knock(d, port, STRANGER).code, 401)
        equal(d.counter("penalties"), 0)


def test_a_user_is_shut_out_by_whatever_way_he_comes():
    need_root("be two users")
    with Daemon(BOTH, tcp=["127.0.0.1:0"], penalties=STRICT) as d:
        port = d.ports[0]
        with peers.connect("unix", d.sock, uid=STRANGER) as s:
            s.sendall(b"1#x\n")
            equal(bridle.read_answer(s).code, 400)
            # A block does not end a session that is already open.
            s.sendall(b"1#4\n")
            equal(bridle.read_answer(s).code, 200)
        seconds_out(knock(d, uid=STRANGER))
        seconds_out(knock(d, port, STRANGER))
        # Other users are not blocked.
        equal(knock(d, port).code, 200)


def test_root_is_never_shut_out_of_the_unix_socket():
    need_root("be root")
    with Daemon(tcp=["127.0.0.1:0"], penalties=STRICT) as d:
        for _ in range(5):
            equal(d.ask("1#x").code, 400)
        # The daemon does not count root's malformed requests at the unix
        # socket. Therefore these requests do not block root's TCP connections.
        equal(knock(d, d.ports[0]).code, 200)
        equal(d.ask("1#x", d.ports[0]).code, 400)
        seconds_out(knock(d, d.ports[0]))
        equal(knock(d).code, 200)


def check_exempt(exempt, uid=None):
    with Daemon(BOTH, tcp=["127.0.0.1:0"], penalties=STRICT
                + "exempt = { %s };" % exempt) as d:
        port = d.ports[0]
        for _ in range(3):
            with peers.connect("127.0.0.1", port, uid=uid) as s:
                s.sendall(b"1#x\n")
                equal(bridle.read_answer(s).code, 400)
        equal(knock(d, port, uid).code, 200)


def test_exempt_users_and_networks_are_not():
    check_exempt('from = ("192.0.2.0/24", "127.0.0.0/8");')
    check_exempt('users = ("1", "%d");' % US)
    if bridle.ROOT:
        check_exempt('users = ("%d");' % STRANGER, STRANGER)


# -- tests of the causes of penalties ---------------------------------------

def check_cause(d, cause, number):
    d.wait_log(r"blocked source=uid=%d seconds=\d+ cause=%s$" % (US, cause))
    seconds_out(knock(d, d.ports[0]))
    equal([d.counter(name) for name in ("penalties", "penalized")],
          [number, 1])


def test_malformed_requests_cost():
    need_root("look at it nevertheless")
    with Daemon(tcp=["127.0.0.1:0"], penalties=STRICT) as d:
        equal(d.ask("1#1#mode=off", d.ports[0]).code, 400)
        check_cause(d, "malformed", 1)


def test_time_outs_cost_until_one_is_known():
    need_root("look at it nevertheless")
    limits = {"login_seconds": 2, "idle_seconds": 1}
    with Daemon(tcp=["127.0.0.1:0"], limits=limits, penalties=STRICT) as d:
        with d.connect(d.ports[0]) as s:
            s.sendall(b"1#4\n")
            equal([a.code for a in answers(read_all(s))], [200, 408])
        equal(knock(d, d.ports[0]).code, 200)
        with d.connect(d.ports[0]) as s:
            equal([a.code for a in answers(read_all(s))], [408])
        check_cause(d, "timeout", 1)


def crash_one(d, port):
    known = {pid for pid, _ in d.children()}
    with d.connect(port) as s:
        s.sendall(b"1#4\n")
        equal(bridle.read_answer(s).code, 200)
        pid, = {pid for pid, _ in d.children()} - known
        # Send SIGABRT, because a sanitizer would turn a SIGSEGV into an exit.
        os.kill(pid, signal.SIGABRT)
        equal(s.recv(1), b"")
    d.wait_log(r"session %d source=.* crashed of signal ABRT" % pid)


def test_a_crash_alone_shuts_out_by_default():
    need_root("look at it nevertheless")
    with Daemon(tcp=["127.0.0.1:0"], penalties="") as d:
        crash_one(d, d.ports[0])
        check_cause(d, "crash", 1)
        assert 30 < seconds_out(knock(d, d.ports[0])) <= 90


def test_what_a_client_may_not_do_costs_nothing():
    clients = '{ name = "me"; unix_user = "%d"; allow = ("ping"); }' % US
    with Daemon(clients, tcp=["127.0.0.1:0"], penalties=STRICT) as d:
        for _ in range(3):
            equal(d.ask("1#2", d.ports[0]).code, 403)
        # A client that leaves without a request is not counted as a timeout.
        d.connect(d.ports[0]).close()
        equal(knock(d, d.ports[0]).code, 200)


def come_and_go(port):
    """Open connections without a request as another user, until the daemon
    refuses a connection. Return the number of connections before the
    refusal."""
    # Load Python's modules now. After the child has changed its user, it may
    # have no right to read the modules.
    "127.0.0.1".encode("idna")
    pid = os.fork()
    if pid == 0:
        peers.become(STRANGER, [])
        for n in range(250):
            with socket.create_connection(("127.0.0.1", port)) as s:
                s.shutdown(socket.SHUT_WR)
                if s.recv(100):
                    os._exit(n)
        os._exit(255)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def test_connections_without_a_request_are_limited():
    need_root("be two users")
    with Daemon(BOTH, tcp=["127.0.0.1:0"], penalties="") as d:
        port = d.ports[0]
        assert 60 <= come_and_go(port) < 250
        d.wait_log('refused source=.*,uid=%d result=429 text="too many '
                   'connections without a request: try again in 1 second"'
                   % STRANGER)
        # The limit does not apply to other users. Root's connections to the
        # unix socket are not even counted.
        equal(knock(d, port).code, 200)
        for _ in range(70):
            d.connect().close()
        equal(knock(d).code, 200)
        # The limit allows another connection after some time. A refusal by
        # this limit costs no penalty.
        wait_for("the next", lambda: knock(d, port, STRANGER).code == 200)
        equal(d.counter("penalties"), 0)


def test_who_is_gone_is_charged_nothing():
    with Daemon(STRANGERS, tcp=["127.0.0.1:0", TLS],
                penalties=STRICT) as d:
        port, tls = d.ports
        with d.stopped():
            s = d.connect(port)
            s.sendall(b"1#4\n")
            bridle.reset(s)
        d.wait_log(r"the client is gone: source=127\.0\.0\.1:\d+")
        with d.stopped(), d.connect(port) as s:
            s.sendall(b"1#4\n")
            s.close()
        wait_for("the next", lambda: d.log().count("the client is gone") == 2)
        # Bytes that are no TLS handshake cost a penalty, even if the client
        # has left.
        with d.stopped():
            s = d.connect(tls)
            s.sendall(b"1#4\n")
            bridle.reset(s)
        d.wait_log(r"blocked source=127\.0\.0\.1 .*cause=handshake$")
        assert "result=401" not in d.log()
        equal(d.log().count("blocked source="), 1)


# -- tests of penalties of other machines -----------------------------------

def test_of_another_machine_one_address_is_shut_out():
    clients = '{ name = "any"; anonymous = true; allow = ("ping"); }'
    with peers.Machines() as m, \
            m.ours.daemon(clients, penalties=STRICT) as d:
        equal(m.ask_there("1#x", m.OURS[0]).code, 400)
        equal(m.ask_there("1#4", m.OURS[0]).code, 429)
        equal(m.ask_there("1#4", m.OURS[0], source=m.OTHERS_SECOND).code, 200)
        equal(m.ask_there("1#4", m.OURS[1]).code, 200)
        equal(m.ask_there("1#x", m.OURS[1]).code, 400)
        equal(m.ask_there("1#4", m.OURS[1]).code, 429)
        d.wait_log(r"blocked source=10\.99\.0\.2 seconds=1000 ")
        d.wait_log(r"blocked source=fd99::2 seconds=1000 ")


def test_a_network_is_shut_out_with_eight_of_its_addresses():
    clients = '{ name = "any"; anonymous = true; allow = ("ping"); }'
    with peers.Machines() as m, \
            m.ours.daemon(clients, penalties=STRICT) as d:
        addresses = ["fd99::1:%x" % i for i in range(9)]
        m.other.run(*("ip address add %s/64 dev cable nodad" % a
                      for a in addresses))
        for address in addresses[:8]:
            equal(m.ask_there("1#x", m.OURS[1], source=address).code, 400)
        equal(m.ask_there("1#4", m.OURS[1], source=addresses[8]).code, 429)
        d.wait_log(r"blocked source=fd99::1:7 seconds=1000 ")
        d.wait_log(r"blocked source=fd99::/64 seconds=1000 ")
        equal(m.ask_there("1#4", m.OURS[0]).code, 200)


# -- tests of penalties across reloads --------------------------------------

def test_a_reload_keeps_penalties():
    with Daemon(tcp=["127.0.0.1:0"], penalties=STRICT) as d:
        port = d.ports[0]
        equal(d.ask("1#x", port).code, 400)
        assert d.reload()
        seconds_out(knock(d, port))
        for penalties, code in [
                ("enabled = false;", 200), (STRICT, 429),
                (STRICT + 'exempt = { from = ("127.0.0.1"); };', 200),
                ("min_seconds = 1; max_seconds = 1; sources = 16;", 429)]:
            d.penalties = penalties
            d.write_config()
            assert d.reload()
            equal(knock(d, port).code, code, penalties)
            if bridle.ROOT and "enabled" in penalties:
                equal([d.counter(name) for name in
                       ("penalties", "penalized")], [1, 0])


# -- tests of the log -------------------------------------------------------

def left_out(d):
    """Return how many lines were left out of the log, according to the log
    itself."""
    return sum(int(n) for n in re.findall(
        r"^bridled: (\d+) more lines? about source .* left out$",
        d.log(), re.M))


def test_lines_about_one_source_are_summed_up():
    with Daemon(BOTH, tcp=["127.0.0.1:0"], penalties=LENIENT
                + "log_lines = 3; log_seconds = 2;") as d:
        port = d.ports[0]
        found = d.send("1#x\n1#4\n1#1#x\n" * 10, port)
        equal([a.code for a in found], [400, 200, 400] * 10)
        # The daemon logs the number of lines left out, although the source
        # sends nothing more.
        wait_for("the sum", lambda: left_out(d) > 0)
        d.wait_log(r"\d+ more lines about source uid=%d in [2-9] s were left "
                   "out$" % US)
        # Each malformed request is in the log or in the number of lines left
        # out. Each allowed request is in the log.
        wait_for("all of them", lambda: left_out(d)
                 + d.log().count("verdict=malformed") == 20)
        equal(d.log().count("verdict=allowed"), 10)
        if not bridle.WRAP:
            equal(d.log().count("verdict=malformed"), 3)


def test_each_source_has_its_own_lines():
    need_root("be two users")
    with Daemon(BOTH, penalties=LENIENT
                + "log_lines = 1; log_seconds = 3600;") as d:
        for uid in (None, STRANGER):
            with peers.connect("unix", d.sock, uid=uid) as s:
                s.sendall(b"1#x\n" * 5)
                s.shutdown(socket.SHUT_WR)
                equal(len(answers(read_all(s))), 5)
        d.wait_log("source=uid=%d .*verdict=malformed" % STRANGER)
        equal(len(re.findall("source=uid=%d .*verdict=malformed" % US,
                             d.log())), 1)


def test_what_was_left_out_is_said_at_the_stop():
    with Daemon(BOTH, penalties=LENIENT
                + "log_lines = 2; log_seconds = 3600;") as d:
        d.send("1#x\n" * 10)
        equal(left_out(d), 0)
        d.process.send_signal(signal.SIGTERM)
        d.process.wait(bridle.PATIENCE)
        lines = d.log().splitlines()
        assert re.fullmatch(
            r"bridled: 8 more lines about source uid=%d in \d+ s were left "
            "out" % US, lines[-2]), lines[-2]
        equal(lines[-1], "bridled: stopped")


def test_refusals_are_summed_up_too():
    penalties = ("min_seconds = 1000; max_seconds = 1000; malformed = 1000;"
                 "log_lines = 2; log_seconds = 3600;")
    with Daemon(tcp=["127.0.0.1:0"], penalties=penalties) as d:
        equal(d.ask("1#x", d.ports[0]).code, 400)
        for _ in range(10):
            equal(knock(d, d.ports[0]).code, 429)
        d.process.send_signal(signal.SIGTERM)
        d.process.wait(bridle.PATIENCE)
        equal(d.log().count("verdict=malformed"), 1)
        equal(d.log().count("refused source="), 1)
        equal(d.log().count("blocked source="), 1)
        equal(left_out(d), 9)


def test_denials_and_crashes_are_never_left_out():
    clients = '{ name = "me"; unix_user = "%d"; allow = ("ping"); }' % US
    with Daemon(clients, penalties=LENIENT
                + "log_lines = 1; log_seconds = 3600;") as d:
        d.send("1#x\n" * 3)
        d.send("1#2\n" * 10)
        for _ in range(3):
            crash_one(d, None)
        log = d.whole_log()
        equal(log.count("verdict=refused"), 10)
        equal(log.count("crashed of signal"), 3)
        equal(log.count("verdict=malformed"), 1)


def test_what_the_level_leaves_out_is_not_counted():
    with Daemon(penalties=LENIENT + "log_lines = 1; log_seconds = 3600;",
                settings='log = { level = "notice"; };') as d:
        d.send("1#x\n" * 10)
        # The refusal of an unknown version is logged at the level warning, so
        # it is in the log.
        equal(d.ask("2#4").code, 505)
        d.process.send_signal(signal.SIGTERM)
        d.process.wait(bridle.PATIENCE)
        equal(left_out(d), 0)
        equal(d.log().count("verdict=malformed"), 1)


bridle.main(globals())
