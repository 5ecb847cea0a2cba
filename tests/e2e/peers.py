"""Clients of other users, and simulated machines in network namespaces."""

import contextlib
import ctypes
import os
import resource
import selectors
import socket
import subprocess

import bridle
from bridle import Daemon


def need_root(what):
    if not bridle.ROOT:
        raise bridle.Skip("because only root can " + what)


def need_mounts():
    """Skip the test if no mount namespace can be created, for example in a
    chroot."""
    need_root("mount")
    if subprocess.run(["unshare", "-m", "true"], check=False,
                      stderr=subprocess.DEVNULL).returncode != 0:
        raise bridle.Skip("because mounts are not permitted here")


def has_ipv6():
    with contextlib.suppress(OSError):
        return bool(bridle.free_port("::1"))
    return False


HAS_IPV6 = has_ipv6()


def need_ipv6():
    if not HAS_IPV6:
        raise bridle.Skip("because this machine has no IPv6")


def become(uid, groups):
    os.setgroups(groups)
    os.setresgid(uid, uid, uid)
    os.setresuid(uid, uid, uid)


def enter(network):
    """Move this process into the network namespace. os.setns() needs
    Python 3.12."""
    if ctypes.CDLL(None).setns(network, 0) != 0:
        raise OSError("setns")


def open_socket(host, port, source):
    if host == "unix":
        s = socket.socket(socket.AF_UNIX)
        s.connect(port)
        return s
    return socket.create_connection(
        (host, port), bridle.PATIENCE, source and (source, 0))


def open_there(open_one, what, uid=None, groups=(), network=None):
    """Return the socket that open_one() returns in a child process. The child
    runs as the user `uid` and in the network namespace `network`."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        try:
            if network is not None:
                enter(network)
            if uid is not None:
                become(uid, groups)
            s = open_one()
            socket.send_fds(theirs, [b"here"], [s.fileno()])
        except BaseException as e:
            theirs.sendall(repr(e).encode())
        os._exit(0)
    theirs.close()
    with ours:
        message, fds, _, _ = socket.recv_fds(ours, 200, 1)
    os.waitpid(pid, 0)
    assert message == b"here", (what, message)
    s = socket.socket(fileno=fds[0])
    s.settimeout(bridle.PATIENCE)
    return s


def connect(host, port, uid=None, groups=(), source=None, network=None):
    """Return a connection that a child process has opened; see open_there().

    The kernel shows the child as the peer even after the child has ended.
    Therefore the test itself can use the connection.
    """
    # Load Python's modules now. After the child has changed its user, it may
    # have no right to read the modules.
    host.encode("idna")
    return open_there(lambda: open_socket(host, port, source), (host, port),
                      uid, groups, network)


def ask(line, host, port, **how):
    with connect(host, port, **how) as s:
        s.sendall(line.encode() + b"\n")
        return bridle.read_answer(s)


class Silent:
    """Silent connections, which a child process keeps open.

    Parameters:

        n           number of connections
        insistent   True to connect again after the daemon has closed a
                    connection
        uid, source, network    as for connect()
    """

    def __init__(self, n, host, port, insistent=False, uid=None, source=None,
                 network=None):
        self.n, self.place, self.source = n, (host, port), source
        self.insistent, self.uid, self.network = insistent, uid, network

    def __enter__(self):
        self.place[0].encode("idna")
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            try:
                self.run(theirs)
            finally:
                os._exit(0)
        theirs.close()
        self.control = ours
        ours.settimeout(bridle.PATIENCE)
        assert ours.recv(1) == b"r", "the silent clients could not connect"
        return self

    def __exit__(self, *exc):
        self.control.close()
        os.waitpid(self.pid, 0)

    def connect(self):
        return open_socket(*self.place, self.source)

    def run(self, control):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
        if self.network is not None:
            enter(self.network)
        if self.uid is not None:
            become(self.uid, [])
        held = [self.connect() for _ in range(self.n)]
        control.sendall(b"r")
        if not self.insistent:
            control.recv(1)
            return
        with selectors.DefaultSelector() as selector:
            selector.register(control, selectors.EVENT_READ)
            for s in held:
                selector.register(s, selectors.EVENT_READ)
            while self.serve(selector, control):
                pass

    def serve(self, selector, control):
        for key, _ in selector.select():
            if key.fileobj is control:
                return False
            with contextlib.suppress(OSError):
                if key.fileobj.recv(4096):
                    continue
            selector.unregister(key.fileobj)
            key.fileobj.close()
            selector.register(self.connect(), selectors.EVENT_READ)
        return True


class Network:
    """An empty network namespace, which exists while `process` runs."""

    def __enter__(self):
        need_root("make networks")
        need_ipv6()
        self.process = subprocess.Popen(
            ["unshare", "-n", "sh", "-c",
             "ip link set lo up && echo ready && read line"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL)
        if self.process.stdout.readline() != b"ready\n":
            self.end()
            raise bridle.Skip("because no network can be made here")
        # Open the namespace only after "ready". Before this, the process is
        # still in our own namespace.
        path = "/proc/%d/ns/net" % self.process.pid
        self.fd = os.open(path, os.O_RDONLY)
        self.inside = ["nsenter", "--net=" + path]
        return self

    def __exit__(self, *exc):
        os.close(self.fd)
        self.end()

    def end(self):
        self.process.stdin.close()
        self.process.stdout.close()
        self.process.wait()

    def run(self, *commands):
        for command in commands:
            subprocess.run([*self.inside, "sh", "-c", command], check=True)

    def daemon(self, clients, place="[::]:7074", insecure=True, **kwargs):
        return Daemon(
            clients=clients, wrap=self.inside + bridle.WRAP,
            tcp=['{ tcp = "%s"; insecure = %s; }'
                 % (place, "true" if insecure else "false")], **kwargs)


class Machines:
    """Two simulated machines, `ours` and `other`, which a cable joins."""

    PORT = 7074
    OURS, OTHERS = ("10.99.0.1", "fd99::1"), ("10.99.0.2", "fd99::2")
    OTHERS_SECOND = "10.99.0.3"

    def __enter__(self):
        with contextlib.ExitStack() as stack:
            self.ours = stack.enter_context(Network())
            self.other = stack.enter_context(Network())
            self.connect()
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *exc):
        self.stack.close()

    def connect(self):
        self.ours.run("ip link add cable type veth peer name cable netns %d"
                      % self.other.process.pid)
        for net, (v4, v6) in ((self.ours, self.OURS),
                              (self.other, self.OTHERS)):
            net.run("ip address add %s/24 dev cable" % v4,
                    "ip address add %s/64 dev cable nodad" % v6,
                    "ip link set cable up")
        self.other.run("ip address add %s/24 dev cable" % self.OTHERS_SECOND)

    def ask_there(self, line, host, **how):
        return ask(line, host, self.PORT, network=self.other.fd, **how)
