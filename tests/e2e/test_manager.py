"""Tests of the messages between a service manager and bridled: passed sockets,
readiness, reloads, stops and the watchdog. The test program acts as the
service manager."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import tempfile
import threading

import bridle
from bridle import (SERVICE, Daemon, answers, equal, free_port, read_all,
                    read_answer, wait_for)
from etc_files import EtcFiles, open_writer


class Manager:
    """The socket of a service manager. The daemon finds the path of this socket
    in $NOTIFY_SOCKET, and sends its messages there."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="bridle-")
        os.chmod(self.folder.name, 0o755)
        self.path = os.path.join(self.folder.name, "notify")
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.sock.settimeout(bridle.PATIENCE)
        self.sock.bind(self.path)
        os.chmod(self.path, 0o666)
        self.env = dict(os.environ, NOTIFY_SOCKET=self.path)
        return self

    def __exit__(self, *exc):
        self.sock.close()
        self.folder.cleanup()

    def hear(self, line):
        """Wait for a message with a line that matches the regular expression
        `line`. Return all lines of this message."""
        while True:
            said = self.sock.recv(4096).decode().splitlines()
            if any(re.fullmatch(line, s) for s in said):
                return said


def status_of(said):
    return [s for s in said if s.startswith("STATUS=")][0]


def unix_socket(path):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    os.chmod(path, 0o666)
    s.listen(128)
    return s


@contextlib.contextmanager
def sockets():
    """Yield the path of a unix socket, this socket, and a TCP socket. systemd
    would pass the same kinds of sockets."""
    with tempfile.TemporaryDirectory(prefix="bridle-") as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "s")
        with unix_socket(path) as u, socket.create_server(
                ("127.0.0.1", 0), backlog=128) as t:
            yield path, u, t


def conf(path, *places, more=""):
    """Return a configuration with listeners at `path`, unless `path` is None,
    and at the TCP addresses `places`."""
    listen = ['{ unix = "%s"; mode = "0666"; }' % path] if path else []
    listen += ['{ tcp = "%s"; }' % p for p in places]
    return ('user = "%s";\nlisten = (%s);\nclients = ({ name = "me"; '
            'unix_user = "%d"; allow = ("*"); });\n'
            "limits = { sessions_per_source = 200; };\n%s"
            % ("root" if bridle.ROOT else "nobody", ", ".join(listen),
               os.getuid(), more))


def address(t):
    return "127.0.0.1:%d" % t.getsockname()[1]


def start(text, passed, **more):
    """Start a daemon that must fail to start. Return its output and its exit
    status."""
    d = Daemon(conf=text, passed=passed, **more)
    try:
        with d:
            raise AssertionError("the daemon serves: " + d.log())
    except AssertionError as e:
        assert "did not start" in str(e), e
        return str(e), d.process.returncode


# -- tests of readiness and of the status -----------------------------------


def test_it_says_when_it_serves_reloads_and_stops():
    with Manager() as m:
        with Daemon(env=m.env) as d:
            said = m.hear("READY=1")
            equal(status_of(said),
                  "STATUS=Sessions: 0, requests: 0, refused: 0")
            assert d.reload()
            assert any(s.startswith("MONOTONIC_USEC=")
                       for s in m.hear("RELOADING=1"))
            m.hear("READY=1")
        m.hear("STOPPING=1")


def test_it_says_what_it_does():
    with Manager() as m, Daemon(
            '{ name = "me"; unix_user = "%d"; allow = ("ping", "status"); }'
            % os.getuid(), env=m.env) as d:
        m.hear("READY=1")
        for _ in range(3):
            equal(d.ask("1#4").code, 200)
        equal(d.ask("1#2").code, 403)
        d.wait_quiet()
        m.hear("STATUS=Sessions: 0, requests: 4, refused: 1")


