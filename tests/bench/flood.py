"""Benchmark of root's calls while a user of this machine floods the daemon with
connections. The flood runs on one processor only."""

import os
import signal
import socket
import statistics
import tempfile

from bridle import ROOT, STRANGER, wait_for
from peers import ask, become
from shared import Server, calls

# A uid without an entry in `clients`. The reply to each request of this uid is
# 401.
UNKNOWN = STRANGER + 1
CLIENTS = 32
PROCESSOR = 0

ENTRIES = ", ".join('{ name = "u%d"; unix_user = "%d"; allow = ("*"); }'
                    % (uid, uid) for uid in (0, STRANGER))


def ping(path):
    """Connect, send a request, read the reply and close."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        s.sendall(b"1#4\n")
        s.recv(4096)


def leave(path):
    """Connect, and close the connection without a request."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)


def hold(path):
    """Connect, and wait in silence until the daemon closes the connection."""
    with socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
        while s.recv(4096):
            pass


class Flood:
    """Processes of the user `uid`, all on the same processor. Each process
    calls what() again and again, as fast as possible."""

    def __init__(self, path, uid, what):
        self.path, self.uid, self.what = path, uid, what

    def __enter__(self):
        self.pids = []
        for _ in range(CLIENTS):
            pid = os.fork()
            if pid == 0:
                self.run()
            self.pids.append(pid)

    def run(self):
        try:
            os.sched_setaffinity(0, {PROCESSOR})
            become(self.uid, [])
            while True:
                try:
                    self.what(self.path)
                except OSError:
                    pass  # the daemon has refused the connection
        finally:
            os._exit(1)

    def __exit__(self, *exc):
        for pid in self.pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


FLOODS = (("ping", STRANGER, ping), ("connect and leave", STRANGER, leave),
          ("connect and wait", STRANGER, hold), ("unknown user", UNKNOWN, ping))


def connections(path):
    """Return the number of connections so far. `path` must be root's own
    socket, because a flood may fill the backlog of the usual socket."""
    for row in ask("1#7", "unix", path).rows:
        if row["counter"] == b"connections":
            return int(row["value"])
    raise KeyError("connections")


def measure(path, d, uid, what):
    """Return two pairs, first without the flood and then during the flood. A
    pair is the median and the 99th percentile of the time of root's calls, in
    microseconds."""
    usual = calls("unix:" + path, 1)[1:]
    before = connections(path)
    with Flood(d.sock, uid, what):
        wait_for("the flood",
                 lambda: connections(path) > before + 2 * CLIENTS)
        return usual, calls("unix:" + path, 1)[1:]


def run(uid, what):
    with tempfile.TemporaryDirectory(prefix="bridle-") as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "root")
        with Server(ENTRIES, penalties="",
                    tcp=['{ unix = "%s"; root = true; }' % path]) as d:
            return measure(path, d, uid, what)


def bench(args, report):
    if not ROOT:
        print("(skipped: other users' clients need root)")
        return
    report.table("root's own socket, us", "beside a flood", "usual p50", "p50",
                 "ratio", "usual p99", "p99", "ratio")
    for name, uid, what in FLOODS:
        runs = [run(uid, what) for _ in range(args.runs)]

        def median(value):
            return statistics.median(value(*r) for r in runs)
        report.row(name, "%.0f" % median(lambda u, b: u[0]),
                   "%.0f" % median(lambda u, b: b[0]),
                   "%.2f" % median(lambda u, b: b[0] / u[0]),
                   "%.0f" % median(lambda u, b: u[1]),
                   "%.0f" % median(lambda u, b: b[1]),
                   "%.2f" % median(lambda u, b: b[1] / u[1]))
