"""Sessions are there before their clients, and know nothing of the daemon."""

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
    """The pids of those that are called so, once there are so many."""
    def look():
        found = titled(d, title)
        return found if least <= len(found) <= most else None
    return wait_for("%d to %d: %s" % (least, most, title), look)


def spares(d, n):
    return once(d, "spare", n, n)


def fork_servers(d, n=1):
    """Who has just been forked is called so, too."""
    return once(d, "fork server", n, n)


def stock(d):
    """All who wait, of a daemon that has TLS, too: more of one kind are
    ordered only when half of its four is left."""
    return fork_servers(d, 2) + once(d, "spare", 6, 8)


def ping(s):
    s.sendall(b"1#4\n")
    equal(read_answer(s).text, "pong")


def run(d, *args):
    return subprocess.run([d.program, *args], text=True, capture_output=True,
                          timeout=bridle.PATIENCE)


# -- the stock -------------------------------------------------------------


def test_there_are_as_many_as_the_limits_say():
    with Daemon(limits={"spare": 3}) as d:
        before = spares(d, 3)
        with d.connect() as s:
            ping(s)
            pid, = titled(d, "session")
            assert pid in before, "it was forked before its client came"
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
                assert pid not in seen, "it was there for another"
                seen.add(pid)
            wait_for("its end", lambda: not is_running(pid))


def test_a_spare_that_dies_is_replaced():
    with Daemon(limits={"spare": 2}) as d:
        first, second = spares(d, 2)
        os.kill(first, signal.SIGKILL)
        d.wait_log("the spare session %d died of signal KILL" % first)
        os.kill(second, signal.SIGKILL)
        wait_for("its end", lambda: not is_running(second))
        equal(d.ask("1#4").text, "pong")
        spares(d, 2)
        equal(d.counter("crashes"), 0)


def test_spares_that_die_at_birth_are_not_waited_for():
    """Before their pid is known to the daemon, some of them."""
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


# -- the fork server -------------------------------------------------------


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
        # On a slow machine it is given up by now: another serves them then.
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
    """An upgrade replaces the file while the old daemon serves."""
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
        raise Skip("only root has that right to lose")
    with Daemon(wrap=["setpriv", "--bounding-set", "-sys_chroot"]) as d:
        equal(d.ask("1#4").text, "pong")


def test_started_by_hand_it_says_who_starts_it():
    done = subprocess.run([os.path.join(bridle.BUILD, "bridled-session")],
                          text=True, capture_output=True)
    equal((done.returncode, done.stderr),
          (64, "bridled starts this: see bridled(8)\n"))


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
        assert not d.reload(), "taken without its program"
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
        assert not d.reload(), "that port is taken"
        fork_servers(d)


def test_a_host_key_that_is_none_is_named():
    with Daemon() as d:
        key = os.path.join(d.state_dir, "host_key")
        with open(key, "w") as f:
            f.write("no key")
        os.chmod(key, 0o600)
        d.tcp = [TLS.replace(":0", ":%d" % bridle.free_port())]
        d.write_config()
        assert not d.reload(), "taken without a key"
        d.wait_log(re.escape(key) + ": no key with its certificate")
        os.unlink(key)
        assert d.reload(), d.log()


# -- what is left ----------------------------------------------------------


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
        wait_for("its end", lambda: not is_running(pid))


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
        raise Skip("only root can look at their descriptors")
    left_open = ["bash", "-c", 'exec 9<&0 200<&0; exec "$@"', "bash"]
    with Daemon(tcp=[TLS], wrap=left_open) as d, d.connect() as s:
        ping(s)
        assert {"9", "200"} <= set(os.listdir("/proc/%d/fd" % d.pid))
        for pid in stock(d) + titled(d, "session"):
            opened = set(os.listdir("/proc/%d/fd" % pid))
            assert not {"9", "200"} & opened, opened


def memory_of(pid):
    """All of a process's memory that is its own or that it could read."""
    with open("/proc/%d/maps" % pid) as maps, \
            open("/proc/%d/mem" % pid, "rb", 0) as memory:
        for line in maps:
            start, end = (int(n, 16) for n in line.split()[0].split("-"))
            if line.split()[1][0] != "r" or "[v" in line or \
                    end - start > 1 << 28:  # the shadow that ASan keeps
                continue
            memory.seek(start)
            yield memory.read(end - start)


def holds(pid, text):
    return any(text in piece for piece in memory_of(pid))


def test_a_session_knows_nothing_of_the_daemon():
    if not bridle.ROOT:
        raise Skip("only root can look into them")
    clients = ('{ name = "me"; unix_user = "%d"; allow = ("*"); },'
               '{ name = "%s"; unix_user = "61009"; allow = ("ping"); }'
               % (os.getuid(), SECRET))
    with Daemon(clients=clients, tcp=[TLS]) as d, d.connect() as s, \
            d.connect() as other:
        other.sendall(b"1#4#%s\n" % SECRET.encode())
        read_answer(other)
        ping(s)
        assert holds(d.pid, SECRET.encode()), "the daemon has it"
        family = stock(d)
        with d.connect() as fresh:
            ping(fresh)
            assert set(family) & set(titled(d, "session")), "one serves it"
            for pid in family:
                assert not holds(pid, SECRET.encode()), pid


bridle.main(globals())
