"""Tests of the verb `run` and of the setting `commands`: arguments, output, end
and limits of a command."""

import contextlib
import os
import random
import re
import shutil
import signal
import subprocess
import time

import bridle
from bridle import (Skip, equal, is_running, read_answer, read_line, reset,
                    wait_for)
from runs import (END, Commander, chunk, command, encode, half_close,
                  read_chunk, read_run)

SECONDS = 10 if bridle.WRAP else 1
ANYTHING = 'pattern = "(.|\\n)*"'


def reveal(name="show", *argv, args="", more=""):
    return command(name, "{dir}/reveal", *argv, args=args, more=more)


def misbehave(how, more="", name=None):
    return command(name or how, "{dir}/misbehave", how, "{dir}/sock/pid",
                   more=more)


def shell(name, script, more="", args=""):
    return command(name, "/bin/sh", "-c", script, more=more, args=args)


def noted_pid(d):
    path = os.path.join(d.dir, "sock", "pid")

    def read():
        with contextlib.suppress(FileNotFoundError):
            with open(path) as f:
                return int(f.read())
    return wait_for("the program's pid", read)


def resident(pid):
    with open("/proc/%d/status" % pid) as f:
        return int(re.search(r"^VmRSS:\s*(\d+)", f.read(), re.M)[1])


def wait_gone(pid):
    wait_for("process %d to end" % pid, lambda: not is_running(pid))


# -- tests of arguments -----------------------------------------------------

def test_arguments_go_by_name_and_by_place():
    with Commander(reveal("copy", "from={from}", "{to}", "{n}{n}", "--",
                          args='from = "[a-z=]+"; to = "[a-z]+";'
                               'n = { type = "int"; max = 9; };')) as d:
        want = [b"from=a", b"b", b"77", b"--"]
        for line in ("copy#a#b#7", "copy#from=a#to=b#n=7", "copy#b#n=7#from=a",
                     "copy#n=7#a#to=b", "copy#%61#%62#n=%37"):
            equal(d.run(line).args(), want)
        # Text before '=' names an argument only if the command has this
        # argument, and if the '=' is not encoded.
        equal(d.run("copy#x=y#b#7").args()[0], b"from=x=y")
        equal(d.run("copy#from%3Da#b#7").args()[0], b"from=from=a")


def test_arguments_that_are_missing_or_too_many_or_twice_are_refused():
    with Commander(reveal("two", "{a}", "{b}", args='a = "x"; b = "y";'),
                   reveal("none")) as d:
        for line, why in (("two", "a is missing; usage: two a=… b=…"),
                          ("two#x", "b is missing"),
                          ("two#b=y", "a is missing"),
                          ("two#x#y#z", '"z" is one argument too many'),
                          ("two#a=x#a=x#b=y", "a is given twice"),
                          ("two#x#y#c=z", '"c=z" is one argument too many'),
                          ("two#x#",
                           'b: "" is not allowed; it must match y'),
                          ("none#", '"" is one argument too many'),
                          ("none#x", '"x" is one argument too many')):
            run = d.run(line)
            equal(run.code, 400)
            assert why in run.text, (line, run.text)
            equal(run.chunks, [])
        equal(d.run("three").code, 404)
        assert "verb=run" in d.whole_log()
        assert not [a for a in d.log().splitlines()
                    if "verb=run" in a and "result=200" in a]


TRICKS = [b"\n", b"nginx\n", b"\nnginx", b"nginx\nreboot", b"$(reboot)",
          b"`reboot`", b"nginx;reboot", b"nginx reboot", b"nginx&&reboot",
          b"nginx|reboot", b"nginx>x", b"*", b"?ginx", b"ngin[x]", b"~", b"-n",
          b"--", b"-", b"--help", b"..", b"../nginx", b"/nginx", b"a/../nginx",
          b"", b" nginx", b"nginx ", b"nginx\x00"[:-1] + b"\x01", b"\xff",
          b"ngin\xd8", b"nginx\xc0\x80", "nginx\u202e".encode(), b"%6e",
          b"{unit}", b"unit=nginx", b"x" * 257, b"nginx" * 50]


