"""A Debian system for tests. It boots in a container, with a real systemd.

    with Machine(debs) as m:
        m.run("systemctl", "is-active", "bridled.socket")

debootstrap makes the container's file tree once. Each machine boots a copy of
this tree, and has no network. At the end of the block the machine is stopped
and its copy is deleted.
"""

import contextlib
import glob
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)),
                                "..", "e2e"))
from bridle import PATIENCE, ROOT, SOURCE, Skip, wait_for  # noqa: E402

# Packages that the machine needs to boot, and packages that Bridle's packages
# depend on.
PACKAGES = ("systemd,systemd-sysv,libpam-systemd,dbus,polkitd,procps,psmisc,"
            "rsyslog,adduser,libsmartcols1,libcap-ng0,libseccomp2,"
            "netcat-openbsd,avahi-daemon,libavahi-client3,openssh-server,"
            "openssh-client,")
# Libraries whose package names differ between releases.
LIBRARIES = {"bookworm": "libconfig9,libssl3",
             "trixie": "libconfig11,libssl3t64"}
TREES = os.environ.get("BRIDLE_TREES", "/var/tmp/bridle-test-trees")

# systemd-nspawn needs a separate mount namespace if systemd is not process 1.
# $1 is the file tree, and $2 is the folder for packages and reports.
BOOT = """
set -e
mount -t tmpfs tmpfs /run
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/bridle.$$ /run/t
echo 0 >/sys/fs/cgroup/bridle.$$/cgroup.procs
mount -t tmpfs tmpfs /run/t
mkdir /run/t/upper /run/t/work /run/t/root
mount -t overlay overlay /run/t/root \\
    -o "lowerdir=$1,upperdir=/run/t/upper,workdir=/run/t/work" ||
    cp -a "$1/." /run/t/root
exec systemd-nspawn -q -D /run/t/root -M "bridle-$$" -b --register=no --keep-unit \\
    --private-network --console=pipe --system-call-filter=bpf \\
    --bind="$2:/report" </dev/null
"""


def need(program):
    if shutil.which(program) is None:
        raise Skip("because %s is not installed" % program)


def tree():
    """Return the path of a file tree with the Debian release of this machine,
    because packages built here need this release. If the tree is missing, make
    the tree. Several runs may use the same tree."""
    release = platform.freedesktop_os_release().get("VERSION_CODENAME")
    if release not in LIBRARIES:
        raise Skip("because this machine is no Debian 12 or 13")
    packages = PACKAGES + LIBRARIES[release]
    path = os.path.join(TREES, "%s-%08x" % (release, hash_of(packages)))
    run = subprocess.run(
        [os.path.join(SOURCE, "scripts", "debian-root"), release, path,
         packages], stderr=subprocess.PIPE, text=True)
    if run.returncode != 0:
        raise Skip("because " + run.stderr.strip().splitlines()[-1])
    return path


def hash_of(text):
    """Return a hash of the text that is the same in every run, unlike
    hash()."""
    value = 0
    for byte in text.encode():
        value = (value * 31 + byte) & 0xffffffff
    return value


