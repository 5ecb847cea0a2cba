"""Tests of `bridlectl run`: output, exit status, input, and many hosts."""

import json
import os
import pty
import select
import subprocess

import bridle
from bridle import (BRIDLECTL, ctl, equal, is_running, read_answer, strings,
                    wait_for)
from homes import Home, TlsDaemon
from runs import Commander, command

SHELL = ("/bin/sh", "-c")


def shell(name, script, more="", args=""):
    return command(name, *SHELL, script, more=more, args=args)


def reveal(args):
    return command("show", "{dir}/reveal", "{a}", "{b}", args=args)


TALK = shell("talk", "echo out; echo err >&2; exit {n}", args='n = "[0-9]+";')
ANY = 'a = { pattern = "(.|\\n)*"; dash = true; }; b = "(.|\\n)*";'


def hosts(d, n):
    """Return a host list with n names. Each name is a link to the socket of
    this daemon."""
    for i in range(n):
        path = os.path.join(d.dir, "sock", "h%d" % i)
        if not os.path.islink(path):
            os.symlink(d.sock, path)
    return "unix:%s/sock/h[0-%d]" % (d.dir, n - 1)


def test_output_goes_where_the_command_wrote_it():
    with Commander(TALK) as d:
        done = d.ctl("run", "talk", "0")
        equal((done.returncode, done.stdout, done.stderr),
              (0, "out\n", "err\n"))
        done = d.ctl("run", "talk", "n=7")
        equal((done.returncode, done.stdout), (1, "out\n"))
        assert "the command exited with status 7" in done.stderr, done.stderr


def test_every_byte_goes_to_a_pipe():
    with Commander(shell("bytes", "cat {dir}/data")) as d:
        data = bytes(range(256)) * 3000
        with open(os.path.join(d.dir, "data"), "wb") as f:
            f.write(data)
        done = subprocess.run([BRIDLECTL, "-H", "unix:" + d.sock, "run",
                               "bytes"], capture_output=True, check=True)
        assert done.stdout == data


def on_terminal(d, *args):
    """Run bridlectl with a terminal as its standard output. Return the
    output."""
    ours, theirs = pty.openpty()
    data = b""
    with subprocess.Popen([BRIDLECTL, "-H", "unix:" + d.sock, *args],
                          stdout=theirs, stderr=subprocess.DEVNULL) as p:
        # Keep our descriptor of the terminal open. After the last close of a
        # terminal, its last output may be lost.
        while True:
            ended = p.poll() is not None
            if select.select([ours], [], [], 0 if ended else 0.05)[0]:
                data += os.read(ours, 65536)
            elif ended:
                break
    os.close(theirs)
    os.close(ours)
    return data


def test_a_terminal_is_sent_nothing_that_harms_it():
    hostile = (r"\033]0;title\007a\tb\r\nn\303\244\302\233x"
               r"\342\200\256y\377z\n")
    with Commander(command("evil", "/usr/bin/printf", hostile),
                   shell("split", r"printf '\303'; sleep 0.2;"
                                  r" printf '\244\n'; printf '\342\202'")
                   ) as d:
        shown = on_terminal(d, "run", "evil")
        for bad in (b"\x1b", b"\x07", b"\xc2\x9b", b"\xe2\x80\xae", b"\xff"):
            assert bad not in shown, shown
        assert b"a\tb\r\nn\xc3\xa4" in shown, shown
        # bridlectl joins the bytes of a character that arrives in two chunks.
        # bridlectl shows an incomplete character as escaped bytes.
        equal(on_terminal(d, "run", "split"),
              "\u00e4\r\n\\xe2\\x82".encode())


def test_output_comes_as_it_is_written():
    with Commander(shell("slowly", "echo one; read x < {dir}/f; echo two")) as d:
        os.mkfifo(os.path.join(d.dir, "f"), 0o666)
        with subprocess.Popen([BRIDLECTL, "-H", "unix:" + d.sock, "run",
                               "slowly"], stdout=subprocess.PIPE) as p:
            equal(p.stdout.readline(), b"one\n")
            with open(os.path.join(d.dir, "f"), "w") as f:
                f.write("\n")
            equal(p.stdout.read(), b"two\n")
            equal(p.wait(), 0)