def test_a_strict_rule_lets_nothing_through_that_it_does_not_say():
    with Commander(reveal("restart", "restart", "{unit}",
                          args='unit = "nginx|php8[.]2-fpm";')) as d:
        equal(d.run("restart#nginx").args(), [b"restart", b"nginx"])
        equal(d.run("restart#php8.2-fpm").args()[1], b"php8.2-fpm")
        for trick in TRICKS:
            for how in ("restart#%s", "restart#unit=%s"):
                run = d.run(how % encode(trick))
                equal((trick, run.code, run.out), (trick, 400, b""))
        equal(d.run("restart#php8x2-fpm").code, 400)
        equal(len([a for a in d.whole_log().splitlines()
                   if "verb=run" in a and "result=200" in a]), 2)


def test_whatever_a_loose_rule_lets_through_stays_one_argument():
    with Commander(reveal("say", "{text}", "a{text}b", "end",
                          args="text = { %s; dash = true; };" % ANYTHING)) as d:
        before = d.run("say#x")
        tricks = [t for t in TRICKS if len(t) <= 256]
        tricks += [bytes([b]) for b in range(1, 256)]
        tricks += [bytes(range(1, 256)), b"y" * 256]
        with d.connect() as s:
            for trick in tricks:
                s.sendall(b"1#5#say#" + encode(trick).encode() + b"\n")
                run = read_run(s)
                equal(run.args(), [trick, b"a" + trick + b"b", b"end"])
                for what in ("cwd", "fd", "uid"):
                    equal(run.revealed(what), before.revealed(what))
                equal([e for e in run.revealed("env")
                       if "REQUEST_ID" not in e],
                      [e for e in before.revealed("env")
                       if "REQUEST_ID" not in e])


def test_a_nul_and_too_long_a_line_are_refused_before_any_rule():
    with Commander(reveal("say", "{text}",
                          args="text = { %s; dash = true; };" % ANYTHING)) as d:
        equal(d.run("say#a%00b").code, 400)
        equal(d.run("say#" + "x" * 257).code, 400)
        equal(d.run("say#" + "x" * 4087).code, 400)
        equal(d.run("say#" + "x" * 4100).code, 413)
        equal(d.run("say" + "#x" * 14).code, 413)
        equal(d.run(b"say#a\x01").code, 400)


def test_choices_and_numbers():
    with Commander(reveal("logs", "{which}", "{n}", args='which = { choices = '
                          '("mail", "a b"); }; n = { type = "int"; min = 1;'
                          ' max = 20; };')) as d:
        equal(d.run("logs#a b#20").args(), [b"a b", b"20"])
        for line in ("logs#mai#1", "logs#mail|a b#1", "logs#mail#0",
                     "logs#mail#21", "logs#mail#07", "logs#mail#-1",
                     "logs#mail#0x1", "logs#mail#1%0A", "logs#mail#"):
            equal(d.run(line).code, 400)


def test_patterns_do_not_keep_what_they_have_seen():
    if not bridle.FILTER:
        raise Skip("because a sanitizer keeps freed memory")
    chance = random.Random(1)
    with Commander(reveal("any", "{x}", args='x = "[ab]*a[ab]{200}";')) as d, \
            d.connect() as s:
        before = resident(d.pid)
        for _ in range(100):
            text = "".join(chance.choice("ab") for _ in range(256))
            s.sendall(b"1#12#5#any#%s\n" % text.encode())
            equal(read_answer(s).code, 200)
        grown = resident(d.pid) - before
        assert grown < 50000, "100 questions have cost %d KiB" % grown


def test_a_match_that_takes_too_many_steps_is_refused_and_charged():
    with Commander(reveal("any", "{x}", "{y}",
                          args='x = "(a*)*b|c"; y = "[a-z]+";'),
                   tcp=["127.0.0.1:0"], penalties="min_seconds = 1500;"
                   " max_seconds = 2000; malformed = 1000;") as d:
        hard = "1#5#any#%s#ok" % ("a" * 200 + "-b")
        answer = d.ask(hard, d.ports[0])
        equal(answer.code, 400)
        assert "more than 1000 steps" in answer.text, answer.text
        # An `explain` runs no command, but matches the arguments, too, and
        # costs the same penalty.
        equal(d.ask(hard.replace("1#5#", "1#12#5#"), d.ports[0]).code, 200)
        equal(d.ask("1#4", d.ports[0]).code, 429)


def test_a_request_without_its_end_does_nothing():
    with Commander(reveal()) as d:
        equal(d.send(b"1#5#show")[0].code, 400)
        equal(d.whole_log().count("result=200"), 1, "that of the ping alone")


