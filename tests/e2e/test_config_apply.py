"""Tests of `bridlectl config apply`, for daemons that open their own sockets.
The tests of the daemon under systemd are in tests/system."""

import contextlib
import os
import re
import resource
import shutil
import signal
import subprocess

import bridle
from bridle import (STRANGER, Daemon, Skip, ctl, equal, free_port,
                    wait_for)

US = os.getuid()
TLS = '{ tcp = "127.0.0.1:0"; tls = true; }'


def entry(who=US, rest='allow = ("*");', name="me"):
    return '{ name = "%s"; unix_user = "%d"; %s }' % (name, who, rest)


def apply(d, *args, **env):
    clean = {name: value for name, value in os.environ.items()
             if not name.startswith("SUDO_")}
    return ctl("config", "apply", d.config, *args, env=dict(clean, **env))


def read(path):
    with open(path) as f:
        return f.read()


def served(d):
    """Return the main file's text from the file .served. This file is a copy of
    the configuration that was last applied."""
    head, text = read(d.config + ".served").split("\n", 1)
    length = re.fullmatch(r"# bridlectl: file (\d+) bridled.conf", head)[1]
    return text[:int(length)]


def says(done, *patterns):
    for pattern in patterns:
        assert re.search(pattern, done.stderr, re.M), (pattern, done.stderr)


def applied(d, *args, **env):
    done = apply(d, *args, **env)
    equal(done.returncode, 0, done.stderr)
    says(done, "%s is applied" % d.config)
    equal(served(d), read(d.config))
    return done


def restored(d, done, before):
    """Check that config apply has failed, and that the daemon serves the text
    `before` again. Check that the changed text is saved as .rejected."""
    equal(done.returncode, 1, done.stderr)
    says(done, "the rejected text is in %s.rejected" % d.config,
         "%s is restored" % d.config,
         "the previous configuration is served again")
    equal(read(d.config), before)
    equal(served(d), before)
    equal(ctl("config", "diff", d.config).returncode, 0)


def test_each_listener_is_proven():
    with Daemon(tcp=["127.0.0.1:0"]) as d:
        equal(applied(d).stdout.splitlines()[1:],
              ["unix:%s answers" % d.sock,
               "127.0.0.1:%d answers" % d.ports[0]])
        port = free_port()
        d.tcp = d.tcp_places + [TLS.replace(":0", ":%d" % port)]
        d.write_config()
        done = applied(d)
        key = subprocess.run([d.program, "--fingerprint", d.config], text=True,
                             stdout=subprocess.PIPE, check=True).stdout.strip()
        equal(done.stdout.splitlines()[-1], "127.0.0.1:%d (TLS) answers with "
              "the host's key %s" % (port, key))
        # A running daemon keeps its key, even if the key file changes. Clients
        # then get a key that is not in the key file.
        os.rename(d.state_dir + "/host_key", d.state_dir + "/old")
        done = apply(d)
        equal(done.returncode, 1)
        says(done, "the program there has the key %s, but the host's key is"
             % re.escape(key), "not applied, and cannot be restored, because "
             "the text is the same as before")
        os.rename(d.state_dir + "/old", d.state_dir + "/host_key")
        applied(d)


def test_a_listener_at_all_addresses_is_proven():
    port = free_port("::")
    with Daemon() as d:
        d.tcp = ['{ tcp = "[::]:%d"; tls = true; }' % port]
        d.write_config()
        assert "[::]:%d (TLS) answers" % port in applied(d).stdout


def test_a_busy_daemon_serves():
    """Test that a daemon without a free session still counts as a daemon that
    serves."""
    with Daemon(tcp=[TLS], limits={"sessions": 17}) as d:
        with contextlib.ExitStack() as stack:
            s = stack.enter_context(d.connect(d.ports[0]))
            wait_for("the session", lambda: len(d.children()) > 1)
            assert "answers, but is too busy to show its key" in \
                applied(d).stdout
            s.close()
        # bridlectl connects to the unix socket first. If that session has not
        # ended yet, no session is free for TLS.
        wait_for("a free session", lambda:
                 "answers with the host's key" in applied(d).stdout)


def test_only_who_may_write_the_file_can_apply_it():
    if not bridle.ROOT:
        raise Skip("because only root can become another user")
    with Daemon() as d:
        done = ctl("config", "apply", d.config, uid=STRANGER)
        equal(done.returncode, 1)
        says(done, "Permission denied .run this as root")
        equal(d.counter("reloads"), 0)


def test_a_broken_file_is_restored():
    with Daemon() as d:
        applied(d)
        before = read(d.config)
        for more in ("nonsense = 1;", "clients = ((;"):
            d.write_config(before + more + "\n")
            done = apply(d)
            says(done, r"^%s:\d+: " % d.config)
            restored(d, done, before)
            equal(read(d.config + ".rejected"), before + more + "\n")
        equal(os.stat(d.config).st_mode & 0o777, 0o644)


