"""make bench: prints what tests/bench/README.md says."""

import argparse
import os
import signal
import socket
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
from bridle import BRIDLECTL, BUILD, Daemon, free_port, wait_for  # noqa: E402

PS = ["ps", "-e", "-o", "pid,ppid,user,stat,rss,etimes,comm"]
ROOMY = {"sessions": 1000, "sessions_per_source": 900}


def row(*cells):
    print("  ".join("%-14s" % c for c in cells).rstrip())
    sys.stdout.flush()


def calls(where, clients):
    """Calls a second, and their 99th percentile in microseconds."""
    out = subprocess.run(
        [os.path.join(BUILD, "tests/bench/connect"), where, str(clients),
         "1000"], check=True, capture_output=True, text=True).stdout.split()
    return float(out[0]), int(out[2])


class Echo:
    """The bare server at both kinds of address."""

    def __init__(self, folder):
        program = os.path.join(BUILD, "tests/bench/echod")
        self.places = ["unix:" + os.path.join(folder, "echo"),
                       str(free_port())]
        self.processes = [subprocess.Popen([program, p]) for p in self.places]

    def __enter__(self):
        time.sleep(0.2)
        return self.places

    def __exit__(self, *exc):
        for p in self.processes:
            p.terminate()
            p.wait()


def bench_connections(args):
    row("connections/s", "clients", "bridled", "bare", "ratio", "p99 ours us")
    with Daemon(tcp=["127.0.0.1:0"], limits=ROOMY) as d, \
            Echo(os.path.dirname(d.sock)) as bare:
        ours = ["unix:" + d.sock, str(d.ports[0])]
        for kind, mine, theirs in zip(("unix", "tcp"), ours, bare):
            for clients in (1, 8, 64):
                pairs = [(calls(mine, clients), calls(theirs, clients))
                         for _ in range(args.runs)]
                row(kind, clients,
                    "%.0f" % statistics.median(a[0] for a, _ in pairs),
                    "%.0f" % statistics.median(b[0] for _, b in pairs),
                    "%.2f" % statistics.median(a[0] / b[0] for a, b in pairs),
                    "%.0f" % statistics.median(a[1] for a, _ in pairs))


class Crowd:
    """Processes to be listed, up to so many on the machine."""

    def __init__(self, wanted):
        there = sum(name.isdigit() for name in os.listdir("/proc"))
        self.processes = []
        for _ in range(max(0, wanted - there)):
            pid = os.fork()
            if pid == 0:
                os.execv("/bin/sleep", ["sleep", "600"])
            self.processes.append(pid)

    def __enter__(self):
        time.sleep(0.5)
        return self

    def __exit__(self, *exc):
        for pid in self.processes:
            os.kill(pid, signal.SIGKILL)
        for pid in self.processes:
            os.waitpid(pid, 0)


def wall(command):
    """Milliseconds of one whole call, its output read."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.PIPE)
    return (time.perf_counter() - start) * 1000


def bench_list(args):
    row("list, ms", "processes", "bridlectl", "ps", "ratio")
    with Daemon() as d:
        ours = [BRIDLECTL, "-H", "unix:" + d.sock, "--raw", "list"]
        for wanted in args.processes:
            with Crowd(wanted):
                wall(ours), wall(PS)
                runs = 5 if wanted > 5000 else 21
                pairs = [(wall(ours), wall(PS)) for _ in range(runs)]
                row("", wanted,
                    "%.1f" % statistics.median(a for a, _ in pairs),
                    "%.1f" % statistics.median(b for _, b in pairs),
                    "%.2f" % statistics.median(a / b for a, b in pairs))


def pss(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        for line in f:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


def bench_memory(args):
    del args
    row("PSS, KiB", "sessions", "median", "parent")
    with Daemon(limits=ROOMY) as d:
        held = []
        for _ in range(100):
            s = socket.socket(socket.AF_UNIX)
            s.connect(d.sock)
            s.sendall(b"1#4\n")
            s.recv(4096)
            held.append(s)
        pids = [pid for pid, _ in d.children()]
        wait_for("sessions", lambda: len(pids) >= 101)
        row("", len(held), "%.0f" % statistics.median(map(pss, pids)),
            pss(d.pid))
        for s in held:
            s.close()


def main():
    benches = {"connections": bench_connections, "list": bench_list,
               "memory": bench_memory}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=list(benches),
                        help="of: " + ", ".join(benches))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--processes", type=int, nargs="*",
                        default=[100, 1000, 10000])
    args = parser.parse_args()
    for what in args.what:
        benches[what](args)
        print()


main()
