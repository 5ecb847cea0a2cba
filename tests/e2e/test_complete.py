#!/usr/bin/env python3
"""Tests of `bridlectl --complete`, which prints the candidates for the
completion in any shell."""

import contextlib
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time

import bridle
from bridle import Daemon, Victim, ctl, equal, unique_name, wait_for
from procs import crowd, zombie
from runs import Commander, command

PIN = "SHA256:" + "A" * 43
LIST_COLUMNS = ["pid", "ppid", "user", "state", "rss_kib", "cpu_ms",
                "started", "name", "command"]


class Home:
    """A home folder. Its known_hosts has the lines `known`, and its
    bridlectl.conf has the text `conf`."""

    def __init__(self, *known, conf=None):
        self.known, self.conf = known, conf

    def __enter__(self):
        self.dir = tempfile.mkdtemp(prefix="bridle-home-")
        folder = os.path.join(self.dir, ".config", "bridlectl")
        os.makedirs(folder, mode=0o700)
        path = os.path.join(folder, "known_hosts")
        with open(path, "w") as f:
            f.writelines(line + "\n" for line in self.known)
        os.chmod(path, 0o600)
        if self.conf is not None:
            path = os.path.join(folder, "bridlectl.conf")
            with open(path, "w") as f:
                f.write(self.conf)
            os.chmod(path, 0o600)
        self.env = dict(os.environ, HOME=self.dir)
        self.env.pop("XDG_CONFIG_HOME", None)
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.dir)


def lines(*words, env=None):
    """Return the candidates for the last word, each as (kind, word,
    description)."""
    done = subprocess.run(
        [bridle.BRIDLECTL, "--complete", *map(os.fsencode, words)],
        stdin=subprocess.DEVNULL, capture_output=True, env=env,
        timeout=bridle.PATIENCE * 3)
    equal((done.returncode, done.stderr), (0, b""), words)
    text = done.stdout.decode()
    assert text == "" or text.endswith("\n"), text
    found = [line.split("\t") for line in text.split("\n")[:-1]]
    return [(word[0], word[1:], about) for word, about in found]


def offered(*words, env=None):
    return [word for _, word, _ in lines(*words, env=env)]


def settles(wanted, *words):
    """Wait until --complete offers exactly the words `wanted`. On a busy
    machine the daemon's reply may be too late for a single call."""
    wait_for("%r after %r" % (wanted, words),
             lambda: offered(*words) == wanted)


def help_of(*words):
    done = ctl(*words, "--help")
    equal(done.returncode, 0, done.stderr)
    return done.stdout


def commands():
    """Return a dict. For each command, the dict has the command's line in the
    help."""
    text = help_of().split("\nCommands:\n")[1].split("\n\n")[0]
    text = re.sub(r"\n {20,}", " ", text)
    return {line.split()[0]: line for line in text.splitlines()}


def options(text):
    """Return all short and long options of a help text."""
    text = text.split("\nOptions:\n")[1].split("\nExit status:")[0]
    found = []
    for line in text.splitlines():
        words = re.sub(r",|\[=.*?\]", " ", line).split()
        if not words or not words[0].startswith("-"):
            continue
        letters = words[:1] if len(words[0]) == 2 else []
        found += words[len(letters):][:1] + letters
    return found


# -- tests of commands and options ------------------------------------------


def test_every_command_is_offered_with_its_help():
    found = lines("")
    assert len(found) > 10, found
    equal([word for _, word, _ in found], list(commands()))
    for _, word, about in found:
        assert about and commands()[word].endswith(" " + about), word
    equal(offered("help", ""), list(commands()))
    equal(offered("po"), ["poweroff"])


def test_every_option_is_offered_with_its_help():
    equal(sorted(offered("-")), sorted(options(help_of())))
    for name in commands():
        found = lines(name, "-")
        equal(sorted(w for _, w, _ in found
                     if w not in ("--version", "-V")),
              sorted(options(help_of(name))), name)
        for _, word, about in found:
            assert about in help_of(name) + help_of(), (name, word)


def test_what_is_not_known_offers_nothing_and_says_nothing():
    for words in (["nonsense", ""], ["nonsense", "-"], ["zzz"],
                  ["kill", "--nonsense="], ["kill", "--nonsense=a"],
                  ["kill", "-Z1"], ["--json="], ["kill", "--yes=n"],
                  ["kill", "--wait", ""], ["halt", "-m", "a"]):
        equal(lines(*words), [], words)
    equal(ctl("--complete").returncode, 0)


def test_a_command_without_arguments_offers_its_options():
    assert "--json" in offered("ping", "")
    equal(offered("ping", "--", ""), [])
    equal(offered("ping", "x"), [])


