"""Tests of the key `until` of `clients`. This key sets the time when an entry
expires."""

import os
import re
import subprocess
import time

import bridle
from bridle import Daemon, equal, read_answer
from etc_files import EtcFiles, zone_file
from watchers import Watcher

US = os.getuid()
PAST = "2020-02-29"
FAR = "2199-12-31"


def entry(until, name="me", rest=""):
    return ('{ name = "%s"; unix_user = "%d"; allow = ("*"); until = "%s"; %s}'
            % (name, US, until, rest))


def after(seconds):
    """Return the local time in `seconds` seconds from now, as a value of
    `until`."""
    return time.strftime("%Y-%m-%d %H:%M:%S",
                         time.localtime(time.time() + seconds))


def tell(s, line="1#4"):
    s.sendall(line.encode() + b"\n")
    return read_answer(s)


def change(d, clients):
    d.clients = clients
    d.write_config()
    assert d.reload(), d.log()


def run(d, *args, **env):
    return subprocess.run([*bridle.WRAP, d.program, *args, d.config],
                          text=True, capture_output=True,
                          timeout=bridle.PATIENCE * 3,
                          env=dict(os.environ, **env))


def test_an_expired_entry_decides_with_401():
    with Daemon(clients=entry(PAST) + ", " + entry(FAR, "later")) as d:
        for line in ("1#4", "1#7", "1#11", "1#12#4", "1#3#x#dry-run"):
            answer = d.ask(line)
            equal(answer.code, 401, line)
            equal(answer.text, "the entry me has expired (until %s)" % PAST)
            equal(answer.status.pairs["rule"], "me.until")
        d.wait_log(r"client=me .*verdict=refused rule=me.until result=401 .*"
                   r'text="the entry me has expired')
        done = d.ctl("ping")
        equal(done.returncode, 1)
        assert "the entry me has expired" in done.stderr, done.stderr
        assert "bridled.conf(5)" not in done.stderr, done.stderr
        change(d, entry(FAR))
        equal(d.ask("1#4").code, 200)


def test_an_expired_client_gets_no_penalty():
    with Daemon(clients=entry(PAST), tcp=["127.0.0.1:0"],
                penalties="unknown = 20; min_seconds = 30;") as d:
        for _ in range(3):
            equal(d.ask("1#4", d.ports[0]).code, 401)


def test_a_live_session_and_a_watch_end_in_time():
    with Daemon() as d, d.connect() as s, d.connect() as idle, \
            Watcher(d.connect()) as w:
        equal(tell(s).code, 200)
        end = time.time() + 3
        change(d, entry(after(3)))
        w.until(lambda r: r["event"] == "reload")
        while w.record() is not None:
            pass
        assert time.time() >= int(end), "the watch has ended too early"
        status = bridle.Status(w.last)
        equal((status.code, status.pairs["rule"]), (401, "me.until"))
        equal(tell(s).code, 401)
        equal(tell(idle).code, 401)
        d.wait_log(r"bridled.conf:\d+: the entry me of clients has expired "
                   r"\(until 2")
        # A later date gives the running sessions their rights again, too.
        change(d, entry(FAR))
        equal(tell(s).code, 200)


def test_a_watch_of_another_entry_goes_on():
    other = '{ name = "other"; unix_user = "%d"; allow = (); until = "%s"; }'
    with Daemon() as d:
        mine = '{ name = "me"; unix_user = "%d"; allow = ("*"); }' % US
        change(d, other % (US + 1, after(2)) + ", " + mine)
        with Watcher(d.connect()) as w:
            d.wait_log("the entry other of clients has expired")
            equal(d.ask("1#4").code, 200)
            w.until(lambda r: r["request"] == "ping")


def test_check_lists_the_times():
    week = after(6 * 86400)[:10]
    with Daemon(clients=",\n".join([
            entry(FAR, "far"), entry(PAST, "past", 'from = ("127.0.0.1"); '),
            entry(week, "week", 'from = ("127.0.0.2"); ')])) as d:
        done = run(d, "--check", TZ="CET-1CEST,M3.5.0,M10.5.0/3")
        equal(done.returncode, 0, done.stderr)
        assert re.search(r"^%s:\d+: far expires at 2200-01-01 00:00:00 \+0100 "
                         r"\(CET\)$" % d.config, done.stdout, re.M), done.stdout
        assert re.search(r"^%s:\d+: warning: clients\[1\].until \(past\): has "
                         r"expired at 2020-03-01 00:00:00 \+0100 \(CET\)"
                         % d.config, done.stderr, re.M), done.stderr
        assert re.search(r"clients\[2\].until \(week\): expires within a "
                         r"week, at \S+ 00:00:00 ", done.stderr), done.stderr
        assert "(far): " not in done.stderr, done.stderr
        assert 'until = "%s";' % PAST in run(d, "--show").stdout


def test_an_expired_entry_is_no_access():
    with Daemon(clients=entry(FAR)) as d:
        user = subprocess.run(["id", "-un"], text=True,
                              capture_output=True).stdout.strip()
        done = run(d, "--access", user, "--check")
        equal(done.returncode, 0, done.stderr)
        change(d, entry(PAST))
        done = run(d, "--access", user, "--check")
        equal(done.returncode, 77)
        assert "the entry me of clients has expired" in done.stderr


def test_a_reload_uses_the_zone_of_now():
    env = {name: value for name, value in os.environ.items() if name != "TZ"}
    in_an_hour = time.strftime("%Y-%m-%d %H:%M:%S",
                               time.gmtime(time.time() + 3600))
    with EtcFiles() as etc, Daemon(wrap=etc.wrap, env=env) as d:
        etc.replace(d, "localtime", zone_file(0))
        change(d, entry(in_an_hour))
        equal(d.ask("1#4").code, 200)
        # In a time zone three hours further east, the time of `until` was two
        # hours ago.
        etc.replace(d, "localtime", zone_file(3))
        equal(d.ask("1#4").code, 200)
        assert d.reload(), d.log()
        equal(d.ask("1#4").code, 401)
        d.wait_log(r"until \(me\): has expired at .* \+0300 \(X\)")
        etc.replace(d, "localtime", zone_file(0))
        assert d.reload(), d.log()
        equal(d.ask("1#4").code, 200)


def test_the_effective_settings_have_the_date():
    with Daemon() as d:
        change(d, entry(FAR))
        assert 'until = "%s";' % FAR in run(d, "--effective").stdout


bridle.main(globals())