# -- tests of the environment of a command ----------------------------------

def test_what_a_command_is_given_is_the_owners_alone():
    with Commander(reveal(more='environment = { LANG = "x y"; PATH = "/p"; };'
                               'directory = "/usr"; nice = 4;'),
                   env=dict(os.environ, SECRET="yes")) as d:
        run = d.run("show")
        equal(sorted(run.revealed("env")),
              ["BRIDLE_REQUEST_ID=" + run.pairs["id"], "LANG=x y",
               "LC_ALL=C.UTF-8", "PATH=/p"])
        equal(run.revealed("cwd"), ["/usr"])
        equal(run.revealed("fd"), ["0", "1", "2"])
        equal(run.revealed("leader"), ["1"])
        equal(run.revealed("nice"),
              [str(min(19, os.getpriority(os.PRIO_PROCESS, 0) + 4))])


def test_a_command_inherits_no_signal_handling():
    """The process that starts the daemon may have ignored or blocked any
    signal. A command must not inherit this."""
    wrap = ["env", "--ignore-signal", "--block-signal"]
    if subprocess.run([*wrap, "true"], check=False,
                      stderr=subprocess.DEVNULL).returncode != 0:
        raise Skip("because this env(1) cannot set signals")
    with Commander(command("show", "/bin/grep", "^Sig[BI]", "/proc/self/status"),
                   wrap=wrap + bridle.WRAP) as d:
        equal(re.findall(r"^(\w+):\t(\w+)$", d.run("show").out.decode(), re.M),
              [("SigBlk", "0" * 16), ("SigIgn", "0" * 16)])
        assert d.reload()


def test_a_command_runs_as_another_user_where_the_daemon_may():
    user = 'user = "nobody";' if bridle.ROOT else 'user = "root";'
    with Commander(reveal(more=user), reveal("gid", more='group = "12";')) as d:
        run = d.run("show")
        if not bridle.ROOT:
            equal(run.code, 500)
            assert "cannot run the command as root" in run.text, run.text
            equal(d.run("gid").code, 500)
            return
        equal(run.revealed("uid"), ["65534"])
        equal(run.revealed("gid"), ["65534"])
        equal(set(run.revealed("group")), {"65534"})
        run = d.run("gid")
        equal((run.revealed("uid"), run.revealed("gid")), (["0"], ["12"]))
        equal(run.revealed("group"), ["12"])


def test_a_program_that_cannot_be_run_is_the_daemons_failure():
    with Commander(command("gone", "/no/such/program"),
                   reveal(more='directory = "/no/such/folder";')) as d:
        run = d.run("gone")
        equal((run.code, run.text, run.pairs.get("exit")),
              (500, "cannot run /no/such/program: No such file or directory",
               None))
        run = d.run("show")
        equal(run.code, 500)
        assert "cannot go to the working directory of /" in run.text, run.text


# -- tests of output and exit status ----------------------------------------

def test_output_and_errors_come_apart_as_they_are_written():
    with Commander(shell("talk", "echo one; echo two >&2; read x < {dir}/f;"
                                 "echo three; exit 7")) as d:
        os.mkfifo(os.path.join(d.dir, "f"), 0o666)
        with d.connect() as s:
            s.sendall(b"1#5#talk\n1#4\n")
            equal(sorted([read_chunk(s), read_chunk(s)]),
                  [(1, b"one\n"), (2, b"two\n")])
            with open(os.path.join(d.dir, "f"), "w") as f:
                f.write("go\n")
            run = read_run(s)
            equal((run.out, run.code, run.pairs["exit"], run.text),
                  (b"three\n", 200, "7", "the command exited with status 7"))
            equal(read_answer(s).text, "pong")


def test_output_cannot_pose_as_the_daemons_own():
    forged = "1#200#done#exit=0\\n1#101#1#5\\n"
    with Commander(command("forge", "/usr/bin/printf", forged)) as d:
        run = d.run("forge")
        equal(run.chunks, [(1, b"1#200#done#exit=0\n1#101#1#5\n")])
        equal(run.pairs["exit"], "0")


def test_every_byte_of_the_output_arrives():
    with Commander(shell("bytes", "cat {dir}/data; cat {dir}/data >&2")) as d:
        data = bytes(range(256)) * 2000
        with open(os.path.join(d.dir, "data"), "wb") as f:
            f.write(data)
        run = d.run("bytes")
        assert run.out == data and run.err == data