def test_options_that_are_given_are_not_offered_again():
    found = offered("kill", "-ny", "--sig=HUP", "--user", "root", "-")
    for gone in ("-n", "--dry-run", "--yes", "-s", "--signal", "--user"):
        assert gone not in found, gone
    assert "--wait" in found


def test_options_before_the_command_are_understood():
    equal(offered("-H", "web1", "-n", "po"), ["poweroff"])
    equal(offered("--hosts", "kill", "po"), ["poweroff"])
    equal(offered("-Hkill", "po"), ["poweroff"])
    equal(offered("--", "po"), ["poweroff"])


def test_after_two_dashes_nothing_is_an_option():
    equal(offered("--", "-"), [])
    equal(offered("ping", "--", "-"), [])


def test_explain_offers_what_it_explains():
    assert "kill" in offered("explain", "")
    for name in ("explain", "keygen", "help", "config"):
        assert name not in offered("explain", ""), name
    equal(offered("explain", "kill", "--esc"), ["--escalate"])
    equal(offered("explain", "kill", "-s", "KI"), ["KILL"])
    equal(offered("explain", "list", "--sort", "rss"), ["rss_kib"])


# -- tests of the values of options and arguments ---------------------------


def test_signals_go_by_any_of_their_names():
    equal(lines("kill", "-s", "KI"), [("=", "KILL", "9, Killed")])
    equal(offered("kill", "--signal", "SIGKI"), ["SIGKILL"])
    equal(offered("kill", "--signal=ki"), ["--signal=kill"])
    equal(offered("kill", "-ssigki"), ["-ssigkill"])
    equal(offered("kill", "-nsKI"), ["-nsKILL"])
    equal(offered("kill", "--esc", "RTMA"), ["RTMAX"])
    names = offered("kill", "-s", "")
    for each in signal.valid_signals():
        aliases = {name[3:] for name, value
                   in signal.Signals.__members__.items() if value == each}
        assert not aliases or aliases & set(names), each
    for name in names:
        done = ctl("kill", "nobody", "-ns", name, "-H", "unix:/nowhere/s")
        equal(done.returncode, 3, "it is no wrong usage")


def test_columns_are_those_of_the_command():
    equal(offered("list", "--columns", ""), LIST_COLUMNS)
    equal(offered("list", "--sort", ""), LIST_COLUMNS)
    equal(offered("ping", "--columns", ""), [])
    equal(offered("--columns", ""), [])


def test_kinds_of_events():
    equal(offered("watch", "--events", "o"), ["online", "offline"])
    equal(offered("watch", "--events", "halt,re"),
          ["halt,request", "halt,reload"])


def test_of_a_list_of_columns_the_last_is_completed():
    equal(lines("list", "--columns", "pid,na"), [("+", "pid,name", "")])
    equal(offered("list", "--col=pid,user,n"), ["--col=pid,user,name"])
    equal(offered("list", "--columns=pid,name,"),
          ["--columns=pid,name," + name for name in LIST_COLUMNS
           if name not in ("pid", "name")])


def test_a_column_to_sort_by_may_be_turned_round():
    equal(offered("list", "--sort", "-rss"), ["-rss_kib"])
    equal(offered("list", "--sort=-rss"), ["--sort=-rss_kib"])
    equal(offered("list", "--sort", "rss_kib:"), ["rss_kib:desc"])


def test_fixed_words_are_offered_where_they_are_taken():
    equal(offered("keygen", "--type", ""), ["p256", "ed25519"])
    equal(offered("keygen", "--type=e"), ["--type=ed25519"])
    equal(offered("known-hosts", ""), ["list", "forget"])
    equal(offered("admit", "x", "--allow", "list,ki"), ["list,kill"])
    # The candidates have the order of the words in the help, for example
    # "check|show".
    equal(offered("config", ""), commands()["config"].split()[1].split("|"))


def test_files_are_left_to_the_shell():
    for words, kept in ((["keygen", "/e"], ""), (["-i", "x"], ""),
                        (["config", "check", ""], ""),
                        (["--identity=./x"], "--identity="),
                        (["-i~/x"], "-i"), (["-H", "unix:/ru"], "unix:"),
                        (["--hosts=unix:"], "--hosts=unix:")):
        equal(lines(*words), [("/", kept, "")], words)


def test_users_are_those_of_this_machine():
    assert "root" in offered("list", "--user", "")
    equal(offered("kill", "--user=roo"), ["--user=root"])


