"""Tests of `config edit`, `config show` and `config diff` of bridlectl. Tests
of the files in which bridled keeps its effective settings."""

import contextlib
import fcntl
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess

import bridle
from bridle import Daemon, Skip, ctl, equal, quote, wait_for
from procs import Terminal

UNAVAILABLE, NOPERM, NOUSER, CONFIG = 69, 77, 67, 78
US = os.getuid()
DISCARD = b"(d)iscard:"


def entry(who=US, name="me", rest='allow = ("*");'):
    return '{ name = "%s"; unix_user = "%d"; %s }' % (name, who, rest)


def environ(**more):
    """Return the environment of this test, but without the variables of the
    editor and of sudo."""
    env = {name: value for name, value in os.environ.items()
           if not name.startswith("SUDO_") and name not in ("VISUAL", "EDITOR")}
    return dict(env, **more)


def script(d, text, name="editor"):
    """Write a shell script with this text, and return the path of the script.
    The argument $1 of the script is the file to edit."""
    path = os.path.join(d.dir, name)
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + text + "\n")
    os.chmod(path, 0o755)
    return path


def edit(d, text, *args, file=None, **env):
    """Run `config edit` with a script as the editor. There is no terminal, so
    bridlectl cannot ask the user."""
    return ctl("config", "edit", file or d.config, *args,
               env=environ(EDITOR=script(d, text), **env))


def terminal(d, text, *args):
    return Terminal("config", "edit", d.config, *args,
                    env=dict(environ(), EDITOR=script(d, text)))


def config(what, d):
    return ctl("config", what, d.config)


def bridled(d, *args, **kwargs):
    return subprocess.run([*bridle.WRAP, d.program, *args], text=True,
                          capture_output=True, timeout=bridle.PATIENCE * 3,
                          **kwargs)


def read(path):
    with open(path) as f:
        return f.read()


@contextlib.contextmanager
def untouched(d):
    """Check that the block does not change the configuration file, and leaves
    no copy of this file."""
    before = os.stat(d.config).st_ino, read(d.config)
    yield
    equal((os.stat(d.config).st_ino, read(d.config)), before)
    equal(copies(d), [])


def copies(d):
    return [name for name in os.listdir(d.dir) if name.startswith("edit-")]


def says(done, *patterns):
    for pattern in patterns:
        assert re.search(pattern, done.stderr, re.M), (pattern, done.stderr)


ADD = "echo 'stop_seconds = 77;' >>\"$1\""
SPOIL = "echo 'stop_secnds = 77;' >>\"$1\""
MEND = "sed -i s/secnds/seconds/ \"$1\""


# -- tests of config edit ---------------------------------------------------


def test_a_change_is_effective_at_once():
    with Daemon() as d:
        equal(config("diff", d).returncode, 0)
        done = edit(d, ADD)
        equal(done.returncode, 0, done.stderr)
        says(done, "%s is changed" % d.config)
        equal(done.stdout, "bridled, pid %d, serves the settings of %s\n"
              "unix:%s answers\n" % (d.pid, d.config, d.sock))
        equal(d.counter("reloads"), 1)
        shown = config("show", d)
        equal(shown.returncode, 0, shown.stderr)
        assert "\nstop_seconds = 77;\n" in shown.stdout, shown.stdout
        equal(config("diff", d).returncode, 0)
        equal(copies(d), [])


