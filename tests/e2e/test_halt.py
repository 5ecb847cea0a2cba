"""Tests of `halt`, `poweroff`, `reboot` and `cancel`. Each request must run
exactly the command of the configuration."""

import contextlib
import os
import signal
import subprocess

import bridle
from bridle import Daemon, decode, equal, read_answer, reset, wait_for
from procs import Terminal, encode, state

MODES = ("halt", "poweroff", "reboot")


class Misbehaving(Daemon):
    """A daemon that runs the program `misbehave` as each halting command. The
    parameter `how` tells this program how to misbehave."""

    def __init__(self, how, **kwargs):
        super().__init__(**kwargs)
        self.how = how

    def write_config(self, text=None):
        self.pid_path = os.path.join(self.dir, "sock", "pid")
        argv = [self.program_path("misbehave"), self.how, self.pid_path]
        self.power = {name: list(argv) for name in (*MODES, "cancel")}
        super().write_config(text)

    def halting_pid(self):
        """Wait until the halting command has written its pid to the file.
        Return this pid."""
        wait_for("the command to run",
                 lambda: os.path.exists(self.pid_path))
        with open(self.pid_path) as f:
            return int(f.read())


def power_of(argv):
    """Return a value for the parameter `power` of Daemon, with the same argv
    for every mode."""
    return {name: list(argv) for name in (*MODES, "cancel")}


# -- tests of the commands that run -----------------------------------------


def test_a_bare_request_halts_now():
    with Daemon() as d:
        answer = d.ask("1#1")
        equal(answer.code, 202)
        equal(answer.text, "halt now")
        assert "id" in answer.status.pairs
        equal(d.recorded(), [["halt", "now"]])


def test_each_mode_at_each_time():
    times = {"now": "now", "%2B5": "in 5 minutes", "%2B1": "in 1 minute",
             "+0": "in 0 minutes", "%2B10080": "in 10080 minutes",
             "22:00": "at 22:00", "00:00": "at 00:00", "23:59": "at 23:59"}
    wanted = []
    with Daemon() as d:
        for mode in MODES:
            for when, text in times.items():
                answer = d.ask("1#1#mode=%s#when=%s" % (mode, when))
                equal(answer.code, 202)
                equal(answer.text, "%s %s" % (mode, text))
                wanted.append([mode, decode(when).decode()])
        equal(d.recorded(), wanted)


def test_what_is_no_mode_or_time_is_refused():
    modes = ("", "off", "HALT", "halt ", "shutdown", "0", "kexec")
    times = ("", "+", "5", "-5", "%2B-5", "%2B10081", "%2B5m", "24:00",
             "22:60", "2:00", "22:0", "22:000", "22.00", "Now", "now ",
             "tomorrow", "%2B99999999999999999999", "%2B 5", "-r")
    with Daemon() as d:
        for mode in modes:
            equal(d.ask("1#1#mode=" + mode).code, 400, mode)
        for when in times:
            equal(d.ask("1#1#when=" + when).code, 400, when)
        for line in ("1#1#mode=halt#mode=halt", "1#1#mode", "1#1#now",
                     "1#1#dry-run=", "1#1#dry-run=1", "1#1#dry-run#dry-run",
                     "1#1#force", "1#1#", "1#1#name=x"):
            equal(d.ask(line).code, 400, line)
        equal(d.recorded(), [])


def test_a_message_arrives_as_it_is():
    messages = ["maintenance", "a message with spaces", "100 % # done",
                "$(id) `id` ; & > 'a' \"b\" \\ * ~", "{when} {message}",
                "Stromausfall: bis später", "维护", "a - b", "x" * 200,
                "ä" * 100]
    with Daemon() as d:
        for message in messages:
            answer = d.ask("1#1#when=%%2B5#message=%s" % encode(message))
            equal(answer.code, 202, message)
        # If the request has no message, the daemon leaves out the argument
        # {message}.
        equal(d.ask("1#1#when=%2B5").code, 202)
        equal(d.recorded(), [["halt", "+5", m] for m in messages] +
              [["halt", "+5"]])


def test_a_message_that_is_unfit_is_refused():
    unfit = ["-r", "-", "--", "--halt", "x" * 201, "ä" * 100 + "x", "a\nb",
             "a\tb", "\x1b[31m", "\x7f", "a\u202eb", "a\u200bb", "a\u2028b",
             "\x9b", os.fsdecode(b"\xff"), os.fsdecode(b"a\xc3")]
    with Daemon() as d:
        for message in unfit:
            for more in ("", "#dry-run"):
                answer = d.ask("1#1#message=%s%s" % (encode(message), more))
                equal(answer.code, 400, message)
                assert "200 printable bytes" in answer.text, answer.text
                equal("U+202E (RIGHT-TO-LEFT OVERRIDE)" in answer.text,
                      "\u202e" in message)
        equal(d.ask("1#1#message=").code, 400)
        equal(d.recorded(), [])


