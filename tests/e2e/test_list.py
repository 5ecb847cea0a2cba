"""Tests of the verb `list` and of its filters. The tests compare the list with
the output of ps(1) on the same machine."""

import calendar
import json
import os
import pwd
import re
import shutil
import signal
import subprocess
import sys
import time

import bridle
from bridle import (Daemon, STRANGER, Skip, Victim, equal, read_answer,
                    unique_name, wait_for)
from etc_files import EtcFiles
from procs import Churn, Stat, crowd, encode, state, zombie


class Seen:
    """One process, parsed from a line of ps."""

    FORMAT = "pid=,ppid=,uid=,state=,rss=,cputimes=,lstart=,comm="

    def __init__(self, line):
        words = line.split(None, 11)
        self.pid, self.ppid, self.uid = map(int, words[:3])
        self.state = words[3]
        self.rss, self.cpu = int(words[4]), int(words[5])
        # These words are a time in UTC, such as "Sat Nov 21 00:11:10 2026".
        self.started = calendar.timegm(time.strptime(" ".join(words[6:11])))
        self.comm = words[11] if len(words) > 11 else ""

    def same(self, other):
        return other is not None and abs(self.started - other.started) <= 1


def ps():
    """Run ps. Return a dict of Seen objects by pid."""
    if not shutil.which("ps"):
        raise Skip("because ps(1) is not installed")
    done = subprocess.run(
        ["ps", "-ww", "-e", "-o", Seen.FORMAT], capture_output=True,
        env=dict(os.environ, LC_ALL="C.UTF-8", TZ="UTC"), check=True)
    found = {}
    for line in done.stdout.decode("utf-8", "replace").split("\n"):
        # A name may contain a newline. A line that does not begin with numbers
        # continues such a name.
        if re.match(r"\s*\d+\s+\d+\s+\d+ [A-Za-z] ", line):
            seen = Seen(line)
            found[seen.pid] = seen
    return found


def rows_by_pid(answer):
    equal(answer.code, 200)
    rows = {int(row["pid"]): row for row in answer.rows}
    equal(len(rows), len(answer.rows), "one row a process")
    equal(list(rows), sorted(rows), "by ascending pid")
    return rows


def between(d):
    """Run ps, list, and ps again. Return (before, after, row) for each process
    that existed all the time. `before` and `after` are from ps, and `row` is
    from the list."""
    before = ps()
    rows = rows_by_pid(d.ask("1#2"))
    after = ps()
    both = [(seen, after[pid]) for pid, seen in before.items()
            if seen.same(after.get(pid))]
    assert len(both) > 5, "too few processes"
    missing = [seen.pid for seen, _ in both if seen.pid not in rows]
    equal(missing, [], "processes that are not listed")
    return [(b, a, rows[b.pid]) for b, a in both]


def user_name(uid):
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def is_plain(s):
    """True if ps shows this text unchanged. Workers of the kernel are
    excluded, because they change their names."""
    return s.isascii() and s.isprintable() and not set("?\\") & set(s) \
        and not s.startswith("kworker")


def check_against_ps(before, after, row):
    what = "%d %s" % (before.pid, before.comm)
    started = int(row["started"])
    assert abs(started - before.started) <= 1, (what, started, before.started)
    assert before.cpu <= int(row["cpu_ms"]) / 1000 < after.cpu + 1, (
        what, before.cpu, row["cpu_ms"], after.cpu)
    # If a value is the same before and after the list, the list must have this
    # value.
    if before.ppid == after.ppid:
        equal(int(row["ppid"]), before.ppid, what)
    if before.uid == after.uid:
        equal(row["user"].decode(), user_name(before.uid), what)
    if before.comm == after.comm and is_plain(before.comm):
        check_name(before.comm, row["name"].decode("utf-8", "replace"), what)


def check_name(comm, name, what):
    """Check that the `name` in the list is equal to `comm`. If `name` is longer
    than 15 bytes, `comm` may be the first part of `name`."""
    comm, name = comm.removesuffix(" <defunct>").strip(), name.strip()
    if len(name) > 15 and name.startswith(comm):
        return
    equal(name, comm, what)


def test_all_processes_are_as_ps_shows_them():
    with Daemon() as d:
        for before, after, row in between(d):
            check_against_ps(before, after, row)


def test_idle_processes_have_the_rss_that_ps_shows():
    """Compare only roughly, because the kernel counts memory for each
    processor, and adds the counts with a delay."""
    with Daemon() as d, crowd(3, unique_name()) as victims:
        mine = {v.pid for v in victims} | {os.getpid(), d.pid}

        def enough():
            """Compare the processes whose rss has not changed. Return True if
            there were at least three such processes."""
            found = 0
            for before, after, row in between(d):
                if before.pid not in mine or before.rss != after.rss:
                    continue
                found += 1
                rss = int(row["rss_kib"])
                assert abs(rss - before.rss) <= 1024 + before.rss // 4, (
                    rss, before.rss)
            return found >= 3
        wait_for("processes at rest", enough)


