#!/usr/bin/env python3
"""Tests of completion in the real shells. A test types a line and TAB on a
terminal. The shell then splits the completed line into words, which the test
compares."""

import errno
import fcntl
import os
import pty
import re
import select
import shutil
import struct
import subprocess
import tempfile
import termios
import time

import bridle
from bridle import Daemon, Skip, Victim, equal, unique_name

SCRIPTS = os.path.join(bridle.SOURCE, "conf", "completion")
PACKAGE = "/usr/share/bash-completion/bash_completion"
PIN = "SHA256:" + "A" * 43
TAB = "\t"
# Text that a test types after TAB. If the completion has added a space, this
# text becomes a word of its own.
END = "END"
PROMPT = b"ready>"
# Text that the program `words` prints after it has stored the words of the
# line.
PARTED = b"<parted>"


class Shell:
    """An interactive shell on a terminal, in an empty home folder."""

    program = None  # name of the program, which each subclass sets
    bin = ()        # more folders for PATH

    def __init__(self, known=(), conf=""):
        self.known, self.conf = known, conf

    def command(self):
        """Write the shell's start-up file. Return the argv that starts the
        shell with this file."""
        raise NotImplementedError

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), mode=0o700, exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def __enter__(self):
        if shutil.which(self.program) is None:
            raise Skip("because %s is not installed" % self.program)
        self.dir = tempfile.mkdtemp(prefix="bridle-shell-")
        self.process = self.master = None
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        self.write("bin/words", '#!/bin/sh\nprintf "%s\\0" "$@" >words\n'
                   'echo "<parted>"\n', 0o700)
        os.symlink(bridle.BRIDLECTL, os.path.join(self.dir, "bin/bridlectl"))
        if self.conf:
            self.write(".config/bridlectl/bridlectl.conf", self.conf)
        if self.known:
            self.write(".config/bridlectl/known_hosts",
                       "".join("%s %s\n" % (h, PIN) for h in self.known))
        self.master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ,
                    struct.pack("HHHH", 50, 400, 0, 0))
        env = {"HOME": self.dir, "TERM": "xterm", "LANG": "C.UTF-8",
               "ZDOTDIR": self.dir, "INPUTRC": "/dev/null",
               "HISTFILE": "/dev/null", "XDG_RUNTIME_DIR": self.dir,
               "PATH": os.path.join(self.dir, "bin") + ":" +
               os.environ["PATH"]}
        for name in ("ASAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                env[name] = os.environ[name]
        self.data = b""
        self.process = subprocess.Popen(
            self.command(), stdin=slave, stdout=slave, stderr=slave,
            env=env, cwd=self.dir, start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
        os.close(slave)
        assert self.until(lambda: PROMPT in self.data), self.data

    def __exit__(self, *exc):
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        if self.master is not None:
            os.close(self.master)
        shutil.rmtree(self.dir, ignore_errors=True)

    def until(self, condition, patience=bridle.PATIENCE):
        """Read the shell's output until condition() is true. Return True, or
        False after a timeout."""
        end = time.monotonic() + patience
        while not condition():
            if time.monotonic() > end:
                return False
            if select.select([self.master], [], [], 0.01)[0]:
                try:
                    self.data += os.read(self.master, 65536)
                except OSError as e:
                    assert e.errno == errno.EIO, e
                    raise AssertionError("the shell ended: %r" % self.data)
        return True

    def words(self, keys):
        """Type these keys, and return the words of the resulting line. Return
        None if the line is incomplete, for example without a closing quotation
        mark."""
        self.data = b""
        # Go to the start of the line, and insert the name of the program
        # `words`. This program stores its arguments in a file.
        os.write(self.master, (keys + "\x01words \r").encode())
        # Wait for the next prompt. Before this prompt, the terminal is not yet
        # in the mode that the shell needs.
        if self.until(lambda: PROMPT in self.data.partition(PARTED)[2],
                      bridle.PATIENCE / 8):
            with open(os.path.join(self.dir, "words"), "rb") as f:
                return f.read().decode().split("\0")[:-1]
        shown, self.data = self.data, b""
        os.write(self.master, b"\x03")
        assert self.until(lambda: PROMPT in self.data), (shown, self.data)
        return None

    def completes(self, line, *words):
        """Wait until a TAB after this line gives these words, followed by END.
        Type TAB again if the words are different, because on a busy machine
        the daemon's reply may be too late."""
        end = time.monotonic() + bridle.PATIENCE
        while True:
            got = self.words(line + TAB + END)
            if got == ["bridlectl", *words] or time.monotonic() > end:
                break
        equal(got, ["bridlectl", *words], line)

    def gotchas(self):
        """Return the files that exist only if the shell has run a part of a
        word as code."""
        return [f for f in os.listdir(self.dir) if "gotcha" in f]


class Bash(Shell):
    program = "bash"

    def setup(self):
        return ". '%s/bridlectl'\n" % SCRIPTS

    def command(self):
        rc = self.write("bashrc", "PS1='ready> '\n" + self.setup())
        return ["bash", "--noprofile", "--rcfile", rc, "-i"]


class PackagedBash(Bash):
    """Bash with the package bash-completion, which finds and loads the script
    of bridlectl."""

    def setup(self):
        if not os.path.exists(PACKAGE):
            raise Skip("because bash-completion is not installed")
        folder = ".local/share/bash-completion/completions"
        os.makedirs(os.path.join(self.dir, folder))
        os.symlink(os.path.join(SCRIPTS, "bridlectl"),
                   os.path.join(self.dir, folder, "bridlectl"))
        return ". %s\n" % PACKAGE


class Zsh(Shell):
    program = "zsh"

    def command(self):
        self.write(".zshrc", "PS1='ready> '\nfpath=('%s' $fpath)\n"
                   "bindkey -e\nautoload -Uz compinit\ncompinit -u -D\n"
                   % SCRIPTS)
        return ["zsh", "-d", "-i"]


class Fish(Shell):
    program = "fish"

    def command(self):
        rc = self.write("init.fish",
                        "function fish_prompt; echo 'ready> '; end\n"
                        "set -g fish_greeting\n"
                        "set -g fish_autosuggestion_enabled 0\n"
                        "source '%s/bridlectl.fish'\n" % SCRIPTS)
        return ["fish", "--private", "--no-config", "-i", "-C",
                "source '%s'" % rc]


def in_every_shell(test):
    """For each shell, add a test to this module. The added test calls
    `test` with the class of the shell."""
    for shell in (Bash, PackagedBash, Zsh, Fish):
        def run(shell=shell):
            test(shell)
        globals()["%s_in_%s" % (test.__name__, shell.__name__.lower())] = run


@in_every_shell
def test_commands_and_options_are_completed(kind):
    with kind() as shell:
        shell.completes("bridlectl po", "poweroff", END)
        shell.completes("bridlectl kill --esc", "kill", "--escalate", END)
        shell.completes("bridlectl kill -s K", "kill", "-s", "KILL", END)
        shell.completes("bridlectl -H a:b:c po", "-H", "a:b:c", "poweroff",
                        END)
        shell.completes("bridlectl explain po", "explain", "poweroff", END)
        shell.completes("bridlectl nonsense", "nonsense" + END)


@in_every_shell
def test_values_are_completed_after_an_equals_sign(kind):
    with kind() as shell:
        shell.completes("bridlectl kill --signal=SIGK", "kill",
                        "--signal=SIGKILL", END)
        shell.completes("bridlectl keygen --type=ed", "keygen",
                        "--type=ed25519", END)
        shell.completes("bridlectl -H x list --user=roo", "-H", "x", "list",
                        "--user=root", END)


@in_every_shell
def test_the_last_column_of_a_list_is_completed(kind):
    with kind() as shell:
        for line, word in (("--columns ", "--columns"), ("--columns=", None)):
            words = shell.words("bridlectl list " + line + "pid,rss" + TAB
                                + "\x7f" * (kind is Fish) + ",na" + TAB)
            equal(words, ["bridlectl", "list"] + ([word] if word else [])
                  + ["pid,rss_kib,name" if word else
                     "--columns=pid,rss_kib,name"], line)


@in_every_shell
def test_hosts_with_a_port_are_completed_once(kind):
    with kind(["web1:9", "lab7:7075", "[fe80::1]:7075"]) as shell:
        for so_far in ("w", "web1:", "web1"):
            shell.completes("bridlectl -H " + so_far, "-H", "web1:9", END)
            shell.completes("bridlectl --hosts=" + so_far, "--hosts=web1:9",
                            END)
        shell.completes("bridlectl trust la", "trust", "lab7", END)
        shell.completes("bridlectl -H lab7:", "-H", "lab7:7075", END)
        shell.completes("bridlectl -H plain:l", "-H", "plain:lab7", END)
        shell.completes("bridlectl -H pl", "-H", "plain:" + END)
        if kind is not Fish:  # in Fish, a bracket begins an index
            shell.completes("bridlectl -H '[fe", "-H", "[fe80::1]", END)


@in_every_shell
def test_groups_and_lists_of_hosts_are_completed(kind):
    conf = ('hosts = ({ name = "web1"; });'
            'groups = ({ name = "lab"; hosts = "web1"; });')
    with kind(conf=conf) as shell:
        shell.completes("bridlectl -H @l", "-H", "@lab", END)
        shell.completes("bridlectl -H @lab,w", "-H", "@lab,web1", END)
        shell.completes("bridlectl --exclude=@l", "--exclude=@lab", END)
        shell.completes("bridlectl hosts a:70,@", "hosts", "a:70,@lab", END)


@in_every_shell
def test_the_middle_of_a_line_is_completed(kind):
    with kind() as shell:
        left = "\x02"
        words = shell.words("bridlectl po -n" + left * 3 + TAB)
        equal(words, ["bridlectl", "poweroff", "-n"])
        words = shell.words("bridlectl kill --sig=HU x" + left * 2 + TAB)
        equal(words, ["bridlectl", "kill", "--sig=HUP", "x"])


@in_every_shell
def test_after_two_dashes_there_are_only_arguments(kind):
    with kind() as shell:
        shell.completes("bridlectl ping -- --js", "ping", "--", "--js" + END)
        shell.completes("bridlectl -- po", "--", "poweroff", END)


@in_every_shell
def test_files_are_completed_where_they_are_taken(kind):
    with kind() as shell:
        os.mkdir(os.path.join(shell.dir, "some dir"))
        shell.write("some dir/a key", "")
        shell.completes("bridlectl -i some\\ dir/a", "-i", "some dir/a key",
                        END)
        shell.completes("bridlectl -H unix:%s/some\\ dir/a" % shell.dir, "-H",
                        "unix:%s/some dir/a key" % shell.dir, END)
        shell.completes("bridlectl --identity=some\\ dir/a",
                        "--identity=some dir/a key", END)
        shell.completes("bridlectl keygen ~/some\\ dir/a", "keygen",
                        shell.dir + "/some dir/a key", END)
        # No space follows the name of a folder, so the user can continue the
        # path.
        shell.completes("bridlectl config check some", "config", "check",
                        "some dir/" + END)


def quotations(name, length):
    """Return the first `length` characters of a name, quoted in each of the
    three ways that a shell has."""
    start = name[:length]
    assert not set(start) & set("'\"\\$`!"), start
    return ["'" + start, '"' + start, start.replace(" ", "\\ ")]


@in_every_shell
def test_processes_of_the_daemon_are_completed(kind):
    # Use a new `start`. If another process's name began with `start`, the shell
    # would offer that name, too.
    start = unique_name("")
    name = start + " a:b=c"
    assert len(name) <= 15, name
    with Daemon() as d, kind() as shell, Victim(name):
        head = "bridlectl -H unix:%s kill " % d.sock
        begin = ["-H", "unix:" + d.sock, "kill"]
        for quoted in (quotations(name, len(start) + 2)
                       + quotations(name, len(start) + 4)):
            shell.completes(head + quoted, *begin, name, END)


@in_every_shell
def test_what_several_names_have_in_common_is_completed(kind):
    start = unique_name("") + " b&"
    assert len(start) <= 13, start
    with Daemon() as d, kind() as shell, Victim(start + " 1"), \
            Victim(start + " 2"):
        for quoted in quotations(start, len(start) - 1):
            shell.completes("bridlectl -H unix:%s kill %s%s2" % (
                d.sock, quoted, TAB), "-H", "unix:" + d.sock, "kill",
                start + " 2", END)


def test_bash_without_colons_among_its_word_breaks():
    class OwnBreaks(Bash):
        def setup(self):
            return super().setup() + "COMP_WORDBREAKS=' \t\n'\n"
    with OwnBreaks(["web1:9"]) as shell:
        shell.completes("bridlectl -H web1:", "-H", "web1:9", END)
        shell.completes("bridlectl kill --signal=HU", "kill", "--signal=HUP",
                        END)


HOSTILE = ["$(>gotcha)", "`>gotcha`", ";>gotcha;", "'\";>gotcha #", "!!",
           "\\';>gotcha", "|>gotcha", "&>gotcha&", "{a,b}", "~root", "*",
           "[a]", "^a^b", "<gotcha>", "%s:$HOME", "a\\", "é ñ"]


@in_every_shell
def test_hostile_names_are_quoted(kind):
    with Daemon() as d, kind() as shell:
        for number, hostile in enumerate(HOSTILE):
            start = "v%d-" % number
            name = start + hostile
            assert len(name.encode()) <= 15, name
            with Victim(name):
                for quoted in quotations(name, len(start)):
                    shell.completes("bridlectl -H unix:%s kill %s" % (
                        d.sock, quoted), "-H", "unix:" + d.sock, "kill",
                        name, END)
        equal(shell.gotchas(), [])


@in_every_shell
def test_what_is_written_is_not_run_by_completing(kind):
    with kind() as shell:
        line = "bridlectl -H $(touch gotcha)`touch gotcha` kill "
        for last in ("x", '"x$(touch gotcha)'):
            # If the user presses TAB in a word with a $(COMMAND), zsh runs this
            # command. Zsh does so for each program, not only for bridlectl.
            if kind is not Zsh or "$" not in last:
                os.write(shell.master, (line + last + "\t\x15").encode())
        shell.completes("bridlectl po", "poweroff", END)
        equal(shell.gotchas(), [])


@in_every_shell
def test_a_daemon_that_is_away_leaves_the_line_as_it_is(kind):
    with kind() as shell:
        shell.completes("bridlectl -H unix:/nowhere/s kill fi", "-H",
                        "unix:/nowhere/s", "kill", "fi" + END)
        assert b"nowhere/s:" not in shell.data, shell.data
        assert b"running?" not in shell.data, shell.data


@in_every_shell
def test_without_bridlectl_nothing_is_said(kind):
    with kind() as shell:
        if shutil.which("bridlectl"):
            raise Skip("because another bridlectl is installed")
        os.unlink(os.path.join(shell.dir, "bin", "bridlectl"))
        shell.completes("bridlectl po", "po" + END)
        assert not re.search(b"not found|nknown|rror", shell.data), shell.data


if __name__ == "__main__":
    bridle.main(globals())