def test_it_says_that_a_reload_has_failed():
    with Manager() as m, Daemon(env=m.env) as d:
        m.hear("READY=1")
        d.write_config("nonsense = 1;\n")
        assert not d.reload()
        m.hear("RELOADING=1")
        assert "The last reload failed" in status_of(m.hear("READY=1"))
        d.write_config()
        assert d.reload()
        m.hear("RELOADING=1")
        assert "failed" not in status_of(m.hear("READY=1"))


def test_signs_of_life_come_while_its_loop_turns():
    with Manager() as m:
        env = dict(m.env, WATCHDOG_USEC="300000")
        with Daemon(env=env) as d:
            for _ in range(5):
                m.hear("WATCHDOG=1")
            with d.stopped():
                # Read the messages that the daemon has sent before it was
                # stopped.
                with contextlib.suppress(BlockingIOError):
                    m.sock.setblocking(False)
                    while m.sock.recv(4096):
                        pass
                m.sock.settimeout(1)
                with contextlib.suppress(TimeoutError):
                    raise AssertionError(m.sock.recv(4096))
            m.sock.settimeout(bridle.PATIENCE)
            m.hear("WATCHDOG=1")


def test_a_watchdog_of_another_process_is_not_fed():
    with Manager() as m:
        env = dict(m.env, WATCHDOG_USEC="3000", WATCHDOG_PID="1")
        with Daemon(env=env):
            m.hear("READY=1")
        assert "WATCHDOG=1" not in m.hear("STOPPING=1")


def test_a_manager_that_is_not_there_harms_nobody():
    env = dict(os.environ, NOTIFY_SOCKET="/nonexistent/notify")
    with Daemon(env=env) as d:
        equal(d.ask("1#4").code, 200)


def test_an_abstract_socket_will_do():
    name = "bridle-test-%d" % os.getpid()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.settimeout(bridle.PATIENCE)
        s.bind("\0" + name)
        with Daemon(env=dict(os.environ, NOTIFY_SOCKET="@" + name)):
            assert b"READY=1" in s.recv(4096)


# -- tests of passed sockets ------------------------------------------------


def test_passed_sockets_are_served_and_left_in_place():
    with sockets() as (path, u, t):
        with Daemon(conf=conf(path, address(t)), passed=[u, t]) as d:
            d.sock = path
            inode = os.stat(path).st_ino
            equal(d.ask("1#4").code, 200)
            equal(d.ask("1#4", t.getsockname()[1]).code, 200)
            assert d.reload(), d.log()
            equal(d.ask("1#4").code, 200)
        equal(os.stat(path).st_ino, inode)


def test_a_client_that_comes_between_two_daemons_waits():
    with sockets() as (path, u, t):
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(bridle.PATIENCE)
            client.connect(path)
            client.sendall(b"1#4\n")
            with Daemon(conf=conf(path, address(t)), passed=[u, t]):
                equal(read_answer(client).code, 200)


def refused(address_):
    """Connect by TCP. Check that the daemon replies with 503."""
    with socket.create_connection(address_, bridle.PATIENCE) as client:
        equal(bridle.read_answer(client).code, 503)


def test_a_passed_unix_socket_needs_no_line():
    with sockets() as (path, u, t):
        with Daemon(conf=conf(None, address(t)), passed=[u, t]) as d:
            d.sock = path
            equal(d.ask("1#4").code, 200)
            equal(d.ask("1#4", t.getsockname()[1]).code, 200)
            assert "warning" not in d.log() and "listen:" not in d.log()
            assert d.reload(), d.log()
            equal(d.ask("1#4").code, 200)


def test_another_path_than_the_passed_one_is_a_warning():
    with sockets() as (path, u, _):
        with Daemon(passed=[u]) as d:
            assert ("%s is listed, and %s was passed by a socket unit"
                    % (d.sock, path)) in d.log(), d.log()
            equal(d.ask("1#4").code, 200)
            d.sock = path
            equal(d.ask("1#4").code, 200)


def test_two_passed_unix_sockets_need_no_change():
    with sockets() as (path, u, _), sockets() as (other, v, _):
        with Daemon(conf=conf(path), passed=[u, v]) as d:
            assert "remove this line" not in d.log(), d.log()
            for d.sock in path, other:
                equal(d.ask("1#4").code, 200)


