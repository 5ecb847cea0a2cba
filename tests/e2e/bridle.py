"""What the end-to-end tests share: the real daemon, the real tool, TAP.

A test file is a module of functions test_*; its last line is
`bridle.main(globals())`. Each test starts the daemons it needs with
`with Daemon(...) as d:`; nothing is left of them afterwards. A test that
cannot run here raises Skip("because ...").
"""

import contextlib
import fcntl
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback

BUILD = os.environ.get("BRIDLE_BUILD", os.getcwd())
SOURCE = os.environ.get("BRIDLE_SOURCE", os.getcwd())
BRIDLED = os.path.join(BUILD, "bridled")
SESSION_PROGRAMS = "bridled-session", "bridled-session-tls"
BRIDLECTL = os.path.join(BUILD, "bridlectl")
ACTIONS = os.path.join(BUILD, "tests", "actions")
# A slow machine, valgrind: everything that waits, waits so much longer.
PATIENCE = float(os.environ.get("BRIDLE_PATIENCE", "20"))
# What stands before the daemon's command: valgrind and its options.
WRAP = os.environ.get("BRIDLE_WRAP", "").split()
# Whether its sessions have their system-call filter, see CONTRIBUTING.md.
FILTER = os.environ.get("BRIDLE_FILTER") != "no"
ROOT = os.geteuid() == 0
# A shell's job in the background ignores it; what is started here must not.
signal.signal(signal.SIGINT, signal.default_int_handler)
# Users that need not exist: other people, as root can make them.
STRANGER = 61001
SERVICE = 61002


# What ASan, UBSan and valgrind write into the log of a daemon with a bug.
COMPLAINT = re.compile(r"AddressSanitizer|runtime error:|LeakSanitizer"
                       r"|^==\d+== (Invalid|Conditional|Use of|Syscall"
                       r"|Process terminating|Mismatched|Source and)", re.M)


class Skip(Exception):
    """This test cannot run here."""


def wait_for(what, condition, patience=PATIENCE):
    """Polls until condition() is true and returns what it gave."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.01)


def is_running(pid):
    """Whether it is there, and not only as a zombie of somebody's."""
    with contextlib.suppress(OSError):
        with open("/proc/%d/stat" % pid, "rb") as f:
            return f.read().rpartition(b") ")[2][:1] not in (b"Z", b"X")
    return False


class Status:
    def __init__(self, line):
        fields = line.split("#")
        assert fields[0] == "1", line
        self.line = line
        self.code = int(fields[1])
        self.text = decode(fields[2]).decode("utf-8", "replace")
        self.pairs = dict(f.split("=", 1) for f in fields[3:])


