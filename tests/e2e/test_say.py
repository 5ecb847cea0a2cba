"""Tests of `say`, which sends a message to all subscribers, to one of them, or
to the terminals."""

import contextlib
import os
import pty
import select
import shutil
import struct
import subprocess
import tempfile
import tty

import bridle
import peers
from bridle import (Daemon, STRANGER, Victim, equal, read_answer, strings,
                    wait_for)
from watchers import Watcher

US = os.getuid()
EVERY = 'allow = ("*");'
CHINESE = "五分钟后重启，请保存文件"


def entry(name, uid, rest=EVERY):
    return '{ name = "%s"; unix_user = "%d"; %s }' % (name, uid, rest)


def watch_as(d, uid, **options):
    return Watcher(peers.connect("unix", d.sock, uid=uid), **options)


def test_a_message_reaches_all_who_watch_with_its_sender():
    with Daemon() as d, Watcher(d.connect()) as one, \
            Watcher(d.connect(), events="message") as two, \
            Watcher(d.connect(), events="halt") as other:
        answer = d.ask("1#10#" + CHINESE)
        equal((answer.code, answer.text, answer.status.pairs["reached"]),
              (200, "sent to 2 subscribers", "2"))
        for w in one, two:
            message = w.next("message")
            equal((message["name"], message["source"], message["text"],
                   message["to"], message["id"]),
                  ("me", "uid=%d" % US, CHINESE, "",
                   answer.status.pairs["id"]))
        other.silent(0.2)
    with Daemon() as d:
        answer = d.ask("1#10#nobody there")
        equal((answer.code, answer.status.pairs["reached"]), (200, "0"))


def test_what_is_for_one_nobody_else_gets():
    peers.need_root("speak as others")
    clients = ", ".join([entry("alice", US), entry("bob", STRANGER),
                         entry("eve", STRANGER + 1)])
    secret = "the password is swordfish"
    with Daemon(clients=clients) as d, watch_as(d, STRANGER) as bob, \
            watch_as(d, STRANGER) as again, watch_as(d, STRANGER + 1) as eve:
        answer = d.ask("1#10#%s#to=bob" % secret)
        equal((answer.code, answer.status.pairs["reached"]), (200, "2"))
        for w in bob, again:
            message = w.next("message")
            equal((message["text"], message["to"]), (secret, "bob"))
        answer = d.ask("1#10#%s#to=uid=%d" % (secret, STRANGER))
        equal(answer.status.pairs["reached"], "2")
        equal(bob.next("message")["text"], secret)
        # Other subscribers must not get the event of this message, not even
        # later. The log must not contain the text.
        d.ask("1#10#for all")
        seen = eve.until(lambda r: r["event"] == "message")
        equal(seen[-1]["text"], "for all")
        assert secret not in repr(seen), seen
        with watch_as(d, STRANGER + 1, since="0") as later:
            old = later.until(lambda r: r["text"] == "for all")
            assert secret not in repr(old), old
        with watch_as(d, STRANGER, since="0", events="message") as later:
            equal(later.next()["text"], secret)
        d.wait_log('verb=say args="...#to=bob"')
        assert secret not in d.whole_log()


def test_who_is_called_otherwise_by_a_reload_is_reached_by_that_name():
    with Daemon() as d, Watcher(d.connect(), events="message") as w:
        d.clients = entry("renamed", US)
        d.write_config()
        assert d.reload()
        equal(d.ask("1#10#hello#to=me").code, 404)
        equal(d.ask("1#10#hello#to=renamed").code, 200)
        equal(w.next()["to"], "renamed")


def test_reached_counts_only_those_who_are_told():
    with Daemon() as d, Watcher(d.connect(), name="somebody-else") as w:
        status = d.ask("1#10#hello").status
        w.silent(0.5)
        equal(status.pairs["reached"], "0", status.line)


def test_a_private_message_that_nobody_gets_is_404():
    with Daemon() as d, Watcher(d.connect(), name="somebody-else") as w:
        status = d.ask("1#10#hello#to=me").status
        w.silent(0.5)
        equal(status.code, 404, status.line)


def test_to_nobody_is_404():
    with Daemon() as d, Watcher(d.connect(), events="halt"):
        answer = d.ask("1#10#hello#to=me")
        equal((answer.code, "reached" in answer.status.pairs), (404, False))
        equal(d.ask("1#10#hello#to=bob").code, 404)


