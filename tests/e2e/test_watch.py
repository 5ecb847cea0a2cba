"""Tests of `watch`. The daemon sends events immediately, to clients that have
the right to see the events and that read them."""

import concurrent.futures
import os
import re
import signal
import socket
import time

import bridle
import peers
from bridle import Daemon, STRANGER, equal, read_answer, wait_for
from runs import Commander, command
from watchers import Watcher

MANY = 100 if bridle.FEW else 1000
US = os.getuid()


def me(rest='allow = ("*");', name="me", uid=US):
    return '{ name = "%s"; unix_user = "%d"; %s }' % (name, uid, rest)


def beats(seconds, **limits):
    return dict(limits, heartbeat_seconds=seconds)


def numbers(records):
    return [int(r["number"]) for r in records]


def ask_some(d, *lines, **how):
    """Send requests on a new connection. Return the open connection and the
    list of replies."""
    s = peers.connect("unix", d.sock, **how) if how else d.connect()
    found = []
    for line in lines:
        s.sendall(line.encode() + b"\n")
        found.append(read_answer(s))
    return s, found


def test_a_request_is_told_with_what_it_came_to():
    with Daemon(tcp=["127.0.0.1:0"]) as d, Watcher(d.connect()) as w:
        begin = int(time.time())
        with d.connect(d.ports[0]) as other:
            other.sendall(b"1#3#nosuchprocess#signal=HUP#dry-run\n")
            equal(read_answer(other).code, 404)
            port = other.getsockname()[1]
        request = w.next()
        equal((request["event"], request["name"], request["source"],
               request["transport"], request["request"],
               request["arguments"]),
              ("request", "me", "127.0.0.1:%d,uid=%d" % (port, US), "tcp",
               "kill", "nosuchprocess#dry-run#signal=HUP"))
        equal((request["verdict"], request["code"], request["text"]),
              ("allowed", "404", 'no process matches "nosuchprocess"'))
        d.wait_log("id=%s .* verb=kill" % request["id"])
        equal(int(request["number"]), int(w.first["number"]) + 1)
        assert begin - 1 <= int(request["time"]) <= time.time() + 1, request


def test_who_comes_and_goes_is_told_once():
    peers.need_root("come as others")
    clients = ", ".join([me(), me(name="other", uid=STRANGER)])
    with Daemon(clients=clients) as d, Watcher(d.connect()) as w:
        one, _ = ask_some(d, "1#4", uid=STRANGER)
        equal([w.next()["event"] for _ in range(2)], ["online", "request"])
        two, _ = ask_some(d, "1#4", uid=STRANGER)
        equal(w.next()["event"], "request")
        one.close()
        wait_for("its end", lambda: len(d.ask("1#8").rows) == 3)
        two.close()
        offline = w.until(lambda r: r["event"] == "offline")
        equal((offline[-1]["name"], offline[-1]["source"],
               offline[-1]["transport"]),
              ("other", "uid=%d" % STRANGER, "unix"))
        d.ask("1#4")
        after = w.until(lambda r: r["request"] == "ping")
        assert "online" not in [r["event"] for r in after], after


def test_refusals_halts_reloads_and_penalties_are_told():
    penalties = "min_seconds = 5; max_seconds = 5; malformed = 5;"
    clients = ", ".join([me(), '{ name = "x"; anonymous = true; '
                               'allow = ("ping"); }'])
    limits = {"sessions_per_source": 30}
    with Daemon(clients=clients, penalties=penalties, limits=limits,
                settings="") as d, Watcher(d.connect()) as w:
        d.ask("1#12#1")
        equal(w.next("request")["request"], "explain halt")
        equal(d.ask("1#1#mode=reboot#when=+5#message=new kernel").code, 202)
        request, halt = w.next("request"), w.next("halt")
        equal((request["request"], request["code"]), ("halt", "202"))
        equal((halt["name"], halt["text"], halt["arguments"]),
              ("me", "reboot in 5 minutes",
               "mode=reboot#when=+5#message=new kernel"))
        assert d.reload()
        equal(w.next("reload")["text"], "reloaded")
        d.write_config("nonsense")
        assert not d.reload()
        equal(w.next("reload")["text"], "not reloaded, see the log")
        d.write_config()
        if US != 0:  # root is never blocked at a unix socket
            d.ask("1#2#rubbish")
            bad = w.next("request")
            equal((bad["verdict"], bad["code"]), ("malformed", "400"))
            text = w.next("penalty")["text"]
            assert re.fullmatch(r"blocked for \d+ s: malformed", text), text


