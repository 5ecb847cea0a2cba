"""Functions for tests of `kill`, `list` and process names. The functions
handle fields of /proc, process tokens, and terminals."""

import contextlib
import errno
import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import bridle
from bridle import Skip, Victim, wait_for
from crowd import KILLS


def cpu_seconds(pid):
    """Return the CPU time that the process has used, without its children."""
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rpartition(") ")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def kills(test):
    """Return a function that runs the test. Under valgrind, where the request
    `kill` does not work, the function skips the test."""
    def run():
        if not KILLS:
            raise Skip("because valgrind does not know pidfd_open(2)")
        test()
    return run


class Stat:
    """The fields of /proc/PID/stat. comm is bytes, because a name need not be
    UTF-8."""

    def __init__(self, pid):
        with open("/proc/%d/stat" % pid, "rb") as f:
            line = f.read()
        self.comm = line[line.index(b"(") + 1:line.rindex(b")")]
        fields = line[line.rindex(b")") + 2:].split()
        self.state = fields[0].decode()
        self.ppid = int(fields[1])
        self.flags = int(fields[6])
        self.ticks = int(fields[19])
        self.kernel = self.flags & 0x00200000 != 0


def state(pid):
    """Return the letter of the process's state, or None if the process does
    not exist."""
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        return Stat(pid).state
    return None


def boot():
    with open("/proc/sys/kernel/random/boot_id") as f:
        return f.read(8)


def token(pid):
    """Return the process's token, as in a record of `kill` and in the field
    only=."""
    # Without pidfs all pidfds have the same inode, so use the start time
    # instead.
    pidfs = inode(pid) != inode(os.getpid())
    return "%d-%d-%s" % (pid, inode(pid) if pidfs else Stat(pid).ticks,
                         boot())


def inode(pid):
    """Return the inode number of a pidfd of the process."""
    fd = os.pidfd_open(pid)
    try:
        return os.fstat(fd).st_ino
    finally:
        os.close(fd)


def encode(name):
    """Encode a process name as a field of a request. The name can have any
    bytes."""
    if isinstance(name, str):
        name = name.encode("utf-8", "surrogateescape")
    return "".join(chr(c) if chr(c).isalnum() and c < 128 else "%%%02X" % c
                   for c in name)


@contextlib.contextmanager
def crowd(n, comm, *args, uid=None):
    """Start n victims with the same name, and yield them."""
    with contextlib.ExitStack() as stack:
        yield [stack.enter_context(Victim(comm, args=args, uid=uid))
               for _ in range(n)]


@contextlib.contextmanager
def zombie(comm):
    """Yield a victim that has ended but stays a zombie during the block."""
    with Victim(comm) as v:
        os.kill(v.pid, 9)
        wait_for("a zombie", lambda: state(v.pid) == "Z")
        yield v


class Churn:
    """Processes that start and end all the time; see tests/actions/churn.c."""

    def __init__(self, name, other, *args):
        self.command = [os.path.join(bridle.ACTIONS, "churn"), *args,
                        name, other]
        self.counts = None

    def __enter__(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True)
        assert self.process.stdout.readline() == "ready\n"
        return self

    def stop(self):
        """Stop the program. Return four numbers. The first two are the numbers
        of started and of killed processes with the name `name`. The last two
        are the same numbers for the name `other`."""
        out, _ = self.process.communicate(timeout=bridle.PATIENCE)
        words = out.split()
        assert words[0::2] == ["named", "killed", "others", "killed"], out
        return [int(n) for n in words[1::2]]

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
            self.process.communicate()


class Terminal:
    """A bridlectl that runs on a new terminal. The test reads the output and
    types the input. `words` stand before the command."""

    def __init__(self, *args, columns=200, env=None, words=()):
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 50, columns, 0, 0))
        environ = dict(os.environ, TERM="xterm", LANG="C.UTF-8")
        environ.pop("NO_COLOR", None)
        environ.update(env or {})
        self.process = subprocess.Popen(
            [*words, os.fsencode(bridle.BRIDLECTL),
             *(os.fsencode(a) for a in args)],
            stdin=slave, stdout=slave, stderr=slave, env=environ,
            start_new_session=True)
        os.close(slave)
        self.data = b""

    def __enter__(self):
        return self

    def read(self, patience):
        """Read some output into .data. Return False at the end of the
        output."""
        if not select.select([self.master], [], [], patience)[0]:
            raise AssertionError("timeout; the terminal shows %r" % self.data)
        try:
            piece = os.read(self.master, 65536)
        except OSError as e:
            # EIO means that the program has closed the terminal
            if e.errno != errno.EIO:
                raise
            piece = b""
        self.data += piece
        return piece != b""

    def read_until(self, wanted):
        end = time.monotonic() + bridle.PATIENCE
        while wanted not in self.data:
            assert self.read(max(0, end - time.monotonic())), self.data
        return self.data

    def type(self, keys):
        os.write(self.master, keys)

    def finish(self):
        """Read all output into .data, wait for the program's end, and return
        its exit status."""
        end = time.monotonic() + bridle.PATIENCE
        while self.read(max(0, end - time.monotonic())):
            pass
        return self.process.wait(bridle.PATIENCE)

    def __exit__(self, *exc):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)
