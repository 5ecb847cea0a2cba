"""Functions for tests of TLS: a home folder for bridlectl, and a daemon that
accepts the key in this folder."""

import os
import shutil
import subprocess
import tempfile

from bridle import Daemon, ctl, equal, quote


class Home:
    """An empty home folder, and functions that run bridlectl with this
    folder."""

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="bridle-home-")
        self.env = dict(os.environ, HOME=self.dir)
        self.env.pop("XDG_CONFIG_HOME", None)
        self.key = self.file("key")
        self.known = self.file("known_hosts")
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.dir)

    def file(self, name):
        return os.path.join(self.dir, ".config", "bridlectl", name)

    def ctl(self, *args, **more):
        return ctl(*args, env=self.env, **more)

    def keygen(self, *args):
        """Run the command `keygen`. Return the fingerprint of the new key, and
        the configuration entry that the command prints."""
        done = self.ctl("keygen", *args)
        equal(done.returncode, 0, done.stderr)
        fingerprint, entry = done.stdout.split("\n", 1)
        return fingerprint, entry

    def read(self, path):
        with open(path) as f:
            return f.read()

    def know(self, text):
        os.makedirs(os.path.dirname(self.known), mode=0o700, exist_ok=True)
        with open(self.known, "w") as f:
            f.write(text)
        os.chmod(self.known, 0o600)


class TlsDaemon(Daemon):
    """A daemon that allows everything to the client with the key in a Home."""

    def __init__(self, home, entry=None, **more):
        self.home, self.entry = home, entry
        more.setdefault("tcp", ['{ tcp = "127.0.0.1:0"; tls = true; }'])
        super().__init__(**more)

    def __enter__(self):
        if self.entry is None:
            key, _ = self.home.keygen()
            self.entry = '{ name = "k"; key = "%s"; allow = ("*"); }' % key
        if self.entry:
            self.clients += ", " + self.entry
        super().__enter__()
        if self.ports:
            self.host = "127.0.0.1:%d" % self.ports[0]
        return self

    def write_config(self, text=None):
        if "state_dir" not in self.settings:
            self.settings += "state_dir = %s;" % quote(
                os.path.join(self.dir, "sock", "state"))
        super().write_config(text)

    def fingerprint(self):
        told = subprocess.run([self.program, "--fingerprint", self.config],
                              capture_output=True, text=True)
        equal(told.returncode, 0, told.stderr)
        return told.stdout.strip()

    def line(self):
        return "%s %s\n" % (self.host, self.fingerprint())

    def trust(self):
        self.home.know(self.line())

    def tls(self, *args, **more):
        return self.home.ctl("-H", self.host, *args, **more)
