"""Tests of `kill`, which must signal exactly the matching processes and report
each outcome."""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

import bridle
from bridle import (Daemon, ROOT, SERVICE, STRANGER, Skip, Victim, equal,
                    read_answer, reset, unique_name, wait_for)
from procs import (Churn, Stat, Terminal, boot, crowd, encode, kills, token,
                   zombie)

# Environment variable that is set in a test's own pid namespace.
INSIDE = "BRIDLE_TEST_INSIDE"


def outcomes(answer):
    """Return a dict with the outcome of each pid."""
    found = {int(row["pid"]): row["outcome"].decode() for row in answer.rows}
    equal(len(found), len(answer.rows), "one row a process")
    return found


def pids(victims):
    return sorted(v.pid for v in victims)


def all_of(victims, outcome):
    return {v.pid: outcome for v in victims}


def audited(d, answer):
    """Return the log's lines about the processes of a kill, in order. Each
    line is (pid, user, name, signal, outcome)."""
    request = answer.status.pairs["id"]
    d.wait_log("^bridled: id=%s client=" % request)
    return re.findall(r'^bridled: id=%s pid=(\d+) user=(\S+) name="(.*)" '
                      r"signal=(\S+) outcome=(\S+)$" % request,
                      d.log(), re.M)


# -- tests of many processes and of waiting ---------------------------------


@kills
def test_two_hundred_of_one_name_are_signalled():
    name = unique_name()
    with Daemon() as d, crowd(200, name) as victims, Victim() as other:
        answer = d.ask("1#3#" + name)
        equal(answer.code, 200)
        equal(answer.text, "200 signalled")
        equal(outcomes(answer), all_of(victims, "signalled"))
        equal({v.wait() for v in victims}, {-signal.SIGTERM})
        assert other.lives()
        equal(sorted(int(line[0]) for line in audited(d, answer)),
              pids(victims))


@kills
def test_two_hundred_of_one_name_are_waited_for():
    name = unique_name()
    with Daemon() as d, crowd(200, name) as victims:
        answer = d.ask("1#3#%s#wait=20" % name)
        equal(answer.code, 200)
        equal(answer.text, "200 exited")
        equal(outcomes(answer), all_of(victims, "exited"))
        # The daemon replies only after all victims have ended, so poll() must
        # find their exit status.
        equal({v.process.poll() for v in victims}, {-signal.SIGTERM})


@kills
def test_those_that_ignore_the_first_signal_get_the_second():
    name = unique_name()
    with Daemon() as d, crowd(3, name, "--ignore-term") as deaf, \
            crowd(3, name) as plain, \
            crowd(2, name, "--exit-on-term", "7") as polite:
        answer = d.ask("1#3#%s#wait=1#escalate=KILL" % name)
        equal(answer.code, 200)
        equal(answer.text, "8 exited")
        equal(outcomes(answer), all_of(deaf + plain + polite, "exited"))
        equal([v.wait() for v in deaf], [-signal.SIGKILL] * 3)
        equal([v.wait() for v in plain], [-signal.SIGTERM] * 3)
        equal([v.wait() for v in polite], [7, 7])
        log = audited(d, answer)
        equal(sorted(int(line[0]) for line in log if line[3] == "TERM"),
              pids(deaf + plain + polite))
        equal(sorted(int(line[0]) for line in log if line[3] == "KILL"),
              pids(deaf))


@kills
def test_no_escalation_waits_when_all_have_gone():
    name = unique_name()
    with Daemon() as d, crowd(2, name) as victims:
        answer = d.ask("1#3#%s#wait=600#escalate=KILL" % name)
        equal(answer.code, 200)
        equal({v.wait() for v in victims}, {-signal.SIGTERM})


@kills
def test_a_wait_that_runs_out_tells_who_survived():
    name = unique_name()
    with Daemon() as d, Victim(name, args=["--ignore-term"]) as deaf:
        answer = d.ask("1#3#%s#wait=1" % name)
        equal(answer.code, 207)
        equal(answer.text, "1 survived")
        equal(outcomes(answer), {deaf.pid: "survived"})
        assert deaf.lives()
        done = d.ctl("kill", "-y", "--wait", "1", name)
        equal(done.returncode, 1)
        assert "survived" in done.stdout, done.stdout
        assert "207" in done.stderr, done.stderr