def test_heartbeats_come_by_themselves_and_on_demand():
    with Daemon(limits=beats(1)) as d, Watcher(d.connect()) as w:
        equal(w.first["arguments"], "heartbeat=1")
        begin = time.monotonic()
        beat = w.next("heartbeat")
        assert time.monotonic() - begin < 25
        equal(beat["number"], w.first["number"])
    with Daemon() as d, Watcher(d.connect()) as w:
        w.sock.sendall(b"1#4\n1#4\r\n")
        for _ in range(2):
            equal(w.next("heartbeat")["number"], w.first["number"])


def test_any_other_line_ends_the_watch_and_is_answered():
    for line, code in (b"1#2#name=nosuch", 404), (b"rubbish", 505), \
            (b"1#9", None), (b"1#04", 400), (b"1#12#4", 200):
        with Daemon() as d, Watcher(d.connect()) as w:
            d.ask("1#4")
            w.sock.sendall(line + b"\n")
            while w.record() is not None:
                pass
            status = bridle.Status(w.last)
            equal((status.code, status.text),
                  (200, "the watch has ended"), line)
            if code is None:
                assert w.line().endswith("#id#to")
                equal(w.record()["event"], "watching")
            else:
                while (answer := w.line()).startswith("1#100"):
                    pass
                equal(bridle.Status(answer).code, code, line)


def test_half_closed_it_goes_on():
    with Daemon(limits=beats(1)) as d, Watcher(d.connect()) as w:
        w.sock.shutdown(socket.SHUT_WR)
        for _ in range(5):
            w.next("heartbeat")
        d.ask("1#4")
        equal(w.next("request")["request"], "ping")


def test_filters():
    names = ", ".join([me(), '{ name = "other"; unix_user = "%d"; '
                             'allow = ("*"); }' % (US + 1)])
    with Daemon(clients=names) as d, \
            Watcher(d.connect(), events="offline,reload") as few, \
            Watcher(d.connect(), name="other") as other, \
            Watcher(d.connect(), name="me", events="request") as mine:
        d.ask("1#4")
        d.reload()
        equal(few.next()["event"], "reload")
        equal(mine.next()["request"], "ping")
        few.silent(0.2)
        other.silent(0.2)
        mine.silent(0.2)
    with Daemon() as d:
        for bad in "events=", "events=nothing", "events=online,,offline", \
                "events=heartbeat", "since=x", "since=6b-", "since=-1", \
                "since=99999999999999999999", "name=", "dry-run":
            equal(d.ask("1#9#" + bad).code, 400, bad)


def check_end(d, w, code, rule=None):
    """Check that the watch has ended with this code and rule. Check that the
    status has the same id as the log line of the watch."""
    status = bridle.Status(w.last)
    logged = d.wait_log(r"id=(\S+) client=me .* verb=watch .*text=.watching")
    pairs = {"id": logged[1]} if rule is None else {
        "id": logged[1], "rule": rule}
    equal((status.code, status.pairs), (code, pairs))


def test_watch_needs_its_verb_and_a_reload_may_take_it():
    with Daemon(clients=me('allow = ("ping");')) as d:
        equal(d.ask("1#9").code, 403)
    with Daemon() as d, Watcher(d.connect()) as w:
        d.clients = me('allow = ("ping");')
        d.write_config()
        assert d.reload()
        equal(w.next()["event"], "reload")
        equal(w.record(), None)
        check_end(d, w, 403, "me.allow")
        equal(w.line(), "")


