"""Tests of requests for which the client has no right. The reply and the log
contain the reason, and the daemon does not carry out the request."""

import os
import pwd
import re
import socket

import bridle
from bridle import Daemon, Victim, equal, read_answer
from crowd import KILLS
from procs import kills

US = os.getuid()
NOBODY = 61009

# A valid request for each verb. NAME stands for the name of a victim, which
# must survive.
REQUESTS = {
    "halt": "1#1#mode=reboot#when=+5#message=hello",
    "list": "1#2#name=NAME",
    "kill": "1#3#NAME#signal=KILL",
    "ping": "1#4",
    "cancel": "1#6",
    "status": "1#7",
    "who": "1#8",
    "say": "1#10#hello",
    "verbs": "1#11",
    "explain": "1#12#3#NAME",
    "wake": "1#13#52:54:00:12:34:56#dry-run",
}
NUMBERS = {"halt": 1, "list": 2, "kill": 3, "ping": 4, "run": 5, "cancel": 6,
           "status": 7, "who": 8, "watch": 9, "say": 10,
           "verbs": 11, "explain": 12, "wake": 13}


def entry(rest, name="me", who=US):
    return '{ name = "%s"; unix_user = "%d"; %s }' % (name, who, rest)


def allow(verbs):
    return "allow = %s;" % bridle.strings(verbs)


def with_tcp(clients, **limits):
    limits.setdefault("sessions_per_source", 64)
    return Daemon(clients=clients, tcp=["127.0.0.1:0"], limits=limits)


def ports(d):
    return None, d.ports[0]


def change(d, clients):
    d.clients = clients
    d.write_config()
    assert d.reload(), d.log()


def forks(d):
    """Return a value that changes when the daemon forks a child, even if the
    child has ended.

    The value has the pids of the children, and the sum of the page faults of
    all reaped children. Every child causes page faults.
    """
    with open("/proc/%d/stat" % d.pid, "rb") as f:
        reaped_faults = f.read().rpartition(b") ")[2].split()[8]
    return sorted(pid for pid, _ in d.children()), reaped_faults


class Client:
    """The only client of a daemon. The client's session has started, so the
    daemon forks no session for the next requests."""

    def __init__(self, d, port):
        self.d, self.port = d, port

    def __enter__(self):
        self.d.wait_quiet()
        self.s = self.d.connect(self.port)
        # Start the session with a malformed request, whose reply does not
        # depend on the policy.
        self.s.sendall(b"1#\n")
        equal(read_answer(self.s).code, 400)
        return self

    def __exit__(self, *exc):
        self.s.close()

    def ask(self, line):
        self.s.sendall(line.encode() + b"\n")
        return read_answer(self.s)

    def source(self):
        """Return the client's source in the form in which the log shows it."""
        if self.port is None:
            return "uid=%d" % US
        return "127.0.0.1:%d,uid=%d" % (self.s.getsockname()[1], US)


def logged(d, answer):
    """Find the log line of the request that got this reply. Return the fields
    of this line as a dict."""
    line = d.wait_log("id=%s client=.*$" % answer.status.pairs["id"])[0]
    return {key: value.strip('"') for key, value in
            re.findall(r'(\w+)=("[^"]*"|\S+)', line)}


def check_denied(client, verb, line, code, rule, text):
    """Send a request, and check its refusal in the reply and in the log. Check
    that the daemon forked no child for the request."""
    before = forks(client.d)
    answer = client.ask(line)
    equal([answer.code, answer.text, len(answer.lines)], [code, text, 1], line)
    equal(answer.status.pairs.get("rule"), rule, line)
    equal(forks(client.d), before, line)
    log = logged(client.d, answer)
    equal(log["source"], client.source(), line)
    equal(log["client"], rule.split(".")[0] if rule else "-", line)
    equal(log["verb"], ("explain:kill" if verb == "explain" else verb), line)
    equal(log["verdict"], "refused", line)
    equal(log["rule"], rule or "-", line)
    equal(log["result"], str(code), line)
    equal(log["text"], text, line)


def test_the_next_step_is_one_that_the_client_may_take():
    for allow, words, part in (
            ('"verbs"', ["ping"], "verbs' shows what you may do"),
            ('"list"', ["ping"], None), ('"kill"', ["kill", "x"], None),
            ('"kill", "list"', ["kill", "x"], "list' with a pattern"),
            ('"run"', ["run", "x"], None),
            ('"run", "verbs"', ["run", "x"], "verbs' shows the commands"),
            ('"list"', ["list", "12345678"], "looks like a process ID"),
            ('"kill"', ["kill", "12345678"], "looks like a process ID")):
        with Daemon(clients='{ name = "me"; unix_user = "%d"; allow = (%s); }'
                    % (os.getuid(), allow)) as d:
            done = d.ctl(*words, *["-n"] * (words[0] == "kill"))
            equal(done.returncode, 1, done.stderr)
            assert "[see" not in done.stderr and ", see" not in done.stderr
            hint = "'bridlectl -H unix:%s " % d.sock
            if part is None:
                assert hint not in done.stderr, done.stderr
            elif "process ID" in part:
                assert part in done.stderr, done.stderr
            else:
                assert hint + part in done.stderr, done.stderr