def test_passed_tcp_that_is_not_listed_is_refused():
    with sockets() as (path, u, t):
        with Daemon(conf=conf(path), passed=[u, t]) as d:
            d.sock = path
            assert "%s was passed by a socket unit, and is not listed" \
                % address(t) in d.log(), d.log()
            assert address(t) not in re.search(
                "serving at .*", d.log()).group()
            refused(t.getsockname())
            equal(d.ask("1#4").code, 200)


def test_the_drop_in_of_an_older_version_is_a_warning():
    with sockets() as (path, u, t):
        text = conf(path, address(t))
        old = "ListenStream=%s of bridled.socket" % address(t)
        with Daemon(conf=text, passed=[u, t],
                    passed_names="bridled.socket:bridled.socket") as d:
            assert old + " is no longer needed" in d.log(), d.log()
            equal(d.ask("1#4", t.getsockname()[1]).code, 200)
        with Daemon(conf=text, passed=[u, t],
                    passed_names="bridled.socket:tcp") as d:
            assert old not in d.log(), d.log()


def not_listening(d):
    row, = [r for r in d.ask("1#7").rows if r["counter"] == b"not_listening"]
    return row["value"].decode()


def test_listed_tcp_that_was_not_passed_costs_only_itself():
    with sockets() as (path, u, t):
        missing = "127.0.0.1:%d" % free_port()
        with Daemon(conf=conf(path, missing), passed=[u]) as d:
            d.sock = path
            assert missing + " is listed, but was not passed" in d.log()
            equal(not_listening(d), missing)
        with Daemon(conf=conf(path, address(t)), passed=[u, t]) as d:
            d.sock = path
            equal(not_listening(d), "none")


def test_a_reload_stops_and_resumes_passed_tcp():
    with sockets() as (path, u, t):
        both = conf(path, address(t))
        with Daemon(conf=both, passed=[u, t]) as d:
            d.sock = path
            for _ in range(2):
                d.write_config(conf(path))
                assert d.reload(), d.log()
                refused(t.getsockname())
                d.write_config(both)
                assert d.reload(), d.log()
                equal(d.ask("1#4", t.getsockname()[1]).code, 200)


# -- tests of a wrong configuration -----------------------------------------


def conf_of_service(path, *places, more=""):
    """Return a configuration like conf(), but without the key `user`. This is
    for a daemon that does not start as root."""
    return re.sub("^user = .*\n", "", conf(path, *places, more=more))


class Refusing(Daemon):
    """A daemon that starts as an ordinary user, with two mistakes in its
    configuration. Therefore this daemon refuses all clients."""

    mistakes = "nonsense = 1;\nwrong = 2;\n"

    def __init__(self, manager, passed, **kwargs):
        super().__init__(
            conf=conf_of_service("/run/x", more=self.mistakes),
            passed=passed, uid=SERVICE, env=manager.env, **kwargs)

    def started(self):
        found = re.search("serving at|clients are refused", self.log())
        return found and "serving at"


def answer_of(s):
    with s:
        s.settimeout(bridle.PATIENCE)
        return read_answer(s)


def unix_client(path):
    s = socket.socket(socket.AF_UNIX)
    s.connect(path)
    return s


def test_a_wrong_configuration_refuses_until_it_is_mended():
    with sockets() as (path, u, t), Manager() as m:
        with Refusing(m, [u, t]) as d:
            said = m.hear("READY=1")
            assert "2 errors" in status_of(said), said
            for _ in range(2):
                answer = answer_of(unix_client(path))
                equal((answer.code, answer.text),
                      (503, "the configuration has 2 errors: "
                            "see journalctl -u bridled"))
                refused(t.getsockname())
            assert "unknown key" in d.log(), d.log()
            # A reload signal makes the daemon read the file at once. Without a
            # signal, the daemon notices each change of the file by itself.
            d.write_config(conf_of_service(path, more="nonsense = 1;\n"))
            os.kill(d.pid, signal.SIGHUP)
            m.hear("STATUS=.*1 error[.].*")
            equal(answer_of(unix_client(path)).text[:29],
                  "the configuration has 1 error")
            d.write_config(conf_of_service(path, address(t)))
            m.hear("STATUS=Sessions.*")
            d.sock = path
            equal(d.ask("1#4").code, 200)