def test_hosts_are_those_that_are_known():
    with Home("web1:7075 " + PIN, "# web2:7075 " + PIN, "lab7:9 " + PIN,
              "[fe80::1]:7075 " + PIN) as home:
        equal(lines("-H", "", env=home.env)[:3],
              [("=", "web1", ""), ("=", "lab7:9", ""), ("=", "[fe80::1]", "")])
        equal([(kind, word) for kind, word, _ in
               lines("-H", "", env=home.env)[3:]],
              [("+", "unix:"), ("+", "plain:")])
        equal(offered("-Hwe", env=home.env), ["-Hweb1"])
        equal(offered("--hosts=web1:", env=home.env), ["--hosts=web1:7075"])
        equal(offered("-H", "[fe80::", env=home.env), ["[fe80::1]"])
        equal(offered("-H", "plain:", env=home.env),
              ["plain:web1", "plain:lab7", "plain:[fe80::1]"])
        equal(offered("trust", "", env=home.env),
              ["web1", "lab7:9", "[fe80::1]"])


def test_bad_lines_of_known_hosts_do_no_harm():
    with Home("\x1b[31m:7075 " + PIN, "web2:7075", "unix:7075 " + PIN,
              "web1:7075 " + PIN) as home:
        equal(offered("trust", "", env=home.env), ["web1"])


def test_hosts_and_groups_are_those_that_are_configured():
    conf = ('hosts = ({ name = "web[1-2]"; address = "10.0.0.[1-2]"; },'
            '{ name = "here"; transport = "unix"; address = "/s"; });'
            'groups = ({ name = "web"; hosts = ("web[1-2]", "x"); },'
            '{ name = "lab"; hosts = "@web"; });')
    with Home("known:7075 " + PIN, conf=conf) as home:
        equal(lines("-H", "@", env=home.env),
              [("=", "@web", "web[1-2],x"), ("=", "@lab", "@web")])
        equal(offered("-H", "", env=home.env),
              ["@web", "@lab", "web1", "web2", "here", "known", "unix:",
               "plain:"])
        equal(lines("hosts", "web", env=home.env),
              [("=", "web1", "10.0.0.1"), ("=", "web2", "10.0.0.2")])
        equal(offered("-H", "node[1,2],@lab,h", env=home.env),
              ["node[1,2],@lab,here"])
        equal(offered("--exclude=@", env=home.env),
              ["--exclude=@web", "--exclude=@lab"])
        equal(offered("-H", "node[1,w", env=home.env), [])
        equal(offered("enrol", "web1", "--group", "w", env=home.env), ["web"])
        equal(offered("trust", "", env=home.env),
              ["@web", "@lab", "web1", "web2", "known"])
        equal(lines("discover", "--add", "l", env=home.env),
              [("=", "lab", "@web")])


def test_what_a_group_holds_does_no_harm():
    conf = r'groups = ({ name = "g"; hosts = "a\x1bb\tc\nd"; });'
    with Home(conf=conf) as home:
        equal(lines("-H", "@", env=home.env),
              [("=", "@g", r"a\x1bb\x09c\x0ad")])


def test_a_mistake_in_the_configuration_offers_what_else_there_is():
    with Home("known:7075 " + PIN, conf="hosts = (") as home:
        equal(offered("trust", "", env=home.env), ["known"])
        equal(offered("kill", "a", env=home.env), [])


# -- tests of names of processes --------------------------------------------


def test_processes_are_those_that_the_daemon_lists():
    with Daemon() as d, crowd(2, unique_name()) as (v, _), Victim() as other:
        for words in (["kill"], ["list"], ["explain", "kill"],
                      ["explain", "list"]):
            wait_for("two processes", lambda: (
                "=", v.name, "2 processes") in lines(
                    "-H", "unix:" + d.sock, *words, v.name[:-1]))
        for words in (["--hosts=unix:" + d.sock, "kill", "--"],
                      ["-Hunix:" + d.sock, "kill", "-s", "HUP"],
                      ["kill", "-nH", "unix:" + d.sock]):
            settles([v.name], *words, v.name)
            settles([other.name], *words, other.name)


def test_processes_are_those_of_a_host_by_its_name():
    with Daemon() as d, Victim() as v, Home(conf=(
            'hosts = ({ name = "here"; transport = "unix"; address = "%s"; });'
            'defaults = { hosts = "here"; };' % d.sock)) as home:
        for words in (["-H", "here", "kill"], ["kill"]):
            wait_for("the process", lambda: offered(
                *words, v.name, env=home.env) == [v.name])
        equal(offered("-H", "here,web1", "kill", v.name, env=home.env), [])


def test_a_name_may_have_spaces_and_more():
    start = unique_name("") + " a'"
    name = start + "\"$"
    with Daemon() as d, Victim(name.encode()):
        settles([name], "-H", "unix:" + d.sock, "kill", start)


def test_names_that_could_harm_a_terminal_are_left_out():
    base = unique_name("")
    bad = [b"\n", b"\t", b"\x1b[1m", b"\x7f", b"\xff", b"\xc2\x9b",
           "\u202e".encode()]
    with Daemon() as d, contextlib.ExitStack() as stack:
        for piece in bad:
            name = (base.encode() + piece)[:15]
            assert name.endswith(piece), "too long: %r" % name
            stack.enter_context(Victim(name))
        good = stack.enter_context(Victim(base + "é"))
        settles([good.name], "-H", "unix:" + d.sock, "kill", base)