def test_exit_status_passes_the_commands_own_on():
    with Commander(TALK, shell("die", "kill -9 $$"),
                   command("gone", "/no/such/program")) as d:
        for args, want in ((("talk", "0"), 0), (("talk", "7"), 7),
                           (("talk", "255"), 255), (("die",), 137),
                           (("gone",), 255), (("nothing",), 255),
                           (("talk", "x"), 255)):
            done = d.ctl("run", *args, "--exit-status")
            equal((args, done.returncode), (args, want))
            if want not in (255,) or args == ("talk", "255"):
                assert "exited" not in done.stderr, done.stderr
        for args, want in ((("talk", "2"), 2), (("gone",), 3), (("x",), 3),
                           (("talk", "0", "a", "b"), 3)):
            equal(d.ctl("run", *args, "--exit-status=3").returncode, want)
    equal(ctl("-H", "unix:/no/such/socket", "run", "x",
              "--exit-status=3").returncode, 3)
    equal(ctl("-H", "unix:/no/such/socket", "run", "x").returncode, 3)


def test_exit_status_is_for_wrong_command_lines_too():
    for line in ("-H unix:/none run x -5 --exit-status=3",
                 "-H unix:/none run x --exit-status=3 -5",
                 "-H unix:/none -H unix:/none run x --exit-status=3",
                 "-H web1 --fingerprint nonsense run x --exit-status=3",
                 "-H unix:/none run --exit-status=3",
                 "-H unix:/none run x --raw --exit-status=3",
                 "-H unix:/none run x --exit-status --exit-status=3",
                 "run x --no-such-option --exit-status=3"):
        done = ctl(*line.split())
        equal((line, done.returncode), (line, 3), done.stderr)
    equal(ctl("-H", "unix:/none", "run", "x", "-5").returncode, 2)
    equal(ctl("-H", "unix:/none", "run", "x", "-5", "--exit-status")
          .returncode, 255)


def test_output_that_cannot_be_written_is_no_success():
    shown = (("--version",), ("--help",), ("ping",), ("list",),
             ("run", "talk", "0"))
    with Commander(TALK) as d:
        for args in shown:
            for where in (">&-", ">/dev/full"):
                done = subprocess.run(
                    ["sh", "-c", '"$@" ' + where, "sh", bridle.BRIDLECTL,
                     "-H", "unix:" + d.sock, *args],
                    capture_output=True, text=True, timeout=bridle.PATIENCE)
                equal((args, where, done.returncode), (args, where, 1))
                assert "cannot write" in done.stderr, done
        for args in ("--version", "--help"):
            for where in (">&-", ">/dev/full"):
                done = subprocess.run(
                    ["sh", "-c", '"$@" ' + where, "sh", bridle.BRIDLED, args],
                    capture_output=True, text=True, timeout=bridle.PATIENCE)
                equal((args, where, done.returncode), (args, where, 74))


def test_arguments_arrive_as_they_were_typed():
    with Commander(reveal(ANY)) as d:
        for a, b in (("x", "y"), ("", "y"), ("a b", "$(x)"), ("\n", ";"),
                     ("#%41", "%"), ("\udcff", "\u00e4"), ("-n", "*"),
                     ("c=d", "=")):
            done = d.ctl("run", "show", "--", a, b)
            got = [bytes.fromhex(line[4:]) for line in
                   done.stdout.splitlines() if line.startswith("arg")]
            equal(got, [s.encode("utf-8", "surrogateescape")
                        for s in (a, b)])
        done = d.ctl("run", "show", "b=1", "a=2")
        assert done.stdout.startswith("arg 32\narg 31\n"), done.stdout


def test_what_can_be_judged_here_is_not_sent():
    for args in (["x" * 257], ["a"] * 14, ["a=" + "x" * 257]):
        done = ctl("-H", "unix:/no/such/socket", "run", "c", *args)
        equal((done.returncode, done.stdout), (2, ""))
    equal(ctl("run").returncode, 2)
    equal(ctl("run", "").returncode, 2)


def test_input_is_sent_when_asked_for():
    with Commander(command("cat", "/bin/cat", more='stdin = "client";'
                                                   "max_input = 5000000;"
                                                   "max_output = 5000000;")
                   ) as d:
        equal(d.ctl("run", "cat", stdin="lost").stdout, "")
        equal(d.ctl("run", "cat", "--stdin", stdin="").stdout, "")
        text = "0123456789abcde\n" * 200000
        equal(d.ctl("run", "cat", "--stdin", stdin=text).stdout, text)


