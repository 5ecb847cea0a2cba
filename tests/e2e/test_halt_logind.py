"""Tests of `halt`, `cancel` and `status` with a simulated logind that reports
inhibitors and scheduled halts. The replies of logind come from files. The tests
in tests/system use the real logind."""

import contextlib
import datetime
import os

import bridle
from bridle import Daemon, equal, is_running, wait_for
from etc_files import EtcFiles, zone_file

FREE = "a(ssssuu) 0\n"
HELD = ('a(ssssuu) 2 "sleep" "screen" "video" "block" 1000 17 '
        '"shutdown:sleep" "backup" "tapes are \\"turning\\"" "block" 0 4711\n')
NOTHING = '(st) "" 0\n'
EVENING = '(st) "poweroff" 1795300500000000\n'


class Logind(Daemon):
    """A daemon that reads logind's replies from the files `inhibitors` and
    `scheduled`. A cancel copies the file `after` over the file `scheduled`."""

    def __init__(self, inhibitors=FREE, scheduled=NOTHING, after=NOTHING,
                 can='s "yes"\n', override=False, zone="Etc/GMT-2", **kwargs):
        env = {k: v for k, v in os.environ.items() if k != "TZ"}
        if zone is not None:
            env["TZ"] = zone
        super().__init__(env=env, **kwargs)
        self.said = {"inhibitors": inhibitors, "scheduled": scheduled,
                     "after": after, "can": can}
        self.override = override

    def path(self, name):
        return os.path.join(self.dir, "sock", name)

    def write_config(self, text=None):
        for name, what in self.said.items():
            with open(self.path(name), "w") as f:
                f.write(what)
            os.chmod(self.path(name), 0o666)
        record = [self.program_path("recorder"), self.record_path]
        self.power = {m: record + [m, "{when}", "{message}"]
                      for m in ("halt", "poweroff", "reboot")}
        self.power.update({m: record + [m] for m in ("suspend", "hibernate")})
        self.power.update({
            "cancel": ["/usr/bin/cp", self.path("after"),
                       self.path("scheduled")],
            "inhibitors": ["/usr/bin/cat", self.path("inhibitors")],
            "scheduled": ["/usr/bin/cat", self.path("scheduled")],
            "can_suspend": ["/usr/bin/cat", self.path("can")],
            "can_hibernate": ["/usr/bin/cat", self.path("can")]})
        super().write_config(text)
        if self.override:
            with open(self.config) as f:
                text = f.read()
            with open(self.config, "w") as f:
                f.write(text.replace("power = {", "power = { "
                                     "override_inhibitors = true;"))

    def scheduled(self):
        row, = [r for r in self.ask("1#7").rows
                if r["counter"] == b"scheduled"]
        return row["value"].decode()


def test_an_inhibitor_refuses_and_is_named():
    with Logind(inhibitors=HELD) as d:
        for request in ("1#1", "1#1#mode=reboot#when=%2B5", "1#1#dry-run"):
            answer = d.ask(request)
            equal((answer.code, answer.text),
                  (409, 'a shutdown inhibitor is held by backup (uid 0, pid '
                        '4711): tapes are "turning"'))
        equal(d.recorded(), [])
        d.wait_log("result=409")


def test_the_tool_tells_who_is_in_the_way():
    with Logind(inhibitors=HELD) as d:
        run = d.ctl("poweroff", "-y")
        equal(run.returncode, 1)
        assert "is held by backup (uid 0, pid 4711)" in run.stderr, run


def test_the_configuration_may_override_inhibitors():
    with Logind(inhibitors=HELD, override=True) as d:
        equal(d.ask("1#1#dry-run").code, 200)
        equal(d.ask("1#1").code, 202)
        equal(d.recorded(), [["halt", "now"]])


def test_nobody_in_the_way_is_as_before():
    with Logind() as d:
        assert d.ask("1#1#dry-run").text.startswith("would run ")
        equal(d.ask("1#1#mode=reboot").code, 202)
        equal(d.recorded(), [["reboot", "now"]])


def test_a_logind_that_says_nothing_is_in_nobodys_way():
    with Logind(inhibitors="", scheduled="Failed") as d:
        equal(d.ask("1#1#when=%2B5").code, 202)
        equal(d.recorded(), [["halt", "+5"]])
        equal(d.scheduled(), "unknown")
        equal(d.ask("1#6").code, 200)