class Machine:
    """A booted machine in which the packages in `debs` are installed.
    .installed is the output of dpkg. The folder .report is visible in the
    machine as /report."""

    def __init__(self, debs=()):
        if not ROOT:
            raise Skip("because only root can boot a machine")
        for program in ("systemd-nspawn", "debootstrap", "nsenter"):
            need(program)
        self.debs = list(debs)

    def __enter__(self):
        self.report = tempfile.mkdtemp(prefix="bridle-", dir="/var/tmp")
        self.process = None
        try:
            self.boot()
            if self.debs:
                self.install()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def boot(self):
        self.console = open(os.path.join(self.report, "console"), "w+")
        self.process = subprocess.Popen(
            ["unshare", "-m", "--propagation", "private", "sh", "-c", BOOT,
             "sh", tree(), self.report],
            stdout=self.console, stderr=self.console)
        try:
            self.init = wait_for("the machine to have a first process",
                                 self.find_init)
            # "degraded" is allowed, because some units of Debian cannot work
            # in a container.
            wait_for("the machine to have booted", lambda: self.run(
                "systemctl", "is-system-running", check=False).stdout.strip()
                in ("running", "degraded"))
        except AssertionError:
            raise Skip("because no systemd boots here: "
                       + self.said().strip()[-300:].replace("\n", " "))

    def find_init(self):
        if self.process.poll() is not None:
            raise AssertionError("it has ended")
        children = "/proc/%d/task/%d/children" % ((self.process.pid,) * 2)
        with open(children) as f:
            for pid in f.read().split():
                with contextlib.suppress(OSError), \
                        open("/proc/%s/comm" % pid) as comm:
                    if comm.read().strip() == "systemd":
                        return int(pid)
        return None

    def said(self):
        self.console.flush()
        with open(self.console.name, errors="replace") as f:
            return f.read()

    def install(self):
        for deb in self.debs:
            shutil.copy(deb, self.report)
        self.installed = self.run(
            "dpkg", "-i", *["/report/" + os.path.basename(d)
                            for d in self.debs]).stdout

    def command(self, *argv, user=None):
        """Return the command that runs argv in the machine: as root, or as
        `user` with the groups of this user."""
        inside = ["nsenter", "-t", str(self.init), "-m", "-u", "-i", "-n",
                  "-p", "-r", "-w", "--"]
        if user is not None:
            inside += ["setpriv", "--reuid=" + user, "--regid=" + user,
                       "--init-groups"]
        return [*inside, *argv]

    def popen(self, *argv, user=None, **more):
        return subprocess.Popen(
            self.command(*argv, user=user), stdin=subprocess.DEVNULL,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root",
                 "LC_ALL": "C.UTF-8", "DEBIAN_FRONTEND": "noninteractive"},
            text=True, **more)

    def run(self, *argv, user=None, check=True):
        """Run a command in the machine. Return an object with .returncode,
        .stdout and .stderr. If `check` is true, raise an exception when the
        command fails."""
        process = self.popen(*argv, user=user, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE)
        out, err = process.communicate(timeout=PATIENCE * 6)
        run = subprocess.CompletedProcess(argv, process.returncode, out, err)
        if check and run.returncode != 0:
            raise AssertionError("%s: %d\n%s%s" % (
                " ".join(argv), run.returncode, out, err))
        return run

    def sh(self, script, user=None, check=True):
        return self.run("sh", "-c", script, user=user, check=check)

    def write(self, path, text):
        with open("/proc/%d/root%s" % (self.init, path), "w") as f:
            f.write(text)

    def read(self, path):
        with open("/proc/%d/root%s" % (self.init, path),
                  errors="replace") as f:
            return f.read()

    def journal(self, unit="bridled.service"):
        return self.run("journalctl", "-o", "cat", "--no-pager", "-u",
                        unit).stdout

    def wait_end(self):
        """Wait for the end of the machine. Return nspawn's exit status, which
        is 0 after halt and poweroff, and 133 after a reboot."""
        return self.process.wait(PATIENCE * 3)

    def __exit__(self, *exc):
        if exc[0] is not None and exc[0] is not Skip and \
                self.process is not None and self.process.poll() is None:
            with contextlib.suppress(Exception):
                sys.stderr.write(self.journal())
        if self.process is not None and self.process.poll() is None:
            # nspawn ends the machine after the third SIGTERM at the latest.
            deadline = time.monotonic() + PATIENCE
            while self.process.poll() is None:
                if time.monotonic() > deadline:
                    self.process.kill()
                else:
                    self.process.terminate()
                with contextlib.suppress(subprocess.TimeoutExpired):
                    self.process.wait(0.2)
        if self.process is not None:
            self.console.close()
        shutil.rmtree(self.report, ignore_errors=True)


def packages():
    """Return the paths of the packages that `make deb` has made."""
    folder = os.environ.get("BRIDLE_DEBS", "deb")
    found = sorted(p for p in glob.glob(os.path.join(folder, "*.deb"))
                   if "dbgsym" not in p)
    if not found:
        raise Skip("because there is no package in %s: make deb" % folder)
    return found
