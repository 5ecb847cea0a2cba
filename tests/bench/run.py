"""make bench: prints what tests/bench/README.md says."""

import argparse
import os
import signal
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
import peers  # noqa: E402
from bridle import (BRIDLECTL, BUILD, ROOT, STRANGER, Daemon,  # noqa: E402
                    free_port, wait_for)
from fanout import bench_fanout  # noqa: E402
from shared import PS, fingerprint, make_key, pss, row  # noqa: E402

SOURCE = os.path.join(os.path.dirname(__file__), "..", "..")
ROOMY = {"sessions": 1000, "sessions_per_source": 900}


def calls(where, clients):
    """Calls a second, and their 99th percentile in microseconds."""
    out = subprocess.run(
        [os.path.join(BUILD, "tests/bench/connect"), where, str(clients),
         "1000"], check=True, capture_output=True, text=True).stdout.split()
    return float(out[0]), int(out[2])


class Echo:
    """The bare server, at these addresses."""

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


class Tls(Daemon):
    """Listens with TLS first; .key is a client's."""

    def __init__(self, folder, tcp=(), **more):
        self.key = os.path.join(folder, "key")
        self.state = os.path.join(folder, "state")
        make_key(self.key)
        super().__init__(
            '{ name = "me"; unix_user = "%d"; allow = ("*"); },'
            '{ name = "key"; key = "%s"; allow = ("*"); }'
            % (os.getuid(), fingerprint(self.key)),
            tcp=['{ tcp = "127.0.0.1:0"; tls = true; }', *tcp],
            settings='state_dir = "%s";' % self.state, **more)

    def host_key(self):
        return os.path.join(self.state, "host_key")


def bench_connections(args):
    row("connections/s", "clients", "bridled", "bare", "ratio", "p99 ours us")
    with tempfile.TemporaryDirectory() as folder, \
            Daemon(tcp=["127.0.0.1:0"], limits=ROOMY) as d, \
            Tls(folder, limits=ROOMY) as t, \
            Echo("unix:" + os.path.join(folder, "echo"), str(free_port()),
                 "tls:%d:%s" % (free_port(), t.host_key())) as bare:
        ours = ["unix:" + d.sock, str(d.ports[0]),
                "tls:%d:%s" % (t.ports[0], t.key)]
        for kind, mine, theirs in zip(("unix", "tcp", "tls"), ours, bare):
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


class Sshd:
    """An sshd of our own on a loopback port; .command runs ps through it."""

    def __init__(self, folder):
        self.port, self.process = free_port(), None
        self.key = os.path.join(folder, "id")
        self.host = os.path.join(folder, "ssh_host")
        self.command = None

    def __enter__(self):
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
        if sshd is None or shutil.which("ssh") is None:
            return self
        if os.geteuid() == 0:  # it goes there to give up its rights
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        for path in (self.key, self.host):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "",
                            "-f", path], check=True)
        options = ["ListenAddress=127.0.0.1", "Port=%d" % self.port,
                   "HostKey=" + self.host, "PidFile=none", "UsePAM=no",
                   "AuthorizedKeysFile=%s.pub" % self.key, "StrictModes=no"]
        self.process = subprocess.Popen(
            [sshd, "-D", "-f", "/dev/null"] +
            [w for o in options for w in ("-o", o)],
            stderr=subprocess.DEVNULL)
        self.command = ["ssh", "-F", "none", "-i", self.key, "-p",
                        str(self.port), "-o", "StrictHostKeyChecking=no",
                        "-o", "UserKnownHostsFile=/dev/null", "-o",
                        "LogLevel=ERROR", "127.0.0.1", *PS]
        for _ in range(50):
            if subprocess.run(self.command, capture_output=True,
                              check=False).returncode == 0:
                return self
            time.sleep(0.1)
        self.command = None
        return self

    def __exit__(self, *exc):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()


