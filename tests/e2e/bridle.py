"""Functions for all end-to-end tests, which start the real daemon and the real
client. The results are printed as TAP.

A test file is a module with functions test_*. The last line of the module is
`bridle.main(globals())`. A test starts a daemon with `with Daemon(...) as d:`.
The end of this block stops the daemon and removes its files. A test that
cannot run on this machine raises Skip("because ...").
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
# Longest time of each wait, in seconds. A slow machine or valgrind needs a
# longer time.
PATIENCE = float(os.environ.get("BRIDLE_PATIENCE", "20"))
# Words to put before the daemon's command, for example valgrind and its
# options.
WRAP = os.environ.get("BRIDLE_WRAP", "").split()
# True if tests with many clients must start fewer clients. This saves time
# under valgrind, and in a build that only repeats the tests of another build.
FEW = bool(WRAP) or os.environ.get("BRIDLE_FEW") == "yes"
# True if sessions have their filter of system calls; see CONTRIBUTING.md.
FILTER = os.environ.get("BRIDLE_FILTER") != "no"
ROOT = os.geteuid() == 0
# A shell lets its background jobs ignore SIGINT, and all children inherit
# this. The programs that the tests start must not ignore SIGINT.
signal.signal(signal.SIGINT, signal.default_int_handler)
# nohup(1) makes its children ignore SIGHUP.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
# ASan's search for leaks takes two thirds of the time of a short program. The
# unit tests and the fuzzers' corpora search for leaks anyway. Therefore these
# tests switch off the search for all programs except the daemon.
LEAKS = os.environ.get("ASAN_OPTIONS", "")
os.environ["ASAN_OPTIONS"] = LEAKS + ":detect_leaks=0"
# Uids that need no entry in passwd. Root can run processes with these uids.
STRANGER = 61001
SERVICE = 61002


# Pattern of the reports of ASan, UBSan and valgrind in a daemon's log.
COMPLAINT = re.compile(r"AddressSanitizer|runtime error:|LeakSanitizer"
                       r"|^==\d+== (Invalid|Conditional|Use of|Syscall"
                       r"|Process terminating|Mismatched|Source and)", re.M)


class Skip(Exception):
    """Exception of a test that cannot run on this machine."""


def wait_for(what, condition, patience=PATIENCE):
    """Call condition() until its value is true; return this value. After
    `patience` seconds, raise an AssertionError that contains `what`."""
    end = time.monotonic() + patience
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError("timeout while waiting for " + what)
        time.sleep(0.01)


def is_running(pid):
    """True if the process exists and is not a zombie."""
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
    """Decode a field of the protocol, and return its bytes."""
    raw = field.encode("utf-8", "surrogateescape")
    return re.sub(rb"%([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), raw)


class Answer:
    """One reply. .columns has the names of the columns, and .status is the
    status line. .rows has a dict for each row, which gives the bytes of a cell
    by column name."""

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
    """Return the replies in the daemon's output, in order. The output must end
    with a complete line."""
    text = data.decode("utf-8", "surrogateescape")
    assert text == "" or text.endswith("\n"), "truncated: %r" % text[-80:]
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
    data = bytearray()  # += on a bytes object would copy all data
    while True:
        piece = sock.recv(65536)
        if not piece:
            return bytes(data)
        data += piece


def read_line(sock, patience=PATIENCE):
    """Read and return one line. The bytes after the line stay in the
    socket."""
    sock.settimeout(patience)
    data = b""
    while not data.endswith(b"\n"):
        piece = sock.recv(1)
        if not piece:
            break
        data += piece
    return data


def read_answer(sock, patience=PATIENCE):
    """Read and return one reply. More replies may follow on the connection."""
    lines = []
    while True:
        line = read_line(sock, patience).decode("utf-8", "surrogateescape")
        assert line.endswith("\n"), "the connection ended after %r" % line
        lines.append(line[:-1])
        if not line.startswith(("1#100#", "1#101#")):
            return Answer(lines)


def traps(path, folder, text=""):
    """Create files at `path`, one after the other. Each program must refuse to
    use these files. For each file, yield a part of the message that refuses
    the file. The links lead to folder/precious, which contains `text`. The
    test fails if a program has changed folder/precious."""
    precious = os.path.join(folder, "precious")

    def link(kind):
        with open(precious, "w") as f:
            f.write(text)
        kind(precious, path)

    def stranger():
        with open(path, "w") as f:
            f.write(text)
        os.chown(path, STRANGER, STRANGER)

    for make, part in ((lambda: os.mkfifo(path), "a FIFO"),
                       (lambda: link(os.symlink), "a link"),
                       (lambda: link(os.link), "a link in a folder"),
                       (stranger, "belongs to uid %d" % STRANGER)):
        if make is stranger and not ROOT:
            continue
        make()
        yield part
        assert os.path.lexists(path), part
        os.unlink(path)
        with contextlib.suppress(FileNotFoundError):
            with open(precious) as f:
                equal(f.read(), text, part)
            os.unlink(precious)


def reset(sock):
    """Close the connection by a reset (RST) instead of an orderly end."""
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
    """A bridled that runs for one test and has a folder of its own.

    Parameters:

    clients   the text inside clients = ( ... ); default: the user of the test
              is allowed to do everything
    settings  further lines of the configuration, such as 'stop_seconds = 1;'
    limits    a dict of the settings inside limits = { ... }
    penalties the text inside penalties = { ... }; default: no penalties,
              because most tests send wrong requests as the same user
    tcp       addresses of TCP listeners; port 0 is replaced by a free port,
              which .ports contains
    uid       the uid that runs the daemon; default: the test's own uid; only
              root can start the daemon with another uid
    limit     a dict of prlimit(1) options such as {"nofile": 40}
    power     a dict of argv lists by mode; default: the program `recorder`;
              see recorded(); "{dir}" in an argument stands for the daemon's
              folder; this folder contains the programs of tests/actions, and
              the folder sock/, in which the daemon's user can create files
    user      the daemon's user if root starts the daemon; default: root
    passed    listening sockets that the daemon inherits, as from a service
              manager
    passed_names  the names of these sockets, joined by colons
    """

    # Path of the daemon's program. A subclass can set another program.
    source = BRIDLED
    # Path of a program that replaces the session programs, or None.
    session = None
    # Options for the log. A subclass with other options overrides log(), too.
    log_args = ["--log-stderr"]

    def __init__(self, clients=None, settings="", limits=None, tcp=(),
                 penalties="enabled = false;",
                 uid=None, limit=None, power=None, mode="0666", args=(),
                 wrap=None, env=None, conf=None, user=None,
                 passed=(), passed_names=""):
        if uid is not None and not ROOT:
            raise Skip("because only root can start a daemon as another user")
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
        self.passed, self.passed_names = list(passed), passed_names
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
        # The daemon's user may lack access to the build folder, so copy the
        # programs.
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
        """Return the path of a test program that the daemon's user can run."""
        return os.path.join(self.dir, name)

    def write_config(self, text=None):
        """Write `text` to the configuration file. If `text` is None, make the
        text from the parameters."""
        if text is None:
            listen = ['{ unix = %s; mode = "%s"; }'
                      % (quote(self.sock), self.mode)]
            for place in self.tcp:
                listen.append(place if place.startswith("{")
                              else "{ tcp = %s; }" % quote(place))
            # Replace each halting command that the test does not give, so that
            # no test halts this machine.
            power = dict(self.power or {})
            for mode in ("halt", "poweroff", "reboot"):
                power.setdefault(mode, [self.program_path("recorder"),
                                        self.record_path, mode, "{when}",
                                        "{message}"])
            power.setdefault("cancel", [self.program_path("recorder"),
                                        self.record_path, "cancel"])
            text = "user = %s;\nlisten = (%s);\nclients = (%s);\n" % (
                quote(self.user or ("root" if ROOT else "nobody")),
                ",\n  ".join(listen), self.clients)
            # The tests must not depend on the state of this machine's logind.
            for query in ("inhibitors", "scheduled", "can_suspend",
                          "can_hibernate"):
                power.setdefault(query, [])
            # Never suspend this machine.
            for mode in ("suspend", "hibernate"):
                power.setdefault(mode, [self.program_path("recorder"),
                                        self.record_path, mode])
            text += "power = { %s };\n" % " ".join(
                "%s = %s;" % (m, strings(a.replace("{dir}", self.dir)
                                         for a in argv))
                for m, argv in power.items())
            if self.limits:
                text += "limits = { %s };\n" % " ".join(
                    "%s = %d;" % item for item in self.limits.items())
            text += "penalties = { %s };\n" % self.penalties
            text += self.settings + "\n"
        # The daemon must never use this machine's state_dir, even if the test
        # gives the whole text of the configuration.
        if "listen = " in text and "state_dir" not in text:
            text += "state_dir = %s;\n" % quote(self.state_dir)
        with open(self.config + ".new", "w",
                  errors="surrogateescape") as f:
            f.write(text)
        os.chmod(self.config + ".new", 0o644)
        os.rename(self.config + ".new", self.config)

    def start(self):
        """Start the daemon and wait until it accepts clients. If another
        process has taken one of the free ports, start the daemon again with
        other ports."""
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
            command, passing = pass_on(self.passed, command,
                                       self.passed_names)
            extra.update(passing)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                cwd=self.dir, env=dict(self.env or os.environ,
                                       ASAN_OPTIONS=LEAKS), **extra)
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
            raise AssertionError("a checker has found a fault:\n" + self.log())
        shutil.rmtree(self.dir, ignore_errors=True)

    def end_leftovers(self):
        """Kill the processes of the daemon that still run after its end. A
        halting command, for example, continues when the daemon stops."""
        for pid in filter(str.isdigit, os.listdir("/proc")):
            with contextlib.suppress(OSError):
                if os.readlink("/proc/%s/exe" % pid).startswith(
                        self.dir + "/"):
                    os.kill(int(pid), signal.SIGKILL)

    # -- functions that observe the daemon ---------------------------------

    def log(self):
        with contextlib.suppress(FileNotFoundError):
            with open(self.log_path, errors="replace") as f:
                return f.read()
        return ""

    def wait_log(self, pattern, patience=PATIENCE):
        """Wait until a line of the log matches the regular expression. Return
        the first match."""
        return wait_for("%r in the log" % pattern,
                        lambda: re.search(pattern, self.log(), re.M), patience)

    def whole_log(self):
        """Return the log, which contains the lines of all replies so far.

        The logger process may write the line of a reply after the daemon has
        sent the reply. Therefore send a ping and wait for the line of the
        ping, which comes after the earlier lines.
        """
        self.wait_log("^bridled: id=%s " % self.ask("1#4").status.pairs["id"])
        return self.log()

    def recorded(self):
        """Return a list of the calls that the program `recorder` has recorded.
        Each call is a list of the arguments of a halting command."""
        with contextlib.suppress(FileNotFoundError):
            with open(self.record_path) as f:
                return [line[:-1].split("|") for line in f]
        return []

    def all_children(self):
        """Return (pid, state, title) for each child of the daemon."""
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
        """Return (pid, state) for the logger and for each session and action.
        The fork servers and the spare sessions are left out."""
        return [(pid, state) for pid, state, title in self.all_children()
                if title not in ("bridled: fork server", "bridled: spare")]

    def actions(self):
        """Return the pids of the daemon's actions. An action is the leader of
        a kernel session, unlike the other children."""
        found = []
        for pid, _ in self.children():
            with contextlib.suppress(ProcessLookupError):
                if os.getsid(pid) == pid:
                    found.append(pid)
        return found

    @contextlib.contextmanager
    def stopped(self):
        """Stop the daemon with SIGSTOP until the block ends. Meanwhile new
        connections stay in the backlog."""
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
        """Wait until all sessions and actions have ended. The logger still
        runs."""
        wait_for("the daemon to be quiet",
                 lambda: len(self.children()) <= 1)

    def counter(self, name):
        for row in self.ask("1#7").rows:
            if row["counter"] == name.encode():
                return int(row["value"])
        raise KeyError(name)

    def fds(self):
        """Return the number of the daemon's descriptors. The two descriptors
        for each spare session are not counted."""
        spares = [pid for pid, _, title in self.all_children()
                  if title == "bridled: spare"]
        return len(os.listdir("/proc/%d/fd" % self.pid)) - 2 * len(spares)

    def reload(self):
        """Send SIGHUP and wait for the result. Return True if the daemon
        accepted the settings."""
        before = len(re.findall("reloaded", self.log()))
        self.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: len(
            re.findall("reloaded", self.log())) > before)
        return "not reloaded" not in [
            line for line in self.log().splitlines() if "reloaded" in line][-1]

    # -- functions that send requests to the daemon ------------------------

    def connect(self, port=None, host="127.0.0.1"):
        """Return a connection to the TCP port, or to the unix socket if `port`
        is None."""
        if port is None:
            s = socket.socket(socket.AF_UNIX)
            s.settimeout(PATIENCE)
            s.connect(self.sock)
            return s
        return socket.create_connection((host, port), PATIENCE)

    def send(self, data, port=None, host="127.0.0.1"):
        """Send the bytes on a new connection, half-close, and return all
        replies."""
        if isinstance(data, str):
            data = data.encode("utf-8", "surrogateescape")
        with self.connect(port, host) as s:
            s.sendall(data)
            s.shutdown(socket.SHUT_WR)
            return answers(read_all(s))

    def ask(self, line, port=None, host="127.0.0.1"):
        """Send one request line, without its LF, on a new connection. Return
        the reply."""
        found = self.send(line + "\n", port, host)
        assert len(found) == 1, found
        return found[0]

    def ctl(self, *args, **kwargs):
        return ctl("-H", "unix:" + self.sock, *args, **kwargs)


