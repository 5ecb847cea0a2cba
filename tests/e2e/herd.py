"""Functions for tests of many hosts: one daemon that stands for many hosts,
and hosts that misbehave."""

import contextlib
import signal
import socket
import subprocess
import threading

import bridle
from bridle import BRIDLECTL, Daemon, Skip, free_port

# Limits of a daemon that stands for many hosts. All its clients are one user.
ROOM = {"sessions_per_source": 200}
PONG = b"1#200#pong#version=0.1.0#uptime=7#id=1\n"


def herd(n, first=1, **more):
    """Return a daemon that stands for n hosts. The addresses of the hosts
    begin at 127.1.0.`first`, and all have the same port."""
    port = free_port("127.1.0.%d" % first)
    return Herd(port, tcp=["127.1.0.%d:%d" % (i, port)
                           for i in range(first, first + n)], **more)


@contextlib.contextmanager
def loopback_socket():
    """Yield a socket that listens at every address of the loopback device, on
    a free port. No other machine can reach this socket."""
    with socket.socket() as s:
        try:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        except OSError as e:
            raise Skip("because SO_BINDTODEVICE for lo fails: %s" % e)
        s.bind(("0.0.0.0", 0))
        s.listen(4096)
        yield s


@contextlib.contextmanager
def multitude(transport="insecure = true", **more):
    """Yield a daemon that stands for every host 127.1.x.y, on one port."""
    with loopback_socket() as s:
        port = s.getsockname()[1]
        more.setdefault("limits", ROOM)
        with Herd(port, passed=[s], tcp=[
                '{ tcp = "0.0.0.0:%d"; %s; }' % (port, transport)],
                  **more) as d:
            yield d


class Herd(Daemon):
    def __init__(self, port, **more):
        super().__init__(**more)
        self.port = port

    def many(self, rows, scheme="plain:"):
        """Return a host list for a daemon of multitude(). The list has `rows`
        times 250 hosts."""
        return "%s127.1.[1-%d].[1-250]:%d" % (scheme, rows, self.port)

    def name(self, number):
        """Return the name that bridlectl's messages use for the host with this
        number."""
        return "plain:127.1.0.%s:%d" % (number, self.port)

    def names(self, *numbers):
        return [self.name(i) for i in numbers]


class Host:
    """A host that does not run bridled. A new thread calls serve(socket) for
    each connection. The end of the block closes all connections."""

    def __init__(self, serve, address="127.2.0.1", port=0):
        self.serve, self.open = serve, []
        self.at_once = self.asked = 0
        self.lock = threading.Lock()
        self.listener = socket.create_server((address, port), backlog=128)
        self.address, self.port = self.listener.getsockname()
        self.name = "plain:%s:%d" % (self.address, self.port)

    def __enter__(self):
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()
        return self

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                sock, _ = self.listener.accept()
                self.open.append(sock)
                threading.Thread(target=self.run, args=(sock,),
                                 daemon=True).start()

    def run(self, sock):
        with self.lock:
            self.asked += 1
            self.at_once += 1
        with contextlib.suppress(OSError):
            self.serve(sock)
        with self.lock:
            self.at_once -= 1
        sock.close()

    def close(self):
        """Stop the host: close its listener and all its connections."""
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for sock in self.open:
            with contextlib.suppress(OSError):
                sock.shutdown(socket.SHUT_RDWR)
            sock.close()
        self.thread.join()

    def __exit__(self, *exc):
        self.close()


def says(*lines):
    """Return a function `serve` for Host. The function sends the same lines
    after each read."""
    def serve(sock):
        while sock.recv(65536):
            sock.sendall(b"".join(lines))
    return serve


def hangs(sock):
    """Read everything and send nothing, until the peer closes the
    connection."""
    while sock.recv(65536):
        pass


def waits_for(event, then):
    def serve(sock):
        event.wait(bridle.PATIENCE * 3)
        then(sock)
    return serve


def hosts(*names):
    return ",".join(names)


def left_in(path):
    """Return the hosts that are not done yet. `path` is a file of --resume."""
    with open(path) as f:
        heading, *lines = f.read().splitlines()
    assert heading.startswith("# hosts left of bridlectl "), heading
    end = lines.index("# done since then:")
    return [host for host in lines[:end] if host not in lines[end:]]


def summary(done):
    """Return the last line of standard error. This line has the number of
    hosts for each result."""
    return done.stderr.splitlines()[-1].removeprefix("bridlectl: ")


@contextlib.contextmanager
def running(*args):
    """Run bridlectl without a terminal until the block ends. Yield the
    process."""
    with subprocess.Popen([BRIDLECTL, *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def interrupt(process):
    """Send the first SIGINT. Return the line in which bridlectl explains how
    to end the command."""
    process.send_signal(signal.SIGINT)
    for line in process.stderr:
        if "^C again" in line:
            return line
    raise AssertionError("ended without a message: %r" % process.wait())


def finish(process):
    """Wait for the end of the process. Return the same object as
    subprocess.run()."""
    out, err = process.communicate(timeout=bridle.PATIENCE)
    return subprocess.CompletedProcess(process.args, process.returncode,
                                       out, err)