def test_states_are_as_ps_shows_them():
    with Daemon() as d, Victim() as sleeping, Victim() as stopped, \
            zombie(unique_name()) as dead:
        os.kill(stopped.pid, signal.SIGSTOP)
        wait_for("the victim to stop", lambda: state(stopped.pid) == "T")
        wait_for("the victim to sleep", lambda: state(sleeping.pid) == "S")
        wanted = {sleeping.pid: "S", stopped.pid: "T", dead.pid: "Z"}
        found = {}
        for before, after, row in between(d):
            if before.pid in wanted:
                equal(before.state, after.state)
                equal(row["state"].decode(), before.state)
                found[before.pid] = before.state
        equal(found, wanted)


def test_cpu_time_is_counted():
    """Test a process that has used CPU time, and a process that has used
    almost none."""
    burn = "import time\nwhile time.process_time() < 0.5: pass\n" \
           "print('done', flush=True)\ninput()"
    with Daemon() as d, Victim() as idle, \
            subprocess.Popen([sys.executable, "-c", burn], text=True,
                             stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE) as busy:
        equal(busy.stdout.readline(), "done\n")
        rows = rows_by_pid(d.ask("1#2"))
        assert 490 <= int(rows[busy.pid]["cpu_ms"]) < 5000, rows[busy.pid]
        assert int(rows[idle.pid]["cpu_ms"]) <= 100, rows[idle.pid]
        busy.communicate("\n")


def test_start_times_are_those_of_the_clock():
    with Daemon() as d:
        before = time.time()
        with Victim() as v:
            after = time.time()
            started = int(rows_by_pid(d.ask("1#2"))[v.pid]["started"])
            assert before - 1.1 <= started <= after + 1, (before, started)


def test_a_row_tells_all_columns():
    with Daemon() as d, Victim(args=["one", "two"]) as v:
        answer = d.ask("1#2#name=" + v.name)
        equal(answer.columns, ["pid", "ppid", "user", "state", "rss_kib",
                               "cpu_ms", "started", "name", "command"])
        row, = answer.rows
        equal(row["ppid"], str(os.getpid()).encode())
        equal(row["user"].decode(), user_name(os.getuid()))
        equal(row["name"], v.comm)
        equal(row["command"], b"victim --comm " + v.comm + b" one two")
        equal(answer.text, "1 process")


def test_a_zombie_is_listed_without_a_command():
    with Daemon() as d, zombie(unique_name()) as dead:
        row, = d.ask("1#2#name=" + dead.name).rows
        equal(row["state"], b"Z")
        equal(row["command"], b"[" + dead.comm + b"]")
        equal(row["rss_kib"], b"0")


# -- tests of filters -------------------------------------------------------


def names(answer):
    return sorted(row["name"].decode() for row in answer.rows)


def test_name_is_a_pattern():
    base = unique_name("p")
    ends = ("", "a", "ab", "B", "*", "[", "#", "%")
    all_names = [base + end for end in ends]
    patterns = {
        base: [""],
        base + "*": ["", "a", "ab", "B", "*", "[", "#", "%"],
        base + "?": ["a", "B", "*", "[", "#", "%"],
        base + "[a-z]*": ["a", "ab"],
        base + "[!a-z]": ["B", "*", "[", "#", "%"],
        base + "\\*": ["*"],
        base + "[*]": ["*"],
        base + "\\[": ["["],
        base + "#": ["#"],
        base + "%": ["%"],
        "*" + base[1:] + "ab": ["ab"],
        base.upper() + "*": [],
        base[:-1]: [],
        "": None,
    }
    with Daemon() as d:
        victims = [Victim(name) for name in all_names]
        try:
            for v in victims:
                v.__enter__()
            for pattern, ends in patterns.items():
                answer = d.ask("1#2#name=" + encode(pattern))
                if ends is None:
                    equal(answer.code, 400, "an empty pattern")
                    continue
                equal(names(answer), sorted(base + end for end in ends),
                      pattern)
                equal(answer.code, 200 if ends else 404, pattern)
            done = d.ctl("--raw", "list", "--columns", "name", base + "[ab]*")
            equal(sorted(done.stdout.split()), [base + "a", base + "ab"])
        finally:
            for v in victims:
                v.__exit__()


def test_patterns_take_long_names_too():
    name = unique_name("l").ljust(40, "x") + "-end"
    with Daemon() as d, Victim(name[:15], argv0="/usr/bin/" + name) as v:
        for pattern in (name, "*" + name[5:], name[:20] + "*", "l*-end"):
            pids = [int(row["pid"])
                    for row in d.ask("1#2#name=" + encode(pattern)).rows]
            assert v.pid in pids, pattern
        equal(d.ask("1#2#name=" + encode(name[:15])).code, 404)


