"""Benchmark of connections per second. bridled is compared with a minimal
server that forks for each connection."""

import os
import statistics
import subprocess
import tempfile
import time

from bridle import BUILD, free_port
from shared import ROOMY, Server, Tls, calls


class Echo:
    """The minimal server (echod.c), with a process for each of the
    addresses."""

    def __init__(self, *places):
        program = os.path.join(BUILD, "tests/bench/echod")
        self.places = places
        self.processes = [subprocess.Popen([program, p]) for p in self.places]

    def __enter__(self):
        time.sleep(0.2)
        return self.places

    def __exit__(self, *exc):
        for p in self.processes:
            p.terminate()
            p.wait()


def compare(report, kind, clients, mine, theirs, runs):
    """Run both servers in turn, so that other load on the machine affects both
    servers."""
    pairs = [(calls(mine, clients), calls(theirs, clients))
             for _ in range(runs)]
    report.row(kind, clients,
               "%.0f" % statistics.median(a[0] for a, _ in pairs),
               "%.0f" % statistics.median(b[0] for _, b in pairs),
               "%.2f" % statistics.median(a[0] / b[0] for a, b in pairs),
               "%.0f" % statistics.median(a[2] for a, _ in pairs))


def bench(args, report):
    report.table("connections/s", "kind", "clients", "bridled", "bare",
                 "ratio", "p99 ours us")
    with tempfile.TemporaryDirectory() as folder, \
            Server(tcp=["127.0.0.1:0"], limits=ROOMY) as d, \
            Tls(folder, limits=ROOMY) as t, \
            Echo("unix:" + os.path.join(folder, "echo"), str(free_port()),
                 "tls:%d:%s" % (free_port(), t.host_key())) as bare:
        ours = ["unix:" + d.sock, str(d.ports[0]),
                "tls:%d:%s" % (t.ports[0], t.key)]
        for kind, mine, theirs in zip(("unix", "tcp", "tls"), ours, bare):
            for clients in (1, 8, 64):
                compare(report, kind, clients, mine, theirs, args.runs)