@kills
def test_the_second_signal_may_be_survived_too():
    name = unique_name()
    with Daemon() as d, Victim(name, args=["--ignore-term"]) as deaf:
        answer = d.ask("1#3#%s#signal=URG#wait=1#escalate=TERM" % name)
        equal(answer.code, 207)
        equal(outcomes(answer), {deaf.pid: "survived"})
        equal([line[3] for line in audited(d, answer)], ["URG", "TERM"])


@kills
def test_the_status_counts_each_outcome():
    name = unique_name()
    with Daemon() as d, zombie(name) as dead, \
            Victim(name, args=["--ignore-term"]) as deaf, \
            crowd(2, name) as plain:
        answer = d.ask("1#3#%s#wait=1" % name)
        equal(answer.code, 207)
        equal(answer.text, "2 exited, 1 gone, 1 survived")
        equal(outcomes(answer), {**all_of(plain, "exited"),
                                 dead.pid: "gone", deaf.pid: "survived"})


def test_without_a_match_nothing_is_found():
    with Daemon() as d:
        name = unique_name()
        answer = d.ask("1#3#" + name)
        equal(answer.code, 404)
        equal(answer.text, 'no process matches "%s"' % name)
        equal(answer.columns,
              ["pid", "started", "user", "name", "outcome", "token"])
        equal(d.ctl("kill", "-y", unique_name()).returncode, 1)


@kills
def test_few_descriptors_kill_as_many():
    name = unique_name()
    with Daemon(limit={"nofile": 48}) as d, crowd(120, name) as victims:
        answer = d.ask("1#3#%s#wait=20" % name)
        # The daemon has too few descriptors to watch all victims, but must
        # signal all of them.
        equal(answer.code, 207)
        equal(set(outcomes(answer)), {v.pid for v in victims})
        equal(set(outcomes(answer).values()), {"exited", "signalled"})
        equal({v.wait() for v in victims}, {-signal.SIGTERM})


# -- tests of signals -------------------------------------------------------


@kills
def test_signals_go_by_name_and_by_number():
    wanted = {"KILL": 9, "9": 9, "sigint": 2, "SIGUSR1": signal.SIGUSR1,
              "12": signal.SIGUSR2, "RTMIN": signal.SIGRTMIN,
              "rtmin+2": signal.SIGRTMIN + 2, "RTMAX": signal.SIGRTMAX,
              str(int(signal.SIGRTMAX)): signal.SIGRTMAX}
    with Daemon() as d:
        for word, number in wanted.items():
            with Victim() as v:
                answer = d.ask("1#3#%s#signal=%s"
                               % (v.name, encode(word)))
                equal(outcomes(answer), {v.pid: "signalled"}, word)
                equal(v.wait(), -number, word)
        with Victim() as v:
            equal(d.ctl("kill", "-y", "-s", "usr1", v.name).returncode, 0)
            equal(v.wait(), -signal.SIGUSR1)


@kills
def test_what_is_no_signal_is_refused():
    with Daemon() as d, Victim() as v:
        for word in ("0", "-1", "65", "99999999999", "NOSUCH", "SIG", "EXIT",
                     "15x", "%2B15", "RTMIN%2B99"):
            equal(d.ask("1#3#%s#signal=%s" % (v.name, word)).code, 400, word)
            equal(d.ask("1#3#%s#wait=1#escalate=%s" % (v.name, word)).code,
                  400, word)
        for wait in ("-1", "601", "1.5", "x", ""):
            equal(d.ask("1#3#%s#wait=%s" % (v.name, wait)).code, 400, wait)
        equal(d.ask("1#3#%s#wait=0#escalate=KILL" % v.name).code, 400)
        assert v.lives()


@kills
def test_a_stopped_process_ends_when_it_goes_on():
    with Daemon() as d, Victim() as v:
        equal(d.ask("1#3#%s#signal=STOP" % v.name).code, 200)
        wait_for("the victim to stop", lambda: Stat(v.pid).state == "T")
        equal(d.ask("1#3#%s#wait=1" % v.name).text, "1 survived")
        equal(d.ask("1#3#%s#signal=CONT" % v.name).code, 200)
        equal(v.wait(), -signal.SIGTERM)


# -- tests of dry runs ------------------------------------------------------


@kills
def test_a_dry_run_kills_nothing():
    name = unique_name()
    with Daemon() as d, crowd(3, name) as victims:
        for more in ("", "#signal=KILL", "#wait=30#escalate=KILL"):
            answer = d.ask("1#3#%s%s#dry-run" % (name, more))
            equal(answer.code, 200)
            equal(answer.text, "3 would-signal")
            equal(outcomes(answer), all_of(victims, "would-signal"))
            equal([row["token"].decode() for row in answer.rows],
                  [token(pid) for pid in pids(victims)])
            # A dry run signals no process, so the log has no lines about
            # processes.
            equal(audited(d, answer), [])
        equal(d.ctl("kill", "-n", name).returncode, 0)
        assert all(v.lives() for v in victims)


