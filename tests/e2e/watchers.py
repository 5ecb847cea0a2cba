"""Clients that send the request `watch` of the protocol."""

import socket

import bridle
from bridle import decode, read_line

COLUMNS = ["number", "time", "event", "name", "source", "transport",
           "request", "arguments", "verdict", "code", "text", "id", "to"]


class Watcher:
    """A connection with a watch. Each record is a dict with the text of each
    column."""

    def __init__(self, sock, **options):
        self.sock, self.data = sock, b""
        line = "".join("#%s=%s" % item for item in options.items())
        self.sock.sendall(("1#9%s\n" % line).encode())
        columns = self.line()
        bridle.equal(columns.split("#")[:2], ["1", "100"], columns)
        bridle.equal(columns.split("#")[2:], COLUMNS)
        self.first = self.record()
        bridle.equal(self.first["event"], "watching")

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.sock.close()

    def line(self, patience=bridle.PATIENCE):
        """Return the next line without its LF, or "" at the end of the
        connection."""
        self.sock.settimeout(patience)
        while b"\n" not in self.data:
            piece = self.sock.recv(65536)
            if not piece:
                assert self.data == b"", "truncated: %r" % self.data
                return ""
            self.data += piece
        line, _, self.data = self.data.partition(b"\n")
        return line.decode("utf-8", "surrogateescape")

    def record(self, patience=bridle.PATIENCE):
        """Return the next record of any kind. Return None if the next line is
        the status line, or at the end of the connection."""
        self.last = self.line(patience)
        fields = self.last.split("#")
        if fields[:2] != ["1", "100"]:
            return None
        values = [decode(f).decode() for f in fields[2:]]
        return dict(zip(COLUMNS, values, strict=True))

    def next(self, *events, patience=bridle.PATIENCE):
        """Return the next record whose event is in `events`. Without `events`,
        return the next record that is not a heartbeat."""
        while True:
            record = self.record(patience)
            assert record is not None, "the watch ended: %r" % self.last
            if record["event"] in events or (
                    not events and record["event"] != "heartbeat"):
                return record

    def until(self, condition):
        """Return all records up to and including the first record for which
        condition(record) is true."""
        records = []
        while not records or not condition(records[-1]):
            records.append(self.next())
        return records

    def silent(self, seconds):
        """Check that only heartbeats arrive within these seconds."""
        try:
            record = self.next(patience=seconds)
        except socket.timeout:
            return
        raise AssertionError("the watch sent %r" % record)
