"""Tests of `bridlectl watch`. They test the printed events, and lost
connections."""

import contextlib
import json
import os
import signal
import subprocess
import tempfile
import threading
import time

import bridle
from bridle import Daemon, equal, read_answer, wait_for
from homes import Home, TlsDaemon

MANY = 100 if bridle.FEW else 1000


class Tool:
    """A bridlectl that runs in the background. The list .lines has the lines
    that bridlectl has printed so far."""

    def __init__(self, hosts, *args, env=None, stdin=subprocess.DEVNULL):
        self.lines = []
        self.process = subprocess.Popen(
            [bridle.BRIDLECTL, "-H", hosts, *args], stdin=stdin, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env)
        self.reader = threading.Thread(target=self.read)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stdout.close()

    def wait(self):
        """Wait until bridlectl ends by itself. Return its exit status."""
        status = self.process.wait(bridle.PATIENCE)
        self.reader.join()
        return status

    def seen(self, *words):
        """Wait until bridlectl has printed a line with all these words. Return
        this line."""
        return wait_for("%s in its output" % (words,), lambda: next(
            (line for line in list(self.lines)
             if all(w in line for w in words)), None))

    def objects(self):
        return [json.loads(line) for line in list(self.lines)]


def watching(d, n=1):
    wait_for("%d to watch" % n, lambda: sum(
        r["watching"] == b"yes" for r in d.ask("1#8").rows) >= n)


def host(d):
    return "unix:" + d.sock


def restart(d):
    d.process.terminate()
    d.process.wait()
    os.unlink(d.log_path)
    d.spawn()
    wait_for("bridled to serve", d.started)


def test_what_happens_is_a_line_each():
    with Daemon() as d, Tool(host(d), "watch") as tool:
        watching(d)
        name = bridle.unique_name()
        d.ask("1#3#%s#signal=HUP" % name)
        d.ask("1#10#五分钟后重启")
        line = tool.seen("kill %s signal=HUP: 404 no process matches" % name)
        equal(line.split()[1:4],
              ["request", "me", "(uid=%d)" % os.getuid()])
        tool.seen("message", "五分钟后重启")
        tool.process.send_signal(signal.SIGINT)
        equal(tool.wait(), 0)


def test_json_and_raw():
    with Daemon() as d, Tool(host(d), "watch", "--json", "--events",
                             "message") as tool, \
            Tool(host(d), "watch", "--raw", "--client", "me") as raw:
        watching(d, 2)
        d.ask("1#10#a \\ \" %25 b")
        wait_for("it", lambda: tool.lines)
        record, = tool.objects()
        equal((record["host"], record["event"], record["text"]),
              (host(d), "message", 'a \\ " % b'))
        assert type(record["number"]) is int and type(record["time"]) is int
        fields = raw.seen("\tmessage\t").split("\t")
        equal((len(fields), fields[2], fields[10]),
              (13, "message", 'a \\ " %25 b'))


def test_what_is_unsafe_is_shown_safely():
    with Daemon() as d, Tool(host(d), "watch") as tool:
        watching(d)
        d.ask("1#3#%1B[2J%E2%80%AEevil")
        line = tool.seen("evil")
        assert "\x1b" not in line and "\u202e" not in line, line


def test_twenty_tools_and_a_thousand_events():
    n = 20 if not bridle.WRAP else 3
    with Daemon(limits={"sessions_per_source": 64}) as d:
        tools = []
        try:
            for _ in range(n):
                tools.append(Tool(host(d), "watch", "--json"))
            watching(d, n)
            with d.connect() as s:
                for i in range(MANY):
                    s.sendall(b"1#12#3#p%d\n" % i)
                    equal(read_answer(s).code, 200)
            for tool in tools:
                tool.seen('"p%d"' % (MANY - 1))
                got = [r for r in tool.objects()
                       if r["request"] == "explain kill"]
                equal([r["arguments"] for r in got],
                      ["p%d" % i for i in range(MANY)])
                numbers = [r["number"] for r in got]
                equal(numbers, list(range(numbers[0], numbers[0] + MANY)))
        finally:
            for tool in tools:
                tool.__exit__()


def test_a_restart_is_told_and_the_stream_goes_on():
    with Daemon() as d, Tool(host(d), "watch", "--json") as tool:
        watching(d)
        d.ask("1#10#before")
        tool.seen('"before"')
        restart(d)
        watching(d)
        d.ask("1#10#after")
        tool.seen('"after"')
        told = [r["event"] for r in tool.objects()
                if r["event"] in ("lost", "back", "missed", "message")]
        equal(told, ["message", "lost", "back", "missed", "message"])