@kills
def test_what_is_not_confirmed_is_not_killed():
    with Daemon() as d, Victim() as v:
        done = d.ctl("kill", v.name)
        equal(done.returncode, 2)
        assert "-y" in done.stderr, done.stderr
        with Terminal("-H", "unix:" + d.sock, "kill", v.name) as t:
            t.read_until(b"[y/N]")
            assert str(v.pid).encode() in t.data, t.data
            t.type(b"\n")
            equal(t.finish(), 1)
            assert b"nothing was killed" in t.data, t.data
        assert v.lives()


@kills
def test_what_was_shown_is_killed_and_nothing_else():
    """The terminal shows more processes than one request can name. A process
    that starts after the question must survive."""
    name = unique_name()
    with Daemon() as d, crowd(200, name) as victims:
        with Terminal("-H", "unix:" + d.sock, "kill", "--wait", "20",
                      name) as t:
            t.read_until(b"[y/N]")
            assert b"Kill these 200 processes" in t.data, t.data[-200:]
            with Victim(name) as late:
                t.type(b"y\n")
                equal(t.finish(), 0)
                equal({v.wait() for v in victims}, {-signal.SIGTERM})
                assert late.lives()
        assert b"200 exited" in t.data, t.data[-200:]


# -- tests of only= ---------------------------------------------------------


@kills
def test_only_kills_exactly_the_tokens():
    name = unique_name()
    with Daemon() as d, crowd(150, name) as victims:
        chosen, spared = victims[::2], victims[1::2]
        line = "1#3#%s#only=%s" % (name, ",".join(token(v.pid)
                                                  for v in chosen))
        assert len(line) > 1500, "too few tokens"
        answer = d.ask(line)
        equal(answer.code, 200)
        equal(outcomes(answer), all_of(chosen, "signalled"))
        equal({v.wait() for v in chosen}, {-signal.SIGTERM})
        assert all(v.lives() for v in spared)


@kills
def test_only_with_what_no_longer_fits_kills_nothing():
    with Daemon() as d, Victim() as v, Victim() as other:
        pid, number = v.pid, int(token(v.pid).split("-")[1])
        stale = ["%d-%d-%s" % (pid, number - 1, boot()),
                 "%d-%d-%s" % (pid, number + 1, boot()),
                 "%d-%d-%s" % (pid, 0, boot()),
                 "%d-%d-%08x" % (pid, number, int(boot(), 16) ^ 1),
                 "%d-%d-%s" % (other.pid, number, boot()),
                 "%d-%d-%s" % (pid, number, boot()[:-1]),
                 "0%d-%d-%s" % (pid, number, boot()),
                 # The token is valid, but the process has another name.
                 token(other.pid)]
        for only in stale + [",".join(stale)]:
            answer = d.ask("1#3#%s#only=%s" % (v.name, only))
            equal(answer.code, 404, only)
            equal(answer.rows, [], only)
            equal(answer.text, "none of these processes is there any more")
        assert v.lives() and other.lives()
        # If one token in the list matches, only this process is signalled.
        answer = d.ask("1#3#%s#only=%s"
                       % (v.name, ",".join(stale + [token(pid)])))
        equal(outcomes(answer), {pid: "signalled"})
        equal(v.wait(), -signal.SIGTERM)
        assert other.lives()


def test_only_that_is_no_list_of_tokens_is_refused():
    with Daemon() as d, Victim() as v:
        good = token(v.pid)
        for only in ("", ",", good + ",", "," + good, good + ",," + good,
                     str(v.pid), "%d-%d" % (v.pid, Stat(v.pid).ticks),
                     "x", "--", "*", good + " ", good + "-1"):
            answer = d.ask("1#3#%s#only=%s" % (v.name, only))
            equal(answer.code, 400, only)
        equal(d.ask("1#3#%s#only" % v.name).code, 400)
        assert v.lives()


# -- tests of processes that end by themselves ------------------------------


@kills
def test_a_zombie_is_gone():
    with Daemon() as d, zombie(unique_name()) as dead:
        for more in ("", "#signal=KILL", "#wait=5", "#wait=5#escalate=KILL",
                     "#dry-run"):
            answer = d.ask("1#3#%s%s" % (dead.name, more))
            equal(answer.code, 200, more)
            equal(answer.text, "1 gone", more)
            equal(outcomes(answer), {dead.pid: "gone"}, more)
        equal(d.ctl("kill", "-y", dead.name).returncode, 0)


