"""Tests of the daemon's command line, start and end, and of the rights of each
process of the daemon."""

import contextlib
import ctypes
import errno
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import time
from contextlib import ExitStack

import bridle
from bridle import (BRIDLED, FILTER, ROOT, STRANGER, Daemon, Skip, Victim,
                    answers, equal, is_running, read_all, read_answer, wait_for)
from crowd import KILLS
from etc_files import EtcFiles

# Exit statuses of <sysexits.h>.
USAGE, NOUSER, OSERR, IOERR, TEMPFAIL, CONFIG = 64, 67, 71, 74, 75, 78
CAP_KILL = 1 << 5
CAP_SYS_CHROOT = 1 << 18
PTRACE_SEIZE = 0x4206


def bridled(*args, **kwargs):
    """Run bridled to its end. Return its exit status, output and errors."""
    return subprocess.run([*bridle.WRAP, BRIDLED, *args], text=True,
                          stdin=subprocess.DEVNULL, capture_output=True,
                          timeout=bridle.PATIENCE * 2, **kwargs)


@contextlib.contextmanager
def prepared(**kwargs):
    """Yield a Daemon that has its folder and configuration, but is not
    started."""
    d = Daemon(**kwargs)
    d.start = d.write_config
    with d:
        yield d


def status_fields(pid):
    """Return the fields of /proc/PID/status as a dict. Any user may read this
    file."""
    with open("/proc/%d/status" % pid) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f)