def test_a_second_schedule_is_refused_and_the_first_is_named():
    with Logind(scheduled=EVENING) as d:
        answer = d.ask("1#1#when=%2B5")
        equal((answer.code, answer.text),
              (409, "poweroff at 2026-11-22 00:35 is scheduled: "
                    "cancel it first"))
        equal(d.recorded(), [])


class Scheduling(Logind):
    """A daemon whose halting command copies the file `planned` over the file
    `scheduled`."""

    def __init__(self, planned, **kwargs):
        super().__init__(**kwargs)
        self.said["planned"] = planned
        self.exit = 0

    def write_config(self, text=None):
        super().write_config(text)
        script = "cp %s %s; exit %d" % (
            self.path("planned"), self.path("scheduled"), self.exit)
        self.power["halt"] = ["/bin/sh", "-c", script, "sh", "{when}"]
        Daemon.write_config(self, text)


def test_the_answer_is_what_was_scheduled():
    with Scheduling(EVENING) as d:
        answer = d.ask("1#1#when=00:35")
        equal((answer.code, answer.text),
              (202, "poweroff at 2026-11-22 00:35 +0200"))
        d.wait_log(r"poweroff at 2026-11-22 00:35 \+0200")


def test_a_schedule_for_tomorrow_says_so():
    zone = datetime.timezone(datetime.timedelta(hours=2))
    then = datetime.datetime.now(zone) + datetime.timedelta(days=1)
    with Scheduling('(st) "halt" %d000000\n' % then.timestamp()) as d:
        equal(d.ask("1#1#when=" + then.strftime("%H:%M")).text,
              then.strftime("halt at %Y-%m-%d %H:%M +0200 (tomorrow)"))


def test_a_halt_that_cannot_be_read_back_is_told_as_before():
    with Scheduling(NOTHING) as d:
        equal(d.ask("1#1#when=%2B5").text, "halt in 5 minutes")


def test_a_program_that_fails_to_schedule_is_told():
    with Scheduling(NOTHING) as d:
        d.exit = 3
        d.write_config()
        assert d.reload()
        answer = d.ask("1#1#when=%2B5")
        equal((answer.code, answer.text),
              (500, "halt in 5 minutes failed with exit status 3"))


def test_the_time_zone_is_that_of_now():
    with EtcFiles() as etc, Logind(scheduled=EVENING, wrap=etc.wrap,
                                   zone=None) as d:
        for hour in (1, 3):
            etc.replace(d, "localtime", zone_file(hour))
            equal(d.scheduled(), "poweroff at 2026-11-2%d %02d:35"
                  % ((1, 23) if hour == 1 else (2, 1)))


def test_what_happens_at_once_needs_no_cancel():
    with Logind(scheduled=EVENING) as d:
        equal(d.ask("1#1").code, 202)
        equal(d.recorded(), [["halt", "now"]])


def test_status_tells_what_is_scheduled():
    with Logind(scheduled=EVENING) as d:
        equal(d.scheduled(), "poweroff at 2026-11-22 00:35")
    with Logind() as d:
        equal(d.scheduled(), "none")


def test_cancel_names_what_it_has_withdrawn():
    with Logind(scheduled=EVENING) as d:
        answer = d.ask("1#6")
        equal((answer.code, answer.text),
              (200, "cancelled: poweroff at 2026-11-22 00:35"))
        equal(d.scheduled(), "none")


def test_cancel_reads_the_schedule_back():
    with Logind(scheduled=EVENING, after=EVENING) as d:
        answer = d.ask("1#6")
        equal((answer.code, answer.text),
              (500, "cancel had no effect: poweroff at 2026-11-22 00:35 is "
                    "still scheduled"))


def test_cancel_of_nothing_is_told():
    with Logind() as d:
        answer = d.ask("1#6")
        equal((answer.code, answer.text), (404, "no halt is scheduled"))
        run = d.ctl("cancel")
        equal(run.returncode, 1)
        assert "no halt is scheduled" in run.stderr, run