def test_what_cannot_be_said():
    with Daemon() as d, Watcher(d.connect()) as w:
        for bad in "", "#to=me", "a%0Ab", "a%1B[1m", "%FF", "%E2%80%AE", \
                "x" * 1001, "x#to=", "x#to=" + "y" * 97, "x#wall=no", \
                "x#wall", "x#dry-run", "x#to=me#to=me":
            equal(d.ask("1#10#" + bad).code, 400, bad)
        equal(d.send("1#10#cut short")[0].code, 400, "without its LF")
        equal(d.ask("1#10#-%23 a=b %25").code, 200)
        equal(w.next("message")["text"], "-# a=b %")
        equal(d.ask("1#10#" + "x" * 1000).code, 200)
        told = d.ask("1#10#a%E2%80%AEb").text, d.ctl("say", "a\u202eb").stderr
        for text in told:
            assert "not U+202E (RIGHT-TO-LEFT OVERRIDE)" in text, text
        for fit in "\u2764\ufe0f", "\u0645\u06cc\u200c\u062e":
            equal(d.ctl("say", fit).returncode, 0)
            w.until(lambda r, fit=fit: r["text"] == fit)


def test_say_and_wall_each_need_their_right():
    with Daemon(clients=entry("me", US, 'allow = ("watch");')) as d, \
            Watcher(d.connect()) as w:
        answer = d.ask("1#10#hello")
        equal((answer.code, answer.status.pairs["rule"]), (403, "me.allow"))
        w.until(lambda r: r["request"] == "say" and r["code"] == "403")
    with Daemon() as d:
        answer = d.ask("1#10#hello#wall=yes")
        equal((answer.code, answer.status.pairs["rule"]), (403, "me.wall"))
        limits = {r["name"]: r["limits"] for r in d.ask("1#11").rows}
        equal(limits[b"say"], b"wall=no")


def test_wall_gets_the_text_as_its_input():
    program = ["/bin/sh", "-c", "cat >>{dir}/sock/wall"]
    with Daemon(clients=entry("me", US, EVERY + " wall = true;")) as d, \
            Watcher(d.connect()) as w:
        d.settings = "wall = %s;" % strings(
            a.replace("{dir}", d.dir) for a in program)
        d.write_config()
        assert d.reload()
        answer = d.ask("1#10#/etc/passwd %s#wall=yes" % CHINESE)
        equal((answer.code, answer.text, answer.status.pairs["reached"]),
              (200, "sent to 1 subscriber; wall has run", "1"))
        with open(d.dir + "/sock/wall") as f:
            equal(f.read(), "me: /etc/passwd %s\n" % CHINESE)
        equal(w.next("message")["text"], "/etc/passwd " + CHINESE)
        equal(d.ask("1#10#x#wall=yes#to=me").code, 400)
        d.settings = 'wall = ("/bin/false");'
        d.write_config()
        assert d.reload()
        equal(d.ask("1#10#x#wall=yes").code, 500)
        d.settings = "wall = ();"
        d.write_config()
        assert d.reload()
        answer = d.ask("1#10#x#wall=yes")
        equal((answer.code, answer.text),
              (500, "the setting wall names no program"))


def test_who_cannot_reach_terminals_is_told():
    """With no-new-privs, wall(1) does not get the group of its set-group-ID
    bit."""
    with Daemon(uid=STRANGER, wrap=["setpriv", "--no-new-privs"] + bridle.WRAP,
                clients=entry("me", US, EVERY + " wall = true;")) as d:
        program = os.path.join(d.dir, "wall")
        shutil.copy("/bin/true", program)
        os.chown(program, 0, 5)
        os.chmod(program, 0o2755)
        d.settings = "wall = %s;" % strings([program])
        d.write_config()
        assert d.reload()
        answer = d.ask("1#10#x#wall=yes")
        equal((answer.code, answer.text), (
            500, "subscribers received the text, but %s may not write to "
            "terminals: see wall in bridled.conf(5)" % program))
        for path, code in [(program, 500), (d.dir + "/another", 200)]:
            shutil.copy("/bin/true", path)
            os.chmod(path, 0o755)
            d.settings = "wall = %s;" % strings([path])
            d.write_config()
            assert d.reload()
            equal(d.ask("1#10#x#wall=yes").code, code)


@contextlib.contextmanager
def logged_in():
    """Yield a terminal and a command. The command starts a program in a mount
    namespace where a user has logged in on this terminal."""
    ours, theirs = pty.openpty()
    tty.setraw(theirs)
    line = os.ttyname(theirs).removeprefix("/dev/").encode()
    with tempfile.NamedTemporaryFile() as utmp:
        # Fields of Linux's struct utmp: type, pid, line, id, user, and others.
        utmp.write(struct.pack("hxxi32s4s32s308x", 7, os.getpid(), line,
                               line[-4:], b"alice"))
        utmp.flush()
        os.chmod(utmp.name, 0o644)
        yield ours, ["unshare", "-m", "sh", "-c",
                     'mount -t tmpfs none /run && cp "$0" /run/utmp && '
                     'exec "$@"', utmp.name]
    os.close(ours)
    os.close(theirs)