def stop(pid):
    """End a daemon that is not a child of this test, and wait for its end."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
    try:
        wait_for("process %d to end" % pid, lambda: not is_running(pid))
    except AssertionError:
        os.kill(pid, signal.SIGKILL)
        raise


# -- tests of the command line ----------------------------------------------

def test_version_and_help():
    done = bridled("--version")
    equal((done.returncode, done.stderr), (0, ""))
    assert re.fullmatch(r"bridled \d+\.\d+\.\d+\n", done.stdout), done.stdout
    equal(bridled("-V").stdout, done.stdout)
    done = bridled("--help")
    equal((done.returncode, done.stderr), (0, ""))
    assert done.stdout.startswith("Usage: bridled "), done.stdout
    for option in ("--config", "--daemonize", "--pid-file", "--log-stderr",
                   "--check", "--show", "--version", "--help"):
        assert option in done.stdout, option
    equal(bridled("-h").stdout, done.stdout)


def test_wrong_usage():
    for args in (["--nonsense"], ["-x"], ["--config"], ["--pid-file"],
                 ["superfluous"], ["--check", "one", "two"],
                 ["--show", "one", "two"]):
        done = bridled(*args)
        equal((done.returncode, done.stdout), (USAGE, ""), args)
        assert "--help" in done.stderr, (args, done.stderr)


def test_check():
    with prepared() as d:
        for args in (["--check", d.config], ["--config", d.config, "--check"],
                     ["-c", d.config, "--check"]):
            done = bridled(*args)
            equal((done.returncode, done.stdout),
                  (0, "%s: ok\n" % d.config), args)
        assert not os.path.exists(d.sock)
        d.write_config("listem = ();\nstop_seconds = -1;\n")
        done = bridled("--check", d.config)
        equal((done.returncode, done.stdout), (CONFIG, ""))
        assert "%s:1: listem: " % d.config in done.stderr, done.stderr
        assert "%s:2: stop_seconds: " % d.config in done.stderr, done.stderr
    done = bridled("--check", d.config)
    equal(done.returncode, CONFIG)
    assert d.config in done.stderr, done.stderr


def test_check_judges_listeners_as_the_start_would():
    with prepared() as d, socket.socket() as tcp, \
            socket.socket(socket.AF_UNIX) as unix:
        tcp.bind(("127.0.0.1", 0))
        tcp.listen()
        place = "127.0.0.1:%d" % tcp.getsockname()[1]
        path = d.sock + "-taken"
        unix.bind(path)
        unix.listen()
        held = "in use by \\S+, pid %d: " % os.getpid()
        for listen, says in [
                ('tcp = "%s"' % place, place + " is " + held),
                ('tcp = "[::]:%s"; tls = true' % place.split(":")[1], held),
                ('tcp = "192.0.2.1:7075"; tls = true', "Cannot assign"),
                ('unix = "%s"' % path, path + " is " + held),
                ('unix = "%s"' % d.config, "not a socket"),
                ('unix = "%s/no/such/s"' % d.dir, "No such file")]:
            d.write_config('user = "nobody"; listen = ( { %s; } );'
                           ' clients = ();\n' % listen)
            done = bridled("--check", d.config)
            equal((done.returncode, done.stdout), (CONFIG, ""), done.stderr)
            assert re.search(r"conf:1: listen: .*" + says, done.stderr), \
                (says, done.stderr)
        # The socket file now belongs to no daemon, so the check succeeds.
        unix.close()
        d.write_config('user = "nobody"; listen = ( { unix = "%s"; } );'
                       ' clients = ();\n' % path)
        equal(bridled("--check", d.config).returncode, 0)


def test_the_daemon_that_runs_is_not_in_the_way_of_its_check():
    with Daemon(tcp=["127.0.0.1:0"]) as d:
        equal(bridled("--check", d.config).returncode, 0)
        other = d.config + "-other"
        with open(d.config) as f, open(other, "w") as g:
            g.write(f.read())
        done = bridled("--check", other)
        equal(done.returncode, CONFIG if ROOT else 0, done.stderr)
        # Only root can find out which daemon listens at the addresses.
        assert ROOT or "check as root" in done.stderr, done.stderr
        equal(bridled("--check", other, "--in-place-of",
                      d.config).returncode, 0)


def test_check_reads_the_file_as_the_user_of_the_daemon():
    if not ROOT:
        raise Skip("because only root can change its user")
    with prepared(user="nobody") as d:
        equal(bridled("--check", d.config).returncode, 0)
        os.chmod(d.config, 0o600)
        done = bridled("--check", d.config)
        equal((done.returncode, done.stdout), (CONFIG, ""))
        assert "Permission denied" in done.stderr, done.stderr
        assert "chgrp nobody" in done.stderr, done.stderr


def test_check_judges_sessions_as_the_start_would():
    user = "nobody" if ROOT else None
    with prepared(user=user, tcp=['{ tcp = "127.0.0.1:0"; tls = true; }']) as d:
        with open(d.config) as f:
            text = f.read().replace(":0", ":%d" % bridle.free_port())

        def check(state_dir, program=None):
            d.write_config(text.replace(d.state_dir, state_dir))
            done = subprocess.run(
                [program or d.program, "--check", d.config], text=True,
                capture_output=True, timeout=bridle.PATIENCE)
            equal(done.stdout, "" if done.returncode
                  else "%s: ok\n" % d.config, done.stderr)
            return done.returncode, done.stderr

        def refuses(part, *args):
            status, errors = check(*args)
            equal(status, CONFIG, part)
            assert part in errors, (part, errors)

        equal(check(d.state_dir), (0, ""))
        assert not os.path.exists(d.state_dir)
        refuses("/no/such: No such file", d.dir + "/no/such")
        refuses("Not a directory", d.config)
        key = os.path.join(d.state_dir, "host_key")
        os.mkdir(d.state_dir, 0o700)
        if ROOT:
            refuses("%s/host_key: Permission denied" % d.state_dir,
                    d.state_dir)
            os.chmod(d.state_dir, 0o755)
            refuses("%s: Permission denied" % d.state_dir, d.state_dir)
            shutil.chown(d.state_dir, user)
        equal(check(d.state_dir), (0, ""))
        with open(key, "w") as f:
            f.write("no key\n")
        os.chmod(key, 0o600)
        if ROOT:
            shutil.chown(key, user)
        refuses(key, d.state_dir)
        os.unlink(key)
        os.chmod(os.path.join(d.dir, "bridled-session"), 0o777)
        refuses("bridled-session may be written by others", d.state_dir)


def test_output_that_is_lost_is_no_success():
    with prepared() as d, \
            open("/dev/full", "w") as full:
        for args in (["--check", d.config], ["--show", d.config],
                     ["--check", d.config, "--access", "root"],
                     ["--help"], ["--version"]):
            for to, extra in ((full, {}),
                              (None, {"preexec_fn": lambda: os.close(1)})):
                done = subprocess.run([BRIDLED, *args], stdout=to, text=True,
                                      stderr=subprocess.PIPE, **extra)
                equal(done.returncode, IOERR, args)
                assert "output" in done.stderr, (args, done.stderr)


def test_each_exit_status_is_in_the_manual():
    with open(os.path.join(bridle.SOURCE, "man", "bridled.8")) as f:
        section = f.read().partition(".Sh EXIT STATUS")[2].partition(".Sh")[0]
    used = set()
    for folder, _, names in os.walk(os.path.join(bridle.SOURCE, "daemon")):
        for name in names:
            if name.endswith(".c"):
                with open(os.path.join(folder, name)) as f:
                    used |= set(re.findall(r"\bEX_([A-Z]+)\b", f.read()))
    equal({int(n) for n in re.findall(r"^\.It (\d+)$", section, re.M)},
          {0} | {getattr(os, "EX_" + name) for name in used})


def test_what_show_prints_is_a_configuration():
    with prepared(settings="stop_seconds = 7;") as d:
        done = bridled("--show", d.config)
        equal((done.returncode, done.stderr), (0, ""))
        assert "stop_seconds = 7;" in done.stdout, done.stdout
        d.write_config(done.stdout)
        again = bridled("--show", d.config)
        equal((again.returncode, again.stdout), (0, done.stdout))
        equal(bridled("--check", d.config).returncode, 0)


# -- tests of errors at the start -------------------------------------------

def fails(args, status, *says):
    """Check that bridled exits with this status and prints these messages, in
    the foreground and in the background."""
    for extra in ([], ["--daemonize"]):
        done = bridled(*args, "--log-stderr", *extra)
        equal((done.returncode, done.stdout), (status, ""),
              (extra, done.stderr))
        for what in says:
            assert what in done.stderr, (extra, what, done.stderr)


def test_a_bad_configuration_is_told_and_told_by_the_status():
    with prepared() as d:
        d.write_config("listem = ();\n")
        fails(["--config", d.config], CONFIG, "%s:1: listem: " % d.config)
        os.unlink(d.config)
        fails(["--config", d.config], CONFIG, d.config, "No such file")


def test_a_port_in_use_is_told():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = "127.0.0.1:%d" % taken.getsockname()[1]
        with prepared(tcp=[place]) as d:
            fails(["--config", d.config], OSERR, place,
                  "Address already in use")
            # bridled must remove the socket files that it has already created.
            assert not os.path.exists(d.sock)


def test_a_missing_user_is_told():
    if not ROOT:
        raise Skip("because only root can change its user")
    with prepared() as d:
        with open(d.config) as f:
            text = f.read().replace('user = "root";', 'user = "no-such";')
        d.write_config(text)
        fails(["--config", d.config], NOUSER, "there is no user 'no-such'")


def test_a_name_service_that_fails_is_no_wrong_configuration():
    """A second start may succeed. Therefore the exit status must tell the
    service manager to try again."""
    check_failing_service("files")


def test_a_failing_name_service_is_seen_before_one_that_answers():
    """bridled must notice the failure of the first service, although a look-up
    reports only the result of the last service."""
    check_failing_service("files [!UNAVAIL=return] systemd")


def check_failing_service(services):
    with EtcFiles(services) as etc, prepared() as d:
        for name, text in [
                ("group", 'clients = ( { name = "far"; unix_group = "daemon";'
                          ' allow = (); } );'),
                ("passwd", 'clients = ( { name = "far"; unix_user = "daemon";'
                           ' allow = (); } );'),
                ("passwd", 'user = "daemon"; clients = ();')]:
            d.write_config(
                'listen = ( { unix = "%s"; } ); %s\n' % (d.sock, text))
            hidden = etc.hidden_behind_socket(name)
            for option in ("--check", "--config"):
                done = subprocess.run([*hidden, BRIDLED, option, d.config],
                                      check=False, capture_output=True,
                                      text=True, timeout=bridle.PATIENCE)
                equal(done.returncode, TEMPFAIL, done.stderr)
                assert "cannot be looked up now" in done.stderr, done.stderr


def test_a_pid_file_that_cannot_be_written_is_told():
    with prepared() as d:
        path = os.path.join(d.dir, "none", "pid")
        fails(["--config", d.config, "--pid-file", path], OSERR, path)
        assert not os.path.exists(d.sock)


def test_a_pid_file_that_leads_elsewhere_is_refused():
    with prepared() as d:
        path, other = os.path.join(d.dir, "pid"), os.path.join(d.dir, "other")
        with open(other, "w") as f:
            f.write("precious")
        os.symlink(other, path)
        fails(["--config", d.config, "--pid-file", path], OSERR, path)
        with open(other) as f:
            equal(f.read(), "precious")


def test_a_pid_file_that_may_be_another_users_is_refused():
    with prepared() as d:
        os.chmod(d.dir, 0o1777)
        path = os.path.join(d.dir, "pid")
        for part in bridle.traps(path, d.dir, "precious"):
            fails(["--config", d.config, "--pid-file", path], OSERR,
                  path + " ", part)


def test_a_planted_program_of_sessions_is_not_started():
    if not ROOT:
        raise Skip("because only root can make files of others")
    with prepared() as d:
        os.chmod(d.dir, 0o1777)
        path = os.path.join(d.dir, "bridled-session")
        os.chown(path, STRANGER, STRANGER)
        done = subprocess.run([d.program, "--config", d.config, "-e"],
                              capture_output=True, text=True)
        equal(done.returncode, OSERR, done.stderr)
        assert "%s belongs to uid %d" % (path, STRANGER) in done.stderr


# -- tests of the socket file -----------------------------------------------

def test_a_second_daemon_is_refused_and_the_first_goes_on():
    with Daemon() as d:
        inode = os.stat(d.sock).st_ino
        pid_file = os.path.join(d.dir, "pid")
        fails(["--config", d.config, "--pid-file", pid_file], OSERR, d.sock,
              "another daemon serves there")
        equal(os.stat(d.sock).st_ino, inode)
        assert not os.path.exists(pid_file)
        equal(d.ask("1#4").text, "pong")


def start_some(d, count):
    """Start `count` daemons at the same time. Wait until each daemon serves or
    has ended, and return the output of each daemon."""
    outs = [os.path.join(d.dir, "out%d" % n) for n in range(count)]
    processes = []
    for path in outs:
        with open(path, "wb") as out:
            processes.append(subprocess.Popen(
                [*d.wrap, d.program, "--config", d.config, "--log-stderr"],
                stdout=out, stderr=out))

    def said(path):
        with open(path) as f:
            return f.read()

    try:
        for process, path in zip(processes, outs):
            wait_for("a daemon", lambda: process.poll() is not None
                     or "serving at" in said(path))
        return [said(path) for path in outs]
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def test_of_some_that_start_at_once_one_serves():
    with Daemon(settings="stop_seconds = 0;") as d:
        d.process.terminate()
        d.process.wait()
        for n in range(12):
            if n % 2:  # in every second round, create a dead socket file
                with socket.socket(socket.AF_UNIX) as dead:
                    dead.bind(d.sock)
            said = start_some(d, 3)
            equal(["serving at" in s for s in said].count(True), 1, said)
            equal(["another daemon serves there" in s
                   for s in said].count(True), 2, said)


def test_a_stale_socket_file_is_replaced():
    with prepared() as d:
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(d.sock)
            s.listen()
        del d.start
        d.start()
        equal(d.ask("1#4").text, "pong")


def test_what_is_no_socket_is_left_alone():
    with prepared() as d:
        with open(d.sock, "w") as f:
            f.write("precious")
        fails(["--config", d.config], OSERR, d.sock, "not a socket")
        with open(d.sock) as f:
            equal(f.read(), "precious")


def test_the_socket_file_is_removed_at_the_end():
    with Daemon() as d:
        d.process.terminate()
        equal(d.process.wait(bridle.PATIENCE), 0)
        assert not os.path.exists(d.sock)


def test_anothers_socket_file_is_not_removed_at_the_end():
    with Daemon() as d, socket.socket(socket.AF_UNIX) as s:
        os.unlink(d.sock)
        s.bind(d.sock)
        d.process.terminate()
        equal(d.process.wait(bridle.PATIENCE), 0)
        assert os.path.exists(d.sock)


# -- tests of foreground and background -------------------------------------

def test_it_stays_in_the_foreground_by_default():
    with Daemon() as d:
        equal(status_fields(d.pid)["PPid"], str(os.getpid()))
        equal(os.getsid(d.pid), os.getsid(0))
        assert d.process.poll() is None


def background(d, *args, **kwargs):
    """Start the daemon in the background. Return the result of the command
    that starts it, and the daemon's pid."""
    if bridle.WRAP:
        raise Skip("because valgrind keeps our pipes open")
    pid_file = kwargs.pop("pid_file", os.path.join(d.dir, "sock", "pid"))
    done = bridled("--config", d.config, "--daemonize", "--pid-file",
                   pid_file, *args, **kwargs)
    equal((done.returncode, done.stdout), (0, ""), done.stderr)
    with open(os.path.join(kwargs.get("cwd", "/"), pid_file)) as f:
        return done, int(f.read())