def test_a_pattern_that_takes_for_ever_is_ended():
    """A pattern with many stars may take very long for a long name. The
    deadline must end such a list."""
    name = unique_name("s").ljust(200, "a")
    # Under valgrind an ordinary list takes several seconds.
    seconds = 20 if bridle.WRAP else 1
    with Daemon(limits={"request_seconds": seconds}) as d, \
            Victim(name[:15], argv0=name):
        answer = d.ask("1#2#name=s" + "*a" * 60 + "*b")
        assert answer.code in (404, 500), answer.text
        if answer.code == 500:
            equal(answer.text, "ended by TERM: the time limit was reached")
        equal(d.ask("1#2#name=" + name).code, 200)


def test_nothing_that_matches_is_said_so():
    with Daemon() as d:
        answer = d.ask("1#2#name=" + unique_name())
        equal(answer.code, 404)
        equal(answer.text, "no process matches")
        equal(answer.rows, [])
        equal(len(answer.columns), 9)
        done = d.ctl("list", unique_name())
        equal(done.returncode, 1)
        equal(done.stdout, "")
        assert "404" in done.stderr, done.stderr
        done = d.ctl("--json", "list", unique_name())
        equal(done.returncode, 1)
        equal(json.loads(done.stdout)["records"], [])


def test_user_shows_one_users_only():
    with Daemon() as d, Victim(uid=STRANGER) as theirs, Victim() as ours:
        rows = rows_by_pid(d.ask("1#2#user=%d" % STRANGER))
        assert theirs.pid in rows and ours.pid not in rows
        equal({row["user"] for row in rows.values()},
              {str(STRANGER).encode()})
        by_name = rows_by_pid(d.ask("1#2#user=root"))
        assert ours.pid in by_name and theirs.pid not in by_name
        equal({row["user"] for row in by_name.values()}, {b"root"})
        equal(d.ask("1#2#user=0#name=" + ours.name).text, "1 process")
        equal(d.ask("1#2#user=0#name=" + theirs.name).code, 404)
        done = d.ctl("--raw", "list", "--columns", "pid", "--user",
                     str(STRANGER), theirs.name)
        equal(done.stdout.split(), [str(theirs.pid)])


def test_a_user_who_cannot_be_looked_up_is_no_missing_user():
    with EtcFiles() as etc, Daemon(wrap=etc.wrap) as d:
        etc.hide_behind_socket(d, "passwd")
        for line in "1#2#user=daemon", "1#3#x#user=daemon#dry-run":
            answer = d.ask(line)
            equal((answer.code, answer.rows), (500, []), line)
            assert answer.text.startswith(
                'the user "daemon" cannot be looked up now: '), answer.text
        equal(d.ask("1#2#user=0").code, 200)


def test_user_that_has_nothing_or_is_nobody_is_no_match():
    with Daemon() as d:
        for user in ("4294967294", "no-such-user", "-1", "%2B0", "0x0",
                     "4294967296", "18446744073709551616"):
            answer = d.ask("1#2#user=" + user)
            equal(answer.code, 404, user)
            if user == "no-such-user":
                equal(answer.text,
                      'user "no-such-user" is unknown on this machine')
                equal(d.ask("1#3#x#user=" + user).text, answer.text)
            equal(answer.rows, [], user)
        me = d.ask("1#2#user=%d" % os.getuid())
        equal({row["user"].decode() for row in me.rows},
              {user_name(os.getuid())})
        assert str(os.getpid()).encode() in [row["pid"] for row in me.rows]


# -- tests of lists while processes change ----------------------------------


def test_a_list_while_thousands_come_and_go_never_fails():
    name, other = unique_name(), unique_name("w")
    with Daemon() as d, Victim() as v, Churn(name, other) as one, \
            Churn(name, other) as two, d.connect() as s:
        ticks = Stat(v.pid).ticks
        end = time.monotonic() + 3
        lists = 0
        while time.monotonic() < end or lists < 10:
            s.sendall(b"1#2\n")
            rows = rows_by_pid(read_answer(s))
            equal(rows[v.pid]["name"], v.comm)
            for pid in (1, os.getpid(), d.pid):
                assert pid in rows, pid
            lists += 1
            if lists % 10 == 1:
                done = d.ctl("--json", "list", "--user", str(os.getuid()))
                equal(done.returncode, 0, done.stderr)
                pids = [r["pid"] for r in json.loads(done.stdout)["records"]]
                assert v.pid in pids
                tree = d.ctl("list", "--tree")
                equal(tree.returncode, 0, tree.stderr)
                assert v.name in tree.stdout
        started = sum(sum(c.stop()[0::2]) for c in (one, two))
        assert started > 100, "too few processes started: %d" % started
        equal(Stat(v.pid).ticks, ticks)
        equal(d.counter("failed"), 0)


def test_a_number_of_a_user_is_asked_of_no_name_service():
    nobody = STRANGER + 99  # no test runs a process of this uid
    with EtcFiles() as etc, Daemon(wrap=etc.wrap) as d:
        etc.hide_behind_fifo(d, "passwd")
        equal(d.ask("1#2#user=%d" % nobody).code, 404)
        equal(d.ask("1#3#no-such-name#user=%d" % nobody).code, 404)


if __name__ == "__main__":
    bridle.main(globals())
