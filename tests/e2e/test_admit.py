"""Tests of `bridlectl admit` and `bridlectl revoke`, which change the rights
of clients on a host."""

import contextlib
import fcntl
import os
import re
import socket
import subprocess

import bridle
from bridle import ctl, equal
from homes import Home, TlsDaemon

OTHER = "SHA256:" + "A" * 43
THIRD = "SHA256:" + "B" * 42 + "E"


class Host(TlsDaemon):
    """A daemon with a TLS listener. At the start, the configuration allows no
    client to use this listener."""

    def __init__(self, home, **more):
        super().__init__(home, entry="", **more)

    def __enter__(self):
        super().__enter__()
        self.folder = os.path.join(self.dir, "conf.d")
        return self

    def admit(self, key, *args, name="anna"):
        return ctl("admit", key, self.config, "--name", name, *args)

    def revoke(self, name="anna", *args):
        return ctl("revoke", name, self.config, *args)

    def file(self, name="anna"):
        return os.path.join(self.folder, name + ".conf")

    def content(self, name="anna"):
        with open(self.file(name)) as f:
            return f.read()

    def files(self):
        with contextlib.suppress(FileNotFoundError):
            return sorted(os.listdir(self.folder))
        return []

    def keys(self, name="anna"):
        return re.findall(r"SHA256:[A-Za-z0-9+/]{43}", self.content(name))


@contextlib.contextmanager
def host(**more):
    with Home() as home, Host(home, **more) as d:
        key, _ = home.keygen()
        d.trust()
        yield home, d, key


def refused(done, code, *parts):
    equal([done.returncode, done.stdout], [code, ""], done.stderr)
    for part in parts:
        assert part in done.stderr, (part, done.stderr)


def admitted(done):
    """Return the last line of the output, which is the command to run on the
    client."""
    equal(done.returncode, 0, done.stderr)
    return done.stdout.splitlines()[-1]


def test_a_client_is_admitted_and_revoked():
    with host() as (home, d, key):
        equal(d.tls("list").returncode, 1)
        told = admitted(d.admit(key, "--allow", "list,ping"))
        equal(told, "bridlectl trust %s --fingerprint %s"
              % (d.host, d.fingerprint()))
        equal(home.ctl(*told.split()[1:]).returncode, 0)
        equal(d.tls("list").returncode, 0)
        refused(d.tls("kill", "x", "-y"), 1, "403")
        equal(os.stat(d.file()).st_mode & 0o022, 0)
        equal(d.files(), ["anna.conf"])
        again = d.admit(key, "--allow", "list,ping")
        equal(admitted(again), told)
        assert "is already admitted" in again.stderr, again.stderr
        done = d.revoke()
        equal(done.returncode, 0, done.stderr)
        equal(d.files(), [])
        refused(d.tls("list"), 1, "401")


def test_revoke_ends_live_sessions():
    with host() as (home, d, key):
        admitted(d.admit(key, "--allow", "watch,ping"))
        with subprocess.Popen(
                [bridle.BRIDLECTL, "-H", d.host, "watch"], env=home.env,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE) as watch:
            d.wait_log("verb=watch|online")
            bridle.wait_for("the watch", lambda: b"anna" in d.ctl(
                "who", "--raw").stdout.encode())
            equal(d.revoke().returncode, 0)
            _, err = watch.communicate(timeout=bridle.PATIENCE)
            equal(watch.returncode, 1, err)


def test_revoke_ends_running_commands():
    with host(settings='commands = ({ name = "wait"; '
              'argv = ("/bin/sleep", "1000"); });') as (home, d, key):
        admitted(d.admit(key, "--allow", "run,ping"))
        admitted(d.admit(OTHER, "--allow", "ping", name="bob"))
        with subprocess.Popen(
                [bridle.BRIDLECTL, "-H", d.host, "run", "wait", "-y"],
                env=home.env, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE) as run:
            bridle.wait_for("the command", d.actions)
            equal(d.revoke("bob").returncode, 0)
            equal(len(d.actions()), 1)
            equal(d.revoke().returncode, 0)
            _, err = run.communicate(timeout=bridle.PATIENCE)
            equal(run.returncode, 1, err)
            assert b"(401)" in err, err
        bridle.wait_for("the end", lambda: not d.actions())