def ctl(*args, stdin="", uid=None, env=None):
    """Run bridlectl to its end. Return its .returncode, .stdout and .stderr;
    the output is text."""
    extra = {} if uid is None else {"user": uid, "group": uid,
                                    "extra_groups": []}
    return subprocess.run([BRIDLECTL, *args], input=stdin, text=True,
                          capture_output=True, timeout=PATIENCE * 3,
                          errors="surrogateescape", env=env, **extra)


def pass_on(sockets, command, names=""):
    """Return a pair (command, options) for Popen(command, **options). The
    program that Popen() then runs has the sockets as its descriptors 3, 4 and
    so on."""
    def place():
        # Move the sockets to high numbers first. A socket may already have one
        # of the numbers 3, 4 and so on.
        high = [fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 100) for s in sockets]
        for number, fd in enumerate(high, 3):
            os.dup2(fd, number)

    numbers = tuple(range(3, 3 + len(sockets)))
    return (["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=%d LISTEN_FDNAMES=%s '
             'exec "$@"' % (len(sockets), names), "sh", *command],
            {"preexec_fn": place, "pass_fds": numbers})


_names = iter(range(10 ** 6))


def unique_name(prefix="v"):
    """Return a name of at most 15 bytes that no other process on this machine
    has."""
    return "%s%x.%d" % (prefix, os.getpid(), next(_names))


