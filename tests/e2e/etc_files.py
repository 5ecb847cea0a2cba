"""Functions that replace files of /etc for one daemon only. The functions use
mounts."""

import errno
import os
import shutil
import socket
import struct
import subprocess
import tempfile

import bridle


def zone_file(hours):
    """Return the content of a file as in tzfile(5), version 1. Its time zone
    is always `hours` east of UTC."""
    return struct.pack(">4s16x6l", b"TZif", 0, 0, 0, 0, 1, 2) + struct.pack(
        ">lBB2s", hours * 3600, 0, 0, b"X\0")


class EtcFiles:
    """An environment in which a test can replace files of /etc for one daemon.

    Start the daemon with wrap=.wrap, which gives the daemon its own mounts.
    There the name service looks up users and groups only in the sources that
    `services` names. The default is the files passwd and group. The name
    service hangs if such a file is a FIFO, and fails if the file is a socket.
    """

    SCRIPT = 'mount --bind "$0/nsswitch.conf" /etc/nsswitch.conf && exec "$@"'

    def __init__(self, services="files"):
        self.services = services

    def __enter__(self):
        if not bridle.ROOT:
            raise bridle.Skip("because only root can mount")
        self.dir = tempfile.mkdtemp(prefix="bridle-")
        os.chmod(self.dir, 0o755)
        with open(os.path.join(self.dir, "nsswitch.conf"), "w") as f:
            f.write("passwd: %s\ngroup: %s\n"
                    % (self.services, self.services))
        self.wrap = ["unshare", "-m", "sh", "-c", self.SCRIPT, self.dir]
        if subprocess.run([*self.wrap, "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.__exit__()
            raise bridle.Skip("because mounts are not permitted here")
        self.wrap += bridle.WRAP
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.dir)

    def make_fifo(self):
        path = os.path.join(self.dir, "fifo")
        os.mkfifo(path)
        return path

    def make_socket(self):
        """Return the path of a socket file. open(2) of this file fails with
        ENXIO, even for root."""
        path = os.path.join(self.dir, "socket")
        if not os.path.exists(path):
            with socket.socket(socket.AF_UNIX) as s:
                s.bind(path)
        return path

    def hidden_behind_socket(self, name):
        """Return words to put before a command. The command then finds a
        socket in place of the file /etc/`name`."""
        return [*self.wrap, "sh", "-c",
                'mount --bind "$0" /etc/%s && exec "$@"' % name,
                self.make_socket()]

    def change(self, d, *command):
        subprocess.run(["nsenter", "--mount", "--target", str(d.pid),
                        *command], check=True)

    def hide_behind_fifo(self, d, name):
        """Replace the file /etc/`name` by a FIFO, and return the path of the
        FIFO. A reader hangs until a process opens the FIFO for writing."""
        path = self.make_fifo()
        self.change(d, "mount", "--bind", path, "/etc/" + name)
        return path

    def hide_behind_socket(self, d, name):
        self.change(d, "mount", "--bind", self.make_socket(), "/etc/" + name)

    def replace(self, d, name, content):
        """Give the file /etc/`name` this content. If the file has been
        replaced before, only the content changes."""
        path = os.path.join(self.dir, name)
        new = not os.path.exists(path)
        with open(path, "wb") as f:
            f.write(content)
        if new:
            self.change(d, "mount", "--bind", path, "/etc/" + name)

    def show(self, d, name):
        self.change(d, "umount", "--lazy", "/etc/" + name)


def open_writer(fifo):
    """Open the FIFO for writing. Return None if it has no reader yet."""
    try:
        return os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
    except OSError as e:
        bridle.equal(e.errno, errno.ENXIO)
        return None
