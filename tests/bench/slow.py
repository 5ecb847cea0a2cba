"""Benchmark of calls to a daemon that other clients try to slow down."""

import contextlib
import os
import signal
import socket
import statistics
import threading

import peers
from bridle import ROOT, STRANGER
from shared import ROOMY, Server, calls

# A pattern that is among the slowest patterns that bridled --check accepts.
WORST = "(a?){200}a{200}!"


def one_call(daemon):
    """Call the daemon from one client, one call after the other. Return the
    median and the 99th percentile of the time of a call, in microseconds."""
    return calls(str(daemon.ports[0]), 1)[1:]


class Drip:
    """Idle clients, and slow clients that send one byte every 10 ms."""

    def __init__(self, daemon, idle, slow):
        self.daemon, self.idle, self.slow = daemon, idle, slow

    def __enter__(self):
        self.stop, self.stack = threading.Event(), contextlib.ExitStack()

        def connect():
            return self.stack.enter_context(
                socket.create_connection(("127.0.0.1", self.daemon.ports[0])))
        for _ in range(self.idle):
            s = connect()
            s.sendall(b"1#4\n")
            s.recv(4096)
        self.slow = [connect() for _ in range(self.slow)]
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        line, sent = b"1#4\n", 0
        while not self.stop.wait(0.01):
            for s in self.slow:
                s.sendall(line[sent % 4:sent % 4 + 1])
                if sent % 4 == 3:
                    s.recv(4096)
            sent += 1

    def __exit__(self, *exc):
        self.stop.set()
        self.thread.join()
        self.stack.close()


class Runs:
    """Eight clients of another user. Each client sends `run` requests with an
    argument that the policy refuses."""

    LINE = "1#5#%s" + ("#" + "a" * 255 + "!") * 13 + "\n"

    def __init__(self, daemon, command):
        self.daemon, self.line = daemon, (self.LINE % command).encode()

    def __enter__(self):
        self.pids = []
        for _ in range(8):
            s = peers.connect("unix", self.daemon.sock, uid=STRANGER)
            pid = os.fork()
            if pid == 0:
                self.ask(s)
            s.close()
            self.pids.append(pid)

    def ask(self, s):
        while True:
            s.sendall(self.line)
            answer = s.recv(4096)
            if not answer.startswith(b"1#4"):
                os.write(2, b"not refused: %r\n" % answer)
                os._exit(1)

    def __exit__(self, *exc):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def refusing(name, pattern):
    """Return the configuration of a command with thirteen arguments. Each
    argument must match `pattern`."""
    letters = "abcdefghijklm"
    return '{ name = "%s"; argv = ("/bin/true", %s); args = { %s }; }' % (
        name, ", ".join('"{%s}"' % x for x in letters),
        " ".join('%s = "%s";' % (x, pattern) for x in letters))


def patterns(report, args):
    """Measure calls while other clients send `run` requests that are refused.
    First each argument is checked against a plain word as its pattern, then
    against the pattern WORST."""
    runs = []
    clients = ", ".join('{ name = "u%d"; unix_user = "%d"; allow = ("*"); }'
                        % (uid, uid) for uid in (os.getuid(), STRANGER))
    commands = ", ".join(refusing(*c) for c in (
        ("word", "word"), ("worst", WORST)))
    for _ in range(args.runs):
        with Server(clients, "commands = (%s);" % commands) as d:
            run = []
            for command in "word", "worst":
                with Runs(d, command):
                    run.append(calls("unix:" + d.sock, 1)[1:])
            runs.append(run)
    show(report, "worst pattern", runs)


def compare(report, name, args, others, **options):
    """In each run, measure calls without and with the other clients. Thus a
    comparison always uses two latencies of the same run."""
    runs = []
    for _ in range(args.runs):
        with Server(tcp=["127.0.0.1:0"], penalties="", **options) as d:
            usual = one_call(d)
            with others(d):
                runs.append((usual, one_call(d)))

    show(report, name, runs)


def show(report, name, runs):
    """Print a row: the median and the 99th percentile, both without and with
    the other clients."""
    def median(value):
        return statistics.median(value(*run) for run in runs)
    report.row(name, "%.0f" % median(lambda u, b: u[0]),
               "%.0f" % median(lambda u, b: b[0]),
               "%.2f" % median(lambda u, b: b[0] / u[0]),
               "%.0f" % median(lambda u, b: u[1]),
               "%.0f" % median(lambda u, b: b[1]),
               "%.2f" % median(lambda u, b: b[1] / u[1]))


def bench(args, report):
    report.table("slow clients, us", "beside them", "usual p50", "p50",
                 "ratio", "usual p99", "p99", "ratio")
    compare(report, "200 idle, 10 drip", args, lambda d: Drip(d, 200, 10),
            limits=ROOMY)
    if not ROOT:
        print("(skipped: two users need root)")
        return
    for name, insistent in (("1000 silent", False), ("come again", True)):
        compare(report, name, args, lambda d, i=insistent: peers.Silent(
            1000, "127.0.0.1", d.ports[0], i, uid=STRANGER))
    patterns(report, args)