def test_a_refusing_daemon_notices_changes_in_conf_d():
    with sockets() as (path, u, t), Manager() as m:
        with Refusing(m, [u, t]) as d:
            m.hear("READY=1")
            folder = os.path.join(d.dir, "conf.d")
            os.mkdir(folder)
            with open(os.path.join(folder, "a.conf"), "w") as f:
                f.write("wrong = 1;\n")
            d.write_config(conf_of_service(path, address(t)))
            m.hear("STATUS=.*1 error[.].*")
            assert folder + "/a.conf:1: wrong: unknown key" in d.log(), d.log()
            # A rename would change the times of the folder. This write does not
            # change them.
            with open(os.path.join(folder, "a.conf"), "w") as f:
                f.write("wrong = 1;\nmistaken = 1;\n")
            m.hear("STATUS=.*2 errors[.].*")
            os.remove(os.path.join(folder, "a.conf"))
            m.hear("STATUS=Sessions.*")
            d.sock = path
            equal(d.ask("1#4").code, 200)


class SlowRefusing(Refusing):
    """Like Refusing, but the daemon needs some time to find the mistake. The
    daemon counts as started when it has read the file."""

    mistakes = "nonsense = 1;\ncommands = (%s);\n" % ",".join(
        '{ name = "c%d"; argv = ("/bin/true"); }' % n for n in range(6000))

    def bytes_read(self):
        with open("/proc/%d/io" % self.pid) as f:
            return int(re.search(r"rchar: (\d+)", f.read())[1])

    def started(self, before=0):
        if self.process.poll() is not None:
            return self.log()
        return (self.bytes_read() > before + len(self.mistakes)
                and "serving at")


def test_a_change_while_the_file_is_read_is_noticed():
    with sockets() as (path, u, t), Manager() as m:
        with SlowRefusing(m, [u, t]) as d:
            d.write_config(conf_of_service(path, address(t)))
            m.hear("STATUS=Sessions.*")
            d.sock = path
            equal(d.ask("1#4").code, 200)


def test_a_refusing_daemon_survives_signals_to_reload():
    with sockets() as (path, u, t), Manager() as m:
        with SlowRefusing(m, [u, t]) as d:
            m.hear("STATUS=.*1 error[.].*")
            before = d.bytes_read()
            os.kill(d.pid, signal.SIGHUP)
            wait_for("the daemon to read", lambda: d.started(before))
            os.kill(d.pid, signal.SIGHUP)
            m.hear("STATUS=.*1 error[.].*")
            d.write_config(conf_of_service(path, address(t)))
            m.hear("STATUS=Sessions.*")
            d.sock = path
            equal(d.ask("1#4").code, 200)


class RefusingBehindMounts(Refusing):
    """Like Refusing, but `wrap` runs as root. setpriv(1) then becomes the
    ordinary user."""

    def spawn(self):
        uid, self.uid = self.uid, os.geteuid()
        self.wrap += ["setpriv", "--reuid=%d" % uid, "--regid=%d" % uid,
                      "--clear-groups"]
        super().spawn()
        self.uid = uid