def test_a_dry_run_says_what_would_run():
    with Daemon() as d:
        program = d.program_path("recorder")
        for mode in MODES:
            answer = d.ask("1#1#mode=%s#dry-run" % mode)
            equal(answer.code, 200)
            equal(answer.text, "would run %s %s %s now"
                  % (program, d.record_path, mode))
        answer = d.ask("1#1#mode=reboot#when=22:00#message=%s#dry-run"
                       % encode("back at 11"))
        equal(answer.text, "would run %s %s reboot 22:00 'back at 11'"
              % (program, d.record_path))
        done = d.ctl("poweroff", "-n", "--in", "10m", "-m", "short")
        equal(done.returncode, 0)
        assert "%s poweroff +10 short" % d.record_path in done.stdout, (
            done.stdout)
        equal(d.recorded(), [])


def test_cancel_runs_its_own_command():
    with Daemon() as d:
        equal(d.ask("1#1#when=%2B5").code, 202)
        answer = d.ask("1#6")
        equal(answer.code, 200)
        equal(answer.text, "cancel")
        equal(d.ctl("cancel").returncode, 0)
        equal(d.recorded(), [["halt", "+5"], ["cancel"], ["cancel"]])
        equal(d.ask("1#6#dry-run").code, 400)
        equal(d.ask("1#6#now").code, 400)
        equal(len(d.recorded()), 3)


# -- tests through bridlectl ------------------------------------------------


def test_bridlectl_says_mode_time_and_message():
    commands = {
        ("halt",): ["halt", "now"],
        ("poweroff", "--in", "10m"): ["poweroff", "+10"],
        ("reboot", "--in", "5"): ["reboot", "+5"],
        ("reboot", "--in", "90s"): ["reboot", "+2"],
        ("reboot", "--in", "2h"): ["reboot", "+120"],
        ("reboot", "--in", "7d"): ["reboot", "+10080"],
        ("halt", "--at", "22:00"): ["halt", "22:00"],
        ("halt", "-m", "back soon"): ["halt", "now", "back soon"],
    }
    with Daemon() as d:
        for args, wanted in commands.items():
            done = d.ctl(*args, "-y")
            equal(done.returncode, 0, done.stderr)
            assert wanted[0] in done.stdout, done.stdout
            equal(d.recorded()[-1], wanted, args)
        equal(len(d.recorded()), len(commands))


def test_bridlectl_refuses_what_cannot_be_meant():
    with Daemon() as d:
        for args in (["--in", "8d"], ["--in", "-1"], ["--in", "x"],
                     ["--in", ""], ["--at", "25:00"], ["--at", "now"],
                     ["--at", "22"], ["--in", "5", "--at", "22:00"],
                     ["-m", "-r"], ["-m", ""], ["-m", "x" * 201],
                     ["-m", "a\nb"], ["now"], ["-n"]):
            done = d.ctl("halt", "-y", *args)
            equal(done.returncode, 2, args)
            assert done.stderr, args
        equal(d.recorded(), [])


def test_bridlectl_asks_before_it_halts():
    with Daemon() as d:
        done = d.ctl("halt")
        equal(done.returncode, 2)
        assert "-y" in done.stderr, done.stderr
        for keys, status, recorded in ((b"\n", 1, []), (b"n\n", 1, []),
                                       (b"\x04", 1, []),
                                       (b"y\n", 0, [["reboot", "+5"]])):
            with Terminal("-H", "unix:" + d.sock, "reboot",
                          "--in", "5") as t:
                t.read_until(b"[y/N]")
                assert b"would run" in t.data, t.data
                equal(d.recorded(), [], "before the answer")
                t.type(keys)
                equal(t.finish(), status, keys)
            equal(d.recorded(), recorded, keys)


# -- tests of halting commands that fail ------------------------------------


def test_a_halt_that_fails_gives_its_reason():
    with Misbehaving("fail") as d:
        for line, what in (("1#1", "halt now"),
                           ("1#1#mode=reboot#when=%2B5",
                            "reboot in 5 minutes"),
                           ("1#6", "the cancel program")):
            answer = d.ask(line)
            equal(answer.code, 500)
            equal(answer.text, what + " failed with exit status 3")
            equal(decode(answer.status.pairs["output"]),
                  b"the halt was refused: no reason given")
        done = d.ctl("halt", "-y")
        equal(done.returncode, 1)
        assert "500" in done.stderr, done.stderr
        assert "output: the halt was refused" in done.stderr, done.stderr
        equal(d.counter("failed"), 4)
        d.wait_log(r'verb=halt .*result=500 .*exit status 3"')


def test_a_halt_that_dies_is_a_failure():
    with Misbehaving("signal") as d:
        answer = d.ask("1#1")
        equal(answer.code, 500)
        equal(answer.text, "the process died of signal SEGV")


def test_a_halt_that_cannot_be_run_is_a_failure():
    with Daemon() as d:
        os.unlink(d.program_path("recorder"))
        answer = d.ask("1#1")
        equal(answer.code, 500)
        equal(answer.text, "halt now failed with exit status 127")
        assert b"No such file" in decode(answer.status.pairs["output"])