def test_daemonize_returns_when_it_serves():
    with prepared(tcp=["127.0.0.1:%d" % bridle.free_port()]) as d:
        # background() reads the pipes until no process has them open any more.
        done, pid = background(d, umask=0)
        try:
            equal(done.stderr, "")
            mode = os.stat(os.path.join(d.dir, "sock", "pid")).st_mode
            equal(mode & 0o022, 0, "others could write the pid file")
            equal(d.ask("1#4").text, "pong")
            fields = status_fields(pid)
            assert fields["PPid"] != str(os.getpid())
            assert os.getsid(pid) not in (os.getsid(0), pid), \
                "it could get a controlling terminal"
            # The daemon is undumpable. An ordinary user cannot inspect the
            # daemon, so skip these checks for this user.
            with contextlib.suppress(PermissionError):
                equal(os.readlink("/proc/%d/cwd" % pid), "/")
                for fd in range(3):
                    equal(os.readlink("/proc/%d/fd/%d" % (pid, fd)),
                          "/dev/null")
        finally:
            stop(pid)
        assert not os.path.exists(os.path.join(d.dir, "sock", "pid"))
        assert not os.path.exists(d.sock)


def test_daemonize_may_log_to_standard_error():
    with prepared() as d:
        path = os.path.join(d.dir, "stderr")
        with open(path, "w") as log:
            subprocess.run([*bridle.WRAP, BRIDLED, "--config", d.config,
                            "--daemonize", "--log-stderr", "--pid-file",
                            os.path.join(d.dir, "pid")], stderr=log,
                           check=True, timeout=bridle.PATIENCE * 2)
        with open(os.path.join(d.dir, "pid")) as f:
            pid = int(f.read())
        try:
            d.ask("1#4")
            wait_for("the line", lambda: "verb=ping" in open(path).read())
        finally:
            stop(pid)