def test_a_refusing_daemon_answers_while_the_name_service_hangs():
    with EtcFiles() as etc, sockets() as (path, u, t), Manager() as m:
        with RefusingBehindMounts(m, [u, t], wrap=etc.wrap) as d:
            m.hear("READY=1")
            fifo = etc.hide_behind_fifo(d, "group")
            text = conf_of_service(path, address(t))
            d.write_config(text.replace("clients = (", 'clients = ( { name ='
                           ' "far"; unix_group = "daemon"; allow = (); },'))
            os.kill(d.pid, signal.SIGHUP)
            # While this descriptor is open, the child waits for its input.
            writer = wait_for("a reader of the FIFO",
                              lambda: open_writer(fifo))
            equal(answer_of(unix_client(path)).code, 503)
            etc.show(d, "group")
            os.kill(d.pid, signal.SIGHUP)
            m.hear("STATUS=Sessions.*")
            os.close(writer)
            d.sock = path
            equal(d.ask("1#4").code, 200)


def test_a_refusing_daemon_is_found_and_mended():
    """Test that `bridled --reload` and `bridlectl config edit` find a daemon
    that refuses all clients."""
    with sockets() as (path, u, t), Manager() as m:
        with Refusing(m, [u, t]) as d:
            m.hear("READY=1")
            # Close the sockets of this test, because the check must find only
            # the daemon there.
            u.close()
            t.close()
            d.write_config(conf(path, more="nonsense = 1;\n"))
            run = subprocess.run([d.program, "--reload", d.config], text=True,
                                 capture_output=True, check=False)
            equal(run.returncode, os.EX_CONFIG, run)
            assert "nonsense: unknown key" in run.stderr, run
            assert "still refuses all clients" in run.stderr, run
            run = subprocess.run([d.program, "--effective", d.config],
                                 text=True, capture_output=True, check=False)
            equal(run.returncode, os.EX_UNAVAILABLE, run)
            assert "pid %d refuses all clients" % d.pid in run.stderr, run
            run = bridle.ctl("config", "edit", d.config, env=dict(
                os.environ, EDITOR="sed -i /nonsense/d"))
            equal(run.returncode, 0, run)
            assert "pid %d, serves the settings" % d.pid in run.stdout, run
            assert "unix:%s answers" % path in run.stdout, run
            d.sock = path
            equal(d.ask("1#4").code, 200)


def test_a_refusing_daemon_ends_at_sigterm():
    with sockets() as (path, u, _), Manager() as m:
        with Refusing(m, [u]) as d:
            m.hear("READY=1")
            os.kill(d.pid, signal.SIGTERM)
            equal(d.process.wait(bridle.PATIENCE), 0)


def test_a_refusing_daemon_feeds_its_watchdog():
    with sockets() as (_, u, _), Manager() as m:
        m.env["WATCHDOG_USEC"] = "300000"
        with Refusing(m, [u]):
            for _ in range(3):
                m.hear("WATCHDOG=1")


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid) as f:
        fields = f.read().rpartition(") ")[2].split()
    return sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK")


def test_a_refusing_daemon_without_descriptors_does_not_spin():
    with sockets() as (path, u, _), Manager() as m:
        with Refusing(m, [u], limit={"nofile": 8}) as d:
            m.hear("READY=1")
            before = cpu_seconds(d.pid)
            # If a refused client stays, the daemon keeps the client's
            # descriptor for a second.
            waiting = [unix_client(path) for _ in range(4)]
            for s in waiting:
                s.settimeout(bridle.PATIENCE)
                equal(read_answer(s).code, 503)
            for s in waiting:
                s.close()
            used = cpu_seconds(d.pid) - before
            assert used < 0.3, used


def test_a_wrong_configuration_ends_a_daemon_of_root():
    with sockets() as (path, u, _):
        if bridle.ROOT:
            _, status = start("nonsense = 1;\n", [u])
            equal(status, os.EX_CONFIG)


def test_the_mode_of_a_passed_socket_is_its_units():
    with sockets() as (path, u, _):
        os.chmod(path, 0o600)
        with Daemon(conf=conf(path), passed=[u]) as d:
            d.wait_log("is listed with mode 0666, but was passed with mode "
                       "0600 and group 0, which are used" if bridle.ROOT else
                       "was passed with mode 0600")
            equal(os.stat(path).st_mode & 0o777, 0o600)