def test_a_listener_is_opened_only_on_demand():
    with Home() as home, Host(home, tcp=[]) as d:
        key, _ = home.keygen()
        refused(d.admit(key, "--allow", "ping"), 1, "--listen '[::]:7075'")
        refused(d.admit(key, "--allow", "ping", "-n"), 1, "--listen")
        equal(d.files(), [])
        address = "127.0.0.1:%d" % bridle.free_port()
        args = ["--allow", "ping", "--listen", address]
        done = d.admit(key, *args, "-n")
        equal(done.returncode, 0, done.stderr)
        assert "would open a TLS listener" in done.stdout, done.stdout
        assert address in done.stdout and key in done.stdout, done.stdout
        equal(d.files(), [])
        told = admitted(d.admit(key, *args))
        equal(home.ctl(*told.split()[1:]).returncode, 0)
        equal(home.ctl("-H", address, "ping").returncode, 0)
        # `revoke` keeps the listener, because other clients may use this
        # listener.
        before = d.files()
        equal(len(before), 2)
        equal(admitted(d.admit(key, *args)), told)
        equal(d.files(), before)
        equal(d.revoke().returncode, 0)
        equal(len(d.files()), 1)
        refused(home.ctl("-H", address, "ping"), 1, "401")
        admitted(d.admit(key, "--allow", "ping"))


def test_an_address_in_use_leaves_everything_as_it_was():
    with Home() as home, Host(home, tcp=[]) as d:
        key, _ = home.keygen()
        with socket.create_server(("127.0.0.1", 0)) as s:
            address = "127.0.0.1:%d" % s.getsockname()[1]
            done = d.admit(key, "--allow", "ping", "--listen", address)
            equal(done.returncode, 1, done.stdout)
            assert address in done.stderr, done.stderr
            assert "bridlectl trust" not in done.stdout, done.stdout
        equal([f for f in d.files() if f.endswith(".conf")], [])
        equal(d.ctl("ping").returncode, 0)


def test_a_plain_listener_is_not_changed_to_tls():
    with Home() as home, Host(home, tcp=["127.0.0.1:0"]) as d:
        key, _ = home.keygen()
        refused(d.admit(key, "--allow", "ping", "--listen",
                        "127.0.0.1:%d" % d.ports[0]), 1, "does not use TLS")
        equal(d.files(), [])


def test_wrong_values_change_nothing():
    with host() as (home, d, key):
        for args, part in (
                ([], "--allow is missing"), (["--replace"], "--allow"),
                (["--allow", "list,fly"], "'fly' is no verb"),
                (["--allow", ""], "is no verb"),
                (["--allow", "list", "--from", "10.0.0.0/8,x"], "'x'"),
                (["--allow", "list", "--from", '"; x'], "no network"),
                (["--allow", "list", "--until", '1"; allow'], "no date"),
                (["--allow", "list", "--until", "2026-01-31"],
                 "2026-01-31 is in the past"),
                (["--allow", "list", "--listen", "lab7:7075"], "numeric"),
                (["--add-key", "--replace"], "cannot be combined")):
            refused(d.admit(key, *args), 2, part)
        for name in ("", "9a", "a" * 33, "a/b", "../x", "a b", "\u00e4"):
            refused(d.admit(key, "--allow", "list", name=name), 2,
                    "no name for a client")
        refused(d.admit("SHA256:x", "--allow", "list"), 2, "no fingerprint")
        refused(ctl("admit", key, d.config, "--allow", "list"), 2, "--name")
        refused(ctl("admit", "--allow", "list"), 2,
                "'admit' needs SHA256:")
        # bridlectl does not check dates. It leaves this check to bridled.
        done = d.admit(key, "--allow", "list", "--until", "2027-13-45")
        equal(done.returncode, 1)
        assert "until" in done.stderr, done.stderr
        equal(d.files(), [])
        refused(ctl("admit", key, d.config + "x", "--name", "anna",
                    "--allow", "list"), 1, d.config + "x")


def test_restrictions_are_written():
    with host() as (home, d, key):
        admitted(d.admit(key, "--allow", "*", "--from",
                         "10.1.0.0/16,2001:db8::/32"))
        text = d.content()
        for part in ('"10.1.0.0/16"', '"2001:db8::/32"', '"*"'):
            assert part in text, text
        refused(d.tls("ping"), 1, "401")
        # Without --from, the value of `from` stays as it is, so that the
        # client gets no new rights.
        admitted(d.admit(key, "--allow", "ping"))
        assert "10.1.0.0/16" in d.content(), d.content()
        refused(d.tls("ping"), 1, "401")
        admitted(d.admit(key, "--allow", "ping", "--replace"))
        assert "from" not in d.content(), d.content()
        equal(d.tls("ping").returncode, 0)