def test_a_relative_path_means_what_it_meant_to_the_caller():
    with prepared() as d:
        d.config, absolute = "bridled.conf", d.config
        _, pid = background(d, cwd=d.dir, pid_file="pid")
        try:
            equal(d.ask("1#4").text, "pong")
            # The daemon must still find its file, although the path was
            # relative.
            d.config = absolute
            d.clients = '{ name = "x"; unix_user = "7"; allow = ("*"); }'
            d.write_config()
            os.kill(pid, signal.SIGHUP)
            wait_for("the reload", lambda: d.ask("1#4").code == 401)
        finally:
            stop(pid)
        assert not os.path.exists(os.path.join(d.dir, "pid"))


def test_pid_file_in_the_foreground():
    with prepared(args=["--pid-file", "pid"]) as d:
        del d.start
        d.start()
        with open(os.path.join(d.dir, "pid")) as f:
            equal(f.read(), "%d\n" % d.pid)
        d.process.terminate()
        equal(d.process.wait(bridle.PATIENCE), 0)
        assert not os.path.exists(os.path.join(d.dir, "pid"))


# -- tests of the daemon's end ----------------------------------------------

def halting(how, **kwargs):
    argv = ["{dir}/misbehave", how, "{dir}/sock/pid"]
    return Daemon(power={m: argv for m in ("halt", "poweroff", "reboot")} |
                  {"cancel": argv}, **kwargs)