def test_a_signal_is_passed_on():
    with Commander(misbehave("signal")) as d:
        run = d.run("signal")
        equal((run.code, run.pairs["signal"], "exit" in run.pairs),
              (200, "SEGV", False))


def test_too_much_output_is_dropped_and_told():
    with Commander(shell("much", "seq 1 20000; echo more >&2",
                         more="max_output = 100;")) as d:
        run = d.run("much")
        equal(len(run.out) + len(run.err), 100)
        total = sum(len(str(i)) + 1 for i in range(1, 20001)) + 5
        equal((run.code, run.pairs["exit"], run.pairs["truncated"]),
              (200, "0", str(total - 100)))


def test_a_background_child_does_not_keep_the_answer():
    with Commander(misbehave("background")) as d:
        run = d.run("background")
        equal((run.out, run.pairs["exit"]), (b"left one behind\n", "0"))
        os.kill(noted_pid(d), signal.SIGKILL)


def test_the_whole_group_is_ended_when_its_time_is_over():
    with Commander(misbehave("family", more="timeout = %d;" % SECONDS)) as d:
        run = d.run("family")
        equal((run.code, run.text),
              (500, "ended by TERM: the time limit was reached"))
        wait_gone(noted_pid(d))
        d.wait_log('verb=run .*text="ended by TERM: the time limit was '
                   'reached"')


def test_one_that_ignores_term_is_killed_and_the_log_says_so():
    with Commander(misbehave("ignore", more="timeout = %d;" % SECONDS)) as d:
        run = d.run("ignore")
        equal((run.code, run.text),
              (500, "ended by KILL: the time limit was reached"))
        wait_gone(noted_pid(d))


def test_a_process_in_a_session_of_its_own_is_not_ended():
    """A process in its own session may be a service that the command has
    started. The daemon must not end this process."""
    script = ("setsid sleep 1000 & echo $! >{dir}/sock/new;"
              "mv {dir}/sock/new {dir}/sock/pid; sleep 1000")
    with Commander(shell("serve", script)) as d:
        s = d.connect()
        s.sendall(b"1#5#serve\n")
        pid = noted_pid(d)
        wait_for("its session", lambda: os.getsid(pid) == pid)
        reset(s)
        d.wait_log('verb=run .*text="ended by TERM: the client is gone"')
        d.wait_quiet()
        assert is_running(pid)
        os.kill(pid, signal.SIGKILL)


def test_a_client_that_vanishes_takes_its_command_along():
    with Commander(misbehave("family")) as d:
        s = d.connect()
        s.sendall(b"1#5#family\n")
        pid = noted_pid(d)
        reset(s)
        wait_gone(pid)
        d.wait_log('verb=run .*text="ended by TERM: the client is gone"')


def test_a_detached_command_outlives_its_client():
    with Commander(shell("on", "echo $$ > {dir}/sock/pid; while test ! -e "
                               "{dir}/go; do echo x; sleep 0.01; done;"
                               "echo done > {dir}/sock/done",
                         more="detach = true;")) as d:
        s = d.connect()
        s.sendall(b"1#5#on\n")
        equal(read_chunk(s), (1, b"x\n"))
        reset(s)
        d.ask("1#4")
        assert is_running(noted_pid(d))
        open(os.path.join(d.dir, "go"), "w").close()
        d.wait_log('verb=run .*result=200 .*text="done"')
        assert os.path.exists(os.path.join(d.dir, "sock", "done"))
        d.wait_quiet()


def test_a_daemon_that_is_killed_takes_its_commands_along():
    script = "sleep 1000 & echo $! $$ >%s; wait"
    for more in ("exclusive = true;", "detach = true;"):
        with Commander(shell("all", script % "{dir}/sock/pids", more)) as d, \
                d.connect() as s:
            s.sendall(b"1#5#all\n")
            path = os.path.join(d.dir, "sock", "pids")

            def read():
                with contextlib.suppress(FileNotFoundError):
                    with open(path) as f:
                        return [int(pid) for pid in f.read().split()]
            pids = wait_for("the command's pids", read)
            equal([is_running(pid) for pid in pids], [True, True])
            d.process.kill()
            d.process.wait()
            for pid in pids:
                wait_gone(pid)


