"""What a service manager and bridled say to each other: sockets that are
passed, readiness, reloads, stops, signs of life. We are the manager here."""

import contextlib
import os
import re
import socket
import subprocess
import tempfile
import threading

import bridle
from bridle import (Daemon, answers, equal, free_port, read_all,
                    read_answer, wait_for)


class Manager:
    """Hears what is told to $NOTIFY_SOCKET."""

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
        """Waits for a message with such a line, and returns all its lines."""
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
    """A unix one and a TCP one, as bridled.socket makes them."""
    with tempfile.TemporaryDirectory(prefix="bridle-") as folder:
        os.chmod(folder, 0o755)
        path = os.path.join(folder, "s")
        with unix_socket(path) as u, socket.create_server(
                ("127.0.0.1", 0), backlog=128) as t:
            yield path, u, t


def conf(path, *places, more=""):
    """Listens at the path and at those places."""
    listen = ['{ unix = "%s"; mode = "0666"; }' % path]
    listen += ['{ tcp = "%s"; }' % p for p in places]
    return ('user = "%s";\nlisten = (%s);\nclients = ({ name = "me"; '
            'unix_user = "%d"; allow = ("*"); });\n'
            "limits = { sessions_per_source = 200; };\n%s"
            % ("root" if bridle.ROOT else "nobody", ", ".join(listen),
               os.getuid(), more))


def address(t):
    return "127.0.0.1:%d" % t.getsockname()[1]


def start(text, passed, **more):
    """A daemon that does not start: what it said, and its exit status."""
    d = Daemon(conf=text, passed=passed, **more)
    try:
        with d:
            raise AssertionError("it serves: " + d.log())
    except AssertionError as e:
        assert "did not start" in str(e), e
        return str(e), d.process.returncode


# -- readiness ---------------------------------------------------------------


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
                # What it said before; then nothing can come.
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


# -- sockets that are passed -------------------------------------------------


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


def test_a_passed_socket_that_is_not_listed_is_an_error():
    with sockets() as (path, u, t):
        said, status = start(conf(path), [u, t])
        equal(status, os.EX_OSERR)
        assert "%s was passed by a socket unit, and is not listed" \
            % address(t) in said, said


def test_tcp_that_was_not_passed_beside_others_is_an_error():
    with sockets() as (path, u, _):
        missing = "127.0.0.1:%d" % free_port()
        said, status = start(conf(path, missing), [u])
        equal(status, os.EX_OSERR)
        assert 'add "ListenStream=%s"' % missing in said, said


def test_a_reload_cannot_forget_a_passed_socket():
    with sockets() as (path, u, t):
        with Daemon(conf=conf(path, address(t)), passed=[u, t]) as d:
            d.sock = path
            d.write_config(conf(path))
            assert not d.reload()
            assert "is not listed" in d.log()
            equal(d.ask("1#4", t.getsockname()[1]).code, 200)


def test_the_mode_of_a_passed_socket_is_its_units():
    with sockets() as (path, u, _):
        os.chmod(path, 0o600)
        with Daemon(conf=conf(path), passed=[u]) as d:
            assert "was passed with mode 0600" in d.log()
            equal(os.stat(path).st_mode & 0o777, 0o600)


def test_what_is_no_listening_socket_is_an_error():
    with sockets() as (path, u, _), \
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        said, status = start(conf(path), [u, other])
        equal(status, os.EX_OSERR)
        assert "descriptor 4 was passed to us, and is not" in said, said


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
    """A connection a request, until told to end; what was no answer."""
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
