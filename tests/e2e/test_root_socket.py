"""Tests of the unix socket that only root is allowed to use."""

import contextlib
import os
import pwd
import re
import signal
import socket
import stat
import subprocess
import tempfile

import bridle
import peers
from bridle import SERVICE, STRANGER, Daemon, equal, read_answer, wait_for

US = os.getuid()
ENTRIES = ", ".join('{ name = "u%d"; unix_user = "%d"; allow = ("*"); }'
                    % (uid, uid) for uid in sorted({0, US, SERVICE, STRANGER}))


@contextlib.contextmanager
def place(owner=None):
    """Yield the path of a socket in a folder that belongs to `owner`."""
    with tempfile.TemporaryDirectory(prefix="bridle-") as folder:
        os.chmod(folder, 0o755)
        if owner is not None:
            os.chown(folder, owner, owner)
        yield os.path.join(folder, "root")


def listener(path):
    return '{ unix = "%s"; root = true; }' % path


def unix_socket(path, mode):
    s = socket.socket(socket.AF_UNIX)
    s.bind(path)
    os.chmod(path, mode)
    s.listen(128)
    return s


def test_a_daemon_of_root_makes_a_socket_of_roots():
    peers.need_root("start a daemon that becomes another user")
    with place(pwd.getpwnam("daemon").pw_uid) as path, \
            Daemon(ENTRIES, tcp=[listener(path)], user="daemon") as d:
        st = os.stat(path)
        equal((st.st_uid, stat.S_IMODE(st.st_mode)), (0, 0o600))
        d.wait_log("serving at .*unix:" + re.escape(path))
        equal(peers.ask("1#4", "unix", path).code, 200)
        with contextlib.suppress(AssertionError):
            peers.connect("unix", path, uid=STRANGER)
            raise RuntimeError("another user may connect")
        before = os.stat(path).st_ino
        assert d.reload(), d.log()
        equal(os.stat(path).st_ino, before)
        equal(peers.ask("1#4", "unix", path).code, 200)
        assert "cannot change mode" not in d.log(), d.log()
    assert not os.path.exists(path)


def test_no_other_user_is_served_there():
    """Start the daemon as another user. The socket then belongs to this user."""
    peers.need_root("start other users' clients")
    with place(SERVICE) as path, \
            Daemon(ENTRIES, tcp=[listener(path)], uid=SERVICE) as d:
        equal(peers.ask("1#4", "unix", d.sock, uid=SERVICE).code, 200)
        with peers.connect("unix", path, uid=SERVICE) as s:
            answer = read_answer(s)
        equal((answer.code, answer.text),
              (403, "only root may use this socket"))
        equal(peers.ask("1#4", "unix", path).code, 200)


def test_a_passed_socket_for_root_needs_no_line():
    peers.need_root("be root")
    with place() as path, place() as other, unix_socket(path, 0o600) as r, \
            unix_socket(other, 0o666) as u:
        os.chmod(path, 0o666)
        with Daemon(ENTRIES, passed=[u, r],
                    passed_names="bridled.socket:root") as d:
            equal(peers.ask("1#4", "unix", path).code, 200)
            with peers.connect("unix", path, uid=STRANGER) as s:
                equal(read_answer(s).code, 403)
            equal(peers.ask("1#4", "unix", other, uid=STRANGER).code, 200)
            # The daemon uses only `other` in place of the socket in the
            # configuration.
            assert path + " was passed" not in d.log(), d.log()
            assert other + " was passed" in d.log(), d.log()
            assert d.reload(), d.log()
            with peers.connect("unix", path, uid=STRANGER) as s:
                equal(read_answer(s).code, 403)


def test_a_daemon_with_only_this_passed_socket_opens_the_others():
    peers.need_root("be root")
    with place() as path, unix_socket(path, 0o600) as r, \
            Daemon(ENTRIES, tcp=["127.0.0.1:0"], passed=[r],
                   passed_names="root") as d:
        equal(d.ask("1#4", d.ports[0]).code, 200)
        equal(peers.ask("1#4", "unix", path).code, 200)


