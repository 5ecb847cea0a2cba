"""Benchmark of one call to many hosts, with bridlectl, a minimal client
(fan.c), and clush and pdsh over ssh."""

import contextlib
import ctypes
import os
import shutil
import socket
import statistics
import subprocess
import tempfile
import time
import traceback
from dataclasses import dataclass

from bridle import BRIDLECTL, BUILD, ROOT, Daemon, free_port
from shared import PS, fingerprint, make_key, pss

FANOUT = 64
RUNS = 3
# A caller with this word in its name is slow. The time of a slow caller is
# measured only once, and its memory only with up to SLOW_HOSTS hosts.
SLOW = "ssh"
SLOW_HOSTS = 500
CLONE_NEWNET = 0x40000000


def addresses(hosts):
    """Return the addresses of this number of hosts: 127.1.1.1 to 127.1.1.250,
    127.1.2.1 and so on."""
    return ["127.1.%d.%d" % (i // 250 + 1, i % 250 + 1) for i in range(hosts)]


def folded(hosts):
    """Return the addresses of addresses() as host patterns that all programs
    understand."""
    return ["127.1.%d.[1-%d]" % (first // 250 + 1, min(250, hosts - first))
            for first in range(0, hosts, 250)]


def own_network():
    """Move this process and its future children to a new network namespace
    with the interface lo. Only the servers of the benchmark listen there."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


class Ours(Daemon):
    """bridled, which listens at the addresses of all hosts, and a home folder
    for bridlectl."""

    def __init__(self, folder, listener, hosts):
        self.port = listener.getsockname()[1]
        self.home, self.hosts = os.path.join(folder, "home"), hosts
        files = os.path.join(self.home, ".config", "bridlectl")
        os.makedirs(files, mode=0o700)
        self.key = os.path.join(files, "key")
        self.known_hosts = os.path.join(files, "known_hosts")
        make_key(self.key)
        super().__init__(
            '{ name = "key"; key = "%s"; allow = ("*"); }'
            % fingerprint(self.key), passed=[listener],
            limits={"sessions": 1000, "sessions_per_source": 900},
            tcp=['{ tcp = "0.0.0.0:%d"; tls = true; }' % self.port])

    def __enter__(self):
        super().__enter__()
        key = fingerprint(os.path.join(self.state_dir, "host_key"))
        with open(self.known_hosts, "w") as f:
            f.writelines("%s:%d %s\n" % (a, self.port, key)
                         for a in addresses(self.hosts))
        os.environ["HOME"] = self.home
        return self

    def target(self, hosts):
        return ",".join("%s:%d" % (f, self.port) for f in folded(hosts))


class Ssh:
    """sshd, which listens at all addresses, and a configuration that makes ssh
    fast. `there` is true if sshd accepts logins."""

    def __init__(self, folder):
        self.port = free_port()
        self.key, self.host_key, self.config, self.server_config = (
            os.path.join(folder, name)
            for name in ("id", "ssh_host", "ssh_config", "sshd_config"))
        self.process, self.there = None, False

    def write_config(self):
        with open(self.server_config, "w") as f:
            f.write("Port %d\nListenAddress 0.0.0.0\nHostKey %s\n"
                    "AuthorizedKeysFile %s.pub\nStrictModes no\nUsePAM no\n"
                    "UseDNS no\nPidFile none\nPrintMotd no\n"
                    "PrintLastLog no\nMaxStartups 4096\nLogLevel ERROR\n"
                    # With SHLVL=1 bash would read ~/.bashrc in each call.
                    "SetEnv SHLVL=2\n"
                    % (self.port, self.host_key, self.key))
        with open(self.config, "w") as f:
            f.write("Port %d\nIdentityFile %s\nIdentitiesOnly yes\n"
                    "PreferredAuthentications publickey\nBatchMode yes\n"
                    "StrictHostKeyChecking no\nUserKnownHostsFile /dev/null\n"
                    "LogLevel ERROR\nControlMaster no\nControlPath none\n"
                    "GSSAPIAuthentication no\nCompression no\n"
                    "ForwardX11 no\nForwardAgent no\n"
                    "Ciphers aes128-gcm@openssh.com\n"
                    "KexAlgorithms curve25519-sha256\n"
                    % (self.port, self.key))

    def __enter__(self):
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/bin")
        if sshd is None or shutil.which("ssh") is None:
            return self
        for path in (self.key, self.host_key):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "",
                            "-f", path], check=True)
        self.write_config()
        self.process = subprocess.Popen(
            [sshd, "-D", "-f", self.server_config], stderr=subprocess.DEVNULL)
        for _ in range(50):
            if subprocess.run(["ssh", "-F", self.config, "127.0.0.1", "true"],
                              capture_output=True).returncode == 0:
                self.there = True
                break
            time.sleep(0.1)
        return self

    def __exit__(self, *exc):
        if self.process is not None:
            self.process.terminate()
            self.process.wait()

    def callers(self, hosts, command):
        """Return a dictionary of commands that call clush and pdsh over ssh,
        if these programs are installed."""
        found = {}
        where = ",".join(folded(hosts))
        if self.there and shutil.which("clush"):
            found["clush, ssh"] = ["clush", "-S", "-f", str(FANOUT), "-o",
                                   "-F " + self.config, "-w", where, *command]
        if self.there and shutil.which("pdsh"):
            found["pdsh, ssh"] = [
                "env", "PDSH_SSH_ARGS=-F %s -l %%u %%h" % self.config, "pdsh",
                "-S", "-R", "ssh", "-f", str(FANOUT), "-w", where, *command]
        return found


def callers(ours, ssh, hosts, what):
    """Return a dictionary of commands by name. All commands send the same
    request to the same hosts."""
    request, command, *more = {
        "ping": ("1#4\n", ["true"], ["ping"]),
        "list": ("1#2\n", PS, ["list", "--raw"], ["list"])}[what]
    fan = os.path.join(BUILD, "tests", "bench", "fan")
    found = {"bare": [fan, "%d:%s" % (ours.port, ours.key), str(hosts),
                      str(FANOUT), request]}
    for arguments in more:
        found[" ".join(["bridlectl", *arguments[1:]])] = [
            BRIDLECTL, "-H", ours.target(hosts), "--fanout", str(FANOUT),
            *arguments]
    through = [BRIDLECTL, "-H"]
    where = ",".join(folded(hosts))
    if shutil.which("clush"):
        found["clush, ours"] = ["clush", "-R", "exec", "-S", "-f",
                                str(FANOUT), "-w", where, *through,
                                "%%host:%d" % ours.port, *more[0]]
    if shutil.which("pdsh"):
        found["pdsh, ours"] = ["pdsh", "-R", "exec", "-S", "-f", str(FANOUT),
                               "-w", where, *through, "%%h:%d" % ours.port,
                               *more[0]]
    return {**found, **ssh.callers(hosts, command)}


@dataclass
class Cost:
    wall: float  # elapsed time, in seconds
    cpu: float   # CPU time of the caller and its descendants, in seconds


def start(command):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL,
                            stderr=subprocess.DEVNULL)


def measure(command):
    begin = time.perf_counter()
    process = start(command)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError("%s: it ended with %d" % (command[:4],
                                                     process.returncode))
    return Cost(wall, usage.ru_utime + usage.ru_stime)


def family(pid):
    """Return the pids of a process and of all its descendants, including
    children that were forked by threads."""
    found = [pid]
    for task in os.listdir("/proc/%d/task" % pid):
        with contextlib.suppress(OSError):
            with open("/proc/%d/task/%s/children" % (pid, task)) as f:
                for child in f.read().split():
                    with contextlib.suppress(OSError):
                        found += family(int(child))
    return found


def peak_memory(command):
    """Run a command. Return the highest observed total PSS of the command and
    all its descendants, in KiB."""
    process = start(command)
    most = 0
    while process.poll() is None:
        total = 0
        with contextlib.suppress(OSError):
            for pid in family(process.pid):
                with contextlib.suppress(OSError):
                    total += pss(pid)
        most = max(most, total)
    return most


def measure_all(commands):
    """Return a dictionary of lists of costs by name. All commands run in turn,
    so that other load on the machine affects all of them."""
    costs = {name: [] for name in commands}
    for i in range(RUNS):
        for name, command in commands.items():
            if i == 0 or SLOW not in name:
                costs[name].append(measure(command))
    return costs


def compare(report, ours, ssh, hosts, what):
    commands = callers(ours, ssh, hosts, what)
    bare = None
    for name, costs in measure_all(commands).items():
        wall = statistics.median(c.wall for c in costs)
        bare = bare or wall
        memory = "-"
        if SLOW not in name or hosts <= SLOW_HOSTS:
            memory = "%.1f" % (peak_memory(commands[name]) / 1024)
        report.row(what, hosts, name, "%.2f" % wall, "%.1f" % (wall / bare),
                   "%.2f" % statistics.median(c.cpu for c in costs), memory)
        report.point("fanout-" + what, name, hosts, wall)


def run(args, report):
    report.table("fan-out, s", "what", "hosts", "caller", "wall", "of bare",
                 "caller's CPU", "PSS, MiB")
    with tempfile.TemporaryDirectory() as folder, \
            socket.create_server(("0.0.0.0", 0), backlog=4096) as listener, \
            Ours(folder, listener, max(args.hosts)) as ours, \
            Ssh(folder) as ssh:
        for what in ("ping", "list"):
            for hosts in args.hosts:
                compare(report, ours, ssh, hosts, what)
            report.draw("fanout-" + what,
                        "One %s of many hosts, 64 at a time" % what, "hosts",
                        "seconds")


def bench(args, report):
    """Run the benchmark in a child, because a process cannot return to its old
    network namespace."""
    if not ROOT:
        print("(skipped: a separate network needs root)")
        return
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            own_network()
            run(args, report)
            status = 0
        except BaseException:
            traceback.print_exc()
        os._exit(status)
    os.waitpid(pid, 0)