def bench_list(args):
    """Each beside a ps of its own, so that what disturbs one does both."""
    row("list, ms", "processes", "what", "median", "ps", "ratio")
    with tempfile.TemporaryDirectory() as folder, Daemon() as d, \
            Tls(folder) as t, Sshd(folder) as ssh:
        ours = [BRIDLECTL, "--raw", "list", "-H"]
        tls = ["127.0.0.1:%d" % t.ports[0], "-i", t.key, "--fingerprint",
               fingerprint(t.host_key())]
        commands = {"unix": ours + ["unix:" + d.sock], "tls": ours + tls}
        if ssh.command is not None:
            commands["ssh ps"] = ssh.command
        for wanted in args.processes:
            with Crowd(wanted):
                runs = 5 if wanted > 5000 else 21
                for name, command in commands.items():
                    wall(command), wall(PS)
                    pairs = [(wall(command), wall(PS)) for _ in range(runs)]
                    row("", wanted, name,
                        "%.1f" % statistics.median(a for a, _ in pairs),
                        "%.1f" % statistics.median(b for _, b in pairs),
                        "%.2f" % statistics.median(a / b for a, b in pairs))


def bench_memory(args):
    del args
    row("PSS, KiB", "sessions", "transport", "median", "parent")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def plain(d):
        s = socket.socket(socket.AF_UNIX)
        s.connect(d.sock)
        return s

    def tls(d):
        s = socket.create_connection(("127.0.0.1", d.ports[0]))
        return context.wrap_socket(s)

    for name, connect in (("unix", plain), ("tls", tls)):
        with tempfile.TemporaryDirectory() as folder, \
                (Tls(folder, limits=ROOMY) if connect is tls
                 else Daemon(limits=ROOMY)) as d:
            held = []
            for _ in range(100):
                s = connect(d)
                s.sendall(b"1#4\n")
                s.recv(4096)
                held.append(s)
            pids = [pid for pid, _ in d.children()]
            row("", len(held), name,
                "%.0f" % statistics.median(map(pss, pids)), pss(d.pid))
            for s in held:
                s.close()


def one_call(where):
    """Median and 99th percentile of single calls, in microseconds."""
    out = subprocess.run(
        [os.path.join(BUILD, "tests/bench/connect"), where, "1", "1000"],
        check=True, capture_output=True, text=True).stdout.split()
    return int(out[1]), int(out[2])


def bench_slow(args):
    """Both halves interleaved: each run has its own usual latency."""
    row("slow clients, us", "beside them", "usual p50", "p50", "ratio",
        "usual p99", "p99")
    if not ROOT:
        print("(only root can be two users)")
        return
    for name, insistent in (("1000 silent", False), ("come again", True)):
        runs = []
        for _ in range(args.runs):
            with Daemon(tcp=["127.0.0.1:0"], penalties="") as d:
                usual = one_call(str(d.ports[0]))
                with peers.Silent(1000, "127.0.0.1", d.ports[0], insistent,
                                  uid=STRANGER):
                    runs.append((usual, one_call(str(d.ports[0]))))
        row("", name, *("%.0f" % statistics.median(u[0] for u, _ in runs),
                        "%.0f" % statistics.median(a[0] for _, a in runs),
                        "%.2f" % statistics.median(
                            a[0] / u[0] for u, a in runs),
                        "%.0f" % statistics.median(u[1] for u, _ in runs),
                        "%.0f" % statistics.median(a[1] for _, a in runs)))


def main():
    benches = {"connections": bench_connections, "list": bench_list,
               "memory": bench_memory, "slow": bench_slow,
               "fanout": bench_fanout}
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=list(benches),
                        help="of: " + ", ".join(benches))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--processes", type=int, nargs="*",
                        default=[100, 1000, 10000])
    parser.add_argument("--hosts", type=int, nargs="*", default=[250, 1000])
    parser.add_argument("--peers", action="store_true",
                        help="install what ours is measured beside")
    args = parser.parse_args()
    if args.peers:
        subprocess.run([os.path.join(SOURCE, "scripts", "install-packages"),
                        "clustershell", "openssh-client", "openssh-server",
                        "pdsh"], check=True)
    for what in args.what:
        benches[what](args)
        print()


main()
