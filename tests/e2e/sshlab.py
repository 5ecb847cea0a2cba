"""Hosts for tests of `enrol`. Each host has an sshd and a bridled of its own,
at an address of the loopback device. Mounts give each host its own files in
/etc. Therefore ssh and bridled read and change no files of this machine."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile

import bridle
from bridle import Skip, quote

SSHD = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin")
SSH = shutil.which("ssh")
KEYGEN = shutil.which("ssh-keygen")
USER = "op"  # name of the ordinary user of each host

# $0 is the folder of the host, and $1 is the folder of the configuration. The
# files of /etc are links to the machine's own files, except the files in
# $0/etc.
MOUNTS = """
set -e
mkdir -p "$0/real"
mount --make-rprivate /
mount --bind /etc "$0/real"
mount -t tmpfs tmpfs /etc
for f in "$0/real/"* "$0/real/".[a-z]*; do
    ln -s "$f" /etc/
done
for f in "$0/etc/"*; do
    rm -f "/etc/${f##*/}"
    ln -s "$f" /etc/
done
rm -f /etc/bridle
mkdir -p "$1"
mount --bind "$0/bridle" "$1"
shift
mount -t tmpfs tmpfs /run
mkdir /run/sshd
exec "$@"
"""


def configuration_folder():
    """Return the folder of the configuration that this build uses. In a build
    for `make distcheck`, this is not /etc/bridle."""
    usage = subprocess.run([bridle.BRIDLED, "--help"], check=True, text=True,
                           capture_output=True).stdout
    return os.path.dirname(re.search("read FILE instead of (.*)", usage)[1])


def needed():
    """Skip the test if this machine cannot run the hosts of a Lab."""
    if not bridle.ROOT:
        raise Skip("because only root can mount")
    if bridle.WRAP:
        raise Skip("because sshd does not run under valgrind")
    if not SSHD or not SSH:
        raise Skip("because sshd or ssh is not installed")
    if subprocess.run(["unshare", "-m", "mount", "-t", "tmpfs", "tmpfs",
                       "/mnt"], check=False, capture_output=True).returncode:
        raise Skip("because mounts are not permitted here")


def make_key(path):
    subprocess.run([KEYGEN, "-q", "-t", "ed25519", "-N", "", "-f", path],
                   check=True)
    with open(path + ".pub") as f:
        return " ".join(f.read().split()[:2])


class Host:
    """One host. .name is the address of the host for bridlectl, and .folder is
    its conf.d."""

    def __init__(self, lab, number, tls=True):
        self.lab, self.tls = lab, tls
        self.address = "127.1.0.%d" % number
        self.name = "%s:%d" % (self.address, lab.port)
        self.dir = os.path.join(lab.dir, "h%d" % number)
        self.folder = os.path.join(self.dir, "bridle", "conf.d")
        self.bin = os.path.join(self.dir, "bin")
        self.running = []
        for name in "etc", "bridle", "bin", "home", "sock":
            os.makedirs(os.path.join(self.dir, name))
        self.path = [self.bin, bridle.BUILD, "/usr/bin", "/bin"]
        self.key = make_key(os.path.join(self.dir, "ssh_host_key"))
        self.write_etc()
        self.write_conf()

    def write(self, name, text, mode=0o644):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def write_etc(self):
        home = os.path.join(self.dir, "home")
        self.write("etc/passwd",
                   "root:x:0:0:root:%s:/bin/sh\n"
                   "sshd:x:100:65534::/run/sshd:/usr/sbin/nologin\n"
                   "%s:x:61010:61010::%s:/bin/sh\n" % (home, USER, home))
        self.write("etc/shadow", "root:*:::::::\nsshd:*:::::::\n%s:*:::::::\n"
                   % USER)
        self.write("etc/group", "root:x:0:\n%s:x:61010:\n" % USER)
        self.write("etc/nsswitch.conf",
                   "passwd: files\ngroup: files\nshadow: files\n")
        self.write("authorized_keys", self.lab.login + "\n")

    def write_conf(self):
        listen = ['{ unix = %s; }' % quote(self.dir + "/sock/s")]
        if self.tls:
            listen.append('{ tcp = %s; tls = true; }' % quote(self.name))
        self.write("bridle/bridled.conf",
                   'listen = (%s);\nclients = ({ name = "root"; '
                   'unix_user = "root"; allow = ("*"); });\nuser = "root";\n'
                   'state_dir = %s;\n' % (
                       ", ".join(listen), quote(self.dir + "/sock/state")))

    def start(self):
        conf = ["Port %d" % self.lab.ssh_port,
                "ListenAddress " + self.address,
                "HostKey " + os.path.join(self.dir, "ssh_host_key"),
                "AuthorizedKeysFile " + os.path.join(self.dir,
                                                     "authorized_keys"),
                "PidFile none", "UsePAM no", "StrictModes no",
                "PermitRootLogin yes",
                'SetEnv "PATH=%s" "ASAN_OPTIONS=detect_leaks=0"'
                % ":".join(self.path)]
        self.write("sshd_config", "\n".join(conf) + "\n")
        self.spawn("sshd", SSHD, "-D", "-e", "-f",
                   os.path.join(self.dir, "sshd_config"))
        self.spawn("bridled", bridle.BRIDLED, "--log-stderr")

    def spawn(self, name, *command):
        with open(os.path.join(self.dir, name + ".log"), "ab") as log:
            self.running.append(subprocess.Popen(
                ["unshare", "-m", "sh", "-c", MOUNTS, self.dir,
                 configuration_folder(), *command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd="/"))

    def wait(self):
        bridle.wait_for("sshd", lambda: "listening" in self.log("sshd"))
        bridle.wait_for("bridled", lambda: "serving at" in self.log("bridled"))

    def stop(self):
        for process in self.running:
            process.terminate()
        for process in self.running:
            try:
                process.wait(bridle.PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.running = []

    def log(self, name):
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(self.dir, name + ".log"),
                      errors="replace") as f:
                return f.read()
        return ""

    def files(self):
        with contextlib.suppress(FileNotFoundError):
            return sorted(os.listdir(self.folder))
        return []

    def entry(self, name):
        with open(os.path.join(self.folder, name + ".conf")) as f:
            return f.read()

    def fingerprint(self):
        told = subprocess.run(
            [bridle.BRIDLED, "--fingerprint",
             os.path.join(self.dir, "bridle", "bridled.conf")],
            capture_output=True, text=True, check=True)
        return told.stdout.strip()


class Lab:
    """A group of n hosts, and a program "ssh" that uses only the settings of
    this lab. The PATH in home.env finds this program first. A test can change
    a host before start()."""

    def __init__(self, home, n, no_tls=()):
        needed()
        self.home, self.n, self.no_tls = home, n, no_tls

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="bridle-lab-")
        os.chmod(self.dir, 0o755)
        self.login = make_key(os.path.join(self.dir, "login"))
        self.ssh_port = bridle.free_port("127.1.0.1")
        self.port = bridle.free_port("127.1.0.1")
        self.hosts = [Host(self, i, tls=i not in self.no_tls)
                      for i in range(1, self.n + 1)]
        self.write_ssh()
        self.know(self.hosts)
        self.home.env["PATH"] = "%s/bin:%s" % (self.dir, os.environ["PATH"])
        return self

    def __exit__(self, *exc):
        failed = exc[0] is not None and exc[0] is not Skip
        for host in self.hosts:
            ended = [p.args[-1] for p in host.running if p.poll() is not None]
            host.stop()
            if failed:
                sys.stderr.write("%s: has ended: %s\n%s%s" % (
                    host.name, ended, host.log("sshd"), host.log("bridled")))
        shutil.rmtree(self.dir, ignore_errors=True)

    def start(self):
        for host in self.hosts:
            host.start()
        for host in self.hosts:
            host.wait()
        return self

    def write_ssh(self):
        """Create the program "ssh", which has a configuration of its own."""
        self.conf = os.path.join(self.dir, "ssh_config")
        with open(self.conf, "w") as f:
            f.write("Port %d\nIdentityFile %s/login\nIdentitiesOnly yes\n"
                    "IdentityAgent none\nUserKnownHostsFile %s/known\n"
                    "GlobalKnownHostsFile none\n"
                    % (self.ssh_port, self.dir, self.dir))
        os.mkdir(os.path.join(self.dir, "bin"))
        program = os.path.join(self.dir, "bin", "ssh")
        with open(program, "w") as f:
            f.write('#!/bin/sh\necho "$@" >>%s/calls\nexec %s -F %s "$@"\n'
                    % (self.dir, SSH, self.conf))
        os.chmod(program, 0o755)

    def know(self, hosts):
        """Give ssh the keys of these hosts, and no other keys."""
        with open(os.path.join(self.dir, "known"), "w") as f:
            for host in hosts:
                f.write("[%s]:%d %s\n" % (host.address, self.ssh_port,
                                          host.key))

    def known(self):
        with open(os.path.join(self.dir, "known")) as f:
            return f.read()

    def calls(self):
        """Return the arguments of each call of ssh."""
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(self.dir, "calls")) as f:
                return f.read().splitlines()
        return []

    def all(self):
        return "127.1.0.[1-%d]:%d" % (self.n, self.port)
