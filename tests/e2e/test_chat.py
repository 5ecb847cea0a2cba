"""Tests of `bridlectl chat`, which receives events and sends messages. The
tests run the program on a terminal and in a pipe."""

import ctypes.util
import os
import pty
import select
import signal
import subprocess
import termios
import unicodedata

import bridle
from bridle import Daemon, equal, wait_for
from test_watch_tool import Tool, host, watching
from watchers import Watcher

CHINESE = "五分钟后重启"


class Screen:
    """A simulated screen of a terminal, as rows of cells. put() interprets the
    output of a program, including control sequences."""

    def __init__(self, columns):
        self.columns, self.rows, self.x, self.y = columns, [[]], 0, 0

    def put(self, text):
        i = 0
        while i < len(text):
            if text[i] == "\x1b":
                end = i + 2
                while not text[end].isalpha():
                    end += 1
                self.control(text[i + 2:end], text[end])
                i = end
            elif text[i] == "\r":
                self.x = 0
            elif text[i] == "\n":
                self.y += 1
            elif text[i] == "\b":
                self.x = max(0, self.x - 1)
            elif text[i] >= " ":
                self.character(text[i])
            i += 1

    def row(self):
        while len(self.rows) <= self.y:
            self.rows.append([])
        return self.rows[self.y]

    def character(self, c):
        width = 2 if unicodedata.east_asian_width(c) in "WF" else 1
        if self.x + width > self.columns:
            self.x, self.y = 0, self.y + 1
        row = self.row()
        row.extend(" " * (self.x + width - len(row)))
        row[self.x:self.x + width] = [c] + [""] * (width - 1)
        self.x += width

    def control(self, number, letter):
        n = int(number) if number.isdigit() else 1
        if letter == "A":
            self.y = max(0, self.y - n)
        elif letter == "C":
            self.x += n
        elif letter == "D":
            self.x = max(0, self.x - n)
        elif letter == "K":
            del self.row()[self.x:]
        elif letter == "J":
            del self.row()[self.x:]
            del self.rows[self.y + 1:]
        elif letter == "P":
            del self.row()[self.x:self.x + n]
        elif letter == "@":
            self.row()[self.x:self.x] = [" "] * n

    def text(self):
        rows = ["".join(row).rstrip() for row in self.rows]
        while rows and not rows[-1]:
            rows.pop()
        return rows


class Terminal:
    """A bridlectl chat on a terminal with this number of columns."""

    def __init__(self, hosts, *args, columns=80):
        self.screen, self.raw = Screen(columns), b""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm", LANG="C")
            os.execv(bridle.BRIDLECTL,
                     ["bridlectl", "-H", hosts, "chat", *args])
        termios.tcsetwinsize(self.fd, (24, columns))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)

    def take(self, seconds=0.0):
        while select.select([self.fd], [], [], seconds)[0]:
            try:
                piece = os.read(self.fd, 65536)
            except OSError:
                break
            if not piece:
                break
            self.raw += piece
        self.screen = Screen(self.screen.columns)
        self.screen.put(self.raw.decode("utf-8", "ignore"))
        return self.screen.text()

    def type(self, text):
        os.write(self.fd, text.encode())

    def shows(self, condition):
        """Wait until condition(lines of the screen) is true. Return these
        lines."""
        try:
            return wait_for("the screen", lambda: (
                lambda t: t if condition(t) else None)(self.take()))
        except AssertionError:
            raise AssertionError("\n".join(self.take())) from None

    def last(self, text):
        return self.shows(lambda t: t and t[-1] == text)

    def status(self):
        self.take(0.1)
        _, status = os.waitpid(self.pid, 0)
        self.pid = subprocess.Popen(["sleep", "60"]).pid
        return os.waitstatus_to_exitcode(status)


def need_editor():
    if ctypes.util.find_library("edit") is None:
        raise bridle.Skip("because libedit is not installed")