def kill_among_churn(d, churn, name, seconds, more=""):
    """Repeat the kill for at least `seconds` seconds, and until at least five
    processes were signalled. Check that no process of another name was
    killed."""
    seen = {"signalled": 0, "exited": 0, "gone": 0}
    with d.connect() as s:
        start = time.monotonic()
        while time.monotonic() < start + seconds or \
                seen["signalled"] + seen["exited"] < 5:
            assert time.monotonic() < start + seconds + bridle.PATIENCE, seen
            s.sendall(b"1#3#%s%s\n" % (name.encode(), more.encode()))
            answer = read_answer(s)
            equal(answer.code, 200 if answer.rows else 404)
            for outcome in outcomes(answer).values():
                assert outcome in seen, outcome
                seen[outcome] += 1
    _, killed, others, hit = churn.stop()
    assert others > 10, "too few other processes"
    equal(hit, 0, "processes of another name that were killed")
    # A process that ends by itself just before the signal counts as signalled,
    # too.
    assert 0 < killed <= seen["signalled"] + seen["exited"], (killed, seen)


@kills
def test_processes_that_exit_meanwhile_harm_nobody():
    name, other = unique_name(), unique_name("w")
    for more in ("", "#wait=5", "#signal=KILL"):
        with Daemon() as d, Churn(name, other) as churn:
            kill_among_churn(d, churn, name, 1.0, more)


def in_own_pid_namespace(test):
    """Run a test of this file in a new pid namespace, where no other program
    uses pids."""
    if not ROOT:
        raise Skip("because only root can make a pid namespace")
    command = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if subprocess.run([*command, "true"], capture_output=True).returncode:
        raise Skip("because unshare(1) is not permitted here")
    done = subprocess.run(
        [*command, sys.executable, __file__, test], text=True,
        capture_output=True, env=dict(os.environ, **{INSIDE: "1"}),
        timeout=bridle.PATIENCE * 6)
    assert done.returncode == 0, done.stdout + done.stderr


@kills
def test_a_pid_that_is_used_again_is_not_mistaken():
    """All processes of the churn get the same pid, one after the other. Half of
    these processes have the name in the kill request."""
    if not os.environ.get(INSIDE):
        in_own_pid_namespace("test_a_pid_that_is_used_again_is_not_mistaken")
        return
    name, other = unique_name(), unique_name("w")
    with Daemon() as d, Churn(name, other, "--same-pid") as churn:
        kill_among_churn(d, churn, name, 4.0)


# -- tests of processes that must survive -----------------------------------


@kills
def test_what_is_not_ours_is_denied():
    """A daemon without CAP_KILL cannot signal the processes of other users."""
    name = unique_name()
    with Daemon(uid=SERVICE) as d, crowd(2, name, uid=STRANGER) as theirs:
        with Victim(name, uid=SERVICE) as ours:
            answer = d.ask("1#3#%s#dry-run" % name)
            equal(answer.code, 207)
            equal(answer.text, "2 denied by the kernel, 1 would-signal")
            done = d.ctl("kill", "-y", name)
            equal(done.returncode, 1)
            equal(len(re.findall(r"\bdenied\b", done.stdout)), 2)
            equal(len(re.findall(r"\bsignalled\b", done.stdout)), 1)
            assert "207" in done.stderr, done.stderr
            assert "1 signalled, 2 denied" in done.stderr, done.stderr
            equal(ours.wait(), -signal.SIGTERM)
        for more in ("", "#wait=5", "#wait=5#escalate=KILL", "#signal=KILL",
                     "#dry-run"):
            answer = d.ask("1#3#%s%s" % (name, more))
            equal(answer.code, 403, more)
            equal(answer.text, "2 denied by the kernel", more)
            assert "rule" not in answer.status.pairs, answer.status.pairs
            equal(outcomes(answer), all_of(theirs, "denied"), more)
        # The kernel has denied the kill, so the reply must not name a rule.
        refused = d.ctl("kill", "-y", name)
        assert "by the kernel" in refused.stderr, refused.stderr
        assert "verbs" not in refused.stderr, refused.stderr
        assert all(v.lives() for v in theirs)