def plain_server(d):
    """Return the pid of the fork server for sessions without TLS."""
    pid, = [pid for pid, _, title in d.all_children()
            if title == "bridled: fork server"]
    return pid


@contextlib.contextmanager
def no_new_spares(d, spares):
    """Wait until there are `spares` spare sessions. During the block, the fork
    server forks no more sessions."""
    wait_for("the spare sessions", lambda: [
        title for _, _, title in d.all_children()].count("bridled: spare")
        == spares)
    pid = plain_server(d)
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def asking(path, uid):
    s = peers.connect("unix", path, uid=uid)
    s.sendall(b"1#4\n")
    return s


def check_served(clients):
    for s in clients:
        equal(read_answer(s).code, 200)
        s.close()


def test_root_comes_before_all_others():
    """Let root connect last, while only one session is free. Root must get this
    session."""
    peers.need_root("start other users' clients")
    with place() as path, \
            Daemon(ENTRIES, tcp=[listener(path)], limits={"spare": 1}) as d:
        with no_new_spares(d, 1):
            with d.stopped():
                others = [asking(d.sock, STRANGER) for _ in range(5)]
                root = asking(path, 0)
            check_served([root])
        check_served(others)


def test_a_spare_session_stays_for_root():
    peers.need_root("start other users' clients")
    with place() as path, \
            Daemon(ENTRIES, tcp=[listener(path)], limits={"spare": 2}) as d:
        with no_new_spares(d, 2):
            others = [asking(d.sock, STRANGER) for _ in range(3)]
            check_served(others[:1])
            check_served([asking(path, 0)])
        check_served(others[1:])


RUN = ('mount -t tmpfs tmpfs /run && mkdir /run/bridle && '
       'ln -s "$1" /run/bridle/root.sock && '
       'ln -s "$2" /run/bridle/bridled.sock && shift 2 && exec "$@"')


def ctl_of_machine(root, usual, *args):
    """Run bridlectl without -H, on a machine with the sockets `root` and
    `usual`."""
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", RUN, "sh", root, usual,
         bridle.BRIDLECTL, *args], capture_output=True, text=True,
        timeout=bridle.PATIENCE * 3)


def test_bridlectl_of_root_uses_it():
    peers.need_mounts()
    with place() as path, Daemon(ENTRIES, tcp=[listener(path)]) as d:
        with Daemon(ENTRIES) as usual:
            run = ctl_of_machine(path, usual.sock, "ping")
            equal(run.returncode, 0, run)
            assert "unix:/run/bridle/bridled.sock: bridled" in run.stdout, run
            d.wait_log("verb=ping")
            # If the user names a host, bridlectl contacts this host.
            run = ctl_of_machine(path, usual.sock, "-H",
                                 "unix:/run/bridle/bridled.sock", "verbs")
            equal(run.returncode, 0, run)
            usual.wait_log("verb=verbs")
            assert "verb=verbs" not in d.log()
            # If root's own socket does not exist, root uses the socket of all
            # users.
            run = ctl_of_machine(path + ".gone", usual.sock, "who")
            equal(run.returncode, 0, run)
            usual.wait_log("verb=who")
    with place() as path, Daemon(ENTRIES) as usual:
        # Create a socket file without a daemon.
        unix_socket(path, 0o600).close()
        run = ctl_of_machine(path, usual.sock, "who")
        equal(run.returncode, 0, run)


def test_only_root_has_access_by_this_socket_alone():
    peers.need_root("be root")
    with place() as path, Daemon(ENTRIES, mode="0600",
                                 tcp=[listener(path)]) as d:
        for user, status in ("0", 0), (str(STRANGER), os.EX_NOPERM):
            run = subprocess.run(
                [d.program, "--check", d.config, "--access", user],
                capture_output=True, text=True)
            equal(run.returncode, status, run)


bridle.main(globals())