def test_a_daemon_that_is_killed_takes_its_programs_along():
    # Each program writes its pid, and hangs.
    hang = ["/bin/sh", "-c", "echo $$ >{dir}/sock/pid; exec sleep 1000"]
    harmless = {m: ["/bin/true"] for m in ("halt", "poweroff", "reboot")}
    for program, request in (("scheduled", "1#7"), ("cancel", "1#6"),
                             ("inhibitors", "1#1#dry-run")):
        with Daemon(power={**harmless, program: hang}) as d, d.connect() as s:
            path = os.path.join(d.dir, "sock", "pid")

            def read():
                with contextlib.suppress(FileNotFoundError, ValueError):
                    with open(path) as f:
                        return int(f.read())
            s.sendall(request.encode() + b"\n")
            pid = wait_for("the pid of %s" % program, read)
            d.process.kill()
            d.process.wait()
            wait_for("%s to end" % program, lambda: not is_running(pid))


def test_a_suspend_is_immediate_and_needs_no_schedule():
    with Logind(scheduled=EVENING) as d:
        equal(d.ask("1#1#mode=suspend#dry-run").text,
              "would run %s %s suspend" % (d.program_path("recorder"),
                                           d.record_path))
        equal(d.recorded(), [])
        answer = d.ask("1#1#mode=suspend")
        equal((answer.code, answer.text), (202, "suspend now"))
        equal(d.ask("1#1#mode=hibernate#when=now").code, 202)
        equal(d.recorded(), [["suspend"], ["hibernate"]])
        for when in ("%2B0", "%2B5", "22:00"):
            answer = d.ask("1#1#when=%s#mode=suspend" % when)
            equal((answer.code, answer.text),
                  (400, "suspend is always immediate: leave out when="))
        equal(len(d.recorded()), 2)


def test_the_tool_suspends_and_refuses_a_delay():
    with Logind() as d:
        run = d.ctl("suspend", "-y")
        equal(run.returncode, 0, run.stderr)
        assert "suspend now" in run.stdout, run
        run = d.ctl("hibernate", "-n")
        equal(run.returncode, 0, run.stderr)
        for option in ("--in=5", "--at=22:00"):
            run = d.ctl("hibernate", "-y", option)
            equal(run.returncode, 2)
            assert ("'hibernate' is always immediate, because systemd-logind "
                    "cannot schedule it; omit --in and --at"
                    in run.stderr), run
        equal(d.recorded(), [["suspend"]])


def test_a_machine_that_cannot_suspend_tells_why():
    for word, mode, part in (
            ("na", "suspend", "the machine cannot suspend: this is not "
             "possible with its hardware, kernel or systemd-sleep.conf(5)"),
            ("na", "hibernate", "the machine cannot hibernate: this is not "
             "possible with its hardware, kernel, swap space or "
             "systemd-sleep.conf(5)"),
            ("challenge", "suspend", "polkit does not allow bridled to suspend "
             "the machine: install bridle.rules, see bridled(8)"),
            ("new", "suspend", 'the machine cannot suspend: systemd-logind '
             'replies "new"')):
        with Logind(can='s "%s"\n' % word) as d:
            for more in ("", "#dry-run"):
                answer = d.ask("1#1#mode=%s%s" % (mode, more))
                equal((answer.code, answer.text), (409, part))
            equal(d.ask("1#1#mode=reboot").code, 202)
            equal(d.recorded(), [["reboot", "now"]])


def test_a_suspend_has_its_own_inhibitors():
    with Logind(inhibitors=HELD) as d:
        answer = d.ask("1#1#mode=suspend")
        equal((answer.code, answer.text),
              (409, "a sleep inhibitor is held by screen (uid 1000, pid 17): "
                    "video"))
    held = 'a(ssssuu) 1 "shutdown" "backup" "tapes" "block" 0 4711\n'
    with Logind(inhibitors=held) as d:
        equal(d.ask("1#1#mode=suspend").code, 202)
    with Logind(inhibitors=HELD, override=True) as d:
        equal(d.ask("1#1#mode=suspend").code, 202)


def test_the_policy_and_the_configuration_may_refuse_a_suspend():
    clients = ('{ name = "me"; unix_user = "%d"; allow = ("halt"); '
               'halt = { modes = ("suspend"); }; }' % os.getuid())
    with Daemon(clients=clients, power={"suspend": []}) as d:
        answer = d.ask("1#1#mode=hibernate")
        equal((answer.code, answer.text), (403, "me may not hibernate"))
        answer = d.ask("1#1#mode=suspend")
        equal((answer.code, answer.text),
              (409, "power.suspend of the configuration is empty"))
        equal(d.recorded(), [])


bridle.main(globals())