def test_a_local_user_without_an_entry_learns_what_to_ask_for():
    name = pwd.getpwuid(os.getuid()).pw_name
    with Daemon(clients=entry(allow(["*"]), who=NOBODY)) as d:
        done = d.ctl("list")
        equal(done.returncode, 1)
        assert ('ask root for an entry in clients: { name = "%s"; '
                'unix_user = "%s"; allow = ("list"); }' % (name, name)
                ) in done.stderr, done.stderr


def test_a_wrong_command_line_names_the_next_step():
    for words, part in (
            (["shutdown"], "did you mean 'poweroff'?"),
            (["restart"], "did you mean 'reboot'?"),
            (["ps"], "did you mean 'list'?"),
            (["lst"], "did you mean 'list'?"),
            (["list", "-u"], "see 'bridlectl list --help'"),
            (["-u", "list"], "see 'bridlectl list --help'"),
            (["-u"], "see 'bridlectl --help'")):
        done = bridle.ctl(*words)
        equal(done.returncode, 2, words)
        assert part in done.stderr, (part, done.stderr)


def test_each_verb_alone_may_be_denied():
    with with_tcp(entry(allow(["*"]))) as d, Victim() as v:
        for verb, line in REQUESTS.items():
            others = [other for other in REQUESTS if other != verb]
            change(d, entry(allow(others)))
            for port in ports(d):
                with Client(d, port) as client:
                    check_denied(client, verb, line.replace("NAME", v.name),
                                 403, "me.allow", "me may not use " + verb)
        equal(d.recorded(), [])
        assert v.lives()
        change(d, entry(allow(["*"])))
        equal(d.counter("denied"), 2 * len(REQUESTS))


def test_each_verb_alone_may_be_allowed():
    """Check that an entry with a single verb allows this verb and denies all
    other verbs."""
    with with_tcp(entry(allow(["*"]))) as d:
        for verb, line in REQUESTS.items():
            change(d, entry(allow([verb])))
            with Victim() as v, Client(d, None) as client:
                for other, denied in REQUESTS.items():
                    if other != verb:
                        check_denied(client, other,
                                     denied.replace("NAME", v.name),
                                     403, "me.allow", "me may not use " + other)
                answer = client.ask(line.replace("NAME", v.name))
                equal(logged(d, answer)["verdict"], "allowed")
                if verb == "kill" and KILLS:
                    equal([answer.code, v.wait()], [200, -9])
                elif verb != "kill":
                    assert answer.code in (200, 202), answer.lines
                    assert v.lives()
        equal([line[0] for line in d.recorded()], ["reboot", "cancel"])


def test_children_leave_the_trace_that_denials_do_not():
    with with_tcp(entry(allow(["*"]))) as d, Client(d, None) as client:
        before = forks(d)
        equal(client.ask("1#4").code, 200)
        equal(forks(d), before)
        equal(client.ask("1#2#name=nobody").code, 404)
        assert forks(d) != before


def test_nobody_is_401_for_everything():
    with with_tcp(entry(allow(["*"]), who=NOBODY)) as d, Victim() as v:
        for port in ports(d):
            with Client(d, port) as client:
                text = "no entry of clients matches " + client.source()
                for verb, line in REQUESTS.items():
                    check_denied(client, verb, line.replace("NAME", v.name),
                                 401, None, text)
        change(d, "")
        equal(d.ask("1#4").code, 401)
        equal(d.recorded(), [])
        assert v.lives()


def test_an_entry_that_allows_nothing_shuts_out_before_one_that_would():
    clients = entry("allow = ();", name="suspended") + ", " + entry(
        allow(["*"]))
    with with_tcp(clients) as d, Victim() as v:
        with Client(d, None) as client:
            for verb, line in REQUESTS.items():
                check_denied(client, verb, line.replace("NAME", v.name), 403,
                             "suspended.allow", "suspended may not use " + verb)
        assert v.lives()


def connect_from(d, address):
    return socket.create_connection(("127.0.0.1", d.ports[0]),
                                    bridle.PATIENCE, (address, 0))


