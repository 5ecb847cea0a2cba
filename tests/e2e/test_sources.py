"""Tests of the sources to which `limits` apply. Each user with an account is a
source, and all uids without an account together are one source."""

import contextlib
import os
import re
import socket

import bridle
import peers
from bridle import SERVICE, STRANGER, Daemon, equal, wait_for
from etc_files import EtcFiles

# The first of many uids that have no account.
FIRST = 2000000
LISTED = FIRST + 70000
US = os.getuid()
ENTRIES = ", ".join('{ name = "u%d"; unix_user = "%d"; allow = ("*"); }'
                    % (uid, uid) for uid in (US, LISTED))
# Each client with this group matches the entry "g" of `BY_GROUP`.
GROUP = 61078
BY_GROUP = ('{ name = "us"; unix_user = "%d"; allow = ("*"); }, '
            '{ name = "g"; unix_group = "%d"; allow = ("ping"); }'
            % (US, GROUP))
PASSWD = b"root:x:0:0::/root:/bin/sh\nlate:x:%d:%d::/:/bin/sh\n" % (
    STRANGER, STRANGER)
ONE_SESSION = {"sessions_per_source": 1}


def ask(d, uid):
    return peers.ask("1#4", "unix", d.sock, uid=uid, groups=[GROUP])


def open_as(path, uids):
    """Open a connection for each of these uids, and keep all connections open.
    SO_PEERCRED has the effective uid that the client had at connect(2)."""
    held = []
    for uid in uids:
        os.seteuid(uid)
        s = socket.socket(socket.AF_UNIX)
        s.connect(path)
        os.seteuid(0)
        held.append(s)
    return held


@contextlib.contextmanager
def holding(path, uids):
    """Keep a connection of each uid open in another process during the
    block."""
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid == 0:
        ours.close()
        try:
            os.setgroups([])
            held = open_as(path, uids)
            theirs.sendall(b"ready")
            theirs.recv(1)
            del held
        finally:
            os._exit(0)
    theirs.close()
    with ours:
        ours.settimeout(bridle.PATIENCE)
        equal(ours.recv(5), b"ready")
        yield
    os.waitpid(pid, 0)


def test_a_thousand_uids_without_an_account_are_one_source():
    peers.need_root("connect as other users")
    with Daemon(ENTRIES) as d:
        with holding(d.sock, range(FIRST, FIRST + 1000)):
            equal(ask(d, LISTED).code, 200)
            equal(d.ask("1#4").code, 200)
            # Uid 1 has an account on each machine, but no entry in this
            # configuration.
            equal(ask(d, 1).code, 401)
            # The daemon refuses this client before the client sends a request.
            with peers.connect("unix", d.sock, uid=FIRST + 2000) as s:
                answer = bridle.read_answer(s)
            equal((answer.code, answer.text),
                  (429, "too many sessions from this source"))
            wait_for("the refusals",
                     lambda: d.counter("refused") >= 1000 - 16)


def test_a_penalty_of_one_uid_without_an_account_is_for_all():
    peers.need_root("connect as other users")
    with Daemon(ENTRIES, penalties="unknown = 40; min_seconds = 30;") as d:
        equal(ask(d, FIRST).code, 401)
        d.wait_log("blocked source=uids-without-account ")
        equal(ask(d, FIRST + 1).code, 429)
        equal(ask(d, LISTED).code, 200)
        equal(ask(d, 1).code, 401)


def served_beside(d, uid, other):
    """True if the daemon serves `uid` while `other` uses the only session of
    its own source."""
    d.wait_quiet()
    with peers.connect("unix", d.sock, uid=other, groups=[GROUP]) as s:
        s.sendall(b"1#4\n")
        equal(bridle.read_answer(s).code, 200)
        return ask(d, uid).code == 200


def test_an_account_that_only_the_name_service_knows_counts_alone():
    with EtcFiles() as etc, Daemon(BY_GROUP, wrap=etc.wrap,
                                   limits=ONE_SESSION) as d:
        assert not served_beside(d, STRANGER, SERVICE)
        etc.replace(d, "passwd", PASSWD)
        # The daemon remembers for a while that the uid was unknown. After a
        # reload, the daemon looks up the uid again, and reads the local file,
        # too.
        assert d.reload(), d.log()
        wait_for("the account", lambda: served_beside(d, STRANGER, SERVICE))
        assert not served_beside(d, SERVICE + 1, SERVICE)


def test_a_new_account_needs_no_reload():
    with EtcFiles() as etc, Daemon(BY_GROUP, wrap=etc.wrap,
                                   limits=ONE_SESSION) as d:
        etc.replace(d, "passwd", PASSWD)
        wait_for("the account", lambda: served_beside(d, STRANGER, SERVICE))


def test_the_name_service_is_not_asked_about_subordinate_uids():
    with EtcFiles() as etc, Daemon(BY_GROUP, wrap=etc.wrap,
                                   limits=ONE_SESSION) as d:
        if not os.path.exists("/etc/subuid"):
            raise bridle.Skip("because there is no /etc/subuid to replace")
        etc.replace(d, "subuid", b"us:%d:2\n" % (STRANGER - 1))
        assert d.reload(), d.log()
        etc.replace(d, "passwd", b"late:x:%d:1::/:/bin/sh\nx:x:%d:1::/:/\n"
                    % (STRANGER, STRANGER + 5))
        wait_for("the account",
                 lambda: served_beside(d, STRANGER + 5, SERVICE))
        assert not served_beside(d, STRANGER, SERVICE)


def test_a_name_service_that_hangs_delays_nobody():
    with EtcFiles() as etc, Daemon(BY_GROUP, wrap=etc.wrap,
                                   limits=ONE_SESSION) as d:
        fifo = etc.hide_behind_fifo(d, "passwd")
        for uid in STRANGER, SERVICE, STRANGER:
            wait_for("the reply", lambda u=uid: ask(d, u).code == 200)
        with contextlib.suppress(OSError):
            os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))


def test_local_tcp_counts_in_the_same_way():
    peers.need_root("connect as other users")
    with Daemon(ENTRIES, tcp=["127.0.0.1:0"], limits=ONE_SESSION) as d:
        port = d.ports[0]
        with peers.connect("127.0.0.1", port, uid=FIRST) as s:
            s.sendall(b"1#12#4\n")
            equal(bridle.read_answer(s).code, 401)
        d.wait_quiet()
        with peers.connect("unix", d.sock, uid=FIRST + 1) as s:
            s.sendall(b"1#4\n")
            equal(bridle.read_answer(s).code, 401)
            with peers.connect("127.0.0.1", port, uid=FIRST) as t:
                equal(bridle.read_answer(t).code, 429)
            equal(peers.ask("1#4", "127.0.0.1", port, uid=LISTED).code, 200)
        assert re.search(r"refused source=127\.0\.0\.1:\d+,uid=%d " % FIRST,
                         d.whole_log()), d.log()


bridle.main(globals())
