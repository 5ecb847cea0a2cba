"""Tests of the log: the places where it is written, and the log line of each
request."""

import os
import re

import bridle
from bridle import Daemon, Victim, equal
from crowd import KILLS
from devlog import LogDaemon

# Numbers of syslog(3) for facilities and levels.
AUTH, DAEMON, LOCAL3 = 4, 3, 19
WARNING, NOTICE, INFO = 4, 5, 6

REQUEST = re.compile(
    r'id=(?P<id>\S+) client=(?P<client>\S+) source=(?P<source>\S+)'
    r' verb=(?P<verb>\S+) args="(?P<args>(?:[^"\\]|\\.)*)"'
    r' verdict=(?P<verdict>\S+) rule=(?P<rule>\S+) result=(?P<result>\d+)'
    r' ms=(?P<ms>\d+) text="(?P<text>.*)"')

CLIENTS = '''
{ name = "me"; unix_user = "0"; allow = ("ping", "list", "kill", "halt",
  "explain"); kill = { signals = ("TERM", "KILL"); };
  halt = { modes = ("reboot"); }; }
'''


def request_line(d, answer):
    """Return the log line of this reply's request, and its fields as a dict.
    Check that there is only one such line."""
    pattern = "^id=%s .*result=" % answer.status.pairs["id"]
    line = d.wait_line(pattern)
    found = [one for one in d.dev_log.lines if re.search(pattern, one.text)]
    equal(len(found), 1, found)
    fields = REQUEST.fullmatch(line.text)
    assert fields, line.text
    return line, fields.groupdict()


def check(d, question, port=None, **wanted):
    """Send a request. Compare the log line of this request with the reply's
    result and with the fields `wanted`. Return the line and its fields."""
    answer = d.ask(question, port)
    line, fields = request_line(d, answer)
    equal(int(fields["result"]), answer.code)
    equal({name: fields[name] for name in wanted}, wanted, question)
    return line, fields


# -- tests of where the log goes --------------------------------------------

def test_it_goes_to_syslog_as_daemon_and_info_by_default():
    with LogDaemon() as d:
        equal((d.wait_line("serving at").facility,
               d.wait_line("serving at").level), (DAEMON, NOTICE))
        line, _ = check(d, "1#4", verb="ping")
        equal((line.facility, line.level), (DAEMON, INFO))
        equal(d.counter("log_lost"), 0)


def test_facility_and_level_are_those_of_the_configuration():
    settings = 'log = { facility = "%s"; level = "%s"; };'
    power = {m: ["{dir}/misbehave", "fail"] for m in
             ("halt", "poweroff", "reboot")}
    with LogDaemon(settings=settings % ("local3", "notice"),
                   power=power) as d:
        # A ping is logged at the level `info`, so the level `notice` suppresses
        # the line of this ping.
        equal(d.ask("1#4").code, 200)
        line, _ = check(d, "1#1", result="500")
        equal((line.facility, line.level), (LOCAL3, WARNING))
        equal([(one.facility, one.level) for one in d.dev_log.lines],
              [(LOCAL3, NOTICE), (LOCAL3, WARNING)])
        # A reload can change the facility and the level.
        d.settings = settings % ("auth", "debug")
        d.write_config()
        assert d.reload()
        line, _ = check(d, "1#4", verb="ping")
        equal((line.facility, line.level), (AUTH, INFO))
        line, _ = check(d, "1#1", result="500")
        equal((line.facility, line.level), (AUTH, WARNING))


def test_it_goes_to_standard_error_if_told_so():
    with Daemon() as d:
        answer = d.ask("1#4")
        d.wait_log(r"^bridled: id=%s client=me source=uid=%d verb=ping "
                   % (answer.status.pairs["id"], os.getuid()))


def test_begin_and_end_are_logged():
    with LogDaemon() as d:
        d.process.terminate()
        equal(d.process.wait(bridle.PATIENCE), 0)
        for what in ("serving at unix:%s, pid %d" % (d.sock, d.pid),
                     "^stopping$", "^stopped$"):
            equal(d.wait_line(what).level, NOTICE)


# -- tests of the content of a line -----------------------------------------

def test_each_request_has_one_line_with_all_there_is_to_say():
    with LogDaemon(CLIENTS, tcp=["127.0.0.1:0"]) as d:
        check(d, "1#4", client="me", source="uid=0", verb="ping", args="",
              verdict="allowed", rule="me.allow", text="pong")
        _, fields = check(d, "1#2#name=no.such#user=root", d.ports[0],
                          verb="list", args="name=no.such#user=root",
                          verdict="allowed", text="no process matches")
        assert re.fullmatch(r"127\.0\.0\.1:\d+,uid=0", fields["source"])
        check(d, "1#3#no.such#signal=9#dry-run", verb="kill",
              args="no.such#dry-run#signal=KILL", result="404")
        check(d, "1#1#mode=reboot#when=+5#message=tea time", verb="halt",
              args="mode=reboot#when=+5#message=tea time", verdict="allowed",
              result="202", text="reboot in 5 minutes")
        check(d, "1#12#3#sshd", verb="explain:kill", args="sshd",
              verdict="allowed", result="200")