class Victim:
    """A process that the tests kill. `comm` is the name of the process, and
    can be any bytes."""

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
                raise Skip("because only root can start others' processes")
            self.dir = tempfile.mkdtemp(prefix="bridle-")
            os.chmod(self.dir, 0o755)
            program = shutil.copy(program, self.dir)
            extra = {"user": self.uid, "group": self.uid, "extra_groups": []}
        # Python cannot start a program with an empty argv[0], so the program
        # `victim` sets its own argv[0].
        self.process = subprocess.Popen(
            [program, b"--argv0", self.argv0, b"--comm", self.comm,
             *self.args],
            stdout=subprocess.PIPE, **extra)
        self.pid = self.process.pid
        assert self.process.stdout.readline() == b"ready\n"
        return self

    def wait(self):
        """Wait until the process ends. Return its exit status, or the negative
        number of the signal that killed the process."""
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
    """Run a test. Return None if the test passed, the reason if the test was
    skipped, or else the exception."""
    try:
        function()
    except Skip as reason:
        return str(reason)
    return None


def main(names):
    """Run the tests of a module. If the command line has arguments, run only
    the tests with these names."""
    tests = [(name, value) for name, value in names.items()
             if name.startswith("test_") and callable(value)
             and (len(sys.argv) < 2 or name in sys.argv[1:])]
    print("1..%d" % len(tests))
    failed = 0
    for number, (name, function) in enumerate(tests, 1):
        title = name[5:].replace("_", " ")
        try:
            reason = run_one(function)
        except BaseException:  # a KeyboardInterrupt is a failure, too
            failed += 1
            for line in traceback.format_exc().splitlines():
                print("# " + line)
            print("not ok %d - %s" % (number, title))
        else:
            skip = "" if reason is None else " # SKIP " + reason
            print("ok %d - %s%s" % (number, title, skip))
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