def test_a_stop_ends_commands():
    with Commander(misbehave("sleep"), settings="stop_seconds = 0;") as d:
        with d.connect() as s:
            s.sendall(b"1#5#sleep\n")
            noted_pid(d)
            d.process.send_signal(signal.SIGTERM)
            run = read_run(s)
            equal((run.code, run.text),
                  (503, "ended by TERM: the daemon is stopping"))


# -- tests of standard input ------------------------------------------------

CAT = command("cat", "/bin/cat", more='stdin = "client"; max_input = 300000;')


def test_input_reaches_the_command_byte_for_byte():
    with Commander(CAT) as d:
        data = bytes(range(256)) * 1000
        for size in (1, 1000, 65536):
            pieces = [data[i:i + size] for i in range(0, 10 * size, size)]
            pieces = [p for p in pieces if p]
            run = d.run("cat", b"".join(map(chunk, pieces)) + END)
            assert run.out == b"".join(pieces), size
        equal(d.run("cat", END).out, b"")


def test_input_that_looks_like_requests_is_none():
    with Commander(CAT) as d:
        text = b"1#4\n1#101#0#0\n1#5#cat\n"
        with d.connect() as s:
            s.sendall(b"1#5#cat\n" + chunk(text) + END + b"1#4\n")
            equal(read_run(s).out, text)
            equal(read_answer(s).text, "pong")
            # Another request instead of a chunk ends the command. A half-close
            # ends the input.
            s.sendall(b"1#5#cat\n" + chunk(b"x") + b"1#4\n")
            equal(read_run(s).out, b"x")
            equal(read_answer(s).text, "pong")
            s.sendall(b"1#5#cat\n")
            half_close(s)
            equal(read_run(s).pairs["exit"], "0")


def test_input_without_its_end_is_not_taken_for_the_whole():
    with Commander(shell("keep", "cat > {dir}/sock/new && "
                                 "mv {dir}/sock/new {dir}/sock/kept.txt",
                         more='stdin = "client";')) as d:
        for data in (chunk(b"abc"), b"1#101#0#9\nabc", b"1#101#0", b"1#10",
                     chunk(b"abc") + b"1#101#0#0",
                     b"1#101\n", b"1#101 #0#0\n", b"1#0\n", b"1#04\n",
                     chunk(b"abc") + b"1#101#0\n", b"1#101#0#03\nabc",
                     chunk(b"abc") + b"1#101#0#00\n"):
            with d.connect() as s:
                s.sendall(b"1#5#keep\n" + data)
                half_close(s)
                run = read_run(s)
                equal((data, run.code, run.text), (
                    data, 400, "ended by TERM: its input was cut short"))
        with d.connect() as s:
            s.sendall(b"1#5#keep\n" + chunk(b"abc"))
            wait_for("the command to run", lambda: d.counter("actions") == 1)
            reset(s)
        wait_for("all lines", lambda: d.log().count("was cut short") == 13)
        d.wait_quiet()
        assert not os.path.exists(os.path.join(d.dir, "sock", "kept.txt"))
        equal(d.run("keep", chunk(b"abc") + END).pairs["exit"], "0")
        with open(os.path.join(d.dir, "sock", "kept.txt")) as f:
            equal(f.read(), "abc")


def inputs_seen(more, script):
    """Run a command for many clients that leave right after their request.
    Return the lines that the commands have written to sock/out."""
    run = command("cat", "/bin/sh", "-c", script,
                  more='stdin = "client"; ' + more)
    with Commander(run) as d:
        for i in range(50):
            with d.connect() as s:
                s.sendall(b"1#5#cat\n")
                # The client leaves at any moment of the command's start.
                time.sleep(0.0005 * (i % 8))
        d.wait_quiet()
        with contextlib.suppress(FileNotFoundError):
            with open(os.path.join(d.dir, "sock", "out")) as f:
                return f.read().split()
        return []


def test_a_client_that_vanishes_has_not_sent_an_empty_input():
    equal(inputs_seen("detach = true;", "n=$(wc -c); echo $n >>{dir}/sock/out"),
          [])
    equal(inputs_seen("", "trap '' TERM; n=$(trap '' TERM; wc -c);"
                          " echo $n >>{dir}/sock/out"), [])


def test_too_much_input_ends_the_command():
    with Commander(command("cat", "/bin/cat",
                           more='stdin = "client"; max_input = 10;')) as d:
        run = d.run("cat", chunk(b"x" * 11) + END)
        equal((run.code, run.text),
              (413, "ended by TERM: its input is longer than max_input"))
        equal(d.run("cat", chunk(b"x" * 10) + END).out, b"x" * 10)