def test_wall_itself_writes_to_a_terminal():
    peers.need_root("make a login of its own")
    if not os.path.exists("/usr/bin/wall"):
        raise bridle.Skip("because wall(1) is not installed")
    with logged_in() as (terminal, wrap):
        if subprocess.run([*wrap, "true"], capture_output=True).returncode:
            raise bridle.Skip("because mounts are not permitted here")
        with Daemon(clients=entry("me", US, EVERY + " wall = true;"),
                    settings='wall = ("/usr/bin/wall");',
                    wrap=wrap + bridle.WRAP) as d:
            equal(d.ctl("say", "--wall", "off", "in", "five").returncode, 0)
            assert select.select([terminal], [], [], bridle.PATIENCE)[0]
            text = os.read(terminal, 65536).decode()
            assert "me: off in five" in text, text


def test_secret_requests_show_no_arguments():
    clients = entry("me", US, EVERY + " secret = true;")
    with Daemon(clients=clients) as d, Watcher(d.connect()) as w:
        d.ask("1#3#swordfish")
        d.ask("1#12#3#swordfish")
        equal(d.ask("1#1#mode=poweroff#when=+7#message=swordfish").code, 202)
        seen = w.until(lambda r: r["event"] == "halt")
        kill, explain = [r for r in seen if "kill" in r["request"]]
        equal((kill["arguments"], kill["code"], kill["text"]),
              ("(secret)", "404", "nothing matches"))
        equal((explain["arguments"], explain["text"]), ("(secret)", "done"))
        equal((seen[-1]["arguments"], seen[-1]["text"]),
              ("(secret)", "accepted"))
        with Victim() as v:
            equal(d.ask("1#3#" + v.name).code, 200)
            d.wait_log(r'pid=%d .*name="\(secret\)"' % v.pid)
            assert v.name not in d.whole_log()
        wait_for("all lines", lambda: d.log().count("(secret)") >= 3)
        assert "swordfish" not in repr(seen), seen
        assert "swordfish" not in d.log()


def test_what_is_malformed_may_be_secret_too():
    """The client gets the whole error text. The log and the subscribers must
    not get this text, because it contains arguments."""
    clients = (entry("us", US, EVERY + " secret = true;") + "," +
               entry("other", STRANGER))
    with Daemon(clients=clients) as d, Watcher(d.connect()) as w:
        equal(d.ask("1#3#firefox#swordfish=x").text,
              "kill does not take 'swordfish'")
        seen = w.until(lambda r: r["verdict"] == "malformed")
        equal(seen[-1]["text"], "malformed")
        with peers.connect("unix", d.sock, uid=STRANGER) as s:
            s.sendall(b"1#10#meet me at # swordfish#to=us\n")
            said = read_answer(s).text
            equal(said, "say takes only to= and wall=; write a # in the "
                  "text as %23")
        seen += w.until(lambda r: r["name"] == "other" and r["verdict"])
        wait_for("both lines", lambda: d.log().count("malformed") >= 2)
        assert "swordfish" not in repr(seen) + d.log()


def test_secret_stays_so_where_the_name_service_hangs():
    peers.need_mounts()
    clients = ", ".join([entry("us", US), '{ name = "group"; unix_group = '
                         '"%d"; allow = ("ping"); }' % STRANGER,
                         entry("hush", 1, EVERY + " secret = true;")])
    with Daemon(clients=clients, tcp=["127.0.0.1:0"],
                wrap=["unshare", "-m", *bridle.WRAP]) as d, \
            Watcher(d.connect()) as w:
        fifo = os.path.join(d.dir, "fifo")
        os.mkfifo(fifo)
        subprocess.run(["nsenter", "--mount", "--target", str(d.pid), "mount",
                        "--bind", fifo, "/etc/group"], check=True)
        with peers.connect("127.0.0.1", d.ports[0], uid=1) as s:
            s.sendall(b"1#3#swordfish\n")
            equal(read_answer(s).code, 401)
        told = w.until(lambda r: r["request"] == "kill")
        wait_for("the log", lambda: "verb=kill" in d.log())
        assert "swordfish" not in d.log() + repr(told), told[-1]


def test_a_secret_command_shows_no_arguments():
    commands = """commands = (
      { name = "open"; argv = ("/bin/echo", "{word}");
        args = { word = "[a-z]+"; }; secret = true; },
      { name = "plain"; argv = ("/bin/echo", "{word}");
        args = { word = "[a-z]+"; }; } );"""
    with Daemon(settings=commands) as d, Watcher(d.connect()) as w, \
            d.connect() as s:
        s.sendall(b"1#5#open#swordfish\n1#5#open#9\n1#12#5#open#swordfish\n"
                  b"1#5#plain#haddock\n1#4\n")
        seen = w.until(lambda r: r["request"] == "ping")
        runs = [r for r in seen if "run" in r["request"]]
        equal([r["arguments"] for r in runs],
              ["(secret)"] * 3 + ["plain#haddock"])
        d.wait_log("verb=ping")
        assert "swordfish" not in repr(seen) + d.log()
        assert "haddock" in d.log()


bridle.main(globals())