@kills
def test_a_mixture_of_ours_and_others_is_partly_done():
    name = unique_name()
    with Daemon(uid=SERVICE) as d, Victim(name, uid=STRANGER) as theirs, \
            crowd(3, name, uid=SERVICE) as ours:
        answer = d.ask("1#3#%s#wait=20" % name)
        equal(answer.code, 207)
        equal(answer.text, "3 exited, 1 denied by the kernel")
        equal(outcomes(answer), {**all_of(ours, "exited"),
                                 theirs.pid: "denied"})
        equal([line[4] for line in audited(d, answer)
               if int(line[0]) == theirs.pid], ["denied"])
        assert theirs.lives()


@kills
def test_an_ordinary_users_daemon_is_denied_what_is_roots():
    """Send only dry runs, because these processes belong to root."""
    if ROOT:
        raise Skip("because the tests before show this")
    with Daemon() as d:
        roots = [row for row in d.ask("1#2#user=0").rows
                 if row["pid"] != b"1" and not row["command"].startswith(b"[")]
        if not roots:
            raise Skip("because root's processes are hidden here")
        pid = int(roots[0]["pid"])
        answer = d.ask("1#3#%s#only=%s#signal=URG#dry-run"
                       % (encode(roots[0]["name"]), token(pid)))
        equal(answer.code, 403)
        equal(outcomes(answer), {pid: "denied"})


def ask_protected(d, pid):
    """Check that `kill` does not signal this process. Use the signal URG, which
    would do no harm."""
    name = d.name_of(pid)
    for more in ("", "#wait=1#escalate=URG", "#dry-run"):
        answer = d.ask("1#3#%s#only=%s#signal=URG%s"
                       % (encode(name), token(pid), more))
        equal(answer.code, 403, name)
        equal(answer.text, "1 protected", name)
        equal(answer.status.pairs["rule"], "protect", name)
        equal(outcomes(answer), {pid: "protected"}, name)


class Listing(Daemon):
    def name_of(self, pid):
        """Return the process's name in the daemon's list."""
        for row in self.ask("1#2").rows:
            if int(row["pid"]) == pid:
                return row["name"]
        raise KeyError(pid)


@kills
def test_pid_1_is_protected():
    with Listing() as d:
        ask_protected(d, 1)


@kills
def test_kernel_threads_are_protected():
    with Listing() as d:
        threads = [int(pid) for pid in os.listdir("/proc")
                   if pid.isdigit() and is_kernel_thread(int(pid))]
        if not threads:
            raise Skip("because this machine shows no kernel threads")
        tried = 0
        for pid in sorted(threads):
            try:
                ask_protected(d, pid)
                tried += 1
            except (KeyError, AssertionError):
                # Workers of the kernel change their names and end.
                if not Stat(pid).comm.startswith(b"kworker"):
                    raise
            if tried == 5:
                break
        assert tried > 0


def is_kernel_thread(pid):
    try:
        return Stat(pid).kernel
    except OSError:
        return False


@kills
def test_bridled_itself_is_protected():
    """The tested processes are the daemon, its logger, its fork server and
    another client's session."""
    with Listing() as d, d.connect() as s:
        s.sendall(b"1#4\n")
        read_answer(s)
        mine = wait_for("all of them", lambda: (
            lambda found: len(found) == 4 and found)(
                [d.pid] + [pid for pid, _, title in d.all_children()
                           if title != "bridled: spare"]))
        for pid in mine:
            ask_protected(d, pid)
        s.sendall(b"1#4\n")
        equal(read_answer(s).code, 200)


@kills
def test_a_mixture_with_protected_ones_is_partly_done():
    """The setting `protect` holds only for processes of system users, because
    any user can give a process the name sshd."""
    name = unique_name()
    with Daemon(settings='protect = ("%s");' % name) as d, \
            Victim(name, uid=1) as system, Victim(name, uid=999) as last, \
            Victim(name, uid=1000) as first, \
            Victim(name, uid=STRANGER) as user, \
            Victim(name + "x", uid=1) as longer:
        answer = d.ask("1#3#%s#dry-run" % name)
        equal(answer.code, 207)
        answer = d.ask("1#3#%s#wait=20" % name)
        equal(answer.code, 207)
        equal(answer.text, "2 exited, 2 protected")
        equal(outcomes(answer), {system.pid: "protected",
                                 last.pid: "protected",
                                 first.pid: "exited", user.pid: "exited"})
        equal([v.wait() for v in (first, user)], [-signal.SIGTERM] * 2)
        equal(d.ask("1#3#%s#signal=KILL" % name).code, 403)
        assert system.lives() and last.lives()
        equal(d.ask("1#3#%sx" % name).code, 200)
        equal(longer.wait(), -signal.SIGTERM)


