"""Benchmark of memory during long outputs and many events. The memory of each
process that passes on these bytes is measured."""

import os
import re
import subprocess
import threading
import time

from bridle import BRIDLECTL, wait_for
from homes import Home, TlsDaemon

GIB = 1 << 30
REQUESTS = 100_000
EVENTS = 1_000_000
AT_ONCE = 100  # number of requests sent before reading their replies
FLOOD = ('commands = ({ name = "flood"; argv = ("/usr/bin/head", "-c", "%d",'
         ' "/dev/zero"); max_output = %d; timeout = 3600; });' % (GIB, GIB))


def highest(pid):
    """Return the highest resident memory (VmHWM) of a process so far, in
    KiB."""
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"^VmHWM:\s*(\d+)", f.read(), re.M)[1])


def session(d):
    return wait_for("a session", lambda: [
        pid for pid, _, title in d.all_children()
        if title == "bridled: session"])[0]


def start(d, *args):
    return subprocess.Popen([BRIDLECTL, "-H", d.host, *args],
                            stdout=subprocess.PIPE, env=d.home.env)


def count(process, lines=None):
    """Read the process's output to its end, or until it has `lines` lines.
    Return the number of bytes and of lines."""
    size = got = 0
    while piece := os.read(process.stdout.fileno(), 1 << 20):
        size += len(piece)
        got += piece.count(b"\n")
        if lines is not None and got >= lines:
            break
    return size, got


class Sampler(threading.Thread):
    """A thread that records the highest memory of some processes while they
    run."""

    def __init__(self, pids):
        super().__init__(daemon=True)
        self.pids, self.found, self.over = pids, [0] * len(pids), False
        self.start()

    def run(self):
        while not self.over:
            try:
                self.found = [max(old, highest(pid)) for old, pid in zip(
                    self.found, self.pids)]
            except (OSError, TypeError):
                return
            time.sleep(0.05)

    def stop(self):
        self.over = True
        self.join()
        return self.found


def stream(d, report):
    for n in 1, 2:
        begin = time.monotonic()
        tool = start(d, "run", "flood")
        sampler = Sampler([d.pid, session(d), tool.pid])
        size, _ = count(tool)
        memory = sampler.stop()
        assert (tool.wait(), size) == (0, GIB), size
        report.row("stream by TLS", "%d GiB" % n,
                   "%.0f" % (time.monotonic() - begin), *memory)


def ask(s, n):
    """Send n pings on one connection. After every AT_ONCE pings, read their
    replies."""
    for _ in range(n // AT_ONCE):
        s.sendall(b"1#4\n" * AT_ONCE)
        data = b""
        while data.count(b"\n") < AT_ONCE:
            piece = s.recv(65536)
            assert piece, "the connection ended"
            data += piece
        assert data.count(b"1#200#pong") == AT_ONCE, data


def requests(d, report):
    begin = time.monotonic()
    with d.connect(d.ports[1]) as s:
        ask(s, AT_ONCE)
        sampler = Sampler([d.pid, session(d)])
        ask(s, REQUESTS - AT_ONCE)
        memory = sampler.stop()
    report.row("requests by TCP", REQUESTS,
               "%.0f" % (time.monotonic() - begin), *memory, "")


def watch(d, report):
    begin = time.monotonic()
    tool = start(d, "watch", "--raw")
    wait_for("the watch", lambda: any(
        row["watching"] == b"yes" for row in d.ask("1#8").rows))
    sampler = Sampler([d.pid, session(d), tool.pid])
    result = []
    reader = threading.Thread(
        target=lambda: result.append(count(tool, EVENTS)))
    reader.start()
    with d.connect() as s:
        ask(s, EVENTS)
        reader.join()
    memory = sampler.stop()
    tool.terminate()
    tool.wait()
    report.row("events by TLS", result[0][1],
               "%.0f" % (time.monotonic() - begin), *memory)


def bench(args, report):
    del args
    report.table("highest RSS, KiB", "what", "number", "seconds", "daemon",
                 "session", "bridlectl")
    tcp = ['{ tcp = "127.0.0.1:0"; tls = true; }', "127.0.0.1:0"]
    for what in stream, requests, watch:
        with Home() as home, TlsDaemon(
                home, tcp=tcp, settings=FLOOD + 'log = { level = "notice"; };',
                limits={"watch_history": 10000,
                        "request_seconds": 3600}) as d:
            d.trust()
            what(d, report)