def test_json_has_the_output_and_the_status():
    with Commander(TALK, command("raw", "/usr/bin/printf", r"a\377b#")) as d:
        got = json.loads(d.ctl("run", "talk", "3", "--json").stdout)
        equal((got["status"], got["exit"], got["stdout"], got["stderr"]),
              (200, 3, "out\n", "err\n"))
        got = json.loads(d.ctl("run", "raw", "--json").stdout)
        equal((got["stdout"], got["stdout_encoded"]),
              ("a\ufffdb#", "a%FFb%23"))
        assert "stderr_encoded" not in got, got
        assert "stdout" not in json.loads(d.ctl("ping", "--json").stdout)


def test_truncated_output_is_told():
    with Commander(shell("much", "seq 1 1000", more="max_output = 9;")) as d:
        for args, status in (([], 1), (["--exit-status"], 255),
                             (["--exit-status=3"], 3),
                             (["--allow-truncated"], 0),
                             (["--allow-truncated", "--exit-status"], 0)):
            done = d.ctl("run", "much", *args)
            equal((done.returncode, done.stdout), (status, "1\n2\n3\n4\n5"))
            assert "the last 3884 bytes of the output were" in done.stderr, \
                done.stderr


def test_a_command_that_fails_keeps_its_status_if_its_output_is_cut():
    with Commander(shell("much", "seq 1 1000; exit 2",
                         more="max_output = 9;")) as d:
        equal(d.ctl("run", "much", "--exit-status=3").returncode, 2)


def test_truncated_output_of_many_is_a_failure():
    with Commander(shell("much", "seq 1 1000; echo >>{dir}/sock/ran",
                         more="max_output = 9;")) as d:
        where, left = hosts(d, 2), os.path.join(d.dir, "left")
        for args, status in ((["--json"], 1), (["--allow-truncated"], 0),
                             (["--resume", left], 1)):
            done = ctl("-H", where, "run", "much", "-y", *args)
            equal(done.returncode, status, done.stderr)
        assert '"failed":2' in ctl("-H", where, "run", "much", "-y",
                                   "--json").stdout
        assert not os.path.exists(left), "the journal would run it again"


def test_output_that_could_not_be_shown_is_no_success_of_the_command():
    with Commander(shell("say", "echo x")) as d, open("/dev/full", "w") as f:
        for form in ([], ["--json"]):
            done = subprocess.run(
                [BRIDLECTL, "-H", "unix:" + d.sock, "run", "say",
                 "--exit-status=7", *form], stdout=f, stderr=subprocess.PIPE)
            equal(done.returncode, 7, done.stderr)


def test_an_interrupt_ends_the_command_there():
    with Commander(shell("stay", "echo $$; exec sleep 1000")) as d:
        with subprocess.Popen([BRIDLECTL, "-H", "unix:" + d.sock, "run",
                               "stay"], stdout=subprocess.PIPE) as p:
            pid = int(p.stdout.readline())
            p.terminate()
            p.wait()
        wait_for("the process to end", lambda: not is_running(pid))
        d.wait_log("the client is gone")


def test_many_hosts_have_their_name_before_each_line():
    with Commander(shell("two", "echo one; echo two; echo bad >&2")) as d:
        where = hosts(d, 3)
        done = ctl("-H", where, "run", "two", "-y", "--ordered")
        names = ["unix:%s/sock/h%d" % (d.dir, i) for i in range(3)]
        equal(done.stdout.splitlines(), [
            "%s: %s" % (name, line) for name in names
            for line in ("one", "two")])
        for name in names:
            assert name + ": bad\n" in done.stderr, done.stderr
        equal(done.returncode, 0)


def test_equal_outputs_are_gathered():
    with Commander(shell("two", "echo one; printf two")) as d:
        where = hosts(d, 3)
        done = ctl("-H", where, "run", "two", "-y", "--gather")
        equal(done.stdout, "%s:\none\ntwo\n" % where)


def test_many_hosts_as_json_and_their_failures():
    with Commander(shell("fail", "echo x; exit 2")) as d:
        done = ctl("-H", hosts(d, 2), "run", "fail", "-y", "--json")
        objects = [json.loads(line) for line in done.stdout.splitlines()]
        equal([(o["result"], o["exit"], o["stdout"]) for o in objects
               if "host" in o], [("failed", 2, "x\n")] * 2)
        equal(done.returncode, 1)


