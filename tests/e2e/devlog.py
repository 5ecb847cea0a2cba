"""A daemon that logs by syslog(3), to a /dev/log of the test's own.

The daemon runs in a mount namespace where /dev/log leads to a socket in the
test's folder: no line of it reaches the machine's log, and none of the
machine's comes here.
"""

import contextlib
import os
import re
import socket
import subprocess
import threading

import bridle
from bridle import Daemon, Skip, wait_for

# $1 is the daemon's folder, $2 where /dev/log leads. To an ordinary user's
# namespace the machine's own folders belong to nobody it knows, and so the
# daemon would not trust its configuration: hence a root of our own, made at
# /dev since that is there for certain. Into $1 only a file is bound, so that
# removing it can never remove anything of the machine's.
ENTER = r"""
set -e
PATH=$PATH:/usr/sbin:/sbin
: > "$1/null"
mount --bind /dev/null "$1/null"
mount -t tmpfs -o mode=755 tmpfs /dev
for entry in /*; do
	case $1/ in "$entry"/*) continue ;; esac
	if [ -L "$entry" ]; then
		cp -P "$entry" "/dev$entry"
	elif [ -d "$entry" ] && [ "$entry" != /dev ]; then
		mkdir "/dev$entry"
		mount --rbind "$entry" "/dev$entry" 2>/dev/null || :
	fi
done
mkdir -p /dev/dev "/dev$1"
mount --bind "$1" "/dev$1"
: > /dev/dev/null
mount --bind "$1/null" /dev/dev/null
ln -s "$2" /dev/dev/log
shift 2
exec chroot /dev "$@"
"""

UNSHARE = ["unshare", "-m"] if bridle.ROOT else ["unshare", "-rm"]


def can_unshare():
    return subprocess.run([*UNSHARE, "true"], stdout=subprocess.DEVNULL,
                          stderr=subprocess.DEVNULL).returncode == 0


class LogLine:
    """One datagram: "<30>Nov 21 00:00:00 bridled: text"."""

    def __init__(self, data):
        self.data = data
        whole = re.fullmatch(
            rb"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d bridled: (.*)",
            data, re.S)
        assert whole, data
        self.facility, self.level = divmod(int(whole[1]), 8)
        self.text = whole[2].decode("utf-8", "surrogateescape")


class DevLog:
    """The socket, and a thread that reads it as long as reading is set."""

    def __init__(self, path):
        self.path = path
        self.lines = []
        self.errors = []
        self.reading = threading.Event()
        self.reading.set()
        self.sock = None

    def open(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o666)
        self.sock.settimeout(0.02)  # to look at reading again
        self.thread = threading.Thread(target=self.read, args=(self.sock,),
                                       daemon=True)
        self.thread.start()

    def read(self, sock):
        while sock.fileno() != -1:
            if not self.reading.wait(0.02):
                continue
            try:
                self.lines.append(LogLine(sock.recv(65536)))
            except TimeoutError:
                pass
            except OSError:
                return  # it was closed
            except AssertionError as error:  # to be raised by the daemon
                self.errors.append(error)

    def close(self):
        """Nobody listens there any more, as if there were no log at all."""
        if self.sock is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            self.sock.close()
            self.thread.join()
            self.sock = None


class LogDaemon(Daemon):
    """See above; .dev_log is its log."""

    log_args = []

    def __init__(self, clients=None, **kwargs):
        if not can_unshare():
            raise Skip("because no mount namespace can be made here")
        # An ordinary user is root in a namespace of his own.
        clients = clients or '{ name = "me"; unix_user = "0"; allow = ("*"); }'
        super().__init__(clients, user="root", **kwargs)
        self.inner = self.wrap

    def __enter__(self):
        self.dev_log = None
        return super().__enter__()

    def spawn(self):
        if self.dev_log is None:
            self.dev_log = DevLog(os.path.join(self.dir, "devlog"))
            self.dev_log.open()
        self.wrap = [*UNSHARE, "sh", "-c", ENTER, "sh", self.dir,
                     self.dev_log.path, *self.inner]
        super().spawn()

    def log(self):
        """What it has written to its standard error, and its log."""
        lines = self.dev_log.lines if self.dev_log else []
        return super().log() + "".join(line.text + "\n" for line in lines)

    def wait_line(self, pattern):
        """The first line that the regular expression is found in."""
        return wait_for("%r in the log" % pattern, lambda: next(
            (line for line in self.dev_log.lines
             if re.search(pattern, line.text)), None))

    def __exit__(self, *exc):
        if self.dev_log is not None:
            self.dev_log.reading.set()
        try:
            super().__exit__(*exc)
        finally:
            if self.dev_log is not None:
                self.dev_log.close()
        if exc[0] is None and self.dev_log.errors:
            raise self.dev_log.errors[0]