def test_without_a_copy_the_file_stays():
    with Daemon() as d:
        d.write_config(read(d.config) + "nonsense = 1;\n")
        done = apply(d)
        equal(done.returncode, 1)
        says(done, "nonsense: unknown key", "is not applied, and cannot be "
             "restored, because there is no copy of the file that the daemon "
             "serves")
        assert "nonsense" in read(d.config)
        equal(d.ask("1#4").code, 200)


def test_an_old_copy_is_not_restored():
    """Test that bridlectl does not restore a copy that is older than the
    effective settings. The settings of the last reload would be lost."""
    with Daemon() as d:
        applied(d)
        text = read(d.config) + "stop_seconds = 7;\n"
        d.write_config(text)
        assert d.reload()
        d.write_config(text + "nonsense = 1;\n")
        done = apply(d)
        equal(done.returncode, 1)
        says(done, "there is no copy")
        equal(read(d.config), text + "nonsense = 1;\n")
        d.write_config(text)
        applied(d)


def test_comments_are_no_settings():
    """Test that bridlectl still restores the copy after a reload that changed
    only comments."""
    with Daemon() as d:
        applied(d)
        before = read(d.config)
        d.write_config(before + "# a comment\n")
        assert d.reload()
        d.write_config(before + "nonsense = 1;\n")
        restored(d, apply(d), before)


def test_files_of_conf_d_are_restored_too():
    with Daemon() as d:
        folder = os.path.join(d.dir, "conf.d")
        old, new = os.path.join(folder, "a.conf"), os.path.join(folder, "b.conf")
        os.mkdir(folder)
        with open(old, "w") as f:
            f.write("# old\n")
        applied(d)
        before = read(d.config)
        for path in (old, new):
            with open(path, "w") as f:
                f.write("# new\n")
        d.write_config(before + "nonsense = 1;\n")
        restored(d, apply(d), before)
        equal(read(old), "# old\n")
        equal(sorted(os.listdir(folder)),
              ["a.conf", "a.conf.rejected", "b.conf.rejected"])
        equal(read(new + ".rejected"), "# new\n")
        os.unlink(old)
        d.write_config(before + "nonsense = 1;\n")
        restored(d, apply(d), before)
        equal(read(old), "# old\n")


def test_a_link_stays_a_link():
    with Daemon() as d:
        real = os.path.join(d.dir, "real", "my.conf")
        os.mkdir(os.path.dirname(real))
        os.rename(d.config, real)
        os.symlink("real/my.conf", d.config)
        # Restart the daemon, because the daemon must know the new path of its
        # file.
        d.process.send_signal(signal.SIGTERM)
        d.process.wait(bridle.PATIENCE)
        d.spawn()
        wait_for("bridled to serve", lambda: os.path.exists(
            d.state_dir + "/settings"))
        applied(d)
        before = read(real)
        with open(real, "a") as f:
            f.write("nonsense = 1;\n")
        done = apply(d)
        equal(done.returncode, 1)
        says(done, "%s is restored" % real, "is served again")
        equal(os.readlink(d.config), "real/my.conf")
        equal(read(real), before)


def test_an_edit_of_a_file_of_conf_d_is_undone_alone():
    with Daemon(tcp=["127.0.0.1:0"]) as d:
        applied(d)
        path = os.path.join(d.dir, "conf.d", "a.conf")
        os.mkdir(os.path.dirname(path))
        with open(path, "w") as f:
            f.write("listen = ();\n")
        before = read(d.config)
        port = free_port()
        text = '{ tcp = "127.0.0.1:%d"; tls = true; }' % port
        editor = "sed -i 's|()|(%s)|'" % text
        done = ctl("config", "edit", path, env=dict(os.environ, EDITOR=editor))
        equal(done.returncode, 0, done.stderr)
        assert "127.0.0.1:%d (TLS) answers" % port in done.stdout, done
        # The daemon keeps its key, but the key file is gone. Therefore
        # bridlectl finds a wrong key after the next edit.
        os.rename(d.state_dir + "/host_key", d.state_dir + "/old")
        kept = read(path)
        done = ctl("config", "edit", path, env=dict(
            os.environ, EDITOR="sed -i '$a # more'"))
        equal(done.returncode, 1)
        says(done, "the program there has the key", "%s is restored" % path)
        equal([read(path), read(d.config)], [kept, before])


def test_what_a_reload_cannot_do_is_restored():
    with Daemon(tcp=["127.0.0.1:0"]) as d:
        applied(d)
        before = read(d.config)
        d.tcp = ['{ tcp = "0.0.0.0:%d"; insecure = true; }' % d.ports[0]]
        d.write_config()
        done = apply(d)
        says(done, "a reload cannot move a port, so restart the daemon")
        restored(d, done, before)