def test_where_one_comes_from_decides_which_entry_it_is():
    clients = ", ".join([
        entry(allow(["ping"]) + 'from = ("127.0.0.2");', name="two"),
        entry(allow(["list"]) + 'from = ("127.0.0.0/8", "::1");', name="net"),
        entry(allow(["verbs"]), name="here")])
    with with_tcp(clients) as d:
        equal(d.ask("1#11").code, 200)
        equal(d.ask("1#4").status.pairs["rule"], "here.allow")
        equal(d.ask("1#4", d.ports[0]).status.pairs["rule"], "net.allow")
        with connect_from(d, "127.0.0.2") as s:
            s.sendall(b"1#4\n1#2\n")
            equal(read_answer(s).text, "pong")
            equal(read_answer(s).status.pairs["rule"], "two.allow")


# -- tests of the limits of an entry ----------------------------------------

LIMITED = """allow = ("*");
    kill = { names = ("NAME", "also this"); signals = ("TERM", "INT"); };
    halt = { modes = ("poweroff"); };"""

# Request lines, each with the rule that denies the request. The rule is None
# if the request is allowed.
LIMITS = [
    ("1#3#NAME#dry-run", None),
    ("1#3#NAME#signal=TERM#dry-run", None),
    ("1#3#NAME#signal=SIGINT#dry-run", None),
    ("1#3#NAME#signal=2#dry-run", None),
    ("1#3#NAME#wait=1#escalate=INT#dry-run", None),
    ("1#3#also%20this#dry-run", None),
    ("1#3#other", "me.kill.names"),
    ("1#3#other#dry-run", "me.kill.names"),
    ("1#3#NAMEx", "me.kill.names"),
    ("1#3#also", "me.kill.names"),
    ("1#3#also%20this%20", "me.kill.names"),
    ("1#3#*", "me.kill.names"),
    ("1#3#NAME,other", "me.kill.names"),
    ("1#3#other#signal=KILL", "me.kill.names"),
    ("1#3#NAME#signal=KILL", "me.kill.signals"),
    ("1#3#NAME#signal=KILL#dry-run", "me.kill.signals"),
    ("1#3#NAME#signal=9", "me.kill.signals"),
    ("1#3#NAME#signal=1", "me.kill.signals"),
    ("1#3#NAME#signal=RTMAX", "me.kill.signals"),
    ("1#3#NAME#wait=1#escalate=KILL", "me.kill.signals"),
    ("1#3#NAME#escalate=KILL", "me.kill.signals"),
    ("1#3#NAME#signal=INT#wait=1#escalate=9", "me.kill.signals"),
    ("1#1#mode=poweroff#dry-run", None),
    ("1#1#mode=poweroff", None),
    ("1#1", "me.halt.modes"),
    ("1#1#mode=halt#dry-run", "me.halt.modes"),
    ("1#1#mode=reboot", "me.halt.modes"),
    ("1#1#mode=reboot#when=%2b5", "me.halt.modes"),
    ("1#2", None), ("1#4", None), ("1#6", None), ("1#7", None),
    ("1#11", None),
]


def check_agrees(d, line):
    """Check that `explain` predicts the reply to the request `line`. Return
    this reply."""
    explained = d.ask("1#12" + line[1:])
    equal(explained.code, 200, line)
    row, = explained.rows
    real = d.ask(line)
    if row["verdict"] == b"allowed":
        equal(row["code"], b"200", line)
        assert real.code not in (401, 403), (line, real.lines)
    else:
        equal(row["verdict"], b"refused", line)
        equal(row["code"], b"%d" % real.code, line)
        equal(row["rule"].decode(), real.status.pairs["rule"], line)
        equal(row["reason"].decode(), real.text, line)
        equal(len(real.lines), 1, line)
    equal(row["client"], b"me", line)
    return real


def test_limits_hold_and_explain_agrees():
    with Victim() as v, with_tcp(
            entry(LIMITED.replace("NAME", v.name))) as d:
        for line, rule in LIMITS:
            real = check_agrees(d, line.replace("NAME", v.name))
            equal(real.status.pairs.get("rule"), rule, line)
            equal(real.code == 403, rule is not None, line)
        assert v.lives()
        equal([line[0] for line in d.recorded()], ["poweroff", "cancel"])


def test_what_a_limit_refuses_is_in_the_log_and_forks_nothing():
    with Victim() as v, with_tcp(
            entry(LIMITED.replace("NAME", v.name))) as d:
        cases = [("kill", "1#3#other", "me.kill.names",
                  'me may not kill "other"'),
                 ("kill", "1#3#NAME#signal=9", "me.kill.signals",
                  "me may not send KILL"),
                 ("kill", "1#3#NAME#wait=1#escalate=KILL", "me.kill.signals",
                  "me may not escalate to KILL"),
                 ("halt", "1#1#mode=reboot", "me.halt.modes",
                  "me may not reboot")]
        for port in ports(d):
            for verb, line, rule, text in cases:
                with Client(d, port) as client:
                    line = line.replace("NAME", v.name)
                    before = forks(d)
                    answer = client.ask(line)
                    equal(forks(d), before, line)
                    equal([answer.code, answer.status.pairs["rule"]],
                          [403, rule])
                    log = logged(d, answer)
                    equal([log["verb"], log["verdict"], log["rule"],
                           log["result"], log["source"]],
                          [verb, "refused", rule, "403", client.source()])
        assert v.lives()
        equal(d.recorded(), [])


