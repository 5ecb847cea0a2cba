"""Tests of faults around the daemon, such as shortages, a broken log, and
killed processes. The daemon must survive each fault."""

import contextlib
import errno
import os
import random
import re
import signal
import time
from contextlib import ExitStack

import bridle
from bridle import (Daemon, Skip, Victim, answers, equal, read_all,
                    read_answer, wait_for)
from crowd import KILLS, Asker, Crowd
from devlog import LogDaemon


def ping(sock):
    sock.sendall(b"1#4\n")
    return read_answer(sock)


def status_field(pid, name):
    """Return the value of a line of /proc/PID/status, which any user can read.
    Return "" if the process does not exist."""
    with contextlib.suppress(OSError):
        with open("/proc/%d/status" % pid) as f:
            for line in f:
                if line.startswith(name + ":"):
                    return line.split(":")[1].strip()
    return ""


def is_logger(pid):
    """True if the process is the logger. The logger and the sessions ignore
    SIGTERM, but only the logger has NoNewPrivs 0."""
    return (int(status_field(pid, "SigIgn") or "0", 16) >> 14 & 1 == 1
            and status_field(pid, "NoNewPrivs") == "0")


def logger(d):
    return wait_for("the logger", lambda: next(
        (pid for pid, state in d.children()
         if state != "Z" and is_logger(pid)), None))


def others(d):
    """Return the pids of the sessions and actions that have not ended."""
    return [pid for pid, state in d.children()
            if state != "Z" and not is_logger(pid)]


def new_child(d, known):
    return wait_for("a child", lambda: next(
        (pid for pid in others(d) if pid not in known), None))


@contextlib.contextmanager
def session(d, port=None):
    """Yield a connection on which the daemon has answered a ping, and the pid
    of the connection's session."""
    known = others(d)
    with d.connect(port) as sock:
        pid = new_child(d, known)
        equal(ping(sock).text, "pong")
        yield sock, pid


def wait_gone(d, pid):
    wait_for("process %d to be gone" % pid,
             lambda: pid not in [child for child, _ in d.children()])


def check_ended(sock):
    """Check that the connection ends, or is reset, without further bytes."""
    with contextlib.suppress(ConnectionResetError):
        equal(read_all(sock), b"")


# -- tests of shortages -----------------------------------------------------

def test_fork_fails_and_recovers():
    # The kernel counts all processes of a user, so the daemon runs as a user
    # without other processes. With three sessions the limit of processes is
    # reached.
    uid = 100000 + os.getpid()
    with Daemon(uid=uid, limit={"nproc": 6}, limits={"spare": 1}) as d, \
            ExitStack() as stack:
        first, _ = stack.enter_context(session(d))
        second, _ = stack.enter_context(session(d))
        third, _ = stack.enter_context(session(d))
        with d.connect() as fourth:
            answer, = answers(read_all(fourth))
            equal((answer.code, answer.text),
                  (500, "cannot start a session"))
        first.sendall(b"1#2\n")
        answer = read_answer(first)
        equal(answer.code, 500)
        assert answer.text.startswith("cannot start the action: "), answer.text
        equal(ping(second).text, "pong")
        second.close()
        # Two closed sessions leave room for two processes: a spare session and
        # an action.
        third.close()
        with Asker(d) as asker:
            question = "1#2#name=%s\n" % asker.name

            def listed():
                first.sendall(question.encode())
                answer = read_answer(first)
                assert answer.code in (200, 500), answer.status.line
                return answer.code == 200 and answer
            asker.check_list(wait_for("an action to start", listed))
        first.close()
        d.wait_quiet()
        with session(d):
            pass