def begin(d, stack, line):
    """Send a request. Return the connection, and the pid of the action that
    the request has started."""
    sock = stack.enter_context(d.connect())
    sock.sendall(line)
    action, = wait_for("the action to run", d.actions)
    return sock, action


def check_closed(d):
    """Check that no client can connect to the daemon any more."""
    wait_for("a closed socket", lambda: not os.path.exists(d.sock))
    for port in d.ports:
        try:
            d.connect(port).close()
        except ConnectionRefusedError:
            continue
        raise AssertionError("port %d is still open" % port)


def test_requests_in_flight_finish_when_it_is_stopped():
    if not KILLS:
        raise Skip("because nothing is killed here")
    with Daemon(tcp=["127.0.0.1:0"], settings="stop_seconds = 600;") as d, \
            Victim(args=["--ignore-term"]) as v, ExitStack() as stack:
        sock, _ = begin(d, stack, b"1#3#%s#wait=300\n" % v.comm)
        d.wait_log("signal=TERM outcome=signalled")
        d.process.terminate()
        check_closed(d)
        assert d.process.poll() is None
        v.process.kill()
        answer = read_answer(sock)
        equal((answer.code, answer.rows[0]["outcome"]), (200, b"exited"))
        equal(d.process.wait(bridle.PATIENCE), 0)


def test_requests_in_flight_are_ended_after_stop_seconds():
    with halting("sleep", settings="stop_seconds = 1;") as d, \
            ExitStack() as stack:
        sock, action = begin(d, stack, b"1#6\n")
        began = time.monotonic()
        d.process.terminate()
        answer = read_answer(sock)
        equal((answer.code, answer.text),
              (503, "ended by TERM: the daemon is stopping"))
        assert time.monotonic() - began >= 0.9, "killed too early"
        equal(d.process.wait(bridle.PATIENCE), 0)
        assert not is_running(action)


def test_even_one_that_ignores_term_is_ended():
    with halting("ignore", settings="stop_seconds = 0;") as d, \
            ExitStack() as stack:
        sock, action = begin(d, stack, b"1#6\n")
        d.process.terminate()
        equal(read_answer(sock).code, 503)
        equal(d.process.wait(bridle.PATIENCE), 0)
        assert not is_running(action)


def test_a_second_signal_ends_it_at_once():
    for sig in (signal.SIGTERM, signal.SIGINT):
        with halting("sleep", settings="stop_seconds = 3600;") as d, \
                ExitStack() as stack:
            sock, action = begin(d, stack, b"1#6\n")
            d.process.send_signal(sig)
            d.wait_log("^bridled: stopping$")
            d.process.send_signal(sig)
            equal(read_answer(sock).code, 503)
            equal(d.process.wait(bridle.PATIENCE), 0)
            assert not is_running(action)


