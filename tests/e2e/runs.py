"""Functions for tests of the request `run`: daemons with commands, and replies
to `run`."""

import re
import socket

import bridle
from bridle import Daemon, Status, quote, read_line, strings


def command(name, *argv, args="", more=""):
    """Return an entry for the setting `commands` of bridled.conf."""
    return "{ name = %s; argv = %s; args = { %s }; %s }" % (
        quote(name), strings(argv), args, more)


class Commander(Daemon):
    """A daemon whose setting `commands` has these entries. "{dir}" in an entry
    stands for the daemon's folder."""

    def __init__(self, *commands, **kwargs):
        super().__init__(**kwargs)
        self.commands = commands
        self.before = self.settings

    def write_config(self, text=None):
        self.settings = self.before + "commands = (%s);" % ", ".join(
            self.commands).replace("{dir}", self.dir)
        super().write_config(text)

    def run(self, line, data=b""):
        """Send a request `run` and return the reply. `line` is the request
        without its first fields 1#5#, and `data` follows the line."""
        with self.connect() as s:
            s.sendall(b"1#5#" + wire(line) + b"\n" + data)
            return read_run(s)


def wire(text):
    return text if isinstance(text, bytes) else text.encode()


def encode(data):
    """Return the data with every byte encoded as %XX."""
    return "".join("%%%02X" % b for b in wire(data))


def chunk(data):
    return b"1#101#0#%d\n" % len(data) + data


END = b"1#101#0#0\n"


class Run:
    """The reply to a request `run`. .chunks has (stream, bytes) pairs in
    order, and .status is the status line."""

    def __init__(self, chunks, line):
        self.chunks = chunks
        self.status = Status(line)
        self.code, self.text = self.status.code, self.status.text
        self.pairs = self.status.pairs
        self.out = b"".join(d for n, d in chunks if n == 1)
        self.err = b"".join(d for n, d in chunks if n == 2)

    def revealed(self, what):
        """Find the output lines of the program `reveal` that begin with the
        word `what`. Return these lines without this word."""
        return re.findall(r"^%s ?(.*)$" % what, self.out.decode(), re.M)

    def args(self):
        return [bytes.fromhex(a) for a in self.revealed("arg")]


def read_exactly(sock, size):
    data = b""
    while len(data) < size:
        piece = sock.recv(size - len(data))
        assert piece, "the connection ended within a chunk"
        data += piece
    return data


def read_chunk(sock):
    """Read one chunk. Return (stream, bytes), or the status line as text."""
    line = read_line(sock).decode()
    assert line.endswith("\n"), "the connection ended after %r" % line
    if not line.startswith("1#101#"):
        return line[:-1]
    stream, size = map(int, line[:-1].split("#")[2:])
    assert stream in (1, 2) and 1 <= size <= 65536, line
    return stream, read_exactly(sock, size)


def read_run(sock):
    sock.settimeout(bridle.PATIENCE)
    chunks = []
    while True:
        got = read_chunk(sock)
        if isinstance(got, str):
            return Run(chunks, got)
        chunks.append(got)


def half_close(sock):
    sock.shutdown(socket.SHUT_WR)