def cpu_seconds(pid):
    with open("/proc/%d/stat" % pid, "rb") as f:
        fields = f.read().rpartition(b") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def check_at_rest(d):
    """Check that the daemon needs less than 0.3 s of CPU time in a second
    while it cannot accept connections."""
    used, until = cpu_seconds(d.pid), time.monotonic() + 1
    wait_for("a second to pass", lambda: time.monotonic() > until)
    used = cpu_seconds(d.pid) - used
    assert used < 0.3, "the daemon used %.2f s of CPU in a second" % used


def test_descriptors_run_out_and_it_recovers():
    if bridle.WRAP:
        raise Skip("because valgrind needs more descriptors")
    limits = {"sessions": 300, "sessions_per_source": 300}
    with Daemon(limits=limits, limit={"nofile": 40}) as d, \
            ExitStack() as stack:
        first, _ = stack.enter_context(session(d))
        socks = [stack.enter_context(d.connect()) for _ in range(60)]
        for sock in socks:
            sock.sendall(b"1#4\n")
        d.wait_log("accept: Too many open files")
        check_at_rest(d)
        # Open sessions are still served, but a request that needs a new
        # descriptor fails. Some descriptors of rejected clients may be free
        # until the next clients use these descriptors.
        equal(ping(first).text, "pong")

        def fails():
            first.sendall(b"1#2\n")
            answer = read_answer(first)
            assert answer.code in (200, 500), answer.status.line
            return answer.code == 500

        wait_for("a list to fail", fails)
        # Each waiting connection must get a reply. This reply is the result, or
        # the status 500.
        served = 0
        for sock in socks:
            answer = read_answer(sock)
            assert answer.code in (200, 500), answer.status.line
            served += answer.code == 200
            sock.close()
        assert served >= 20, served
        wait_for("actions to start again", lambda: d.ask(
            "1#2#name=no.such").code == 404)
        equal(len(re.findall("accept: ", d.log())), 1, "lines about it")


# -- tests of the log -------------------------------------------------------

REQUEST_LINE = re.compile(r'^id=[0-9a-f]+-(\d+) client=me source=\S+ verb='
                          r'[a-z:]+ args=".*" verdict=allowed rule=\S+ '
                          r'result=\d+ ms=\d+ text=".*"$')


def flood_log(d, n):
    """Send n requests, each of which adds a line to the log. Check that each
    request gets its reply."""
    with d.connect() as s:
        for _ in range(n // 50):
            s.sendall(b"1#4\n" * 50)
            for _ in range(50):
                equal(read_answer(s).text, "pong")


def account(d):
    """Return three numbers: requests so far, lines about requests in the log,
    and lines that the daemon counts as lost."""
    answer = d.ask("1#7")
    asked = int(answer.status.pairs["id"].rpartition("-")[2])
    lost = next(int(row["value"]) for row in answer.rows
                if row["counter"] == b"log_lost")
    written = sum(bool(REQUEST_LINE.match(line.text))
                  for line in d.dev_log.lines)
    return asked, written, lost


def check_all_accounted_for(d):
    """Wait until each request is in the log or counted as lost. Return the
    number of lost lines.

    A killed logger may have written a line that it has not yet reported to the
    daemon. The daemon then counts this line as lost, too. Therefore the count
    of lost lines may be too high, but never too low.
    """
    def all_there():
        asked, written, lost = account(d)
        # The status request of account() is counted, but its line is not in
        # the log yet.
        return written + lost >= asked - 1 and (lost,)
    lost, = wait_for("the lines to add up", all_there)
    return lost


def test_a_log_that_is_gone_stops_nothing():
    with LogDaemon() as d:
        flood_log(d, 50)
        check_all_accounted_for(d)
        d.dev_log.close()
        flood_log(d, 100)
        wait_for("the loss to be counted",
                 lambda: d.counter("log_lost") >= 100)
        d.dev_log.open()
        equal(d.ask("1#4").code, 200)
        line = d.wait_line(
            r"^\d+ log lines were lost: could not write to /dev/log$")
        equal(line.level, 4)
        assert int(line.text.split()[0]) >= 100, line.text
        lost = d.counter("log_lost")
        flood_log(d, 50)
        equal(check_all_accounted_for(d), lost)


def test_a_log_that_is_stuck_stops_nothing():
    with LogDaemon() as d:
        d.dev_log.reading.clear()
        # Send at most 10000 lines, which fill the socket and the pipe.
        for _ in range(40):
            flood_log(d, 250)
            if d.counter("log_lost") > 0:
                break
        assert d.counter("log_lost") > 0
        # Actions write to the log, too, and must not wait for the log. The
        # lines of actions must reach the log although other lines are lost.
        for _ in range(10):
            equal(d.ask("1#3#no.such").code, 404)
            flood_log(d, 250)
        d.dev_log.reading.set()
        wait_for("the lines of the actions", lambda: sum(
            "no.such" in line.text for line in d.dev_log.lines) == 10)
        wait_for("log lines", lambda: d.ask("1#4").code == 200 and any(
            re.match(r"\d+ log lines were lost", line.text)
            for line in d.dev_log.lines))
        check_all_accounted_for(d)


def test_a_log_that_is_stuck_does_not_keep_it_from_stopping():
    with LogDaemon() as d:
        d.dev_log.reading.clear()
        flood_log(d, 1000)
        began = time.monotonic()
        d.process.terminate()
        equal(d.process.wait(bridle.PATIENCE), 0)
        assert time.monotonic() - began < bridle.PATIENCE / 2


def test_a_logger_that_is_killed_is_replaced():
    with Daemon() as d:
        # Kill two loggers, the second one soon after its start.
        for _ in range(2):
            pid = logger(d)
            os.kill(pid, signal.SIGKILL)
            wait_gone(d, pid)
            equal(d.ask("1#4").code, 200)
        logger(d)
        answer = d.ask("1#4")
        d.wait_log("id=%s .*verb=ping" % answer.status.pairs["id"])
        d.wait_log("^bridled: the logger died: started another$")
        d.wait_quiet()


def test_a_logger_that_is_killed_under_load_spoils_no_line():
    with LogDaemon() as d:
        with Crowd([lambda: flood_log(d, 50)] * 3) as crowd:
            for _ in range(4):
                before, rounds = len(d.dev_log.lines), crowd.rounds
                os.kill(logger(d), signal.SIGKILL)
                wait_for("the log to continue", lambda: len(
                    d.dev_log.lines) > before + 500
                    and crowd.rounds > rounds + 3)
        check_all_accounted_for(d)
        for line in d.dev_log.lines:
            assert (REQUEST_LINE.match(line.text) or line.text.endswith(
                ("lines were lost", "started another")) or
                line.text.startswith("serving at")), line.text


def test_a_logger_that_is_stopped_stops_nothing():
    with LogDaemon() as d:
        pid = logger(d)
        os.kill(pid, signal.SIGSTOP)
        for _ in range(40):
            flood_log(d, 250)
            if d.counter("log_lost") > 0:
                break
        assert d.counter("log_lost") > 0
        os.kill(pid, signal.SIGCONT)
        check_all_accounted_for(d)


# -- tests of killed and stopped processes ----------------------------------

def test_a_session_that_is_killed_takes_nobody_with_it():
    with Daemon() as d, session(d) as (one, _), session(d) as (two, pid):
        os.kill(pid, signal.SIGKILL)
        check_ended(two)
        d.wait_log(r"session %d source=uid=\d+ died of signal KILL" % pid)
        equal(ping(one).text, "pong")
        equal(d.counter("crashes"), 0)


def test_a_session_that_crashes_is_logged_as_a_crash():
    # Send SIGABRT, because a sanitizer would catch SIGSEGV. Send SIGSYS, which
    # the kernel sends for a forbidden system call.
    with Daemon() as d:
        for crashes, sig in enumerate((signal.SIGABRT, signal.SIGSYS), 1):
            with session(d) as (sock, pid):
                os.kill(pid, sig)
                check_ended(sock)
                d.wait_log(r"session %d source=uid=\d+ crashed of signal %s"
                           % (pid, sig.name[3:]))
            equal(d.counter("crashes"), crashes)


def test_a_session_that_is_killed_ends_its_action():
    power = {m: ["{dir}/misbehave", "sleep", "{dir}/sock/pid"]
             for m in ("halt", "poweroff", "reboot")}
    with Daemon(power=power) as d, session(d) as (sock, pid):
        sock.sendall(b"1#1\n")
        action, = wait_for("the action", d.actions)
        os.kill(pid, signal.SIGKILL)
        check_ended(sock)
        wait_gone(d, action)
        equal(d.counter("actions"), 0)


def test_a_session_that_is_stopped_is_ended_by_its_deadline():
    power = {m: ["{dir}/misbehave", "sleep", "{dir}/sock/pid"]
             for m in ("halt", "poweroff", "reboot")}
    limits = {"login_seconds": 3, "idle_seconds": 3, "request_seconds": 2}
    with Daemon(power=power, limits=limits) as d, ExitStack() as stack:
        acting, acting_pid = stack.enter_context(session(d))
        acting.sendall(b"1#1\n")
        action, = wait_for("the action", d.actions)
        os.kill(acting_pid, signal.SIGSTOP)
        idle, idle_pid = stack.enter_context(session(d))
        os.kill(idle_pid, signal.SIGSTOP)
        known = others(d)
        mute = stack.enter_context(d.connect())
        mute_pid = new_child(d, known)
        os.kill(mute_pid, signal.SIGSTOP)
        mute.sendall(b"1#4\n")
        for pid in [mute_pid, idle_pid, action, acting_pid]:
            wait_gone(d, pid)
            equal(d.ask("1#4").text, "pong")
        for sock in (acting, idle, mute):
            check_ended(sock)


def test_a_kill_that_is_killed_has_failed():
    if not KILLS:
        raise Skip("because nothing is killed here")
    with Daemon() as d, Victim(args=["--ignore-term"]) as v, \
            session(d) as (sock, _):
        sock.sendall(b"1#3#%s#wait=600\n" % v.comm)
        action, = wait_for("the action", d.actions)
        os.kill(action, signal.SIGKILL)
        answer = read_answer(sock)
        equal((answer.code, answer.text),
              (500, "the process died of signal KILL"))
        equal(ping(sock).text, "pong")


class HardyAsker(Asker):
    """A client whose session may be killed at any time. This client checks only
    complete replies."""

    def ask(self):
        try:
            super().ask()
        except OSError as error:
            # After a reset, shutdown(2) fails with ENOTCONN. Python does not
            # turn ENOTCONN into a ConnectionError.
            if not (isinstance(error, ConnectionError) or
                    error.errno == errno.ENOTCONN):
                raise

    def receive(self, sock, asked):
        data = bytearray()
        with contextlib.suppress(ConnectionError):
            while piece := sock.recv(65536):
                data += piece
        lines = bytes(data).decode().split("\n")[:-1]
        last = max((i + 1 for i, line in enumerate(lines)
                    if not line.startswith("1#100#")), default=0)
        found = answers("".join(s + "\n" for s in lines[:last]).encode())
        for answer, (_, fits) in zip(found, asked):
            if answer.code == 500:
                # If the action was killed, the reply has the rows that the
                # action had written before. Otherwise the session was killed
                # before its first message.
                assert answer.text in (
                    "the process died of signal KILL",
                    "the session of this connection has died: try again"), \
                    answer.text
            else:
                self.check(answer, fits)


def test_nobody_gets_anothers_answer_while_processes_are_killed():
    chance = random.Random(1)
    with Daemon(tcp=["127.0.0.1:0"]) as d, ExitStack() as stack:
        askers = [stack.enter_context(HardyAsker(d, port))
                  for port in [None, d.ports[0]] * 2]
        with Crowd([asker.ask for asker in askers]):
            for _ in range(100):
                victim = wait_for("a process to kill", lambda: others(d))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(chance.choice(victim), signal.SIGKILL)
        with Asker(d) as asker:
            asker.ask()
        d.wait_quiet()
        equal(d.counter("actions"), 0)


# -- tests of signals -------------------------------------------------------


def test_a_hundred_reloads_under_load():
    with Daemon(tcp=["127.0.0.1:0"]) as d, ExitStack() as stack:
        kept, _ = stack.enter_context(session(d))
        askers = [stack.enter_context(Asker(d, port))
                  for port in [None, d.ports[0]] * 2]
        inode = os.stat(d.sock).st_ino
        with Crowd([asker.ask for asker in askers]) as crowd:
            for i in range(100):
                d.process.send_signal(signal.SIGHUP)
                # The session of this ping starts after the signal.
                equal(d.ask("1#4").text, "pong")
                # Wait, because a second signal during a reload would only
                # restart this reload. The counter would then be too low.
                wait_for("the reload", lambda i=i: d.counter("reloads") > i)
        assert crowd.rounds >= 4, crowd.rounds
        equal(d.counter("reloads"), 100)
        equal(d.counter("bad_reloads"), 0)
        equal(ping(kept).text, "pong")
        equal(os.stat(d.sock).st_ino, inode)


def test_a_stop_comes_before_those_who_wait_at_the_door():
    limits = {"sessions": 300, "sessions_per_source": 300}
    with Daemon(tcp=["127.0.0.1:0"], limits=limits) as d, \
            ExitStack() as stack:
        os.kill(d.pid, signal.SIGSTOP)
        for _ in range(200):
            stack.enter_context(d.connect(d.ports[0])).sendall(b"1#4\n")
        d.process.terminate()
        os.kill(d.pid, signal.SIGCONT)
        equal(d.process.wait(bridle.PATIENCE), 0)
        served = len(re.findall("verb=ping", d.log()))
        assert served < 100, "%d were let in first" % served


bridle.main(globals())
