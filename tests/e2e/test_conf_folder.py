"""Tests of the folder conf.d beside the configuration file. The files in this
folder add entries to `clients` and `listen`."""

import os
import re
import signal
import socket
import subprocess

import bridle
from bridle import Daemon, ctl, equal, free_port, read_answer
from procs import cpu_seconds
from watchers import Watcher

US = os.getuid()
# A loopback address that only this test uses.
HOST = "127.%d.%d.3" % (os.getpid() >> 8 & 255, os.getpid() & 255)
NOBODY = " "  # a text of `clients` without entries


def entry(rest='allow = ("*");', name="me", who=US):
    return '{ name = "%s"; unix_user = "%d"; %s }' % (name, who, rest)


def tell(s, line="1#4"):
    s.sendall(line.encode() + b"\n")
    return read_answer(s)


def run(d, option):
    return subprocess.run([*bridle.WRAP, d.program, option, d.config],
                          text=True, capture_output=True,
                          timeout=bridle.PATIENCE * 3)


def check(d):
    done = run(d, "--check")
    return done.returncode, done.stderr


def edit(d, script, file=None):
    """Run `config edit` with a shell script as the editor."""
    path = os.path.join(d.dir, "editor")
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + script + "\n")
    os.chmod(path, 0o755)
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("SUDO_") and name != "VISUAL"}
    return ctl("config", "edit", file or d.config, env=dict(env, EDITOR=path))


class Folder:
    """The folder conf.d beside the configuration file of a daemon."""

    def __init__(self, d):
        self.path = os.path.join(os.path.dirname(d.config), "conf.d")
        os.mkdir(self.path, 0o755)

    def file(self, name):
        return os.path.join(self.path, name)

    def write(self, name, clients="", listen="", text=""):
        """Replace the file by a rename, as programs should."""
        new = self.file("." + name)
        with open(new, "w") as f:
            if clients:
                f.write("clients = (\n%s );\n" % clients)
            if listen:
                f.write("listen = (\n%s );\n" % listen)
            f.write(text)
        os.rename(new, self.file(name))


def test_files_are_read_after_the_main_file_in_the_order_of_names():
    with Daemon(clients=NOBODY) as d, d.connect() as s:
        folder = Folder(d)
        equal(tell(s).code, 401)
        folder.write("20-b.conf", entry('allow = ("list");', name="b"))
        assert d.reload(), d.log()
        equal(tell(s).status.pairs["rule"], "b.allow")
        folder.write("10-a.conf", entry(name="a"))
        assert d.reload(), d.log()
        equal(tell(s).code, 200)
        os.rename(folder.file("20-b.conf"), folder.file("05-b.conf"))
        assert d.reload(), d.log()
        equal(tell(s).status.pairs["rule"], "b.allow")
        # An entry in the main file takes precedence.
        d.clients = entry("allow = ();", name="main")
        d.write_config()
        assert d.reload(), d.log()
        equal(tell(s).status.pairs["rule"], "main.allow")
        d.clients = NOBODY
        d.write_config()
        for name in os.listdir(folder.path):
            os.rename(folder.file(name), folder.file("." + name))
        assert d.reload(), d.log()
        equal(tell(s).code, 401)


def test_the_folder_is_read_at_the_start_too():
    with Daemon(clients=NOBODY) as d:
        Folder(d).write("me.conf", entry())
        d.process.send_signal(signal.SIGTERM)
        d.process.wait(bridle.PATIENCE)
        os.remove(d.log_path)
        d.start()
        equal(d.ask("1#4").code, 200)


def test_a_mistake_in_the_folder_changes_nothing():
    with Daemon() as d:
        folder = Folder(d)
        name = folder.file("a.conf")
        for text, reason in [
                ("limits = { actions = 1; };",
                 "%s:1: limits: belongs in %s: this file may have only "
                 "clients and listen" % (name, d.config)),
                ("\nclints = ();", r"%s:2: clints: unknown key; did you mean "
                 "clients" % name),
                ("\n\nclients = (", r"%s:\d: syntax error" % name),
                (None, "%s may be written by others" % name)]:
            folder.write("a.conf", text=text or "")
            if text is None:
                os.chmod(name, 0o666)
            status, errors = check(d)
            equal(status, 78, errors)
            assert re.search(reason, errors), (reason, errors)
            assert not d.reload()
            d.wait_log(reason)
            equal(d.ask("1#4").code, 200)