def test_what_is_no_listening_socket_is_an_error():
    with sockets() as (path, u, _), \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        said, status = start(conf(path), [u, other])
        equal(status, os.EX_OSERR)
        assert "descriptor 4 of the service manager must be a listening" \
            in said, said


def test_many_passed_sockets_are_served():
    """bridled-generator asks for up to 256 sockets, and bridled.socket opens
    one more socket."""
    with contextlib.ExitStack() as stack:
        path, u, _ = stack.enter_context(sockets())
        many = [u] + [stack.enter_context(socket.create_server(
            ("127.0.0.1", 0))) for _ in range(256)]
        with Daemon(conf=conf(path), passed=many) as d:
            d.sock = path
            equal(d.ask("1#4").code, 200)
            refused(many[-1].getsockname())


def test_too_many_passed_sockets_are_an_error():
    with Daemon() as d:
        done = subprocess.run(
            ["sh", "-c", 'LISTEN_PID=$$ LISTEN_FDS=9999 exec "$@"', "sh",
             d.program, "-c", d.config], text=True, capture_output=True,
            timeout=bridle.PATIENCE)
        equal(done.returncode, 71)
        assert "passes 9999 sockets" in done.stderr, done.stderr


def test_sockets_for_another_process_are_not_taken():
    env = dict(os.environ, LISTEN_PID="1", LISTEN_FDS="1")
    with Daemon(env=env) as d:
        equal(d.ask("1#4").code, 200)


def test_commands_know_nothing_of_the_manager():
    with Manager() as m, tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "env")
        os.chmod(folder, 0o777)
        power = {mode: ["/usr/bin/dd", "if=/proc/self/environ", "of=" + out,
                        "status=none"]
                 for mode in ("halt", "poweroff", "reboot", "cancel")}
        with Daemon(env=m.env, power=power) as d:
            equal(d.ask("1#1").code, 202)
        with open(out, "rb") as f:
            names = {v.split(b"=")[0] for v in f.read().split(b"\0") if v}
        equal(names, {b"PATH", b"LC_ALL", b"BRIDLE_REQUEST_ID"})


def ask_on_and_on(path, end, wrong):
    """Send pings, each on its own connection, until `end` is set. Append each
    failure to `wrong`."""
    while not end.is_set():
        try:
            with socket.socket(socket.AF_UNIX) as s:
                s.settimeout(bridle.PATIENCE)
                s.connect(path)
                s.sendall(b"1#4\n")
                s.shutdown(socket.SHUT_WR)
                answer, = answers(read_all(s))
                if answer.code != 200:
                    wrong.append(answer.lines)
        except (OSError, ValueError, AssertionError) as e:
            wrong.append(repr(e))


def test_restarts_under_load_lose_no_connection():
    with sockets() as (path, u, t):
        wrong, end = [], threading.Event()
        clients = [threading.Thread(target=ask_on_and_on,
                                    args=(path, end, wrong))
                   for _ in range(8)]
        served = 0
        try:
            for n in range(6):
                with Daemon(conf=conf(path, address(t)), passed=[u, t]) as d:
                    d.sock = path
                    if n == 0:
                        for c in clients:
                            c.start()
                    wait_for("the load", lambda: d.counter("requests") > 30)
                    served += 1
                equal(d.process.returncode, 0)
            with Daemon(conf=conf(path, address(t)), passed=[u, t]):
                end.set()
                for c in clients:
                    c.join()
        finally:
            end.set()
        equal((served, wrong), (6, []))


def test_bridlectl_gets_its_answer_from_the_next_daemon():
    with sockets() as (path, u, _):
        with Daemon(conf=conf(path), passed=[u]):
            pass
        client = subprocess.Popen(
            [bridle.BRIDLECTL, "-H", "unix:" + path, "ping", "--raw"],
            stdout=subprocess.PIPE, text=True)
        with Daemon(conf=conf(path), passed=[u]):
            out, _ = client.communicate(timeout=bridle.PATIENCE)
        equal(client.returncode, 0, out)


bridle.main(globals())