def test_the_idle_are_told_that_it_stops():
    with Daemon(tcp=["127.0.0.1:0"]) as d, ExitStack() as stack:
        socks = [stack.enter_context(d.connect(port))
                 for port in (None, d.ports[0]) * 2]
        for sock in socks[:2]:
            sock.sendall(b"1#4\n")
            equal(read_answer(sock).text, "pong")
        d.process.terminate()
        for sock in socks:
            answer, = answers(read_all(sock))
            equal((answer.code, answer.text),
                  (503, "the daemon is stopping"))
        equal(d.process.wait(bridle.PATIENCE), 0)


def test_who_waits_to_be_let_in_is_told_that_it_stops():
    """More clients wait than there are spare sessions. Each client must get a
    reply."""
    with Daemon(tcp=["127.0.0.1:0"], limits={"spare": 1}) as d, \
            ExitStack() as stack:
        with d.stopped():
            socks = [stack.enter_context(d.connect(port))
                     for port in (None, d.ports[0]) * 4]
            d.process.terminate()
        for sock in socks:
            answer, = answers(read_all(sock))
            equal((answer.code, answer.text),
                  (503, "the daemon is stopping"))
        equal(d.process.wait(bridle.PATIENCE), 0)


def test_a_halt_that_takes_the_daemon_down_has_worked():
    with halting("sleep", settings="stop_seconds = 3600;") as d, \
            ExitStack() as stack:
        sock, action = begin(d, stack, b"1#1\n")
        d.process.terminate()
        answer = read_answer(sock)
        equal((answer.code, answer.text), (202, "halt now"))
        sock.close()
        try:
            equal(d.process.wait(bridle.PATIENCE), 0)
            # A halting command must continue, because the machine is about to
            # stop.
            assert is_running(action)
        finally:
            os.kill(action, signal.SIGKILL)


def test_nothing_of_it_is_left_at_the_end():
    with Daemon() as d, d.connect() as s:
        s.sendall(b"1#4\n")
        equal(read_answer(s).text, "pong")
        known = [pid for pid, _ in d.children()]
        equal(len(known), 2, "the logger and a session")
        d.process.terminate()
        equal(d.process.wait(bridle.PATIENCE), 0)
        for pid in known:
            wait_for("process %d to end" % pid, lambda: not is_running(pid))


# -- tests of identity and rights -------------------------------------------

def capabilities(pid):
    fields = status_fields(pid)
    return {name: int(fields["Cap" + name], 16)
            for name in ("Inh", "Prm", "Eff", "Amb")}


NONE = {"Inh": 0, "Prm": 0, "Eff": 0, "Amb": 0}
KILL = {"Inh": 0, "Prm": CAP_KILL, "Eff": CAP_KILL, "Amb": 0}


def ids(pid):
    fields = status_fields(pid)
    return (fields["Uid"].split(), fields["Gid"].split(),
            sorted(map(int, fields["Groups"].split())))


def is_dumpable(pid):
    """True if /proc/PID belongs to the process's own user. The files of an
    undumpable process belong to root."""
    fields = status_fields(pid)
    uid = int(fields["Uid"].split()[1])
    assert uid != 0, "this cannot be seen for root's processes"
    return os.stat("/proc/%d/environ" % pid).st_uid == uid


def limit(pid, name):
    """Return the soft limit and the hard limit of the process."""
    with open("/proc/%d/limits" % pid) as f:
        return re.search(name + r" +(\S+) +(\S+)", f.read()).groups()


def check_session(pid):
    """Check the rights of a session. The session must already have sent a
    reply."""
    fields = status_fields(pid)
    equal((fields["NoNewPrivs"], fields["Seccomp"]),
          ("1", "2" if FILTER else "0"))
    for name in ("Max core file size", "Max processes", "Max file size"):
        equal(limit(pid, name), ("0", "0"), name)
    assert fields["Uid"].split()[1] == "0" or not is_dumpable(pid)
    if ROOT and FILTER:
        opened = os.listdir("/proc/%d/fd" % pid)
        equal({fd: os.readlink("/proc/%d/fd/%s" % (pid, fd)).split(":")[0]
               for fd in opened},
              {"0": "socket", "1": "/dev/null", "2": "/dev/null",
               "3": "socket"}, "its descriptors")
        for fd in "1", "2":
            with open("/proc/%d/fdinfo/%s" % (pid, fd)) as f:
                flags = int(re.search(r"^flags:\s+(\d+)", f.read(), re.M)[1],
                            8)
            assert flags & os.O_PATH, "the file is open for reading or writing"