def test_twenty_watchers_get_a_thousand_events_in_order():
    limits = {"sessions_per_source": 64}
    with Daemon(limits=limits) as d:
        watchers = [Watcher(d.connect()) for _ in range(20)]
        try:
            first = int(watchers[-1].first["number"])
            with d.connect() as s:
                for i in range(MANY):
                    s.sendall(b"1#12#3#p%d\n" % i)
                    equal(read_answer(s).code, 200)
            for w in watchers:
                got = w.until(lambda r: r["arguments"] == "p%d" % (MANY - 1))
                got = [r for r in got if int(r["number"]) > first]
                equal(numbers(got),
                      list(range(first + 1, first + MANY + 1)))
                equal([r["arguments"] for r in got],
                      ["p%d" % i for i in range(MANY)])
        finally:
            for w in watchers:
                w.sock.close()


def test_one_that_does_not_read_is_dropped_and_slows_nobody():
    limits = beats(1, sessions_per_source=64)
    with Daemon(limits=limits) as d, Watcher(d.connect()) as good, \
            concurrent.futures.ThreadPoolExecutor() as pool:
        reading = pool.submit(good.until, lambda r: r["request"] == "who")
        bad = Watcher(d.connect())
        slow = 0
        with d.connect() as s:
            while "watch ended" not in d.log():
                begin = time.monotonic()
                s.sendall(b"1#12#3#%s\n" % (b"x" * 400) * 20)
                for _ in range(20):
                    equal(read_answer(s).code, 200)
                slow = max(slow, time.monotonic() - begin)
        d.ask("1#8")
        assert slow < bridle.PATIENCE / 2, "requests took %.1f s" % slow
        got = numbers(reading.result())
        equal(got, list(range(got[0], got[0] + len(got))))
        d.wait_log("client=me .* watch ended: the client does not "
                   "read, or is gone")
        # The client can still read the events that were sent before, and then
        # the status.
        last = None
        with bad:
            while (record := bad.record()) is not None:
                if record["event"] != "heartbeat" and last is not None:
                    equal(int(record["number"]), last + 1)
                last = int(record["number"])
            status = bridle.Status(bad.last)
            equal((status.code, list(status.pairs)), (408, ["id"]))
            equal(bad.line(), "")


def test_one_that_does_not_keep_up_is_told_so():
    with Daemon(limits={"watch_history": 16}) as d, \
            Watcher(d.connect()) as w:
        session, = (pid for pid, _, title in d.all_children()
                    if title == "bridled: session")
        os.kill(session, signal.SIGSTOP)
        with d.connect() as s:
            while "watch ended" not in d.log():
                s.sendall(b"1#12#3#%s\n" % (b"x" * 400) * 20)
                for _ in range(20):
                    equal(read_answer(s).code, 200)
        d.wait_log("watch ended: the client reads too slowly")
        os.kill(session, signal.SIGCONT)
        while w.record() is not None:
            pass
        check_end(d, w, 408)


def test_one_that_falls_silent_is_dropped_within_three_heartbeats():
    with Daemon(limits=beats(1)) as d, Watcher(d.connect()) as w:
        w.sock.sendall(b"1#4\n")
        begin = time.monotonic()
        while w.record() is not None:
            pass
        took = time.monotonic() - begin
        check_end(d, w, 408)
        assert 2 <= took <= 8, took


def test_one_that_asks_for_many_heartbeats_is_not_silent():
    """The client sends so many heartbeats that they cross the daemon's own
    heartbeats. The daemon must not think that the client is silent."""
    with Daemon(limits=beats(1)) as d, Watcher(d.connect()) as w:
        end, asked, got = time.monotonic() + 4.2, 0, 0
        while time.monotonic() < end or got < asked:
            if time.monotonic() < end and asked - got < 500:
                w.sock.sendall(b"1#4\n" * 500)
                asked += 500
            equal(w.record()["event"], "heartbeat")
            got += 1
        w.silent(0.3)
        w.sock.sendall(b"1#4\n")
        equal(w.record()["event"], "heartbeat")