def test_explain_of_a_kill_refers_to_the_dry_run():
    """The reason must mention the dry run. The verb `explain` does not look at
    processes, so the kill may still get 403."""
    with Daemon() as d:
        row, = d.ask("1#12#3#init").rows
        equal((row["verdict"], row["code"], row["reason"]),
              (b"allowed", b"200", b"me may use kill; only a dry run tells "
               b"which processes it may signal"))
        row, = d.ask("1#12#2").rows
        equal(row["reason"], b"me may use list")


def test_explain_agrees_for_each_verb_allowed_or_not():
    with with_tcp(entry(allow(["*"]))) as d:
        for denied in [verb for verb in REQUESTS if verb != "explain"]:
            change(d, entry(allow([v for v in REQUESTS if v != denied])))
            for verb, line in REQUESTS.items():
                if verb != "explain":
                    real = check_agrees(d, line.replace("NAME", "nobody"))
                    equal(real.code == 403, verb == denied, line)


def test_empty_limits_leave_nothing():
    cases = [("kill = { names = (); };", "1#3#NAME", "me.kill.names"),
             ("kill = { signals = (); };", "1#3#NAME", "me.kill.signals"),
             ("kill = { users = (); };", "1#3#NAME", "me.kill.users"),
             ("halt = { modes = (); };", "1#1", "me.halt.modes"),
             ("halt = { modes = (); };", "1#1#mode=poweroff",
              "me.halt.modes"),
             ("halt = { modes = (); };", "1#1#mode=reboot",
              "me.halt.modes")]
    with with_tcp(entry(allow(["*"]))) as d, Victim() as v:
        for limit, line, rule in cases:
            change(d, entry('allow = ("*"); ' + limit))
            real = check_agrees(d, line.replace("NAME", v.name))
            equal([real.code, real.status.pairs["rule"]], [403, rule])
        assert v.lives()
        equal(d.recorded(), [])


def test_verbs_shows_what_is_allowed_and_its_limits():
    with Victim() as v, with_tcp(
            entry(LIMITED.replace("NAME", v.name))) as d:
        rows = d.ask("1#11").rows
        equal({row["name"].decode(): int(row["verb"]) for row in rows},
              NUMBERS)
        limits = {row["name"]: row["limits"].decode() for row in rows}
        assert "names=" + v.name in limits[b"kill"], limits
        assert "signals=INT,TERM" in limits[b"kill"], limits
        equal(limits[b"halt"], "modes=poweroff")
        equal(limits[b"list"], "")
        change(d, entry(allow(["verbs", "ping"])))
        equal([row["name"] for row in d.ask("1#11").rows],
              [b"ping", b"verbs"])


# -- tests of the owners of processes ---------------------------------------


def users(*names):
    return entry('allow = ("*"); kill = { users = %s; };'
                 % bridle.strings(names))


def outcomes(answer):
    return {int(row["pid"]): row["outcome"] for row in answer.rows}


@kills
def test_processes_of_other_users_than_those_allowed_are_denied():
    with Victim() as v, with_tcp(users(NOBODY)) as d:
        for line in ("1#3#NAME#dry-run", "1#3#NAME", "1#3#NAME#signal=KILL",
                     "1#3#NAME#wait=1#escalate=KILL"):
            answer = d.ask(line.replace("NAME", v.name))
            equal(answer.code, 403, line)
            equal(outcomes(answer), {v.pid: b"denied"}, line)
        assert v.lives()
        change(d, users(NOBODY, US))
        answer = d.ask("1#3#" + v.name)
        equal([answer.code, v.wait()], [200, -15])


@kills
def test_of_several_users_only_the_allowed_ones_processes_are_killed():
    with Victim() as ours, \
            Victim(comm=ours.comm, uid=bridle.STRANGER) as theirs, \
            with_tcp(users(bridle.STRANGER)) as d:
        answer = d.ask("1#3#" + ours.name)
        equal(answer.code, 207)
        equal(outcomes(answer), {ours.pid: b"denied",
                                 theirs.pid: b"signalled"})
        equal(theirs.wait(), -15)
        assert ours.lives()


def test_bridlectl_says_which_rule_it_was():
    with Victim() as v, with_tcp(entry(
            'allow = ("*"); kill = { names = ("x"); };')) as d:
        done = d.ctl("kill", v.name, "-y")
        equal(done.returncode, 1)
        assert "me.kill.names" in done.stdout + done.stderr, done
        assert v.lives()


bridle.main(globals())