def test_a_listener_of_the_folder_opens_and_closes():
    port = free_port(HOST)
    with Daemon() as d:
        folder = Folder(d)
        folder.write("tcp.conf", listen='{ tcp = "%s:%d"; }' % (HOST, port))
        assert d.reload(), d.log()
        equal(d.ask("1#4", port, HOST).code, 200)
        # An error message contains the file and the line.
        with socket.socket() as taken:
            taken.bind((HOST, 0))
            taken.listen()
            folder.write("other.conf", listen='\n{ tcp = "%s:%d"; }'
                         % taken.getsockname())
            assert not d.reload()
            d.wait_log(r"%s:3: listen: .*Address already in use"
                       % folder.file("other.conf"))
            status, errors = check(d)
            equal(status, 78)
            assert folder.file("other.conf:3: listen: ") in errors, errors
        os.remove(folder.file("other.conf"))
        os.remove(folder.file("tcp.conf"))
        assert d.reload(), d.log()
        try:
            d.connect(port, HOST).close()
            raise AssertionError("the listener is still open")
        except ConnectionRefusedError:
            pass


def test_check_names_the_entry_that_decides_instead():
    with Daemon() as d:
        folder = Folder(d)
        folder.write("anna.conf", "\n" + entry(name="anna"))
        status, warnings = check(d)
        equal(status, 0)
        found = re.search(r"^(\S+): warning: clients\[0\] \(anna\): is never "
                          r"used, because \S+ \((\S+:\d+)\) comes first",
                          warnings, re.M)
        assert found, warnings
        equal(found.group(1), folder.file("anna.conf:3"))
        file, line = found.group(2).rsplit(":", 1)
        equal(file, d.config)
        with open(d.config) as f:
            assert "unix_user" in f.read().split("\n")[int(line) - 1]


KEY = "SHA256:" + "A" * 43


def test_entries_are_found_by_key_and_name():
    def look(what):
        done = subprocess.run([*bridle.WRAP, d.program, "--entry", what,
                               d.config], text=True, capture_output=True,
                              timeout=bridle.PATIENCE * 3)
        return done.returncode, done.stdout

    keyed = '{ name = "%s"; key = "%s"; allow = (); %s }'
    with Daemon(clients=keyed % ("office", KEY, 'from = ("10.1.0.0/16");')) \
            as d:
        folder = Folder(d)
        folder.write("b.conf", keyed % ("bo", KEY, ""))
        folder.write("a.conf", "\n" + keyed % ("anna", KEY,
                                               'until = "2199-12-31";'))
        found = [d.config + ":3: office from 10.1.0.0/16",
                 folder.file("a.conf:3: anna until 2199-12-31"),
                 folder.file("b.conf:2: bo")]
        equal(look(KEY), (0, "\n".join(found) + "\n"))
        equal(look("anna"), (0, found[1] + "\n"))
        equal(look(KEY[:-1]), (67, ""))
        equal(look("SHA256"), (67, ""))
        folder.write("c.conf", "nonsense")
        equal(look("anna"), (78, ""))


def test_many_files_cost_the_parent_little():
    """A reload compares the names of all entries in a child process. The parent
    process only reads the entries."""
    if bridle.WRAP or not bridle.FILTER:
        raise bridle.Skip("because valgrind and sanitizers are too slow")
    with Daemon() as d:
        folder = Folder(d)
        for file in range(500):
            folder.write("%03d.conf" % file, ", ".join(
                '{ name = "c%03d-%d"; key = "SHA256:%042dA"; allow = ("list");'
                ' from = ("::1"); }' % (file, n, file * 10 + n)
                for n in range(10)))
        before = cpu_seconds(d.pid)
        assert d.reload(), d.log()
        used = cpu_seconds(d.pid) - before
        assert used < 0.3, used