def test_a_key_is_rotated():
    with host() as (home, d, key):
        refused(d.admit(key, "--add-key"), 1, "there is no client 'anna'")
        admitted(d.admit(OTHER, "--allow", "list,ping"))
        refused(d.admit(key, "--allow", "list"), 1, d.file() + ":",
                "has another key", "--add-key", "--replace")
        refused(d.admit(key, "--drop-old"), 1, "--add-key first")
        equal(d.keys(), [OTHER])
        admitted(d.admit(key, "--add-key"))
        equal(d.keys(), [OTHER, key])
        equal(d.tls("ping").returncode, 0)
        admitted(d.admit(key, "--add-key"))
        admitted(d.admit(key, "--allow", "list,ping"))
        equal(d.keys(), [OTHER, key])
        refused(d.admit(THIRD, "--add-key"), 1, "already has two keys")
        admitted(d.admit(key, "--drop-old"))
        equal(d.keys(), [key])
        assert '"list"' in d.content(), d.content()
        admitted(d.admit(OTHER, "--allow", "ping", "--replace"))
        equal(d.keys(), [OTHER])
        refused(d.tls("ping"), 1, "401")


def test_settings_by_hand_survive():
    with host() as (home, d, key):
        admitted(d.admit(key, "--allow", "kill,ping"))
        text = d.content().replace("allow =",
                                'kill = { names = ( "x" ); }; allow =')
        with open(d.file(), "w") as f:
            f.write(text)
        admitted(d.admit(OTHER, "--add-key"))
        admitted(d.admit(key, "--allow", "kill"))
        assert re.search(r'kill = *\{ *names = \( "x" \)',
                         " ".join(d.content().split())), d.content()
        equal(d.keys(), [key, OTHER])


def test_a_key_of_another_name_is_refused_with_this_name():
    with host() as (home, d, key):
        admitted(d.admit(key, "--allow", "ping"))
        for name in ("ann2", "aaa"):
            refused(d.admit(key, "--allow", "ping", name=name), 1,
                    "use --name anna, or 'bridlectl revoke anna' on the "
                    "host first")
        equal(d.files(), ["anna.conf"])


def test_an_earlier_entry_of_the_key_decides():
    with host() as (home, d, key):
        with open(d.config) as f:
            text = f.read()
        d.clients += ', { name = "eve"; key = "%s"; allow = (); }' % key
        d.write_config()
        refused(d.admit(key, "--allow", "list"), 1,
                "%s:" % d.config, "'eve'", "decides", "nothing was changed")
        equal(d.files(), [])
        with open(d.config, "w") as f:
            f.write(text)
        admitted(d.admit(key, "--allow", "list", name="bob"))
        for name in "anna", "zoe":
            refused(d.admit(key, "--allow", "list", name=name), 1,
                    d.file("bob") + ":", "'bob'")
        equal(d.files(), ["bob.conf"])


def test_a_name_of_the_main_file_is_not_taken():
    with host() as (home, d, key):
        name = re.search(r'name = "([a-z]+)"', open(d.config).read())[1]
        refused(d.admit(key, "--allow", "list", name=name), 1,
                d.config + ":", "choose another --name")
        refused(d.revoke(name), 1, d.config + ":", "config edit")
        refused(d.revoke("nobody"), 1, "there is no client 'nobody'")
        refused(d.revoke("../x"), 2, "no name")
        equal(d.files(), [])


def test_a_file_with_more_than_one_entry_is_not_removed():
    with host() as (home, d, key):
        admitted(d.admit(key, "--allow", "list"))
        with open(d.file(), "w") as f:
            f.write('clients = ({ name = "anna"; key = "%s"; allow = (); },'
                    '{ name = "b"; key = "%s"; allow = (); });' % (key, OTHER))
        before = d.content()
        refused(d.revoke(), 1, d.file() + ":1", "not alone")
        refused(d.admit(key, "--allow", "list", "--replace"), 1, "not alone")
        equal(d.content(), before)


def test_the_outline_has_each_entry_and_its_place():
    with host() as (home, d, key):
        admitted(d.admit(key, "--allow", "list"))
        admitted(d.admit(OTHER, "--add-key"))
        told = subprocess.run([d.program, "--outline", d.config], text=True,
                              capture_output=True, check=True).stdout
        rows = [line.split("\t") for line in told.splitlines()]
        clients = [row for row in rows if row[0] == "client"]
        _, path, line, *rest = clients[-1]
        equal([path, *rest], [d.file(), "anna", "key",
                              "%s,%s" % (key, OTHER)])
        assert 1 < int(line) <= d.content().index('"anna"'), told
        equal(clients[0][1], d.config)
        equal(clients[0][5], "-")
        equal([row[3:] for row in rows if row[0] == "listen"],
              [["unix", d.sock], ["tls", d.host]])