@kills
def test_protect_covers_no_ordinary_user():
    if ROOT:
        raise Skip("because the test of a mixture shows this")
    name = unique_name()
    with Daemon(settings='protect = ("%s");' % name) as d, \
            Victim(name) as v:
        equal(d.ask("1#3#" + name).code, 200)
        equal(v.wait(), -signal.SIGTERM)


# -- tests of the owners of processes ---------------------------------------


@kills
def test_user_limits_it_to_one_user():
    name = unique_name()
    with Daemon() as d, Victim(name, uid=STRANGER) as theirs, \
            Victim(name) as ours:
        equal(d.ask("1#3#%s#user=%d" % (name, SERVICE)).code, 404)
        answer = d.ask("1#3#%s#user=%d" % (name, STRANGER))
        equal(outcomes(answer), {theirs.pid: "signalled"})
        equal(answer.rows[0]["user"], str(STRANGER).encode())
        equal(theirs.wait(), -signal.SIGTERM)
        assert ours.lives()
        done = d.ctl("kill", "-y", "--user", "root", name)
        equal(done.returncode, 0)
        equal(ours.wait(), -signal.SIGTERM)


@kills
def test_user_that_is_not_the_owner_kills_nothing():
    with Daemon() as d, Victim() as v:
        for user in (str(STRANGER), "nobody", "no-such-user", "-1", "0x0",
                     "99999999999", "%2B0", str(os.getuid()) + "x"):
            answer = d.ask("1#3#%s#user=%s" % (v.name, user))
            equal(answer.code, 404, user)
        equal(d.ask("1#3#%s#user=" % v.name).code, 400)
        assert v.lives()
        equal(d.ask("1#3#%s#user=%d" % (v.name, os.getuid())).code, 200)
        equal(v.wait(), -signal.SIGTERM)


def limited(users):
    return ('{ name = "me"; unix_user = "%d"; allow = ("kill"); '
            "kill = { users = %s; }; }" % (os.getuid(), users))


@kills
def test_the_policy_limits_whose_processes():
    name = unique_name()
    with Daemon(limited('("%d", "root")' % STRANGER)) as d, \
            Victim(name, uid=STRANGER) as allowed, \
            crowd(2, name, uid=SERVICE) as refused:
        equal(d.ask("1#3#%s#dry-run" % name).text,
              "2 denied by kill.users, 1 would-signal")
        answer = d.ask("1#3#%s#wait=20" % name)
        equal(answer.code, 207)
        equal(answer.text, "1 exited, 2 denied by kill.users")
        equal(outcomes(answer), {allowed.pid: "exited",
                                 **all_of(refused, "denied")})
        equal(sorted(line[4] for line in audited(d, answer)),
              ["denied", "denied", "signalled"])
        equal(allowed.wait(), -signal.SIGTERM)
        equal(d.ask("1#3#%s#wait=5#escalate=KILL" % name).code, 403)
        assert all(v.lives() for v in refused)


@kills
def test_a_process_of_roots_is_nobody_elses_for_a_moment():
    """A daemon such as sshd may use a user's effective uid for a moment. The
    daemon's process still belongs to root."""
    if not ROOT:
        raise Skip("because only root can change its user")
    name = unique_name()
    with Victim(name, args=["--euid", str(STRANGER)]) as v:
        with Daemon(limited('("%d")' % STRANGER)) as d:
            answer = d.ask("1#3#" + name)
            equal((answer.code, outcomes(answer)), (403, {v.pid: "denied"}))
        with Daemon(settings='protect = ("%s");' % name) as d:
            answer = d.ask("1#3#" + name)
            equal((answer.code, outcomes(answer)), (403, {v.pid: "protected"}))
        assert v.lives()
        with Daemon(limited('("root", "%d")' % STRANGER)) as d:
            equal(d.ask("1#3#" + name).code, 200)
        equal(v.wait(), -signal.SIGTERM)


@kills
def test_the_policy_limits_what_the_kernel_would_allow():
    with Daemon(limited('("nobody")')) as d, Victim() as v:
        for more in ("", "#dry-run", "#user=%d" % os.getuid()):
            answer = d.ask("1#3#%s%s" % (v.name, more))
            equal(answer.code, 403, more)
            equal(answer.status.pairs["rule"], "me.kill.users", more)
            equal(outcomes(answer), {v.pid: "denied"}, more)
            d.wait_log("id=%s .*verdict=refused rule=me.kill.users result=403 .*"
                       "1 denied by kill.users" % answer.status.pairs["id"])
        assert v.lives()
    with Daemon(limited("()")) as d, Victim() as v:
        answer = d.ask("1#3#" + v.name)
        equal(answer.code, 403)
        equal(answer.status.pairs["rule"], "me.kill.users")
        equal(answer.columns, [])
        assert v.lives()


