"""Benchmark of whole calls. Each call starts a new client process, which opens
a new connection and reads one reply."""

import contextlib
import os
import statistics
import subprocess
import tempfile
import time

from bridle import BRIDLECTL
from servers import Dropbear, Nrpe, Remctl, Sshd
from shared import PS, Server, Tls, fingerprint


class Crowd:
    """Start processes until the machine has `wanted` processes. The started
    processes wait for input from a pipe. Processes that sleep with a timer
    would slow down dropbear, which reads /proc/timer_list."""

    def __init__(self, wanted):
        there = sum(name.isdigit() for name in os.listdir("/proc"))
        self.processes = []
        silent, self.pipe = os.pipe()
        for _ in range(max(0, wanted - there)):
            pid = os.fork()
            if pid == 0:
                os.dup2(silent, 0)
                os.execv("/bin/cat", ["cat"])
            self.processes.append(pid)
        os.close(silent)

    def __enter__(self):
        time.sleep(0.5)
        return self

    def __exit__(self, *exc):
        os.close(self.pipe)
        for pid in self.processes:
            os.waitpid(pid, 0)


def wall(command, env=None):
    """Run a command and read its output. Return the time of the whole call in
    milliseconds. Discard standard error, where dbclient reports each host key.
    Raise an exception if the command fails."""
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.PIPE,
                   stderr=subprocess.DEVNULL, env=env)
    return (time.perf_counter() - start) * 1000


def ticks(pid):
    """Return the CPU time in ms of a process, including the children that this
    process has waited for."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) * 1000 / os.sysconf("SC_CLK_TCK")


class Peers:
    """All servers and clients that are installed and take part in the
    comparison."""

    def __init__(self, stack):
        self.folder = stack.enter_context(tempfile.TemporaryDirectory())
        os.chmod(self.folder, 0o755)

        def server(make, name, *more):
            return stack.enter_context(
                make(os.path.join(self.folder, name), *more))
        self.unix = stack.enter_context(Server())
        self.tls = stack.enter_context(Tls(self.folder))
        self.ssh = server(Sshd, "ssh")
        self.nrpe = {how: server(Nrpe, "nrpe-" + how, how)
                     for how in ("plain", "TLS", "certificates")}
        self.remctl = server(Remctl, "remctl")
        self.dropbear = server(Dropbear, "dropbear")
        unix = [BRIDLECTL, "-H", "unix:" + self.unix.sock]
        tls = [BRIDLECTL, "-H", "127.0.0.1:%d" % self.tls.ports[0], "-i",
               self.tls.key, "--fingerprint",
               fingerprint(self.tls.host_key())]
        self.ours = {"unix": unix, "TLS": tls}

    def lists(self):
        """Return a dictionary of commands by name. Each command lists this
        machine's processes."""
        found = {"bridlectl, " + how: [*command, "--raw", "list"]
                 for how, command in self.ours.items()}
        found["table, unix"] = [*self.ours["unix"], "list"]
        for how, nrpe in self.nrpe.items():
            if nrpe.there:
                found["NRPE, " + how] = nrpe.ps()
        if self.remctl.there:
            found["remctl"] = self.remctl.ps()
        if self.ssh.there:
            for how in Sshd.HOWS:
                found["ssh ps, " + how] = self.ssh.ps(how)
        if self.dropbear.there:
            found["dropbear, ps"] = self.dropbear.ps()
        return found

    def pings(self):
        """Return a dictionary of (command, pid of the server or None) by name.
        Each command makes a call that does nothing."""
        found = {"bridlectl, " + how: ([*command, "ping"], daemon.pid)
                 for (how, command), daemon in zip(
                     self.ours.items(), (self.unix, self.tls))}
        for how, nrpe in self.nrpe.items():
            if nrpe.there:
                found["NRPE, " + how] = (nrpe.true(), nrpe.processes[0].pid)
        if self.remctl.there:
            found["remctl"] = (self.remctl.true(),
                               self.remctl.processes[1].pid)
        if self.ssh.there:
            for how in Sshd.HOWS:
                found["ssh true, " + how] = (self.ssh.true(how), None)
        if self.dropbear.there:
            found["dropbear, true"] = (self.dropbear.true(),
                                       self.dropbear.processes[0].pid)
        return found

    def env(self, name):
        if name.startswith("dropbear"):
            return self.dropbear.env
        return self.remctl.env if name == "remctl" else None


def bench_lists(args, report, peers):
    """Measure each call that lists processes, and a local ps. The calls and ps
    run in turn, so that other load on the machine affects all of them."""
    report.table("list, ms", "processes", "what", "median", "ps", "ratio")
    for wanted in args.processes:
        with Crowd(wanted):
            runs = 5 if wanted > 5000 else 21
            shown = []
            for name, command in peers.lists().items():
                env = peers.env(name)
                wall(command, env), wall(PS)
                pairs = [(wall(command, env), wall(PS)) for _ in range(runs)]
                median = statistics.median(a for a, _ in pairs)
                report.row(wanted, name, "%.1f" % median,
                           "%.1f" % statistics.median(b for _, b in pairs),
                           "%.2f" % statistics.median(a / b for a, b in pairs))
                report.point("list", name, wanted, median)
                shown += [b for _, b in pairs]
            report.point("list", "local ps", wanted, statistics.median(shown))
    report.draw("list", "One cold process list", "processes", "ms")


def cost(command, env, server):
    """Return the CPU time of the client and of the server, in ms for one
    call."""
    calls = 50
    before, begun = (ticks(server) if server else 0), os.times()
    for _ in range(calls):
        wall(command, env)
    ended = os.times()
    client = (ended.children_user + ended.children_system -
              begun.children_user - begun.children_system)
    time.sleep(0.2)  # let the server wait for its last child
    after = ticks(server) if server else 0
    return client * 1000 / calls, (after - before) / calls


def bench_pings(args, report, peers):
    report.table("ping, ms", "what", "median", "client's CPU", "server's CPU")
    pings = peers.pings()
    walls = {name: [] for name in pings}
    for _ in range(max(args.runs * 4, 1)):
        for name, (command, _) in pings.items():
            walls[name].append(wall(command, peers.env(name)))
    for name, (command, server) in pings.items():
        client, theirs = cost(command, peers.env(name), server)
        report.row(name, "%.1f" % statistics.median(walls[name]),
                   "%.1f" % client, "%.1f" % theirs if server else "-")


def bench(args, report):
    with contextlib.ExitStack() as stack:
        peers = Peers(stack)
        bench_lists(args, report, peers)
        print()
        bench_pings(args, report, peers)