def test_an_edit_waits_for_another_change_and_its_undo():
    """An edit must wait until another change is finished or undone. If the
    other change were undone after the edit, the undo would remove the edit,
    too."""
    with Daemon() as d, open(d.config + ".lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        before = read(d.config)
        said = os.path.join(d.dir, "said")
        with open(said, "w") as err:
            process = subprocess.Popen(
                [bridle.BRIDLECTL, "config", "edit", d.config], stderr=err,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                env=environ(EDITOR=script(d, ADD)))
        wait_for("the wait of the edit",
                 lambda: "waiting for another change" in read(said))
        equal(read(d.config), before)
        with open(d.config + ".undo", "w") as f:
            f.write(before + "# undone\n")
        os.rename(d.config + ".undo", d.config)
        fcntl.flock(lock, fcntl.LOCK_UN)
        equal(process.wait(bridle.PATIENCE), 1)
        assert "was changed by somebody else" in read(said), read(said)
        equal(read(d.config), before + "# undone\n")
        (kept,) = copies(d)
        assert "stop_seconds = 77;" in read(os.path.join(d.dir, kept))


def test_a_reader_cannot_stop_an_edit():
    """A read lock must not stop an edit. Each user who can read the file can
    set such a lock."""
    with Daemon() as d, open(d.config) as f:
        fcntl.lockf(f, fcntl.LOCK_SH)
        done = edit(d, ADD)
        equal(done.returncode, 0, done.stderr)
        assert "stop_seconds = 77;" in read(d.config)


def test_no_change_is_no_reload():
    with Daemon() as d, untouched(d):
        for text in ("true", "cp \"$1\" \"$1.x\" && mv \"$1.x\" \"$1\""):
            done = edit(d, text)
            equal(done.returncode, 0, done.stderr)
            says(done, "%s is unchanged" % d.config)
        equal(d.counter("reloads"), 0)


def test_a_mistake_is_told_and_discarded_where_nobody_can_be_asked():
    with Daemon() as d, untouched(d):
        for text, pattern in [
                (SPOIL, r"^%s:\d+: stop_secnds: " % d.config),
                ("echo 'x = (' >\"$1\"", r"^%s:\d+: " % d.config),
                (": >\"$1\"", "the edited file is empty"),
                ("rm \"$1\"", "No such file"),
                (ADD + "; exit 3", "failed with exit status 3")]:
            done = edit(d, text)
            equal(done.returncode, 1, text)
            says(done, pattern, "discarded: %s is unchanged" % d.config)
            assert "edit-" not in done.stderr or text[0] == "r", done.stderr
        equal(d.counter("reloads") + d.counter("bad_reloads"), 0)


def test_a_mistake_can_be_mended():
    text = "if grep -q secnds \"$1\"; then %s; else %s; fi" % (MEND, SPOIL)
    with Daemon() as d, terminal(d, text) as t:
        t.read_until(DISCARD)
        assert b"stop_secnds: unknown key" in t.data, t.data
        t.type(b"what?\n")  # not a valid reply; bridlectl must ask again
        wait_for("the question", lambda: t.read(bridle.PATIENCE) and
                 t.data.count(DISCARD) == 2)
        t.type(b"E\n")
        equal(t.finish(), 0, t.data)
        assert b"serves the settings" in t.data, t.data
        equal(config("diff", d).returncode, 0)
        assert "stop_seconds = 77" in read(d.config)


def test_a_mistake_can_be_discarded():
    with Daemon() as d, untouched(d):
        for answer in (b"d\n", b"\x04"):
            with terminal(d, SPOIL) as t:
                t.read_until(DISCARD)
                t.type(answer)
                equal(t.finish(), 1, t.data)
                assert b"discarded" in t.data, t.data


def test_an_interrupt_at_the_question_discards():
    with Daemon() as d, untouched(d), terminal(d, SPOIL) as t:
        t.read_until(DISCARD)
        # Send SIGINT repeatedly. A signal that arrives before bridlectl waits
        # for the reply has no effect.
        wait_for("the end", lambda: interrupted(t))
        equal(t.finish(), 1, t.data)
        assert b"discarded" in t.data, t.data


def interrupted(t):
    t.process.send_signal(signal.SIGINT)
    return t.process.poll() is not None


def test_an_interrupt_in_the_editor_is_the_editors():
    text = ("trap 'echo \"# caught\" >>\"$1\"; exit 0' INT; : >\"$0.runs\"\n"
            "while :; do sleep 0.02; done")
    with Daemon() as d, terminal(d, text) as t:
        wait_for("the editor", lambda: os.path.exists(
            os.path.join(d.dir, "editor.runs")))
        os.killpg(t.process.pid, signal.SIGINT)
        equal(t.finish(), 0, t.data)
        assert read(d.config).endswith("# caught\n")


def test_a_real_editor_on_a_terminal():
    if not shutil.which("ed"):
        raise Skip("because ed is not installed")
    with Daemon(settings="stop_seconds = 7;") as d, Terminal(
            "config", "edit", d.config, env=environ(EDITOR="ed -p '> '")) as t:
        t.read_until(b"> ")
        t.type(b",s/stop_seconds = 7/stop_seconds = 8/\n")
        t.type(b"w\nq\n")
        equal(t.finish(), 0, t.data)
        assert "\nstop_seconds = 8;" in config("show", d).stdout


def test_the_editor_is_the_first_that_is_named():
    with Daemon() as d:
        names = ["EDITOR", "VISUAL", "SUDO_EDITOR"]
        env = environ()
        for name in names:
            # The value of the variable is a program and its argument. bridlectl
            # must split this value into words, as a shell does.
            env[name] = "%s 'by %s'" % (script(
                d, "echo \"# $1\" >>\"$2\""), name)
            done = ctl("config", "edit", d.config, env=env)
            equal(done.returncode, 0, done.stderr)
            assert read(d.config).endswith("# by %s\n" % name)
        folder = os.path.join(d.dir, "bin")
        os.mkdir(folder)
        os.symlink(script(d, "echo '# by vi' >>\"$1\""),
                   os.path.join(folder, "vi"))
        done = ctl("config", "edit", d.config, env=environ(PATH=folder))
        equal(done.returncode, 0, done.stderr)
        assert read(d.config).endswith("# by vi\n")


def test_without_an_editor_it_says_so():
    with Daemon() as d, untouched(d):
        done = ctl("config", "edit", d.config,
                   env=environ(EDITOR="/no/such-editor -x"))
        equal(done.returncode, 1)
        says(done, "EDITOR names: '/no/such-editor -x'")
        done = ctl("config", "edit", d.config, env=environ(PATH="/nowhere"))
        equal(done.returncode, 1)
        says(done, "no editor: install an editor, or name it in EDITOR")


def test_two_edits_at_once_are_one():
    text = ": >\"$0.runs\"; while [ ! -e \"$0.go\" ]; do sleep 0.02; done\n"
    with Daemon() as d:
        first = script(d, text + ADD, "first")
        with subprocess.Popen(
                [bridle.BRIDLECTL, "config", "edit", d.config],
                env=environ(EDITOR=first), stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as other:
            try:
                wait_for("the first editor",
                         lambda: os.path.exists(first + ".runs"))
                done = edit(d, "echo '# never' >>\"$1\"")
                equal(done.returncode, 1)
                says(done, "%s is being edited by \\S+, pid %d: "
                     % (d.config, other.pid))
            finally:
                open(first + ".go", "w").close()
            other.communicate(timeout=bridle.PATIENCE)
            equal(other.returncode, 0)
        assert "stop_seconds = 77" in read(d.config)
        assert "never" not in read(d.config)
        equal(edit(d, "echo '# now' >>\"$1\"").returncode, 0)


def test_nobody_elses_change_is_overwritten():
    with Daemon() as d:
        done = edit(d, ADD + "\necho '# theirs' >>" + d.config)
        equal(done.returncode, 1)
        says(done, "changed by somebody else during the edit")
        kept = re.search("your changes are in (.*)", done.stderr)[1]
        assert "stop_seconds = 77" in read(kept)
        equal(stat.S_IMODE(os.stat(kept).st_mode), 0o600)
        assert read(d.config).endswith("# theirs\n")
        assert "stop_seconds = 77" not in read(d.config)
        equal(copies(d), [os.path.basename(kept)])
        equal(d.counter("reloads"), 0)


def test_a_link_stays_one():
    with Daemon() as d:
        link = os.path.join(d.dir, "link.conf")
        os.symlink("bridled.conf", link)
        done = edit(d, ADD, file=link)
        equal(done.returncode, 0, done.stderr)
        equal(os.readlink(link), "bridled.conf")
        assert "stop_seconds = 77" in read(d.config)
        equal(ctl("config", "diff", link).returncode, 0)


def test_mode_and_attributes_are_kept():
    with Daemon() as d:
        os.chmod(d.config, 0o640)
        with contextlib.suppress(OSError):
            os.setxattr(d.config, "user.bridle", b"kept")
        attributes = os.listxattr(d.config)
        done = edit(d, "mv \"$1\" \"$1.x\" && cp \"$1.x\" \"$1\" && "
                    "rm \"$1.x\" && " + ADD)
        equal(done.returncode, 0, done.stderr)
        equal(stat.S_IMODE(os.stat(d.config).st_mode), 0o640)
        equal(os.listxattr(d.config), attributes)


def test_the_owner_is_kept():
    if not bridle.ROOT:
        raise Skip("because only root can give files away")
    with Daemon(uid=bridle.SERVICE, clients=entry(0)) as d:
        os.chown(d.config, bridle.SERVICE, bridle.STRANGER)
        done = edit(d, ADD)
        equal(done.returncode, 0, done.stderr)
        st = os.stat(d.config)
        equal((st.st_uid, st.st_gid), (bridle.SERVICE, bridle.STRANGER))
        assert "\nstop_seconds = 77;\n" in config("show", d).stdout


# -- tests of the client's own access ---------------------------------------


def test_who_would_shut_himself_out_must_say_so():
    out = "sed -i 's/unix_user = \"%d\"/unix_user = \"%d\"/' \"$1\"" % (
        US, bridle.STRANGER)
    with Daemon() as d:
        with untouched(d):
            done = edit(d, out)
            equal(done.returncode, 1)
            says(done, "would have no access: no entry of clients matches",
                 "or use --force", "discarded")
            with terminal(d, out) as t:
                t.read_until(DISCARD)
                t.type(b"d\n")
                equal(t.finish(), 1, t.data)
        equal(d.ask("1#4").code, 200)
        done = edit(d, out, "--force")
        equal(done.returncode, 0, done.stderr)
        equal(d.ask("1#4").code, 401)
        # A client without access cannot lose its access, so this edit needs no
        # --force.
        done = edit(d, ADD)
        equal(done.returncode, 0, done.stderr)


def test_with_sudo_it_is_the_user_behind_it_who_must_get_in():
    if not bridle.ROOT:
        raise Skip("because only root trusts SUDO_UID")
    with Daemon(entry() + ", " + entry(bridle.STRANGER, "anna")) as d:
        with untouched(d):
            text = "sed -i 's/unix_user = \"%d\"; a/unix_user = \"%d\"; a/'" \
                " \"$1\"" % (bridle.STRANGER, bridle.SERVICE)
            done = edit(d, text, SUDO_UID=str(bridle.STRANGER))
            equal(done.returncode, 1)
            says(done, "%d would have no access" % bridle.STRANGER)
        equal(edit(d, text).returncode, 0)


def access(d, user=str(US)):
    return bridled(d, "--check", d.config, "--access", user)


def own_group():
    """Return the primary group of this test's user, or None if the name service
    does not know this user."""
    try:
        return pwd.getpwuid(US).pw_gid
    except KeyError:
        return None


def test_access_is_what_the_daemon_would_say():
    group = own_group()
    with Daemon(tcp=["127.0.0.1:0"]) as d:
        for clients, mode, tcp, given in [
                (entry(), "0600", True, True),
                ("", "0666", True, False),
                (entry(US + 1), "0666", True, False),
                (entry(rest="allow = ();"), "0666", True, False),
                (entry(rest="allow = ();") + ", " + entry(name="b"),
                 "0666", True, False),
                # A client of the unix socket has no address, so `from` cannot
                # match there. The client still has access by TCP.
                (entry(rest='from = ("127.0.0.1"); allow = ("ping");'),
                 "0666", True, True),
                (entry(rest='from = ("127.0.0.1"); allow = ("ping");'),
                 "0666", False, False),
                ('{ name = "g"; unix_group = "%s"; allow = ("ping"); }'
                 % group, "0666", False, True)]:
            if '"None"' in clients:
                continue
            d.clients, d.mode = clients, mode
            d.tcp = ["127.0.0.1:%d" % d.ports[0]] if tcp else []
            d.write_config()
            done = access(d)
            equal(done.returncode, 0 if given else NOPERM, clients)
            assert d.reload(), d.log()
            codes = [d.ask("1#4", port).code
                     for port in [None] + (d.ports if tcp else [])]
            equal(200 in codes, given, clients)
        d.clients, d.mode, d.tcp = entry(bridle.STRANGER), "0600", []
        d.write_config()
        done = access(d, str(bridle.STRANGER))
        equal(done.returncode, NOPERM)
        says(done, "no listener lets this user connect")
        d.mode = "0666"
        d.write_config()
        equal(access(d, str(bridle.STRANGER)).returncode, 0)
        equal(access(d, "no-such-user").returncode, NOUSER)
        d.write_config("nonsense = 1;")
        equal(access(d).returncode, CONFIG)


# -- tests of reload, config show and config diff ---------------------------


def test_a_reload_that_fails_is_told():
    # The check accepts the file, because bridled could listen at the new
    # address after a restart. The reload fails, because the old listener still
    # has the port.
    with Daemon(tcp=["127.0.0.1:0"]) as d:
        port = d.ports[0]
        before = read(d.config)
        done = edit(d, "sed -i 's/\"127.0.0.1:%d\";/\"0.0.0.0:%d\";"
                    " insecure = true;/' \"$1\"; %s" % (port, port, ADD))
        equal(done.returncode, 1)
        says(done, "%s is changed" % d.config,
             r"^%s:\d+: listen: 0.0.0.0:%d: Address already in use"
             % (d.config, port), "previous settings stay effective",
             "the rejected text is in %s.rejected" % d.config,
             "%s is restored" % d.config, "is served again")
        equal(read(d.config), before)
        assert "last reload: ok" in config("show", d).stdout
        shutil.copy(d.config + ".rejected", d.config)
        equal(bridled(d, "--reload", d.config).returncode, CONFIG)
        shown = config("show", d).stdout
        assert "last reload: failed" in shown, shown
        assert "Address already in use" in shown, shown
        assert "stop_seconds = 77" not in shown, shown
        done = config("diff", d)
        equal(done.returncode, 1)
        assert "\n+stop_seconds = 77;\n" in done.stdout, done.stdout
        text = read(d.config).replace("0.0.0.0", "127.0.0.1")
        with open(d.config, "w") as f:
            f.write(text)
        done = bridled(d, "--reload", d.config)
        equal(done.returncode, 0, done.stderr)
        equal(config("diff", d).returncode, 0)


def test_diff_tells_what_was_not_reloaded():
    with Daemon(settings="stop_seconds = 5;") as d:
        # `config diff` must ignore comments, and must read 0x5 as 5.
        d.settings = "# another\nstop_seconds = 0x5;"
        d.write_config()
        equal(config("diff", d).returncode, 0)
        d.settings = "stop_seconds = 6;"
        d.write_config()
        done = config("diff", d)
        equal(done.returncode, 1)
        assert "--- effective settings\n+++ %s\n" % d.config in done.stdout, done.stdout
        assert "-stop_seconds = 5;\n+stop_seconds = 6;\n" in done.stdout
        assert "\nstop_seconds = 5;\n" in config("show", d).stdout
        assert d.reload()
        done = config("diff", d)
        equal([done.returncode, done.stdout], [0, ""])
        d.settings = "nonsense = 1;"
        d.write_config()
        done = config("diff", d)
        equal(done.returncode, 3)
        says(done, "nonsense: unknown key", "a reload would not accept")


def test_without_a_daemon_the_file_is_all_there_is():
    with Daemon(settings="stop_seconds = 5;") as d:
        d.process.send_signal(signal.SIGTERM)
        equal(d.process.wait(bridle.PATIENCE), 0)
        assert not os.path.exists(os.path.join(d.state_dir, "settings"))
        done = config("show", d)
        equal(done.returncode, 0, done.stderr)
        says(done, "no daemon is known to run with " + d.config,
             "these are the settings of the file")
        assert "\nstop_seconds = 5;\n" in done.stdout
        equal(config("diff", d).returncode, 3)
        done = edit(d, "sed -i s/=.5/=6/ \"$1\"")
        equal(done.returncode, 0, done.stderr)
        says(done, "is changed", "at the next start")


def test_what_a_killed_daemon_leaves_is_not_believed():
    with Daemon() as d:
        d.process.kill()
        d.process.wait()
        assert os.path.exists(os.path.join(d.state_dir, "settings"))
        done = bridled(d, "--effective", d.config)
        equal([done.returncode, done.stdout], [UNAVAILABLE, ""])
        equal(bridled(d, "--reload", d.config).returncode, UNAVAILABLE)
        equal(config("diff", d).returncode, 3)
        os.truncate(d.log_path, 0)
        d.start()
        equal(config("diff", d).returncode, 0)
        assert "pid %d," % d.pid in config("show", d).stdout


def test_a_daemon_that_cannot_write_it_down_serves():
    with Daemon(settings='state_dir = "/dev/null/kept";') as d:
        equal(d.ask("1#4").code, 200)
        equal(len(re.findall("cannot write the effective settings to "
                             "/dev/null/kept", d.whole_log())), 1)
        done = edit(d, ADD)
        equal(done.returncode, 0, done.stderr)
        says(done, "is changed", "/dev/null/kept", "kill -HUP")
        assert d.reload()
        equal(d.ask("1#4").code, 200)


def test_a_limit_on_the_size_of_files_ends_no_daemon():
    # The limit of the file size holds for the log, too. Therefore the settings
    # must be longer than this limit, and the log must be shorter.
    long = ", ".join(quote("name-%d" % i) for i in range(1000))
    with Daemon(settings="protect = (%s);" % long,
                limit={"fsize": 8192}) as d:
        d.wait_log("cannot write the effective settings to %s, "
                   ".*File too large" % re.escape(d.state_dir))
        assert d.reload()
        equal(d.ask("1#4").code, 200)
        equal(os.listdir(d.state_dir), ["settings.lock"])
        done = bridled(d, "--effective", d.config)
        equal(done.returncode, UNAVAILABLE)
        says(done, "No such file")


def test_two_daemons_do_not_share_one_folder():
    with Daemon() as one, Daemon(
            settings="state_dir = %s;" % quote(one.state_dir)) as other:
        other.wait_log("cannot write the effective settings to .*: pid %d "
                       "uses this folder" % one.pid)
        equal(other.ask("1#4").code, 200)
        equal(config("diff", one).returncode, 0)
        done = config("diff", other)
        equal(done.returncode, 3)
        says(done, "pid %d, in .*, has another configuration" % one.pid)
        # The end of the second daemon must not remove files of the first
        # daemon.
        other.process.send_signal(signal.SIGTERM)
        equal(other.process.wait(bridle.PATIENCE), 0)
        equal(config("diff", one).returncode, 0)


def test_the_state_dir_may_be_changed_itself():
    with Daemon(settings="") as d:
        new = os.path.join(os.path.dirname(d.sock), "other")
        os.mkdir(new, 0o700)
        done = edit(d, "sed -i 's|^state_dir = .*|state_dir = \"%s\";|' \"$1\""
                    % new)
        equal(done.returncode, 0, done.stderr)
        assert "serves the settings" in done.stdout
        equal(os.listdir(d.state_dir), ["settings.lock"])
        equal(config("diff", d).returncode, 0)
        # A path with two slashes leads to the same folder, so bridled must
        # accept this path.
        done = edit(d, "sed -i 's|/other\"|//other/\"|' \"$1\"")
        equal(done.returncode, 0, done.stderr)
        equal(config("diff", d).returncode, 0)


def test_it_is_nothing_for_strangers():
    if not bridle.ROOT:
        raise Skip("because only root can become another user")
    with Daemon() as d:
        who = {"user": bridle.STRANGER, "group": bridle.STRANGER,
               "extra_groups": []}
        for option in ("--effective", "--reload"):
            done = bridled(d, option, d.config, **who)
            equal([done.returncode, done.stdout], [NOPERM, ""])
            says(done, "Permission denied.*run this as root")
        equal(d.counter("reloads"), 0)


def test_a_reload_has_an_exit_status():
    with Daemon() as d:
        done = bridled(d, "--reload", d.config)
        equal(done.returncode, 0, done.stderr)
        d.settings = "nonsense = 1;"
        d.write_config()
        done = bridled(d, "--reload", d.config)
        equal(done.returncode, CONFIG)
        says(done, r"^%s:\d+: nonsense: unknown key" % d.config,
             "pid %d has not taken" % d.pid)
        equal([d.counter("reloads"), d.counter("bad_reloads")], [1, 1])
        # If the file is broken, bridled uses the default state_dir. Another
        # daemon may use that folder.
        with open(d.config, "w") as f:
            f.write("state_dir = (\n")
        done = bridled(d, "--reload", d.config)
        assert done.returncode in (UNAVAILABLE, NOPERM), done
        done = bridled(d, "--reload", d.config, "--state-dir", d.state_dir)
        equal(done.returncode, CONFIG)


def test_a_wrong_command_line_is_told_so():
    with Daemon() as d:
        for args in (["config", "edti"], ["config", "check", "--force"],
                     ["config", "show", d.config, "x"], ["list", "--force"]):
            done = ctl(*args)
            equal(done.returncode, 2, args)
        equal(bridled(d, "--state-dir", "/x").returncode, 64)
        done = ctl("config", "edit", d.config + ".none", env=environ())
        equal(done.returncode, 1)
        says(done, "No such file")


bridle.main(globals())
