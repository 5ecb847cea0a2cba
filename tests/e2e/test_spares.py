"""Tests of spare sessions. They are forked before their clients connect, and
have no secrets of the daemon in memory."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import time

import bridle
from bridle import Daemon, Skip, equal, is_running, read_answer, wait_for

TLS = '{ tcp = "127.0.0.1:0"; tls = true; }'
SECRET = "q8Zk-not-for-sessions"


def titled(d, title):
    return [pid for pid, state, found in d.all_children()
            if found == "bridled: " + title and state != "Z"]


def once(d, title, least, most):
    """Wait until at least `least` and at most `most` processes have this
    title. Return their pids."""
    def look():
        found = titled(d, title)
        return found if least <= len(found) <= most else None
    return wait_for("%d to %d: %s" % (least, most, title), look)


def spares(d, n):
    return once(d, "spare", n, n)


def fork_servers(d, n=1):
    """Wait until exactly n processes have the title of a fork server, and
    return their pids. A new child of a fork server has this title, too, until
    the child sets its own title."""
    return once(d, "fork server", n, n)


def stock(d):
    """Return the pids of the fork servers and of the spare sessions of a daemon
    with TLS. Each fork server has up to four spare sessions, but forks new
    sessions only when two spare sessions are used."""
    return fork_servers(d, 2) + once(d, "spare", 6, 8)


def stop(pid):
    """Stop the process with SIGSTOP, and wait until it has stopped. Until then,
    the process could still accept a client."""
    def state():
        with open("/proc/%d/stat" % pid, "rb") as f:
            return f.read().rpartition(b") ")[2][:1]
    os.kill(pid, signal.SIGSTOP)
    wait_for("the process to stop", lambda: state() == b"T")


def ping(s):
    s.sendall(b"1#4\n")
    equal(read_answer(s).text, "pong")


def run(d, *args):
    return subprocess.run([d.program, *args], text=True, capture_output=True,
                          timeout=bridle.PATIENCE)


# -- tests of the session pool ----------------------------------------------


def test_there_are_as_many_as_the_limits_say():
    with Daemon(limits={"spare": 3}) as d:
        before = spares(d, 3)
        with d.connect() as s:
            ping(s)
            pid, = titled(d, "session")
            assert pid in before, "forked after its client came"
        for n in 5, 1:
            d.limits["spare"] = n
            d.write_config()
            assert d.reload()
            spares(d, n)


def test_with_one_spare_everybody_is_served():
    with Daemon(limits={"spare": 1}) as d:
        open_ones = [d.connect() for _ in range(10)]
        for s in open_ones:
            ping(s)
        for s in open_ones:
            s.close()
        d.wait_quiet()
        spares(d, 1)


def test_each_session_serves_one_client():
    with Daemon() as d:
        seen = set()
        for _ in range(20):
            with d.connect() as s:
                ping(s)
                pid, = titled(d, "session")
                assert pid not in seen, "the session was used twice"
                seen.add(pid)
            wait_for("the process to end", lambda: not is_running(pid))


def test_a_spare_that_dies_is_replaced():
    with Daemon(limits={"spare": 2}) as d:
        first, second = spares(d, 2)
        os.kill(first, signal.SIGKILL)
        d.wait_log("the spare session %d died of signal KILL" % first)
        os.kill(second, signal.SIGKILL)
        wait_for("the process to end", lambda: not is_running(second))
        equal(d.ask("1#4").text, "pong")
        spares(d, 2)
        equal(d.counter("crashes"), 0)


def test_one_that_does_not_take_its_client_is_replaced():
    for tcp, port in ([], None), (["127.0.0.1:0"], 0):
        with Daemon(limits={"spare": 4}, tcp=tcp) as d:
            stopped = spares(d, 4)
            for pid in stopped:
                stop(pid)
            with d.connect(port if port is None else d.ports[port]) as s:
                ping(s)
                ping(s)
            # The daemon waits only for the first session, and finds out at once
            # that the other sessions are stopped.
            d.wait_log("session %d does not take its client" % stopped[0])
            for pid in stopped:
                wait_for("the process to end", lambda: not is_running(pid))
            equal(d.log().count("does not take its client"), 1)
            equal(d.counter("without_request"), 0)


def test_a_client_of_stopped_processes_does_not_pay():
    """For longer than login_seconds, no session is ready."""
    for tcp, pools in (["127.0.0.1:0"], 1), ([TLS], 2):
        with Daemon(limits={"spare": 1, "login_seconds": 3}, tcp=tcp,
                    penalties="timeout = 1000; min_seconds = 1000;"
                              "max_seconds = 2000;") as d:
            # Each pool has its spare session, so that no fork server forks now.
            for pid in spares(d, pools) + fork_servers(d, pools):
                stop(pid)
            # The daemon kills the stopped fork server after 5 seconds.
            with d.connect(d.ports[0]) as s:
                text = bridle.read_all(s).decode()
                equal(text, "1#500#no session was free: try again\n")
            d.wait_log("the fork server .* does not answer: killed")
            wait_for("a new session", lambda: d.ask("1#4").code == 200)
            equal([d.counter(n) for n in ("timeouts", "penalties")], [0, 0])


def test_the_client_of_one_that_dies_first_goes_to_the_next():
    with Daemon(limits={"spare": 1}) as d:
        for _ in range(5):
            pid, = spares(d, 1)
            stop(pid)
            with d.connect() as s:
                s.sendall(b"1#4\n")
                # The SIGKILL may come before or after this session gets the
                # client.
                os.kill(pid, signal.SIGKILL)
                equal(read_answer(s).text, "pong")
        equal(d.counter("crashes"), 0)


def test_the_client_of_one_that_has_taken_it_and_dies_is_told():
    with Daemon(tcp=["127.0.0.1:0"]) as d:
        for port in None, d.ports[0]:
            with d.connect(port) as s:
                pid, = once(d, "session", 1, 1)
                os.kill(pid, signal.SIGKILL)
                answer = read_answer(s)
                equal((answer.code, answer.text), (
                    500, "the session of this connection has died: try again"))
                equal(bridle.read_all(s), b"")
            d.wait_quiet()
        equal(d.counter("crashes"), 0)


def test_spares_that_die_at_birth_are_not_waited_for():
    """Some of the killed sessions die before the daemon knows their pid."""
    with Daemon(limits={"spare": 2}) as d:
        server, = fork_servers(d)
        killed = set()
        end = time.monotonic() + 2
        while time.monotonic() < end:
            for pid, _, title in d.all_children():
                if pid > server and title.startswith("bridled: "):
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
                        killed.add(pid)
        wait_for("their end", lambda: not any(map(is_running, killed)))
        for _ in range(10):
            with d.connect() as s:
                ping(s)
        assert len(spares(d, 2)) == 2


# -- tests of the fork server -----------------------------------------------


def test_a_fork_server_that_dies_is_replaced():
    with Daemon(limits={"spare": 2}) as d, d.connect() as before:
        ping(before)
        pid, = fork_servers(d)
        os.kill(pid, signal.SIGKILL)
        d.wait_log("the fork server %d died of signal KILL" % pid)
        with d.connect() as a, d.connect() as b, d.connect() as c:
            for s in a, b, c, before:
                ping(s)
        other, = fork_servers(d)
        assert other != pid


def test_who_comes_while_it_is_stopped_is_served_after():
    with Daemon(limits={"spare": 2}) as d:
        spares(d, 2)
        pid, = fork_servers(d)
        os.kill(pid, signal.SIGSTOP)
        waiting = [d.connect() for _ in range(5)]
        for s in waiting[:2]:
            ping(s)
        for s in waiting[2:]:
            s.sendall(b"1#4\n")
        # On a slow machine, the daemon may already have killed and replaced
        # the fork server.
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        for s in waiting[2:]:
            equal(read_answer(s).text, "pong")
            s.close()


def test_one_that_stays_stopped_is_replaced():
    with Daemon(limits={"spare": 1}) as d:
        spares(d, 1)
        pid, = fork_servers(d)
        os.kill(pid, signal.SIGSTOP)
        equal([d.ask("1#4").text for _ in range(3)], ["pong"] * 3)
        d.wait_log("the fork server %d does not answer: killed" % pid)


def test_it_is_of_the_version_that_was_started():
    """An upgrade replaces the program's file while the old daemon runs. The old
    daemon must continue with the old program."""
    with Daemon(limits={"spare": 1}) as d:
        path = os.path.join(d.dir, "bridled-session")
        os.unlink(path)
        with open(path, "w") as f:
            f.write("of another version")
        pid, = fork_servers(d)
        os.kill(pid, signal.SIGKILL)
        d.wait_log("the fork server %d died" % pid)
        equal([d.ask("1#4").text for _ in range(3)], ["pong"] * 3)


def test_without_it_the_daemon_does_not_start():
    with Daemon() as d:
        path = os.path.join(d.dir, "bridled-session")
        d.process.terminate()
        equal(d.process.wait(bridle.PATIENCE), 0)
        os.unlink(path)
        done = run(d, "--config", d.config)
        equal((done.returncode, "bridled-session: No such file" in done.stderr),
              (71, True), done.stderr)
        with open(path, "w") as f:
            f.write("no program")
        done = run(d, "--config", d.config)
        equal((done.returncode, "cannot run bridled-session" in done.stderr),
              (71, True), done.stderr)
        os.chmod(path, 0o755)
        done = run(d, "--config", d.config)
        equal((done.returncode, "Exec format error" in done.stderr),
              (71, True), done.stderr)


def test_root_that_may_not_chroot_serves_too():
    if not bridle.ROOT:
        raise Skip("because only root has the right to lose")
    with Daemon(wrap=["setpriv", "--bounding-set", "-sys_chroot"]) as d:
        equal(d.ask("1#4").text, "pong")


def test_started_by_hand_it_says_who_starts_it():
    done = subprocess.run([os.path.join(bridle.BUILD, "bridled-session")],
                          text=True, capture_output=True)
    equal((done.returncode, done.stderr),
          (64, "only bridled starts this program; see bridled(8)\n"))


def test_that_of_tls_comes_and_goes_with_its_listeners():
    with Daemon() as d:
        fork_servers(d)
        d.tcp = [TLS.replace(":0", ":%d" % bridle.free_port())]
        d.write_config()
        assert d.reload(), d.log()
        fork_servers(d, 2)
        d.tcp = []
        d.write_config()
        assert d.reload(), d.log()
        fork_servers(d)


def test_a_program_that_is_mended_is_taken_at_the_next_reload():
    with Daemon() as d:
        path = os.path.join(d.dir, "bridled-session-tls")
        os.rename(path, path + ".good")
        with open(path, "w") as f:
            f.write("no program")
        d.tcp = [TLS.replace(":0", ":%d" % bridle.free_port())]
        d.write_config()
        assert not d.reload(), "accepted without the session program"
        d.wait_log("cannot run bridled-session-tls")
        os.rename(path + ".good", path)
        assert d.reload(), d.log()
        fork_servers(d, 2)


def test_a_reload_that_fails_leaves_none_behind():
    with Daemon() as d, socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        d.tcp = [TLS.replace(":0", ":%d" % other.getsockname()[1])]
        d.write_config()
        assert not d.reload(), "accepted with a port in use"
        fork_servers(d)


def test_a_host_key_that_is_none_is_named():
    with Daemon() as d:
        key = os.path.join(d.state_dir, "host_key")
        with open(key, "w") as f:
            f.write("no key")
        os.chmod(key, 0o600)
        d.tcp = [TLS.replace(":0", ":%d" % bridle.free_port())]
        d.write_config()
        assert not d.reload(), "accepted without a key"
        d.wait_log(re.escape(key) + ": no key with its certificate")
        os.unlink(key)
        assert d.reload(), d.log()


# -- tests of data in the memory of a session -------------------------------


def test_nobody_outlives_the_daemon():
    for how in signal.SIGTERM, signal.SIGKILL:
        with Daemon(tcp=[TLS]) as d, d.connect() as s:
            ping(s)
            stock(d)
            family = [pid for pid, _, _ in d.all_children()]
            d.process.send_signal(how)
            d.process.wait(bridle.PATIENCE)
            wait_for("all of them to end",
                     lambda: not [p for p in family if is_running(p)])


def test_a_stopped_fork_server_does_not_outlive_it_either():
    with Daemon() as d:
        pid, = fork_servers(d)
        os.kill(pid, signal.SIGSTOP)
        d.process.kill()
        d.process.wait(bridle.PATIENCE)
        wait_for("the process to end", lambda: not is_running(pid))


def test_in_lists_they_have_one_short_name():
    with Daemon(limits={"spare": 2}) as d, d.connect() as s:
        ping(s)
        spares(d, 2)
        ours = {pid for pid, _, title in d.all_children()
                if title.startswith("bridled: ")}
        equal({row["name"] for row in d.ask("1#2").rows
               if int(row["pid"]) in ours}, {b"bridled-session"})


def test_what_the_daemon_was_started_with_is_closed():
    if not bridle.ROOT:
        raise Skip("because only root sees their descriptors")
    left_open = ["bash", "-c", 'exec 9<&0 200<&0; exec "$@"', "bash"]
    with Daemon(tcp=[TLS], wrap=left_open) as d, d.connect() as s:
        ping(s)
        assert {"9", "200"} <= set(os.listdir("/proc/%d/fd" % d.pid))
        for pid in stock(d) + titled(d, "session"):
            opened = set(os.listdir("/proc/%d/fd" % pid))
            assert not {"9", "200"} & opened, opened


def memory_of(pid):
    """Yield the readable parts of a process's memory, as bytes."""
    with open("/proc/%d/maps" % pid) as maps, \
            open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in maps:
            start, end = (int(n, 16) for n in line.split()[0].split("-"))
            if line.split()[1][0] != "r" or "[v" in line or \
                    end - start > 1 << 28:  # skip ASan's shadow memory
                continue
            memory.seek(start)
            yield memory.read(end - start)


def holds(pid, text):
    return any(text in piece for piece in memory_of(pid))


def test_a_session_knows_nothing_of_the_daemon():
    if not bridle.ROOT:
        raise Skip("because only root can read their memory")
    clients = ('{ name = "me"; unix_user = "%d"; allow = ("*"); },'
               '{ name = "%s"; unix_user = "61009"; allow = ("ping"); }'
               % (os.getuid(), SECRET))
    with Daemon(clients=clients, tcp=[TLS]) as d, d.connect() as s, \
            d.connect() as other:
        other.sendall(b"1#4#%s\n" % SECRET.encode())
        read_answer(other)
        ping(s)
        assert holds(d.pid, SECRET.encode()), "not in the daemon"
        family = stock(d)
        with d.connect() as fresh:
            ping(fresh)
            assert set(family) & set(titled(d, "session")), "not used"
            for pid in family:
                assert not holds(pid, SECRET.encode()), pid


bridle.main(globals())