def decode(field):
    """A field of the wire as bytes."""
    raw = field.encode("utf-8", "surrogateescape")
    return re.sub(rb"%([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), raw)


class Answer:
    """One answer: the column names, the rows (bytes by name), the status."""

    def __init__(self, lines):
        self.lines = lines
        self.status = Status(lines[-1])
        self.code = self.status.code
        self.text = self.status.text
        table = [line.split("#")[2:] for line in lines[:-1]]
        for line in lines[:-1]:
            assert line.startswith("1#100#"), line
        self.columns = table[0] if table else []
        self.rows = [dict(zip(self.columns, map(decode, row)))
                     for row in table[1:]]


def answers(data):
    """The answers in what a daemon has sent, in order."""
    text = data.decode("utf-8", "surrogateescape")
    assert text == "" or text.endswith("\n"), "cut short: %r" % text[-80:]
    found, lines = [], []
    for line in text.split("\n")[:-1]:
        lines.append(line)
        if not line.startswith(("1#100#", "1#101#")):
            found.append(Answer(lines))
            lines = []
    assert not lines, "no status line after %r" % lines[-1]
    return found


def read_all(sock, patience=PATIENCE):
    sock.settimeout(patience)
    data = bytearray()  # bytes would be copied again for each piece
    while True:
        piece = sock.recv(65536)
        if not piece:
            return bytes(data)
        data += piece


def read_line(sock, patience=PATIENCE):
    """One line, byte by byte, so that nothing beyond it is taken."""
    sock.settimeout(patience)
    data = b""
    while not data.endswith(b"\n"):
        piece = sock.recv(1)
        if not piece:
            break
        data += piece
    return data


def read_answer(sock, patience=PATIENCE):
    """The next answer on a connection that stays open."""
    lines = []
    while True:
        line = read_line(sock, patience).decode("utf-8", "surrogateescape")
        assert line.endswith("\n"), "the connection ended after %r" % line
        lines.append(line[:-1])
        if not line.startswith(("1#100#", "1#101#")):
            return Answer(lines)


def reset(sock):
    """Closes so that the peer gets a reset."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
    sock.close()


def free_port(host="127.0.0.1"):
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as s:
        s.bind((host, 0))
        return s.getsockname()[1]


def quote(s):
    return '"' + str(s).replace("\\", "\\\\").replace('"', '\\"') + '"'


def strings(items):
    return "(" + ", ".join(quote(i) for i in items) + ")"


class Daemon:
    """A bridled of this test's own, in a folder of its own.

    clients   the text inside clients = ( ... ); default: all for us
    settings  further lines of the configuration, such as 'stop_seconds = 1;'
    limits    a dict for limits = { ... }
    penalties the text inside penalties = { ... }; default: there are none,
              since most tests misbehave as one and the same user
    tcp       addresses to listen at besides the unix socket; port 0 is
              replaced by a free one: see .ports
    uid       run it as this user instead of as ourselves (root only)
    limit     a dict of prlimit(1) options such as {"nofile": 40}
    power     argv lists by mode; default: the recorder, see .recorded();
              "{dir}" in them is this daemon's folder, in which the programs
              of tests/actions are, and sock/, where its user may write
    user      whom it becomes when root starts it; default: root
    passed    listening sockets to pass to it, as a service manager does
    """

    source = BRIDLED  # or another with the same options
    session = None  # a program in place of those of sessions
    log_args = ["--log-stderr"]  # a subclass may log elsewhere, see log()

    def __init__(self, clients=None, settings="", limits=None, tcp=(),
                 penalties="enabled = false;",
                 uid=None, limit=None, power=None, mode="0666", args=(),
                 wrap=None, env=None, conf=None, user=None,
                 passed=()):
        if uid is not None and not ROOT:
            raise Skip("only root can start a daemon as another user")
        self.uid = os.geteuid() if uid is None else uid
        self.clients = clients or (
            '{ name = "me"; unix_user = "%d"; allow = ("*"); }' % os.getuid())
        self.settings, self.limits = settings, limits or {}
        self.penalties = penalties
        self.tcp, self.ports = list(tcp), []
        self.limit, self.power = limit or {}, power
        self.mode, self.args, self.env = mode, list(args), env
        self.wrap = WRAP if wrap is None else list(wrap)
        self.text, self.user = conf, user
        self.passed = list(passed)
        self.process = None

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="bridle-")
        os.chmod(self.dir, 0o755)
        self.sock = os.path.join(self.dir, "sock", "s")
        os.mkdir(os.path.dirname(self.sock))
        self.state_dir = os.path.join(self.dir, "sock", "kept")
        self.config = os.path.join(self.dir, "bridled.conf")
        self.log_path = os.path.join(self.dir, "log")
        self.record_path = os.path.join(self.dir, "sock", "halted")
        if self.uid != os.geteuid():
            os.chown(os.path.dirname(self.sock), self.uid, self.uid)
        elif self.user is not None and ROOT:
            shutil.chown(os.path.dirname(self.sock), self.user)
        # The build may stand where another user cannot go.
        self.program = os.path.join(self.dir, "bridled")
        shutil.copy(self.source, self.program)
        shutil.copy(os.path.join(BUILD, "bridle-tls.so"), self.dir)
        for name in SESSION_PROGRAMS:
            shutil.copy(self.session or os.path.join(BUILD, name),
                        os.path.join(self.dir, name))
        for name in ("recorder", "misbehave", "reveal"):
            source = os.path.join(ACTIONS, name)
            if os.path.exists(source):
                shutil.copy(source, self.dir)
        try:
            self.start()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def program_path(self, name):
        """A test program, where the daemon's user can run it."""
        return os.path.join(self.dir, name)

    def write_config(self, text=None):
        """Writes the configuration anew, as it is or as given."""
        if text is None:
            listen = ['{ unix = %s; mode = "%s"; }'
                      % (quote(self.sock), self.mode)]
            for place in self.tcp:
                listen.append(place if place.startswith("{")
                              else "{ tcp = %s; }" % quote(place))
            power = self.power or {
                m: [self.program_path("recorder"), self.record_path, m,
                    "{when}", "{message}"]
                for m in ("halt", "poweroff", "reboot")}
            power.setdefault("cancel", [self.program_path("recorder"),
                                        self.record_path, "cancel"])
            text = "user = %s;\nlisten = (%s);\nclients = (%s);\n" % (
                quote(self.user or ("root" if ROOT else "nobody")),
                ",\n  ".join(listen), self.clients)
            # What this machine's own logind says is not ours to ask.
            power.setdefault("inhibitors", [])
            power.setdefault("scheduled", [])
            text += "power = { %s };\n" % " ".join(
                "%s = %s;" % (m, strings(a.replace("{dir}", self.dir)
                                         for a in argv))
                for m, argv in power.items())
            if self.limits:
                text += "limits = { %s };\n" % " ".join(
                    "%s = %d;" % item for item in self.limits.items())
            text += "penalties = { %s };\n" % self.penalties
            text += self.settings + "\n"
        # Never this machine's own, whatever else a test leaves as it is.
        if "listen = " in text and "state_dir" not in text:
            text += "state_dir = %s;\n" % quote(self.state_dir)
        with open(self.config + ".new", "w",
                  errors="surrogateescape") as f:
            f.write(text)
        os.chmod(self.config + ".new", 0o644)
        os.rename(self.config + ".new", self.config)

    def start(self):
        """Starts it and waits until it serves; another port if one is lost."""
        places = self.tcp
        for attempt in range(5):
            self.tcp, self.ports = [], []
            for place in places:
                zero = re.search(r'([^" ]+):0(?="|$)', place)
                if zero:
                    self.ports.append(free_port(zero[1].strip("[]")))
                    place = "%s%d%s" % (place[:zero.end() - 1],
                                        self.ports[-1], place[zero.end():])
                self.tcp.append(place)
            self.write_config(self.text)
            self.spawn()
            line = wait_for("bridled to serve", lambda: self.started())
            if "serving at" in line:
                self.tcp_places = self.tcp
                return
            if "Address already in use" not in line or not self.ports:
                break
            self.tcp = places
        raise AssertionError("bridled did not start: " + self.log())

    def started(self):
        log = self.log()
        if "serving at" in log:
            return log
        if self.process.poll() is not None:
            return log or "it ended with %d" % self.process.returncode
        return None

    def spawn(self):
        command = [self.program, "--config", self.config, *self.log_args]
        if self.limit:
            command = ["prlimit"] + ["--%s=%s" % item
                                     for item in self.limit.items()] + command
        command = self.wrap + command + self.args
        extra = {}
        if self.uid != os.geteuid():
            extra = {"user": self.uid, "group": self.uid, "extra_groups": []}
        if self.passed:
            command, passing = pass_on(self.passed, command)
            extra.update(passing)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.dir, env=self.env, **extra)
        self.pid = self.process.pid

    def __exit__(self, *exc):
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.end_leftovers()
        if exc[0] is not None and exc[0] is not Skip:
            sys.stderr.write(self.log())
        if COMPLAINT.search(self.log()):
            raise AssertionError("a sanitizer has complained:\n" + self.log())
        shutil.rmtree(self.dir, ignore_errors=True)

    def end_leftovers(self):
        """A halt that runs when the daemon stops is left to run on."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.readlink("/proc/%s/exe" % pid).startswith(
                        self.dir + "/"):
                    os.kill(int(pid), signal.SIGKILL)

    # -- looking at it -----------------------------------------------------

    def log(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.log_path, errors="replace") as f:
                return f.read()
        return ""

    def wait_log(self, pattern, patience=PATIENCE):
        """The first match of a regular expression in the log."""
        return wait_for("%r in the log" % pattern,
                        lambda: re.search(pattern, self.log(), re.M), patience)

    def recorded(self):
        """What the halting commands were called with, a list a call."""
        with contextlib.suppress(FileNotFoundError):
            with open(self.record_path) as f:
                return [line[:-1].split("|") for line in f]
        return []

    def all_children(self):
        """pid, state and title of the daemon's children."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                with open("/proc/%s/stat" % pid, "rb") as f:
                    rest = f.read().rpartition(b") ")[2].split()
                if int(rest[1]) == self.pid:
                    with open("/proc/%s/cmdline" % pid, "rb") as f:
                        title = f.read().rstrip(b"\0").decode()
                    found.append((int(pid), rest[0].decode(), title))
        return found

    def children(self):
        """pid and state of those that serve somebody, or log."""
        return [(pid, state) for pid, state, title in self.all_children()
                if title not in ("bridled: fork server", "bridled: spare")]

    def actions(self):
        """Those of its children that are actions: each leads a session."""
        found = []
        for pid, _ in self.children():
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(pid) == pid:
                    found.append(pid)
        return found

    @contextlib.contextmanager
    def stopped(self):
        """Nothing is accepted meanwhile: connections wait in the backlog."""
        def state():
            with open("/proc/%d/stat" % self.pid, "rb") as f:
                return f.read().rpartition(b") ")[2][:1]
        self.process.send_signal(signal.SIGSTOP)
        try:
            wait_for("bridled to stop", lambda: state() == b"T")
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)

    def wait_quiet(self):
        """Until only the logger is left of its children."""
        wait_for("the daemon to be quiet",
                 lambda: len(self.children()) <= 1)

    def counter(self, name):
        for row in self.ask("1#7").rows:
            if row["counter"] == name.encode():
                return int(row["value"])
        raise KeyError(name)

    def fds(self):
        """Its descriptors, but for one to each spare session."""
        spares = [pid for pid, _, title in self.all_children()
                  if title == "bridled: spare"]
        return len(os.listdir("/proc/%d/fd" % self.pid)) - len(spares)

    def reload(self):
        """SIGHUP, and waits for what came of it: True if it was taken."""
        before = len(re.findall("reloaded", self.log()))
        self.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: len(
            re.findall("reloaded", self.log())) > before)
        return "not reloaded" not in [
            line for line in self.log().splitlines() if "reloaded" in line][-1]

    # -- talking to it -----------------------------------------------------

    def connect(self, port=None, host="127.0.0.1"):
        """The unix socket, or a TCP port of it."""
        if port is None:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(PATIENCE)
            s.connect(self.sock)
            return s
        return socket.create_connection((host, port), PATIENCE)

    def send(self, data, port=None, host="127.0.0.1"):
        """Sends, half-closes, and returns all answers."""
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        with self.connect(port, host) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            return answers(read_all(s))

    def ask(self, line, port=None, host="127.0.0.1"):
        """The one answer to one request (its LF is added)."""
        found = self.send(line + "\n", port, host)
        assert len(found) == 1, found
        return found[0]

    def ctl(self, *args, **kwargs):
        return ctl("-H", "unix:" + self.sock, *args, **kwargs)


