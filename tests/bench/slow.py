"""How long calls take while others hold up what they can."""

import contextlib
import socket
import statistics
import threading

import peers
from bridle import ROOT, STRANGER
from shared import ROOMY, Server, calls


def one_call(daemon):
    """Median and 99th percentile of single calls, in microseconds."""
    return calls(str(daemon.ports[0]), 1)[1:]


class Drip:
    """Clients that send a byte now and then, and idle ones."""

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


def compare(report, name, args, others, **options):
    """Both halves interleaved: each run has its own usual latency."""
    runs = []
    for _ in range(args.runs):
        with Server(tcp=["127.0.0.1:0"], penalties="", **options) as d:
            usual = one_call(d)
            with others(d):
                runs.append((usual, one_call(d)))

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
        print("(only root can be two users)")
        return
    for name, insistent in (("1000 silent", False), ("come again", True)):
        compare(report, name, args, lambda d, i=insistent: peers.Silent(
            1000, "127.0.0.1", d.ports[0], i, uid=STRANGER))