def test_show_and_diff_see_the_folder():
    with Daemon() as d:
        folder = Folder(d)
        folder.write("anna.conf", entry(name="anna", who=US + 1))
        done = ctl("config", "diff", d.config)
        equal(done.returncode, 1, done.stderr)
        assert re.search(r'^\+\s*# conf.d/anna.conf\n\+\s*name = "anna";',
                         done.stdout, re.M), done.stdout
        assert d.reload(), d.log()
        equal(ctl("config", "diff", d.config).returncode, 0)
        assert 'name = "anna";' in ctl("config", "show", d.config).stdout
        assert 'name = "anna";' in run(d, "--show").stdout


def test_an_edit_is_checked_together_with_the_folder():
    with Daemon() as d:
        folder = Folder(d)
        folder.write("anna.conf", entry(name="anna", who=US + 1))
        done = edit(d, r"""sed -i 's/name = "[a-z]*"/name = "anna"/' "$1" """)
        equal(done.returncode, 1)
        assert re.search(
            r"^%s:\d+: clients\[0\] \(anna\): has the name of the entry in "
            r"%s:\d+$" % (folder.file("anna.conf"), d.config), done.stderr,
            re.M), done.stderr


def test_a_file_of_the_folder_is_edited_and_reloaded():
    with Daemon() as d:
        folder = Folder(d)
        file = folder.file("20-anna.conf")
        folder.write("10-bo.conf", entry(name="bo", who=US + 1))
        folder.write("20-anna.conf", entry(name="anna", who=US + 2))
        assert d.reload(), d.log()
        # During the edit, a reload does not read the editor's copy of the file.
        done = edit(d, "kill -HUP %d; ls -A %s; echo >>\"$1\"" % (
            d.pid, folder.path), file)
        equal(done.returncode, 0, done.stderr)
        assert re.search(r"^\.edit-\w+-20-anna.conf$", done.stdout, re.M), \
            done.stdout
        assert "bridled, pid %d, serves the settings of %s" % (
            d.pid, d.config) in done.stdout, done.stdout
        equal(d.counter("bad_reloads"), 0)
        with open(file) as f:
            assert f.read().endswith("\n\n")
        for script, reason in [
                ("sed -i s/anna/bo/ \"$1\"", r"%s:2: clients\[0\] \(bo\): has "
                 r"the name of the entry in %s:2" % (
                     file, folder.file("10-bo.conf"))),
                ("echo 'user = \"root\";' >>\"$1\"",
                 "%s:4: user: belongs in %s" % (file, d.config))]:
            done = edit(d, script, file)
            equal(done.returncode, 1)
            assert re.search("^" + reason, done.stderr, re.M), done.stderr
        equal(sorted(os.listdir(folder.path)), ["10-bo.conf", "20-anna.conf"])


def test_the_folder_is_beside_a_link():
    """If the configuration file is a link, conf.d is beside the link. The
    daemon, `bridled --check` and `bridlectl config edit` use this folder."""
    with Daemon(clients=NOBODY) as d:
        other = os.path.join(d.dir, "other")
        os.mkdir(other)
        os.rename(d.config, os.path.join(other, "real.conf"))
        os.symlink("other/real.conf", d.config)
        os.mkdir(os.path.join(other, "conf.d"))
        with open(os.path.join(other, "conf.d", "bad.conf"), "w") as f:
            f.write('user = "nobody";')
        folder = Folder(d)
        folder.write("me.conf", entry())
        assert d.reload(), d.log()
        equal(d.ask("1#4").code, 200)
        status, errors = check(d)
        equal(status, 0, errors)
        done = edit(d, "echo 'stop_seconds = 1;' >>\"$1\"")
        equal(done.returncode, 0, done.stderr)
        equal(d.ask("1#4").code, 200)


def test_a_live_session_loses_the_rights_of_a_removed_file():
    with Daemon(clients=NOBODY) as d:
        folder = Folder(d)
        folder.write("me.conf", entry('allow = ("watch", "ping");'))
        assert d.reload(), d.log()
        with d.connect() as s, Watcher(d.connect()) as w:
            equal(tell(s).code, 200)
            os.remove(folder.file("me.conf"))
            assert d.reload(), d.log()
            equal(tell(s).code, 401)
            w.until(lambda r: r["event"] == "reload")
            equal(w.record(), None)
            equal(bridle.Status(w.last).code, 401)


bridle.main(globals())