def test_input_that_nobody_reads_is_dropped():
    with Commander(shell("early", "exec <&-; echo closed; sleep 0.2",
                         more='stdin = "client";'),
                   shell("end", "exit 4", more='stdin = "client";')) as d:
        with d.connect() as s:
            for name, status in (("early", "0"), ("end", "4")):
                s.sendall(b"1#5#%s\n" % name.encode())
                for _ in range(20):
                    s.sendall(chunk(b"1#4\n" * 5000))
                s.sendall(END + b"1#4\n")
                equal(read_run(s).pairs["exit"], status)
                equal(read_answer(s).text, "pong")


def test_input_for_a_run_that_takes_none_closes_the_connection():
    with Commander(reveal()) as d:
        with d.connect() as s:
            s.sendall(b"1#5#show\n" + chunk(b"1#4\n") + END)
            equal(read_run(s).pairs["exit"], "0")
            equal(read_answer(s).code, 400)
            equal(read_line(s), b"")


# -- tests of rights --------------------------------------------------------

def test_a_client_runs_what_its_entry_lists():
    clients = ('{ name = "me"; unix_user = "%d"; allow = ("run", "verbs", '
               '"explain"); run = ("one"); }' % os.getuid())
    with Commander(reveal("one", "{x}", args='x = "a|b";',
                          more='help = "The first";'),
                   reveal("two"), clients=clients) as d:
        equal(d.run("one#a").code, 200)
        for name in ("two", "three"):
            run = d.run(name)
            equal((run.code, run.pairs["rule"]), (403, "me.run"))
        rows = {r["command"]: r for r in d.ask("1#11").rows}
        equal(sorted(rows), [b"", b"one"])
        equal((rows[b"one"]["limits"], rows[b"one"]["help"]),
              (b"x=a|b", b"The first"))
        equal(rows[b"one"]["name"], b"run")


def test_explain_tells_what_would_be_said():
    with Commander(reveal("one", "{x}", args='x = "a|b";')) as d:
        for line, code, rule in (("one#a", b"200", b"me.allow"),
                                 ("one#c", b"400", b"commands.one.args.x"),
                                 ("one", b"400", b"commands.one.args.x"),
                                 ("two", b"404", b"")):
            row = d.ask("1#12#5#" + line).rows[0]
            equal((row["code"], row["rule"]), (code, rule))
        assert "verb=run " not in d.whole_log()


def test_the_log_has_the_arguments_safely():
    with Commander(reveal("say", "{x}", args="x = { %s; };" % ANYTHING)) as d:
        d.run("say#" + encode(b'a" b\nbridled: forged\x1b[0m'))
        line = d.wait_log("verb=run .*")[0]
        assert "\x1b" not in line and "result=200" in line, line
        assert "\nbridled: forged" not in d.log()


def test_a_new_configuration_holds_for_the_next_run():
    with Commander(reveal("one", "{x}", args='x = "a";')) as d:
        with d.connect() as s:
            s.sendall(b"1#5#one#b\n")
            equal(read_run(s).code, 400)
            d.commands = (reveal("one", "{x}", args='x = "b";'),)
            d.write_config()
            assert d.reload()
            s.sendall(b"1#5#one#b\n")
            equal(read_run(s).args(), [b"b"])


def test_check_warns_of_what_others_may_change():
    with Commander(reveal()) as d:
        folder = os.path.join(d.dir, "open")
        os.mkdir(folder)
        for name in ("program", "script"):
            path = os.path.join(folder, name)
            shutil.copy(d.program_path("reveal"), path)
        os.chmod(folder, 0o777)
        d.commands = (command("a", folder + "/program"),
                      command("b", "/usr/bin/python3", folder + "/script"),
                      reveal("c", "{x}", args='x = ".*";'))
        d.write_config()
        done = subprocess.run([d.program, "--config", d.config, "--check"],
                              capture_output=True, text=True)
        for part in ("(a): %s may be written by others" % folder,
                     "(b): %s may be written by others" % folder,
                     "(b): /usr/bin/python3 can run any program",
                     '(c): ".*" lets everything through'):
            assert part in done.stderr, (part, done.stderr)
        equal(done.returncode, 0)


bridle.main(globals())