def test_a_lost_connection_loses_no_record():
    with Daemon() as d, Tool(host(d), "watch", "--json") as tool:
        watching(d)
        for i in range(5):
            d.ask("1#10#m%d" % i)
            tool.seen('"m%d"' % i)
            session = [pid for pid, _ in d.children()]
            mine = [pid for pid in session if pid != min(session)]
            for pid in mine:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            d.ask("1#10#gap%d" % i)
            watching(d)
        d.ask("1#10#end")
        tool.seen('"end"')
        equal([r["text"] for r in tool.objects() if r["event"] == "message"],
              [t % i for i in range(5) for t in ("m%d", "gap%d")] + ["end"])
        assert not [r for r in tool.objects() if r["event"] == "missed"]


def test_many_hosts_are_one_stream():
    with Daemon() as one, Daemon() as two, tempfile.TemporaryDirectory() as t:
        names = {"east": one, "west-of-it": two}
        for name, d in names.items():
            os.symlink(d.sock, os.path.join(t, name))
        hosts = ",".join("unix:%s/%s" % (t, name) for name in names)
        with Tool(hosts, "watch") as tool:
            watching(one)
            watching(two)
            done = bridle.ctl("-H", hosts, "say", "hello", "all")
            equal(done.returncode, 0, done.stderr)
            lines = [tool.seen("/%s " % name, "hello all") for name in names]
            equal(len({line.index("message") for line in lines}), 1,
                  "aligned: %r" % lines)
            two.process.terminate()
            tool.seen("west-of-it", "lost")
            one.ask("1#10#still here")
            tool.seen("east", "still here")


def test_by_tls_it_goes_on_through_heartbeats_and_a_restart():
    with Home() as home, TlsDaemon(
            home, limits={"heartbeat_seconds": 1}) as d:
        name = "127.0.0.1:%d" % d.ports[0]
        with Tool(name, "watch", "--accept-new", "--events", "message",
                  env=home.env) as tool:
            watching(d)
            begin = time.monotonic()
            while time.monotonic() - begin < 4.5:
                d.ask("1#10#still here")
                time.sleep(0.5)
            assert not [l for l in tool.lines if "lost" in l], tool.lines
            # bridlectl must not have opened a second connection for the watch.
            equal(len([r for r in d.ask("1#8").rows
                       if r["watching"] == b"yes"]), 1)
            restart(d)
            watching(d)
            done = home.ctl("-H", name, "say", "by", "TLS")
            equal((done.returncode, done.stdout),
                  (0, name + ": sent to 1 subscriber\n"), done.stderr)
            tool.seen("by TLS")
            tool.seen("missed")


def test_it_ends_when_its_reader_has_gone():
    with Daemon() as d:
        reader, writer = os.pipe()
        # The event `penalty` does not happen, so bridlectl never writes.
        watch = subprocess.Popen([bridle.BRIDLECTL, "-H", "unix:" + d.sock,
                                  "watch", "--events", "penalty"],
                                 stdout=writer)
        os.close(writer)
        try:
            d.wait_log("verb=watch .*")
            equal(watch.poll(), None)
            os.close(reader)
            equal(watch.wait(bridle.PATIENCE), 1)
        finally:
            watch.kill()
            watch.wait()


def test_how_it_fails():
    with Daemon(clients='{ name = "me"; unix_user = "%d"; allow = ("ping"); }'
                % os.getuid()) as d, Tool(host(d), "watch") as tool:
        equal(tool.wait(), 1)
        assert "not allowed (403)" in tool.lines[0], tool.lines
    with Tool("unix:/nonexistent/socket", "watch") as tool:
        equal(tool.wait(), 3)
        equal(len(tool.lines), 1, tool.lines)
    done = bridle.ctl("watch", "--events", "nothing")
    equal(done.returncode, 2)
    assert "online" in done.stderr, done.stderr


def test_say_tells_how_many_it_reached():
    with Daemon() as d:
        done = d.ctl("say", "is", "anybody", "there?")
        equal((done.returncode, done.stdout.split(": ")[1]),
              (0, "sent to 0 subscribers\n"))
        with Tool(host(d), "watch") as tool:
            watching(d)
            row = json.loads(d.ctl("say", "--json", "hello").stdout)
            equal((row["text"], row["reached"]), ("sent to 1 subscriber", 1))
            tool.seen("hello")
            equal(d.ctl("say", "--to", "nobody", "hello").returncode, 1)
            equal(d.ctl("say", "--to", "me", "psst").returncode, 0)
            tool.seen("(to you) psst")
            equal(d.ctl("say", "\x1b[1m").returncode, 2)
            equal(d.ctl("say", "x" * 1001).returncode, 2)
            equal(d.ctl("say", "--wall", "hello").returncode, 1)


if __name__ == "__main__":
    bridle.main(globals())