def test_a_name_with_a_dash_needs_two_before_it():
    with Daemon() as d, Victim(unique_name("-v")) as v:
        settles([v.name], "-H", "unix:" + d.sock, "kill", "--", v.name)
        assert v.name not in offered("-H", "unix:" + d.sock, "kill", "")
        equal(offered("-H", "unix:" + d.sock, "kill", v.name), [])


def test_a_name_that_is_a_pattern_is_offered_only_for_kill():
    with Daemon() as d, Victim(unique_name("v*")) as v:
        settles([v.name], "-H", "unix:" + d.sock, "kill", v.name)
        equal(offered("-H", "unix:" + d.sock, "list", v.name), [])


def test_zombies_are_not_offered():
    with Daemon() as d, Victim() as v, zombie(unique_name().encode()) as z:
        settles([v.name], "-H", "unix:" + d.sock, "kill", v.name)
        equal(offered("-H", "unix:" + d.sock, "kill", z.name), [])


def test_a_daemon_that_refuses_offers_nothing():
    clients = '{ name = "me"; unix_user = "%d"; allow = ("ping"); }' % (
        os.getuid())
    with Daemon(clients) as d:
        equal(lines("-H", "unix:" + d.sock, "kill", ""), [])
        d.wait_log("403")


def test_a_daemon_that_is_away_offers_nothing():
    equal(lines("-H", "unix:/nowhere/s", "kill", ""), [])
    equal(lines("-H", "unix:" + "x" * 300, "kill", ""), [])
    equal(lines("-H", "unix:", "kill", ""), [])


def test_a_daemon_that_hangs_is_not_waited_for():
    with Daemon() as d, d.stopped():
        begin = time.monotonic()
        equal(lines("-H", "unix:" + d.sock, "kill", ""), [])
        # An ordinary command would wait for up to 90 seconds.
        assert time.monotonic() - begin < 30


@contextlib.contextmanager
def server(answer):
    """Yield the path of a unix socket. Its server sends `answer` on each
    connection, and keeps the connection open."""
    folder = tempfile.mkdtemp(prefix="bridle-")
    path = os.path.join(folder, "s")
    held = []

    def serve():
        with contextlib.suppress(OSError):
            while True:
                held.append(listener.accept()[0])
                held[-1].sendall(answer)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield path
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()
            for connection in held:
                connection.close()
            shutil.rmtree(folder)


def test_half_an_answer_is_none():
    row = b"1#100#name\n1#100#half\n"
    for said, wanted in ((row + b"1#200#done\n", ["half"]), (row, []),
                         (b"SSH-2.0-x\n", []), (b"1#100#pid\n1#100#1\n"
                                                b"1#200#done\n", [])):
        with server(said) as path:
            settles(wanted, "-H", "unix:" + path, "kill", "")


def test_other_machines_are_not_asked():
    with Daemon(tcp=["127.0.0.1:0"]) as d:
        host = "127.0.0.1:%d" % d.ports[0]
        before = d.counter("connections")
        equal(lines("-H", "plain:" + host, "kill", ""), [])
        equal(lines("-H", host, "kill", ""), [])
        equal(d.counter("connections"), before + 1, "that of the counters")


def test_commands_and_their_arguments_are_offered():
    with Commander(command("logs", "/bin/echo", "{which}", "{n}", "{unit}",
                           args='which = { choices = ("mail", "auth"); };'
                                'n = { type = "int"; max = 9; };'
                                'unit = "nginx|php8[.]2-fpm|[a-z]+";',
                           more='help = "Show a log";'),
                   command("lock", "/bin/true")) as d:
        here = ("-H", "unix:" + d.sock)
        equal(lines(*here, "run", "lo"),
              [("=", "logs", "Show a log"), ("=", "lock", "")])
        equal(lines(*here, "run", "logs", ""),
              [("+", "which=", "mail|auth"), ("+", "n=", "0..9"),
               ("+", "unit=", "nginx|php8[.]2-fpm|[a-z]+")])
        equal(lines(*here, "run", "logs", "which=m"),
              [("=", "which=mail", "")])
        equal([w for _, w, _ in lines(*here, "run", "logs", "a", "b",
                                      "unit=")],
              ["unit=nginx", "unit=php8.2-fpm"])
        equal(lines(*here, "run", "nothing", ""), [])
        equal([w for _, w, _ in lines(*here, "explain", "run", "log")],
              ["logs"])


if __name__ == "__main__":
    bridle.main(globals())