def test_a_restarted_daemon_tells_that_something_may_be_missed():
    with Daemon() as d:
        with Watcher(d.connect()) as w:
            place = "%s-%s" % (w.first["id"], w.first["number"])
            d.ask("1#4")
            w.until(lambda r: r["request"] == "ping")
        with Watcher(d.connect(), since=place) as again:
            record = again.next()
            equal(int(record["number"]), int(w.first["number"]) + 1)
            equal(record["request"], "ping")
            again.until(lambda r: r["request"] == "watch")
        with Watcher(d.connect(), since="0") as all_:
            equal(all_.next()["number"], "1")
        with Watcher(d.connect(), since="00000001-5") as other:
            equal(other.next()["event"], "missed")
            equal(other.next()["number"], "1")
    with Daemon(limits={"watch_history": 16}) as d, d.connect() as s:
        for _ in range(40):
            s.sendall(b"1#4\n")
            read_answer(s)
        with Watcher(d.connect(), since="3") as w:
            missed = w.next()
            equal((missed["event"], missed["text"]),
                  ("missed", "23 records are lost"))
            equal(w.next()["number"], "27")


def test_a_watch_does_not_tell_which_commands_there_are():
    """A client must not learn the names of commands that this client is not
    allowed to run."""
    limited = me('run = ("other"); allow = ("*");')
    with Commander(command("other", "/bin/true"),
                   command("hidden", "/bin/true", "{a}", args='a = "x";',
                           more="secret = true;"),
                   command("plain", "/bin/true", "{a}", args='a = "x";'),
                   clients=limited) as d, \
            Watcher(d.connect(), events="request") as w:
        shown = set()
        for name in ("hidden", "plain", "absent"):
            equal(d.ask("1#12#5#%s#zz" % name).rows[0]["code"], b"403")
            shown.add(w.next("request")["arguments"].replace(name, "NAME"))
        equal(len(shown), 1, shown)


def test_who_came_by_one_name_goes_by_it():
    """After a reload, the client may have another name, or match no entry."""
    peers.need_root("come as others")
    for after in (me(name="two", uid=STRANGER) + "," + me(), me()):
        before = me(name="one", uid=STRANGER) + "," + me()
        with Daemon(clients=before) as d, \
                Watcher(d.connect(), events="online,offline") as w:
            s, _ = ask_some(d, "1#4", uid=STRANGER)
            equal(w.next("online")["name"], "one")
            d.clients = after
            d.write_config()
            assert d.reload()
            s.sendall(b"1#4\n")
            read_answer(s)
            equal(w.next("offline")["name"], "one")
            if "two" in after:
                equal(w.next("online")["name"], "two")
                s.close()
                equal(w.next("offline")["name"], "two")
            s.close()


def test_a_rush_within_one_turn_drops_no_watch_that_reads():
    with Daemon(limits={"watch_history": 16, "sessions": 100,
                        "sessions_per_source": 100}) as d, \
            Watcher(d.connect(), events="request") as w:
        others = [d.connect() for _ in range(40)]
        for s in others:
            s.sendall(b"1#4\n")
            read_answer(s)
        for _ in others:
            w.next("request")
        with d.stopped():
            for s in others:
                s.sendall(b"1#4\n")
            # Most requests should arrive in the same iteration of the daemon's
            # loop.
            time.sleep(0.3)
        for s in others:
            w.next("request", "missed")
            s.close()


def test_a_stop_is_told():
    with Daemon() as d, Watcher(d.connect()) as w:
        d.process.terminate()
        while w.record() is not None:
            pass
        check_end(d, w, 503)
        equal(w.line(), "")


def test_who_shows_who_watches():
    with Daemon() as d, Watcher(d.connect()):
        equal([r["watching"] for r in d.ask("1#8").rows], [b"yes", b"no"])


bridle.main(globals())