def test_a_wrong_configuration_is_not_touched():
    with host() as (home, d, key):
        with open(d.config, "a") as f:
            f.write("nonsense = 1;\n")
        refused(d.admit(key, "--allow", "list"), 1, "nonsense")
        equal(d.files(), [])


def test_revoke_can_only_show():
    with host() as (home, d, key):
        admitted(d.admit(key, "--allow", "ping"))
        done = d.revoke("anna", "-n")
        equal(done.returncode, 0)
        assert d.file() in done.stderr, done.stderr
        equal(d.tls("ping").returncode, 0)


def test_parallel_admissions_are_all_kept():
    with host() as (home, d, key):
        keys = ["SHA256:" + c * 42 + "A" for c in "abcdefgh"]
        running = [subprocess.Popen(
            [bridle.BRIDLECTL, "admit", key, d.config, "--allow", "ping",
             "--name", "c%d" % i], stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE) for i, key in enumerate(keys)]
        for p in running:
            _, err = p.communicate(timeout=bridle.PATIENCE * 3)
            equal(p.returncode, 0, err)
        equal(d.files(), ["c%d.conf" % i for i in range(len(keys))])


def test_a_lock_of_another_user_stops_nobody():
    """Any user can open the folders for reading, and can lock the folders."""
    with host() as (home, d, key), contextlib.ExitStack() as stack:
        os.mkdir(d.folder)
        for folder in d.dir, d.folder:
            fd = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, fd)
            fcntl.flock(fd, fcntl.LOCK_EX)
        admitted(d.admit(key, "--allow", "ping"))
        equal(d.revoke().returncode, 0)
        equal(d.files(), [])
        lock = os.stat(d.config + ".lock")
        equal([lock.st_uid, lock.st_mode & 0o777], [os.getuid(), 0o600])


def test_a_link_in_place_of_the_lock_is_refused():
    with host() as (home, d, key):
        target = os.path.join(d.dir, "target")
        os.symlink(target, d.config + ".lock")
        refused(d.admit(key, "--allow", "ping"), 1, ".lock: ")
        equal(os.path.exists(target), False)
        equal(d.files(), [])


def test_a_user_without_rights_changes_nothing():
    if not bridle.ROOT:
        raise bridle.Skip("because only root can become another user")
    with host() as (home, d, key):
        os.chmod(d.dir, 0o755)
        done = ctl("admit", key, d.config, "--name", "anna", "--allow",
                   "list", uid=bridle.STRANGER)
        equal(done.returncode, 1)
        assert "as root" in done.stderr, done.stderr
        equal(d.files(), [])


def test_a_user_who_may_not_read_the_clients_is_sent_to_root():
    if not bridle.ROOT:
        raise bridle.Skip("because only root can become another user")
    with host() as (home, d, key):
        admitted(d.admit(key, "--allow", "list"))
        os.chmod(d.dir, 0o755)
        os.chmod(d.config, 0o644)
        os.chmod(d.file(), 0o600)
        done = ctl("admit", key, d.config, "--name", "anna", "--allow",
                   "list", "-n", uid=bridle.STRANGER)
        equal(done.returncode, 1)
        assert "(run this as root, for example with sudo)" in done.stderr, \
            done.stderr
        # The message names the file once.
        done = subprocess.run(
            [bridle.BRIDLED, "--fingerprint", d.config], text=True,
            capture_output=True, user=bridle.STRANGER,
            group=bridle.STRANGER, extra_groups=[])
        assert done.returncode != 0, done
        for line in done.stderr.splitlines():
            path = line.split(": ")[0]
            equal(line.count(path), 1, done.stderr)


def test_a_machine_without_bridled_says_so():
    for path in ("/etc/bridle/bridled.conf", "/usr/sbin/bridled",
                 "/usr/local/sbin/bridled", "/run/bridle/bridled.sock"):
        if os.path.lexists(path):
            raise bridle.Skip("because this machine has " + path)
    here = "bridled is not installed on this machine"
    refused(ctl("list"), 3, here, "'bridlectl -H HOST list'")
    for command in (["revoke", "anna"], ["config", "edit"],
                    ["config", "apply"], ["config", "diff"],
                    ["announce", "on"],
                    ["admit", OTHER, "--name", "a", "--allow", "list"]):
        done = ctl(*command)
        refused(done, 1, here + ": install the package bridle")
        equal(len(done.stderr.splitlines()), 1, done.stderr)
    assert here not in ctl("-H", "unix:/no/s", "list").stderr


if __name__ == "__main__":
    bridle.main(globals())