def service_user():
    """Return the passwd entry of daemon, bin or games: the first of these
    users that exists."""
    for name in ("daemon", "bin", "games"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise Skip("because root is the only user")


class Cast:
    """The pids of the daemon's processes, one of each kind. These are .logger,
    .session, and the actions .program, .list and .kill. Each action runs until
    the block of `stack` ends."""

    def __init__(self, d, stack):
        self.logger, = [pid for pid, _ in d.children()]
        sock = stack.enter_context(d.connect())
        sock.sendall(b"1#4\n")
        read_answer(sock)
        self.session, = self.fresh(d, {self.logger})
        known = {self.logger, self.session}
        self.program, program_session = self.act(d, stack, known, b"1#1\n")
        known |= {self.program, program_session}
        # The client does not read this long list, so the action of the list
        # does not end.
        name = bridle.unique_name("")
        for _ in range(60):
            stack.enter_context(Victim(name.encode(), args=["%" * 4000]))
        self.list, list_session = self.act(
            d, stack, known, b"1#2#name=%s\n" % name.encode())
        known |= {self.list, list_session}
        self.kill = None
        if KILLS:
            # Without CAP_KILL, the daemon can kill only processes of its own
            # user. Therefore the victim belongs to this user.
            uid = os.stat("/proc/%d" % self.program).st_uid if ROOT else None
            v = stack.enter_context(
                Victim(args=["--ignore-term"], uid=uid))
            self.kill, _ = self.act(
                d, stack, known, b"1#3#%s#wait=300\n" % v.comm)
            d.wait_log("signal=TERM outcome=signalled")

    @staticmethod
    def fresh(d, known):
        return {pid for pid, state in d.children()
                if state != "Z"} - known

    def act(self, d, stack, known, line):
        """Send a request. Return the pids of the request's action and of the
        connection's session."""
        sock = stack.enter_context(d.connect())
        sock.sendall(line)

        def both():
            pids = self.fresh(d, known)
            actions = pids.intersection(d.actions())
            return len(pids) == 2 and len(actions) == 1 and \
                [*actions, *(pids - actions)]
        return wait_for("session and action of %r" % line, both)


def settled(pid, wanted):
    """Wait until a process has exactly these capabilities. A child drops
    capabilities soon after the fork."""
    wait_for("capabilities of %d: %r" % (pid, wanted),
             lambda: capabilities(pid) == wanted)


def check_cast(cast, parent, parent_capabilities):
    equal(capabilities(parent), parent_capabilities, "parent")
    settled(cast.session, NONE)
    check_session(cast.session)
    settled(cast.logger, NONE)
    settled(cast.list, NONE)
    # Wait until the action has executed its program. Only after this exec does
    # the process have its final capabilities.
    wait_for("the exec", lambda: status_fields(cast.program)["Name"] ==
             "misbehave")
    settled(cast.program, NONE)
    fields = status_fields(cast.program)
    equal((fields["NoNewPrivs"], fields["Seccomp"]), ("0", "0"))
    if cast.kill is not None:
        settled(cast.kill, {**NONE, "Prm": parent_capabilities["Prm"],
                            "Eff": parent_capabilities["Eff"]})


def test_root_becomes_the_configured_user_and_keeps_one_capability():
    if not ROOT:
        raise Skip("because only root can change its user")
    pw = service_user()
    groups = sorted(os.getgrouplist(pw.pw_name, pw.pw_gid))
    with ExitStack() as stack:
        d = stack.enter_context(halting("sleep", user=pw.pw_name))
        cast = Cast(d, stack)
        wanted = ([str(pw.pw_uid)] * 4, [str(pw.pw_gid)] * 4, groups)
        for pid in (d.pid, cast.logger, cast.session, cast.list,
                    cast.program):
            equal(ids(pid), wanted, status_fields(pid)["Name"])
        check_cast(cast, d.pid, KILL)
        assert not is_dumpable(d.pid)
        equal(status_fields(d.pid)["Groups"].split() == [], groups == [])


def test_with_its_one_capability_it_kills_others_processes():
    if not ROOT or not KILLS:
        raise Skip("because this needs root, and kills")
    pw = service_user()
    with Daemon(user=pw.pw_name) as d, Victim(uid=bridle.STRANGER) as v:
        equal(d.ask("1#3#" + v.name).text, "1 signalled")
        equal(v.wait(), -15)


class AmbientDaemon(Daemon):
    """A daemon that is started as systemd starts it. The daemon is not started
    as root, but with CAP_KILL as an ambient capability."""

    def spawn(self):
        pw = service_user()
        os.chown(os.path.dirname(self.sock), pw.pw_uid, pw.pw_gid)
        self.wrap = ["setpriv", "--reuid=%d" % pw.pw_uid,
                     "--regid=%d" % pw.pw_gid, "--clear-groups",
                     "--inh-caps=+kill", "--ambient-caps=+kill",
                     *bridle.WRAP]
        super().spawn()


def test_an_ambient_capability_does_not_survive_an_exec():
    if not ROOT or bridle.WRAP:
        raise Skip("because only root can give capabilities away")
    argv = ["{dir}/misbehave", "sleep", "{dir}/sock/pid"]
    with ExitStack() as stack:
        d = stack.enter_context(AmbientDaemon(
            power={m: argv for m in ("halt", "poweroff", "reboot")}))
        cast = Cast(d, stack)
        has = capabilities(d.pid)
        equal((has["Prm"], has["Eff"]), (CAP_KILL, CAP_KILL))
        check_cast(cast, d.pid, has)
        with Victim(uid=bridle.STRANGER) as v:
            equal(d.ask("1#3#" + v.name).text, "1 signalled")


def test_an_ordinary_user_runs_it_with_his_own_rights():
    uid = bridle.SERVICE if ROOT else None
    with ExitStack() as stack:
        d = stack.enter_context(halting("sleep", uid=uid))
        uid = d.uid
        cast = Cast(d, stack)
        for pid in (d.pid, cast.logger, cast.session, cast.list,
                    cast.program):
            equal(ids(pid)[0], [str(uid)] * 4)
        check_cast(cast, d.pid, NONE)
        assert not is_dumpable(d.pid)
        if not KILLS:
            return
        mine = stack.enter_context(
            Victim(uid=bridle.SERVICE) if ROOT else Victim())
        equal(d.ask("1#3#" + mine.name).text, "1 signalled")
        equal(mine.wait(), -15)
        if ROOT:
            roots = stack.enter_context(Victim())
            equal(d.ask("1#3#" + roots.name).text, "1 denied by the kernel")
            assert roots.lives()


@contextlib.contextmanager
def session(**kwargs):
    """Yield a daemon, and the pid of a session that has replied."""
    with Daemon(**kwargs) as d:
        known = {pid for pid, _ in d.children()}
        with d.connect() as sock:
            sock.sendall(b"1#4\n")
            read_answer(sock)
            pid, = Cast.fresh(d, known)
            yield d, pid


def test_a_root_that_stays_root_has_sessions_without_power():
    if not ROOT:
        raise Skip("because only root stays root")
    with session(user="root") as (d, pid):
        equal(ids(pid)[0], ["0"] * 4)
        equal(capabilities(pid), NONE)
        check_session(pid)
        if capabilities(d.pid)["Eff"] & CAP_SYS_CHROOT:
            equal(os.listdir("/proc/%d/root/" % pid), [])
            # The folder is deleted, so no process can create a file there.
            assert os.readlink("/proc/%d/root" % pid).endswith(" (deleted)")


def intrude(pid):
    """Try each way to access the process. For each way, yield 0 for a success,
    or the errno."""
    libc = ctypes.CDLL(None, use_errno=True)
    yield libc.ptrace(PTRACE_SEIZE, pid, None, None) and ctypes.get_errno()
    for name in ("maps", "mem", "environ"):
        try:
            open("/proc/%d/%s" % (pid, name), "rb").close()
            yield 0
        except OSError as problem:
            yield problem.errno


def as_user(uid, function, *args):
    """Run a function in a process of the user `uid`. This uid needs no entry in
    passwd. Return the list of the function's results."""
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        with contextlib.suppress(BaseException):
            if ROOT:
                os.setgroups([])
                os.setresgid(uid, uid, uid)
                os.setresuid(uid, uid, uid)
            os.write(write, bytes(function(*args)))
        os._exit(0)
    os.close(write)
    with open(read, "rb") as f:
        said = list(f.read())
    os.waitpid(child, 0)
    return said


def test_its_own_user_cannot_look_into_a_session():
    uid = bridle.SERVICE if ROOT else os.getuid()
    with session(uid=uid) as (d, pid):
        equal(as_user(uid, intrude, pid),
              [errno.EPERM, errno.EACCES, errno.EACCES, errno.EACCES])


def test_the_user_need_not_be_there_unless_root_starts_it():
    if ROOT:
        with prepared(uid=bridle.SERVICE) as d:
            check_as_nobody_else(d)
    else:
        with prepared() as d:
            check_as_nobody_else(d)


def check_as_nobody_else(d):
    with open(d.config) as f:
        text = re.sub(r'user = "\w+";', 'user = "no-such";', f.read(), 1)
    d.text = text
    del d.start
    d.start()
    equal(d.ask("1#4").text, "pong")


bridle.main(globals())