def ctl(*args, stdin="", uid=None, env=None):
    """Runs bridlectl: .returncode, .stdout, .stderr (text)."""
    extra = {} if uid is None else {"user": uid, "group": uid,
                                    "extra_groups": []}
    return subprocess.run([BRIDLECTL, *args], input=stdin, text=True,
                          capture_output=True, timeout=PATIENCE * 3,
                          errors="surrogateescape", env=env, **extra)


def pass_on(sockets, command):
    """A command that has them from 3 on, and what Popen needs for that."""
    def place():
        # First out of the way of the numbers that they get.
        high = [fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 100) for s in sockets]
        for number, fd in enumerate(high, 3):
            os.dup2(fd, number)

    numbers = tuple(range(3, 3 + len(sockets)))
    return (["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=%d exec "$@"'
             % len(sockets), "sh", *command],
            {"preexec_fn": place, "pass_fds": numbers})


_names = iter(range(10 ** 6))


def unique_name(prefix="v"):
    """A process name that nothing else on this machine has (<= 15 bytes)."""
    return "%s%x.%d" % (prefix, os.getpid(), next(_names))


class Victim:
    """A process of our own, to be killed. comm may be any bytes."""

    def __init__(self, comm=None, argv0=None, args=(), uid=None):
        self.comm = unique_name().encode() if comm is None else comm
        if isinstance(self.comm, str):
            self.comm = self.comm.encode()
        self.argv0 = argv0 if argv0 is not None else b"victim"
        self.args, self.uid = list(args), uid
        self.name = self.comm.decode("utf-8", "surrogateescape")

    def __enter__(self):
        program = os.path.join(ACTIONS, "victim")
        self.dir = None
        extra = {}
        if self.uid is not None:
            if not ROOT:
                raise Skip("only root can start other users' processes")
            self.dir = tempfile.mkdtemp(prefix="bridle-")
            os.chmod(self.dir, 0o755)
            program = shutil.copy(program, self.dir)
            extra = {"user": self.uid, "group": self.uid, "extra_groups": []}
        self.process = subprocess.Popen(
            [self.argv0, b"--comm", self.comm, *self.args],
            executable=program, stdout=subprocess.PIPE, **extra)
        self.pid = self.process.pid
        assert self.process.stdout.readline() == b"ready\n"
        return self

    def wait(self):
        """How it ended: its exit status, -15 for SIGTERM."""
        return self.process.wait(PATIENCE)

    def lives(self):
        return self.process.poll() is None

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        if self.dir:
            shutil.rmtree(self.dir, ignore_errors=True)


def equal(got, wanted, what=""):
    assert got == wanted, "%s: got %r, wanted %r" % (what, got, wanted)


def run_one(function):
    """None if it passed, the reason if it is skipped, else an exception."""
    try:
        function()
    except Skip as reason:
        return str(reason)
    return None


def main(names):
    """Runs the tests of a module, those named on the command line if any."""
    tests = [(name, value) for name, value in names.items()
             if name.startswith("test_") and callable(value)
             and (len(sys.argv) < 2 or name in sys.argv[1:])]
    print("1..%d" % len(tests))
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        title = name[5:].replace("_", " ")
        try:
            reason = run_one(function)
        except BaseException:  # a KeyboardInterrupt too is a failure
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print("not ok %d - %s" % (number, title))
        else:
            skip = "" if reason is None else " # SKIP " + reason
            print("ok %d - %s%s" % (number, title, skip))
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
