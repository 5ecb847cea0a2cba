"""halt, cancel and status with a logind that knows who is in the way and
what is scheduled. What it says is in files of the test's own; the real one is
asked by the tests of the booted machine."""

import os

import bridle
from bridle import Daemon, equal

FREE = "a(ssssuu) 0\n"
HELD = ('a(ssssuu) 2 "sleep" "screen" "video" "block" 1000 17 '
        '"shutdown:sleep" "backup" "tapes are \\"turning\\"" "block" 0 4711\n')
NOTHING = '(st) "" 0\n'
EVENING = '(st) "poweroff" 1795300500000000\n'


class Logind(Daemon):
    """Says what is in its files; cancel puts `after` in place."""

    def __init__(self, inhibitors=FREE, scheduled=NOTHING, after=NOTHING,
                 override=False, **kwargs):
        super().__init__(env=dict(os.environ, TZ="Etc/GMT-2"), **kwargs)
        self.said = {"inhibitors": inhibitors, "scheduled": scheduled,
                     "after": after}
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
        self.power.update({
            "cancel": ["/usr/bin/cp", self.path("after"),
                       self.path("scheduled")],
            "inhibitors": ["/usr/bin/cat", self.path("inhibitors")],
            "scheduled": ["/usr/bin/cat", self.path("scheduled")]})
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
                  (409, 'held back by backup (uid 0, pid 4711): '
                        'tapes are "turning"'))
        equal(d.recorded(), [])
        assert "result=409" in d.log()


def test_the_tool_tells_who_is_in_the_way():
    with Logind(inhibitors=HELD) as d:
        run = d.ctl("poweroff", "-y")
        equal(run.returncode, 1)
        assert "held back by backup (uid 0, pid 4711)" in run.stderr, run


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
              (500, "poweroff at 2026-11-22 00:35 is scheduled nevertheless"))


def test_cancel_of_nothing_is_told():
    with Logind() as d:
        answer = d.ask("1#6")
        equal((answer.code, answer.text), (404, "no halt is scheduled"))
        run = d.ctl("cancel")
        equal(run.returncode, 1)
        assert "no halt is scheduled" in run.stderr, run


bridle.main(globals())