def test_plain_lines_are_said_and_shown():
    with Daemon() as d, Watcher(d.connect(), events="message") as w, \
            Tool(host(d), "chat", stdin=subprocess.PIPE) as tool:
        watching(d, 2)
        tool.process.stdin.write("hello %s\n\n//slash\n/nothing\nend"
                                 % CHINESE)
        tool.process.stdin.flush()
        equal(w.next("message")["text"], "hello " + CHINESE)
        equal(w.next("message")["text"], "/slash")
        tool.seen("me (uid=%d): hello %s" % (os.getuid(), CHINESE))
        tool.seen("* /to NAME TEXT")
        d.ask("1#10#what others say")
        tool.seen("what others say")
        tool.process.stdin.close()
        equal(w.next("message")["text"], "what others say")
        equal(w.next("message")["text"], "end")
        equal(tool.wait(), 0)


def test_what_cannot_be_said_is_told():
    with Daemon() as d:
        done = d.ctl("chat", stdin="a\x1b[1m\n/to nobody psst\n")
        equal(done.returncode, 1)
        assert "not sent" in done.stdout and "(404)" in done.stdout, done
        with Watcher(d.connect()) as w:
            d.ctl("chat", stdin=" /to nobody psst\nhello\n")
            equal(w.next("message")["text"], "hello")
    done = bridle.ctl("-H", "unix:/nonexistent", "chat", stdin="x\n")
    assert done.returncode != 0, done


def test_a_line_stays_whole_when_others_come_in():
    need_editor()
    with Daemon() as d, Terminal(host(d)) as t:
        watching(d)
        t.last(">")
        t.type("one 五分 two")
        t.last("> one 五分 two")
        for i in range(3):
            d.ask("1#10#message %d %s" % (i, CHINESE))
        rows = t.shows(lambda r: any("message 2" in row for row in r))
        rows = t.last("> one 五分 two")
        equal([row for row in rows if "one 五分 two" in row],
              ["> one 五分 two"])
        equal(len([row for row in rows if "message" in row]), 3)
        t.type("\x01zero \x05 three\r")
        rows = t.shows(lambda r: any("zero one" in row for row in r))
        rows = t.last(">")
        equal(len([row for row in rows if "zero one 五分 two three" in row]),
              1, rows)
        equal(len([row for row in rows if "message" in row]), 3)


def test_a_line_longer_than_the_terminal_stays_whole():
    need_editor()
    with Daemon() as d, Terminal(host(d), columns=30) as t:
        watching(d)
        t.last(">")
        long = "".join(chr(ord("a") + i % 26) for i in range(70))
        t.type(long)
        t.shows(lambda r: long in "".join(r))
        d.ask("1#10#short")
        rows = t.shows(lambda r: "short" in "".join(r)
                       and ("> " + long) in "".join(r))
        equal("".join(rows).count("> " + long[:20]), 1, rows)
        t.type("\x15")
        t.last(">")
        d.ask("1#10#again")
        rows = t.shows(lambda r: "again" in "".join(r) and r[-1] == ">")
        assert "short" in "".join(rows), rows


def test_commands_and_its_end():
    need_editor()
    with Daemon() as d, Terminal(host(d)) as t:
        watching(d)
        t.type("/who\r")
        t.shows(lambda r: any(row == "* me (uid=%d)" % os.getuid()
                              for row in r))
        t.type("/to me psst\r")
        t.shows(lambda r: "to me: psst" in r and
                any(row.endswith("to you: psst") for row in r))
        t.type("\x04")
        equal(t.status(), 0)
    with Daemon() as d, Terminal(host(d)) as t:
        watching(d)
        before = termios.tcgetattr(t.fd)
        t.type("abc")
        t.last("> abc")
        t.type("\x03")
        equal(t.status(), 0)
        after = termios.tcgetattr(t.fd)
        assert after[3] & termios.ECHO and after[3] & termios.ICANON, before


bridle.main(globals())