# -- tests of processes that /proc hides ------------------------------------

HIDDEN = "the daemon cannot see other users' processes"


def check_hidden(d, name, hidden):
    """Check `list`, `kill`, `bridled --check` and the daemon's log. They must
    report hidden processes exactly if `hidden` is true."""
    unseen = d.ask("1#2#name=" + name)
    own = d.ask("1#2#name=bridled")
    killed = d.ask("1#3#%s#dry-run" % name)
    shown = d.ctl("list", "bridled")
    checked = subprocess.run(
        [d.program, "--check", d.config], capture_output=True, text=True,
        user=d.uid, group=d.uid, extra_groups=[])
    for answer in unseen, own, killed:
        equal(HIDDEN in answer.text, hidden, answer.text)
        equal("hidden" in answer.status.pairs, hidden)
    equal([unseen.code == 404, own.code, killed.code == 404],
          [hidden, 200, hidden])
    equal([shown.returncode, checked.returncode], [0, 0])
    for text in shown.stderr, checked.stderr, d.whole_log():
        equal("cannot see other users" in text, hidden, text)


@kills
def test_a_daemon_from_which_proc_hides_processes_says_so():
    if not os.environ.get(INSIDE):
        in_own_pid_namespace(
            "test_a_daemon_from_which_proc_hides_processes_says_so")
        return
    name = unique_name()
    with Victim(name, uid=STRANGER):
        for options, uid, hidden in (
                ("hidepid=2", SERVICE, True), ("hidepid=1", SERVICE, True),
                ("hidepid=2,gid=%d" % SERVICE, SERVICE, False),
                # Process 1 belongs to root, so hidepid=4 does not hide it.
                ("hidepid=4", 0, True)):
            done = subprocess.run(
                ["mount", "-t", "proc", "-o", options, "proc", "/proc"],
                capture_output=True)
            if done.returncode != 0:
                raise Skip("because proc cannot be mounted with " + options)
            with Daemon(uid=uid) as d:
                check_hidden(d, name, hidden)


# -- tests of the log -------------------------------------------------------


@kills
def test_each_process_is_in_the_log():
    name = unique_name()
    with Daemon() as d, crowd(3, name) as victims, zombie(name) as dead:
        answer = d.ask("1#3#%s#signal=HUP" % name)
        equal({(int(line[0]), *line[2:]) for line in audited(d, answer)},
              {(v.pid, name, "HUP", "signalled") for v in victims} |
              {(dead.pid, name, "HUP", "gone")})


@kills
def test_a_name_cannot_forge_a_line_of_the_log():
    forged = unique_name('"\\\n')
    with Daemon() as d, Victim(forged) as v:
        answer = d.ask("1#3#" + encode(forged))
        equal(answer.code, 200)
        (pid, _, name, sent, outcome), = audited(d, answer)
        equal((int(pid), sent, outcome), (v.pid, "TERM", "signalled"))
        equal(name, '\\"\\\\\\x0a' + forged[3:])
        found = d.wait_log(r'^bridled: id=%s client=.* args="(.*)" verdict='
                           % answer.status.pairs["id"])
        equal(found[1], '\\"\\\\%0A' + forged[3:])


@kills
def test_audit_lines_that_are_lost_are_counted():
    """The kill must not wait for a stopped logger."""
    name = unique_name()
    with Daemon() as d, crowd(50, name) as victims:
        logger, = [pid for pid, _ in d.children()]
        os.kill(logger, signal.SIGSTOP)
        try:
            # Repeat a kill with the harmless signal URG until the pipe to the
            # logger is full. Requests without an action, such as status, log no
            # line if half of the pipe is full.
            lost = 0
            while lost < len(victims):
                before = d.counter("log_lost")
                equal(d.ask("1#3#%s#signal=URG" % name).code, 200)
                lost = d.counter("log_lost") - before
            before = d.counter("log_lost")
            equal(d.ask("1#3#" + name).code, 200)
            assert d.counter("log_lost") >= before + len(victims)
        finally:
            os.kill(logger, signal.SIGCONT)
        equal({v.wait() for v in victims}, {-signal.SIGTERM})
        # The daemon logs the number of lost lines as soon as the pipe has room
        # for a line.
        wait_for("the losses to be logged", lambda: d.ask("1#4") and
                 re.search(r"^bridled: \d+ log lines were lost", d.log(),
                           re.M))