def test_a_halt_that_hangs_is_ended():
    with Misbehaving("sleep", limits={"request_seconds": 1}) as d:
        answer = d.ask("1#1")
        equal(answer.code, 500)
        equal(answer.text, "ended by TERM: the time limit was reached")
        pid = d.halting_pid()
        wait_for("the end of the command", lambda: state(pid) is None)


def test_a_halt_whose_client_vanishes_is_ended():
    with Misbehaving("sleep") as d:
        s = d.connect()
        s.sendall(b"1#1\n")
        pid = d.halting_pid()
        reset(s)
        d.wait_log(r"verb=halt .*result=500 .*the client is gone")
        wait_for("the end of the command", lambda: state(pid) is None)


def test_what_a_halt_says_is_made_safe():
    hostile = "\\n  \\033[31mno\\377 # way\\r 100%%\\nmore\\n"
    with Daemon(power=power_of(["/usr/bin/printf", hostile])) as d:
        answer = d.ask("1#1")
        equal(answer.code, 202)
        equal(decode(answer.status.pairs["output"]),
              b"\x1b[31mno\xff # way\r 100%")
        with Terminal("-H", "unix:" + d.sock, "halt", "-y") as t:
            equal(t.finish(), 0)
            assert b"\x1b" not in t.data, t.data
    with Daemon(power=power_of(["/usr/bin/printf", "%0999d"])) as d:
        assert len(d.ask("1#1").status.pairs["output"]) <= 256


# -- tests of a daemon that is stopped during a halt ------------------------


@contextlib.contextmanager
def going_down():
    """Yield a daemon whose halting command never ends, and an empty list. The
    block adds the pids of halting commands to this list. The end of the block
    kills these processes, because a halting command outlives the daemon."""
    with Misbehaving("sleep") as d:
        pids = []
        try:
            yield d, pids
        finally:
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


def test_a_stop_that_comes_meanwhile_means_it_has_worked():
    with going_down() as (d, pids), d.connect() as s:
        s.sendall(b"1#1#mode=reboot\n")
        pids.append(d.halting_pid())
        d.process.send_signal(signal.SIGTERM)
        answer = read_answer(s)
        equal(answer.code, 202)
        equal(answer.text, "reboot now")
        s.close()
        equal(d.process.wait(bridle.PATIENCE), 0)
        # The halting command continues without the daemon.
        equal(state(pids[0]), "S")
        d.wait_log(r"verb=halt .*result=202 .*reboot now")


def test_bridlectl_hears_of_it_before_the_daemon_ends():
    with going_down() as (d, pids):
        with subprocess.Popen(
                [bridle.BRIDLECTL, "-H", "unix:" + d.sock, "poweroff", "-y"],
                stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                text=True) as tool:
            pids.append(d.halting_pid())
            d.process.send_signal(signal.SIGTERM)
            out, err = tool.communicate(timeout=bridle.PATIENCE)
            equal(tool.returncode, 0, err)
            assert "poweroff now" in out, out
        equal(d.process.wait(bridle.PATIENCE), 0)
        equal(state(pids[0]), "S")


def test_a_stop_makes_no_success_of_a_cancel():
    """If the daemon is stopped during a halt, the halt counts as a success. If
    the daemon is stopped during a cancel, the cancel counts as a failure."""
    with Misbehaving("sleep", settings="stop_seconds = 1;") as d, \
            d.connect() as s:
        s.sendall(b"1#6\n")
        pid = d.halting_pid()
        d.process.send_signal(signal.SIGTERM)
        answer = read_answer(s)
        equal(answer.code, 503)
        equal(answer.text, "ended by TERM: the daemon is stopping")
        s.close()
        equal(d.process.wait(bridle.PATIENCE), 0)
        wait_for("the end of the command", lambda: state(pid) is None)


def test_a_halt_that_speaks_after_the_daemon_has_gone_lives_on():
    script = ("read line <{dir}/sock/go; echo going; echo going; "
              "echo going >{dir}/sock/gone")
    power = {m: ["/bin/sh", "-c", script]
             for m in ("halt", "poweroff", "reboot")}
    with Daemon(power=power) as d, d.connect() as s:
        fifo = os.path.join(d.dir, "sock", "go")
        os.mkfifo(fifo, 0o666)
        s.sendall(b"1#1\n")
        wait_for("the halt to run", d.actions)
        d.process.terminate()
        equal(read_answer(s).code, 202)
        equal(d.process.wait(bridle.PATIENCE), 0)
        with open(fifo, "w") as f:
            f.write("now\n")
        wait_for("the halt to continue", lambda: os.path.exists(
            os.path.join(d.dir, "sock", "gone")))


def test_a_sigterm_to_all_does_not_cost_the_answer():
    with Daemon() as d, d.connect() as s:
        s.sendall(b"1#4\n")
        equal(read_answer(s).code, 200)
        for pid, _ in d.children():
            os.kill(pid, signal.SIGTERM)
        s.sendall(b"1#1\n")
        equal(read_answer(s).code, 202)


if __name__ == "__main__":
    bridle.main(globals())