def test_refusals_and_nonsense_have_one_too():
    with LogDaemon(CLIENTS) as d:
        check(d, "1#7", client="me", verb="status", verdict="refused",
              rule="me.allow", result="403")
        check(d, "1#3#x#signal=HUP", verb="kill", verdict="refused",
              rule="me.kill.signals", result="403")
        check(d, "1#1#mode=halt", verb="halt", verdict="refused",
              rule="me.halt.modes", result="403")
        check(d, "1#3#", client="me", source="uid=0", verb="-", args="",
              verdict="malformed", rule="-", result="400")
        check(d, "2#4", verb="-", verdict="malformed", result="505")
    with LogDaemon('{ name = "no"; unix_user = "7"; allow = ("*"); }') as d:
        check(d, "1#4", client="-", verb="ping", verdict="refused",
              result="401")


def test_requests_of_one_connection_have_a_line_each():
    with LogDaemon() as d:
        answers = d.send("1#4\n1#99\n1#2#name=no.such\n1#4\n")
        lines = [request_line(d, answer)[1] for answer in answers]
        equal([line["result"] for line in lines],
              ["200", "501", "404", "200"])
        equal(len({line["id"] for line in lines}), 4)


def test_milliseconds_are_those_it_took():
    if not KILLS:
        raise bridle.Skip("because nothing is killed here")
    with LogDaemon() as d, Victim(args=["--ignore-term"]) as v:
        _, fields = check(d, "1#3#%s#wait=1" % v.name, text="1 survived")
        assert 1000 <= int(fields["ms"]) < 1000 * bridle.PATIENCE
        _, fields = check(d, "1#4")
        assert int(fields["ms"]) < 1000, fields["ms"]


# -- tests of clients that try to forge a line ------------------------------

EVIL = ("x\n<0>Nov 21 00:00:00 bridled: id=1-1 client=root source=uid=0"
        "\x1b]0;owned\x07\x1b[2J\u202e\u009b\x7f")


def encode(text):
    return "".join("%%%02X" % b if b < 0x20 or b == 0x7f or b > 0x7f else
                   chr(b) for b in text.encode())


def check_harmless(line):
    assert not re.search(rb"[\x00-\x1f\x7f]", line.data), line.data
    for hidden in ("\u202e", "\u009b"):
        assert hidden.encode() not in line.data, line.data


def test_no_name_can_forge_a_line():
    with LogDaemon(CLIENTS) as d:
        before = len(d.dev_log.lines)
        asked = 0
        for question in ("1#3#%s", "1#2#name=%s", "1#3#x#user=%s",
                         "1#12#3#%s", "1#3#x#signal=%s", "1#1#message=%s",
                         "1#99#%s", "%s"):
            line, _ = check(d, question % encode(EVIL))
            check_harmless(line)
            asked += 1
        equal(len(d.dev_log.lines) - before, asked)


def test_no_name_can_forge_a_field():
    name = '" verdict=allowed rule=root.allow result=200 ms=0 text="\\'
    with LogDaemon(CLIENTS) as d:
        for question in ("1#3#%s#signal=HUP", "1#3#x#signal=HUP#user=%s"):
            check(d, question % name, client="me", verb="kill",
                  verdict="refused", rule="me.kill.signals", result="403")


def test_no_process_that_is_killed_can_forge_a_line():
    if not KILLS:
        raise bridle.Skip("because nothing is killed here")
    comm = b"\n\"\x1b[2J" + bridle.unique_name("").encode()[-9:]
    name = encode(comm.decode())
    with LogDaemon(CLIENTS) as d, Victim(comm) as v:
        answer = d.ask("1#3#" + name)
        equal(answer.text, "1 signalled")
        line = d.wait_line("^id=%s pid=%d "
                           % (answer.status.pairs["id"], v.pid))
        check_harmless(line)
        assert re.search(r' name="(?:[^"\\]|\\.)*" signal=TERM '
                         r'outcome=signalled$', line.text), line.text
        line, _ = request_line(d, answer)
        check_harmless(line)


def test_a_very_long_name_makes_one_line():
    with LogDaemon(CLIENTS) as d:
        _, fields = check(d, "1#2#name=" + "x" * 4000, verdict="allowed",
                          result="404")
        assert fields["args"].startswith("name=xxx")
        _, fields = check(d, "1#2#name=" + "%0A" * 1300, result="404")


def test_a_refusal_cannot_forge_a_field():
    clients = ('{ name = "me"; unix_user = "%d"; allow = ("kill"); '
               'kill = { names = ("x"); }; }' % os.getuid())
    with Daemon(clients) as d:
        equal(d.ask('1#3#x" result=202 text="reboot now').code, 403)
        line = d.wait_log("^.* verb=kill .*$").group()
        assert ' result=202 text="reboot' not in line, line


bridle.main(globals())