# -- tests of a name service that hangs -------------------------------------


class SilentNames:
    """An environment for one daemon, in which the test can make the name
    service hang."""

    SCRIPT = ("mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/userdb &&"
              ' mount --bind "$0" /run/systemd/userdb && exec "$@"')

    def __enter__(self):
        if not ROOT:
            raise Skip("because only root can make a mount namespace")
        self.dir = tempfile.mkdtemp(prefix="bridle-")
        self.socket = socket.socket(socket.AF_UNIX)
        self.wrap = ["unshare", "-m", "sh", "-c", self.SCRIPT, self.dir]
        if subprocess.run([*self.wrap, "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.__exit__()
            raise Skip("because mounts are not permitted here")
        return self

    def fall_silent(self):
        """Start a name service that accepts all queries and never replies."""
        path = os.path.join(self.dir, "io.systemd.Bridle")
        self.socket.bind(path)
        os.chmod(path, 0o666)
        self.socket.listen(100)
        try:
            subprocess.run([*self.wrap, "getent", "passwd", str(STRANGER)],
                           check=False, timeout=1)
        except subprocess.TimeoutExpired:
            return
        raise Skip("because no name service here can be made to hang")

    def __exit__(self, *exc):
        self.socket.close()
        shutil.rmtree(self.dir)


@kills
def test_a_name_service_that_hangs_stops_no_kill():
    name = unique_name()
    with SilentNames() as names, Daemon(wrap=names.wrap + bridle.WRAP) as d, \
            crowd(2, name, "--ignore-term", uid=STRANGER) as victims:
        names.fall_silent()
        row = d.ask("1#2#name=" + name).rows[0]
        equal(row["user"], str(STRANGER).encode())
        answer = d.ask("1#3#%s#wait=1#escalate=KILL" % name)
        equal(answer.code, 200)
        equal(outcomes(answer), all_of(victims, "exited"))
        equal({row["user"] for row in answer.rows},
              {str(STRANGER).encode()})


# -- tests of clients that leave --------------------------------------------


def vanish(how):
    """End the client's connection by how(socket) while a kill waits. Check that
    the kill ends without an escalation."""
    with Daemon() as d, Victim(args=["--ignore-term"]) as v:
        s = d.connect()
        s.sendall(b"1#3#%s#wait=2#escalate=KILL\n" % v.comm)
        d.wait_log(r"pid=%d .*signal=TERM outcome=signalled" % v.pid)
        equal(d.counter("actions"), 1)
        how(s)
        d.wait_log(r"verb=kill .*the client is gone")
        d.wait_quiet()
        equal(d.counter("actions"), 0)
        assert v.lives()
        assert "signal=KILL" not in d.log(), "the escalation went on"
        equal(d.ask("1#4").code, 200)


@kills
def test_a_client_that_closes_ends_its_kill():
    vanish(lambda s: s.close())


@kills
def test_a_client_that_resets_ends_its_kill():
    vanish(reset)


@kills
def test_bridlectl_that_is_interrupted_ends_its_kill():
    with Daemon() as d, Victim(args=["--ignore-term"]) as v:
        with Terminal("-H", "unix:" + d.sock, "kill", "-y", "--wait", "600",
                      v.name) as t:
            d.wait_log(r"pid=%d .*outcome=signalled" % v.pid)
            t.process.send_signal(signal.SIGINT)
            d.wait_log(r"verb=kill .*the client is gone")
        d.wait_quiet()
        assert v.lives()


@kills
def test_a_half_close_still_gets_its_answer():
    with Daemon() as d, Victim(args=["--ignore-term"]) as v:
        answer = d.ask("1#3#%s#wait=1#escalate=KILL" % v.name)
        equal(outcomes(answer), {v.pid: "exited"})
        equal(v.wait(), -signal.SIGKILL)


@kills
def test_an_escalation_looks_again_before_it_kills():
    """After the first signal the process has another name, so the escalation
    must not signal this process."""
    other = bridle.unique_name()
    with Daemon() as d, Victim(args=["--rename-on-term", other]) as v:
        answer = d.ask("1#3#%s#wait=1#escalate=KILL" % v.name)
        equal([answer.code, answer.rows[0]["outcome"]], [207, b"survived"])
        assert v.lives()


if __name__ == "__main__":
    bridle.main(globals())