def test_many_hosts_are_not_done_without_a_yes():
    with Commander(shell("touch", "touch {dir}/sock/done")) as d:
        done = ctl("-H", hosts(d, 2), "run", "touch")
        equal(done.returncode, 2)
        assert not os.path.exists(os.path.join(d.dir, "sock", "done"))
        for option, status in (("--stdin", 2), ("--exit-status=9", 9)):
            done = ctl("-H", hosts(d, 2), "run", "touch", "-y", option)
            equal(done.returncode, status)
            assert "is for one host" in done.stderr, done.stderr
        assert not os.path.exists(os.path.join(d.dir, "sock", "done"))


def test_stages_stop_at_commands_that_fail():
    with Commander(shell("fail", "echo x >> {dir}/sock/log; exit 1")) as d:
        done = ctl("-H", hosts(d, 6), "run", "fail", "-y", "--batch", "2",
                   "--max-failures", "1")
        assert "not asked" in done.stderr, done.stderr
        with open(os.path.join(d.dir, "sock", "log")) as f:
            equal(f.read(), "x\n" * 2)


def test_verbs_lists_commands_with_their_arguments():
    with Commander(command("logs", "/bin/echo", "{which}", "{n}",
                           args='which = { choices = ("mail", "auth"); };'
                                'n = { type = "int"; min = 1; max = 9; };',
                           more='help = "Show a log";')) as d:
        done = d.ctl("verbs")
        assert "which=mail|auth n=1..9 logs" in done.stdout, done.stdout
        assert "Show a log" in done.stdout
        done = d.ctl("explain", "run", "logs", "mail", "10")
        equal(done.returncode, 1)
        assert 'n: "10" is not allowed' in done.stdout, done.stdout


def test_verbs_lists_all_commands_however_many():
    names = ["c%d" % i for i in range(300)]
    choices = ", ".join('"%s"' % ("x" * 60 + str(i)) for i in range(20))
    with Commander(*[command(name, "/bin/echo", "{word}",
                             args="word = { choices = (%s); };" % choices)
                     for name in names]) as d:
        listed = [row["command"].decode() for row in d.ask("1#11").rows]
        equal([name for name in listed if name], names)


def test_long_tables_are_refused_without_their_rows():
    names = ["c%d%s" % (i, "x" * 50) for i in range(700)]
    client = ('{ name = "me"; unix_user = "%d"; allow = ("*"); run = %s; }'
              % (os.getuid(), strings(names)))
    with Commander(*[command(name, "/bin/cat", more='stdin = "client"; help = "%s";'
                             % ("y" * 80)) for name in names], clients=client,
                   tcp=["127.0.0.1:0"], limits={"actions": 1}) as d:
        answer = d.ask("1#11", d.ports[0])
        equal([row["command"].decode() for row in answer.rows
               if row["command"]], names)
        assert max(map(len, answer.lines)) < 16384
        with d.connect() as busy, d.connect(d.ports[0]) as s:
            busy.sendall(b"1#5#%s\n" % names[0].encode())
            wait_for("the command to run", lambda: d.counter("actions") == 1)
            s.sendall(b"1#11\n1#4\n")
            answer = read_answer(s)
            equal((answer.code, len(answer.lines)), (429, 1))
            equal(read_answer(s).code, 200)


def test_output_and_input_go_by_tls():
    cat = command("cat", "/bin/cat", more='stdin = "client";')
    stay = command("stay", "/bin/sh", "-c", "echo $$; exec sleep 1000")
    with Home() as home, TlsDaemon(
            home, settings="commands = (%s, %s);" % (cat, stay)) as d:
        d.trust()
        done = d.tls("run", "cat")
        equal((done.returncode, done.stdout), (0, ""), done.stderr)
        text = "0123456789abcde\n" * 20000
        done = d.tls("run", "cat", "--stdin", stdin=text)
        assert done.stdout == text, done.stderr
        done = d.tls("--timeout", "1", "run", "stay", "--exit-status=3")
        equal(done.returncode, 3)
        pid = int(done.stdout)
        wait_for("the process to end", lambda: not is_running(pid))


bridle.main(globals())