def test_who_would_be_locked_out_is_not():
    with Daemon() as d:
        applied(d)
        before = read(d.config)
        d.clients = entry(STRANGER)
        d.write_config()
        done = apply(d)
        says(done, "would have no access: no entry of clients matches",
             "or use --force")
        restored(d, done, before)
        d.write_config()
        applied(d, "--force")
        equal(d.ask("1#4").code, 401)
        # A client without access cannot lose its access, so this needs no
        # --force.
        d.settings += "stop_seconds = 7;"
        d.write_config()
        applied(d)


def test_the_callers_access_is_proven_by_a_request():
    """Test a lockout that only a request shows. The caller is allowed to write
    to the socket file, but not to enter its folder."""
    if not bridle.ROOT:
        raise Skip("because only root can become another user")
    with Daemon(entry() + ", " + entry(STRANGER, name="anna")) as d:
        applied(d, SUDO_UID=str(STRANGER))
        before = read(d.config)
        d.settings = "stop_seconds = 7;"
        d.write_config()
        os.chmod(os.path.dirname(d.sock), 0o700)
        done = apply(d, SUDO_UID=str(STRANGER))
        says(done, "the daemon gives %d no access now" % STRANGER)
        restored(d, done, before)
        os.chmod(os.path.dirname(d.sock), 0o755)
        d.write_config()
        applied(d, SUDO_UID=str(STRANGER))


def test_two_at_once_come_one_after_the_other():
    with Daemon() as d:
        many = [subprocess.Popen(
            [bridle.BRIDLECTL, "config", "apply", d.config],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True) for _ in range(4)]
        for process in many:
            err = process.communicate(timeout=bridle.PATIENCE * 3)[1]
            equal(process.returncode, 0, err)
        equal(d.counter("reloads"), 4)
        equal(served(d), read(d.config))


def test_without_a_daemon_the_file_is_only_checked():
    with Daemon() as d:
        applied(d)
        before = read(d.config)
        d.process.send_signal(signal.SIGTERM)
        equal(d.process.wait(bridle.PATIENCE), 0)
        accepted = before + "stop_seconds = 7;\n"
        d.write_config(accepted)
        done = apply(d)
        equal(done.returncode, 0, done.stderr)
        says(done, "takes effect at the next start")
        equal(served(d), accepted)
        d.write_config(accepted + "nonsense = 1;\n")
        done = apply(d)
        equal(done.returncode, 1)
        equal(read(d.config), accepted)


def test_a_client_revoked_without_a_daemon_stays_revoked():
    with Daemon() as d:
        path = os.path.join(d.dir, "conf.d", "anna.conf")
        os.mkdir(os.path.dirname(path))
        with open(path, "w") as f:
            f.write("clients = (%s);\n" % entry(STRANGER, name="anna"))
        applied(d)
        d.process.send_signal(signal.SIGTERM)
        equal(d.process.wait(bridle.PATIENCE), 0)
        done = ctl("revoke", "anna", d.config)
        equal(done.returncode, 0, done.stderr)
        d.write_config(read(d.config) + "nonsense = 1;\n")
        equal(apply(d).returncode, 1)
        equal(os.listdir(os.path.dirname(path)), [])


def test_a_copy_that_cannot_be_renewed_is_removed():
    """bridlectl must remove an old copy that it cannot replace. The old copy
    could bring back a client that is revoked now. The limit of the file size is
    smaller than the copy, but larger than all other files."""
    def limit():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (65536, 65536))
    with Daemon() as d:
        d.write_config(read(d.config) + "# %s\n" % ("x" * 1000) * 100)
        applied(d)
        done = subprocess.run(
            [bridle.BRIDLECTL, "config", "apply", d.config], text=True,
            stdin=subprocess.DEVNULL, capture_output=True, preexec_fn=limit,
            restore_signals=False, timeout=bridle.PATIENCE)
        equal(done.returncode, 1, done.stderr)
        says(done, "is applied", "File too large")
        equal(os.path.exists(d.config + ".served"), False)


def test_the_copy_is_for_its_owner_only():
    with Daemon() as d:
        applied(d)
        equal(os.stat(d.config + ".served").st_mode & 0o777, 0o600)
        before = read(d.config)
        # bridlectl must not use a copy that belongs to another user.
        if bridle.ROOT:
            shutil.chown(d.config + ".served", STRANGER)
            d.write_config(before + "nonsense = 1;\n")
            done = apply(d)
            equal(done.returncode, 1)
            says(done, "belongs to uid %d" % STRANGER, "there is no copy")


bridle.main(globals())
