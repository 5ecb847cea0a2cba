"""What the tests of many hosts share: a daemon on many addresses, and hosts
that do not behave."""

import contextlib
import signal
import socket
import subprocess
import threading

import bridle
from bridle import BRIDLECTL, Daemon, Skip, free_port

# For many hosts that are one daemon, asked by one user.
ROOM = {"sessions_per_source": 200}
PONG = b"1#200#pong#version=0.1.0#uptime=7#id=1\n"


def herd(n, first=1, **more):
    """A daemon that is the hosts 127.1.0.FIRST and on, on one port."""
    port = free_port("127.1.0.%d" % first)
    return Herd(port, tcp=["127.1.0.%d:%d" % (i, port)
                           for i in range(first, first + n)], **more)


@contextlib.contextmanager
def loopback_socket():
    """It listens at all addresses of the loopback device, on a free port;
    no other machine can reach it."""
    with socket.socket() as s:
        try:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        except OSError as e:
            raise Skip("because no socket can be bound to lo: %s" % e)
        s.bind(("0.0.0.0", 0))
        s.listen(4096)
        yield s


@contextlib.contextmanager
def multitude(transport="insecure = true", **more):
    """A daemon that is all hosts 127.1.x.y, on one port."""
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
        """So many times 250 hosts, where it is a multitude."""
        return "%s127.1.[1-%d].[1-250]:%d" % (scheme, rows, self.port)

    def name(self, number):
        """As it is named in what bridlectl says."""
        return "plain:127.1.0.%s:%d" % (number, self.port)

    def names(self, *numbers):
        return [self.name(i) for i in numbers]


class Host:
    """Something else that listens: each connection is given to `serve`, in
    a thread of its own. What it still has open is closed at the end."""

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
        """It is gone from now on."""
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
    """Answers each request with these lines, as they are."""
    def serve(sock):
        while sock.recv(65536):
            sock.sendall(b"".join(lines))
    return serve


def hangs(sock):
    """Takes what comes, and says nothing until the other side goes."""
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
    """The hosts that a file of --resume still names."""
    with open(path) as f:
        heading, *lines = f.read().splitlines()
    assert heading.startswith("# hosts left of bridlectl "), heading
    end = lines.index("# done since then:")
    return [host for host in lines[:end] if host not in lines[end:]]


def summary(done):
    """The last line of stderr, which counts the hosts."""
    return done.stderr.splitlines()[-1].removeprefix("bridlectl: ")


@contextlib.contextmanager
def running(*args):
    """bridlectl in the background, without a terminal."""
    with subprocess.Popen([BRIDLECTL, *args], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        try:
            yield process
        finally:
            process.kill()


def interrupt(process):
    """A first ^C, and the line that it brings."""
    process.send_signal(signal.SIGINT)
    for line in process.stderr:
        if "^C again" in line:
            return line
    raise AssertionError("it ended without a word: %r" % process.wait())


def finish(process):
    """Waits for its end, and gives what subprocess.run() would."""
    out, err = process.communicate(timeout=bridle.PATIENCE)
    return subprocess.CompletedProcess(process.args, process.returncode,
                                       out, err)
