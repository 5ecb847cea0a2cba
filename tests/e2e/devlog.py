"""A daemon that logs by syslog(3) to a /dev/log that belongs to the test.

The daemon runs in a mount namespace of its own. There /dev/log is a link to a
socket in the test's folder. The lines of the daemon do not reach the machine's
log, and other programs do not log to the socket.
"""

import contextlib
import os
import re
import socket
import subprocess
import threading

import bridle
from bridle import Daemon, Skip, wait_for

# A shell script; $1 is the daemon's folder, $2 the target of /dev/log. In a
# user namespace of an ordinary user, the machine's root folder belongs to an
# unknown user. The daemon would not trust a configuration below such a folder.
# Therefore the script makes a new root folder at /dev, a folder that every
# machine has. Only a file is mounted inside $1, so the removal of $1 never
# removes files of the machine.
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
    """One datagram, such as "<30>Nov 21 00:00:00 bridled: text"."""

    def __init__(self, data):
        self.data = data
        whole = re.fullmatch(
            rb"<(\d+)>[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d bridled: (.*)",
            data, re.S)
        assert whole, data
        self.facility, self.level = divmod(int(whole[1]), 8)
        self.text = whole[2].decode("utf-8", "surrogateescape")


class DevLog:
    """A socket for /dev/log, and a thread that collects the lines. The thread
    reads the socket only while the event `reading` is set."""

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
        # After this time without a line, the thread checks `reading` again.
        self.sock.settimeout(0.02)
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
                return  # close() has closed the socket.
            except AssertionError as error:  # __exit__() raises this error.
                self.errors.append(error)

    def close(self):
        """Close and remove the socket. After this, the daemon finds no log
        service."""
        if self.sock is not None:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path)
            self.sock.close()
            self.thread.join()
            self.sock = None


class LogDaemon(Daemon):
    """A daemon that logs to the DevLog in .dev_log."""

    log_args = []

    def __init__(self, clients=None, **kwargs):
        if not can_unshare():
            raise Skip("because no mount namespace can be made here")
        # In the user namespace an ordinary user has uid 0.
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
        """Return the daemon's standard error, followed by the lines of
        .dev_log."""
        lines = self.dev_log.lines if self.dev_log else []
        return super().log() + "".join(line.text + "\n" for line in lines)

    def wait_line(self, pattern):
        """Wait until a line of .dev_log matches the regular expression. Return
        the first such line."""
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
