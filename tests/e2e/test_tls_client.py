"""Tests of bridlectl with TLS. They test which hosts bridlectl trusts, and
which key bridlectl presents. bridlectl must never use less security than the
user demands."""

import contextlib
import json
import os
import re
import shutil
import socket
import ssl
import stat
import subprocess
import tempfile
import threading

import bridle
from bridle import Daemon, STRANGER, Skip, Victim, equal, quote
from homes import Home, TlsDaemon
from procs import Terminal, kills

MODULE = os.path.join(bridle.BUILD, "bridle-tls.so")
OPENSSL = shutil.which("openssl")
WRONG = "SHA256:" + "A" * 43


@contextlib.contextmanager
def trusted(**more):
    with Home() as home, TlsDaemon(home, **more) as d:
        d.trust()
        yield home, d


def refused(done, code, *parts):
    equal(done.returncode, code, done.stderr)
    for part in parts:
        assert part in done.stderr, done.stderr
    equal(done.stdout, "")


# Tests of the hosts that bridlectl trusts

def test_a_new_host_is_refused_in_a_script():
    with Home() as home, TlsDaemon(home) as d:
        refused(d.tls("ping"), 3, "key is unknown: the host shows "
                + d.fingerprint(), "bridlectl trust " + d.host,
                "--accept-new")
        assert not os.path.exists(home.known)
        equal(d.counter("requests"), 1, "that counter alone")
        answer = json.loads(d.tls("ping", "--json").stdout)
        equal(answer["status"], None)
        assert d.fingerprint() in answer["text"]


def test_accept_new_remembers():
    with Home() as home, TlsDaemon(home) as d:
        first = d.tls("--accept-new", "ping")
        equal(first.returncode, 0, first.stderr)
        assert d.fingerprint() + " is now trusted" in first.stderr
        equal(home.read(home.known), d.line())
        equal(stat.S_IMODE(os.stat(home.known).st_mode), 0o600)
        equal(stat.S_IMODE(os.stat(os.path.dirname(home.known)).st_mode),
              0o700)
        for args in ([], ["--accept-new"]):
            again = d.tls(*args, "ping")
            equal([again.returncode, again.stderr], [0, ""])
        equal(home.read(home.known), d.line())


def test_a_changed_key_stops_everything():
    with Home() as home, TlsDaemon(home) as d:
        home.know("# mine\n%s %s\n" % (d.host, WRONG))
        for args in ([], ["--accept-new"]):
            refused(d.tls(*args, "halt", "-y"), 3, "the host shows "
                    + d.fingerprint(), home.known + ":2 has " + WRONG,
                    "bridlectl trust " + d.host, "remove line 2")
        equal(d.recorded(), [])
        equal(home.read(home.known), "# mine\n%s %s\n" % (d.host, WRONG))
        # A host may have several lines in known_hosts. bridlectl accepts the
        # key of each line.
        home.know("%s %s\n%s" % (d.host, WRONG, d.line()))
        equal(d.tls("ping").returncode, 0)


def test_a_fingerprint_given_is_all_that_counts():
    with Home() as home, TlsDaemon(home) as d:
        home.know("this file is not even read\n")
        pinned = d.tls("--fingerprint", d.fingerprint(), "ping")
        equal([pinned.returncode, pinned.stderr], [0, ""])
        refused(d.tls("--fingerprint", WRONG, "ping"), 3,
                "the host shows " + d.fingerprint(), WRONG)
        refused(d.tls("--fingerprint", "SHA256:x", "ping"), 2,
                "no fingerprint")
        refused(d.tls("--fingerprint", WRONG, "--accept-new", "ping"), 2,
                "cannot be combined")
        for host in ("plain:localhost", "unix:/x"):
            for option in (["--fingerprint", WRONG], ["--accept-new"],
                           ["-i", "x"]):
                refused(home.ctl("-H", host, *option, "ping"), 2, "for TLS")


def test_a_bad_line_of_known_hosts_is_told():
    with Home() as home, TlsDaemon(home) as d:
        for bad in ("web1", "web1:7075 SHA256:x", "web1 " + WRONG):
            home.know(d.line() + bad + "\n")
            refused(d.tls("ping"), 3, home.known + ":2: ")
        home.know(d.line())
        os.chmod(home.known, 0o666)
        refused(d.tls("ping"), 3, home.known)
        os.chmod(home.known, 0o600)
        equal(d.tls("ping").returncode, 0)


def test_the_terminal_is_asked_about_a_new_host():
    with Home() as home, TlsDaemon(home, limits={"login_seconds": 1}) as d:
        with Terminal("-H", d.host, "ping", env=home.env) as t:
            shown = t.read_until(b"[y/N]")
            assert d.fingerprint().encode() in shown, shown
            t.type(b"n\n")
            equal(t.finish(), 3)
        assert not os.path.exists(home.known)
        with Terminal("-H", d.host, "ping", env=home.env) as t:
            t.read_until(b"[y/N]")
            # Wait until the daemon has closed the connection, which was silent
            # during the question.
            d.wait_quiet()
            t.type(b"y\n")
            t.read_until(b"pong")
            equal(t.finish(), 0)
        equal(home.read(home.known), d.line())


# Tests of bridlectl trust

def test_trust_with_a_fingerprint():
    with Home() as home, TlsDaemon(home) as d:
        refused(home.ctl("trust", d.host, "--fingerprint", WRONG), 1,
                d.fingerprint(), WRONG)
        assert not os.path.exists(home.known)
        done = home.ctl("trust", d.host, "--fingerprint", d.fingerprint())
        equal([done.returncode, done.stdout], [0, d.line()], done.stderr)
        equal(home.read(home.known), d.line())


def test_trust_replaces_the_hosts_lines_alone():
    with Home() as home, TlsDaemon(home) as d:
        home.know("# a\nweb1:7075 %s\n%s %s\n#b\n%s %s\n"
                  % (WRONG, d.host, WRONG, d.host, WRONG))
        refused(home.ctl("trust", d.host), 2, "--fingerprint", "-y")
        done = home.ctl("trust", "-y", d.host)
        equal(done.returncode, 0, done.stderr)
        assert "known_hosts:3 has the key " + WRONG in done.stderr
        equal(home.read(home.known),
              "# a\nweb1:7075 %s\n%s#b\n" % (WRONG, d.line()))
        equal(d.tls("ping").returncode, 0)


def test_trust_asks_on_a_terminal():
    with Home() as home, TlsDaemon(home) as d:
        for answer, code in ((b"\n", 1), (b"y\n", 0)):
            with Terminal("trust", d.host, env=home.env) as t:
                assert d.fingerprint().encode() in t.read_until(b"[y/N]")
                t.type(answer)
                equal(t.finish(), code)
            equal(os.path.exists(home.known), code == 0)


def test_trust_of_what_is_no_tls_host():
    with Home() as home:
        for host in ("plain:web1", "unix:/x"):
            refused(home.ctl("trust", "-y", host), 2, "needs a TLS host")
        refused(home.ctl("trust", "-y", "a,plain:b"), 2, "needs a TLS host")
        refused(home.ctl("trust", "-y",
                         "127.0.0.1:%d" % bridle.free_port()), 3,
                "cannot connect")
        assert not os.path.exists(home.known)


def test_a_known_hosts_that_may_be_another_users_is_refused():
    with Home() as home, TlsDaemon(home) as d:
        folder = os.path.dirname(home.known)
        os.chmod(folder, 0o1777)
        for name in (home.known, home.known + ".lock"):
            for part in bridle.traps(name, folder):
                done = d.tls("--accept-new", "ping")
                equal((done.returncode, done.stdout), (3, ""), part)
                assert name in done.stderr, (part, done.stderr)
        # A bridlectl that was killed may leave the file known_hosts.new. The
        # next bridlectl must replace this file.
        for part in bridle.traps(home.known + ".new", folder):
            equal(d.tls("--accept-new", "ping").returncode, 0, part)
            os.unlink(home.known)
            with open(home.known + ".new", "w"):
                pass


# Tests of the TLS module in the folder of bridlectl

def keygen_beside(folder, home):
    """Run `bridlectl keygen` with the bridlectl in this folder. Return the
    result."""
    return subprocess.run(
        [os.path.join(folder, "bridlectl"), "keygen",
         os.path.join(home.dir, "key%d" % len(os.listdir(home.dir)))],
        capture_output=True, text=True, env=home.env)


@contextlib.contextmanager
def checkout(mode=0o755):
    """Copy bridlectl and its TLS module into a folder below /tmp. Yield the
    paths of the folder and of the module."""
    with tempfile.TemporaryDirectory(prefix="bridle-") as folder:
        for program in bridle.BRIDLECTL, MODULE:
            shutil.copy(program, folder)
        os.chmod(folder, mode)
        yield folder, os.path.join(folder, os.path.basename(MODULE))


def test_a_checkout_below_tmp_has_its_module():
    with Home() as home, checkout() as (folder, module):
        equal(keygen_beside(folder, home).returncode, 0)
        os.chmod(folder, 0o1777)
        equal(keygen_beside(folder, home).returncode, 0)
        # bridlectl accepts a symbolic link that belongs to the same user.
        os.rename(module, module + ".1")
        os.symlink(module + ".1", module)
        equal(keygen_beside(folder, home).returncode, 0)
        for path in folder, module, module + ".1", \
                os.path.join(folder, "bridlectl"):
            if bridle.ROOT:  # root may run bridlectl in the checkout of a user
                os.chown(path, STRANGER, STRANGER, follow_symlinks=False)
        equal(keygen_beside(folder, home).returncode, 0)


def test_a_module_that_others_may_change_is_not_loaded():
    with Home() as home, checkout() as (folder, module):
        os.chmod(module, 0o775)
        refused(keygen_beside(folder, home), 1, "chmod go-w " + module)
        os.chmod(module, 0o755)
        os.chmod(folder, 0o777)
        refused(keygen_beside(folder, home), 1, module,
                "others may replace files")


def test_a_planted_module_is_not_loaded():
    if not bridle.ROOT:
        raise Skip("because only root can make files of others")
    with Home() as home, checkout(0o1777) as (folder, module):
        os.chown(module, STRANGER, STRANGER)
        refused(keygen_beside(folder, home), 1, module,
                "belongs to uid %d" % STRANGER)
        os.unlink(module)
        os.symlink(MODULE, module)
        os.chown(module, STRANGER, STRANGER, follow_symlinks=False)
        refused(keygen_beside(folder, home), 1, module,
                "belongs to uid %d" % STRANGER)


# Tests of bridlectl keygen

def test_keygen_makes_what_the_daemon_takes():
    with Home() as home:
        for kind in ("p256", "ed25519"):
            path = os.path.join(home.dir, kind)
            key, entry = home.keygen("--type", kind, path)
            with TlsDaemon(home, entry) as d:
                d.trust()
                listed = d.tls("-i", path, "list", "--raw")
                equal(listed.returncode, 0, listed.stderr)
                assert "\t%d\t" % os.getpid() in listed.stdout
                refused(d.tls("-i", path, "kill", "x", "-n"), 1, "allow")
                d.wait_log("key=" + key.replace("+", r"\+"))


def test_keygen_overwrites_nothing():
    with Home() as home:
        key, entry = home.keygen()
        equal(stat.S_IMODE(os.stat(home.key).st_mode), 0o600)
        before = home.read(home.key)
        again = home.ctl("keygen")
        equal([again.returncode, again.stdout], [1, key + "\n" + entry])
        assert home.key + " already exists" in again.stderr
        equal(home.read(home.key), before)
        other = os.path.join(home.dir, "other")
        with open(other, "w") as f:
            f.write("mine\n")
        refused(home.ctl("keygen", other), 1, "already exists", "chmod 600")
        os.chmod(other, 0o600)
        refused(home.ctl("keygen", other), 1, "no key with its certificate")
        equal(home.read(other), "mine\n")
        refused(home.ctl("keygen", "--type", "rsa"), 2, "p256 or ed25519")
        refused(home.ctl("keygen", home.dir + "/no/where"), 1,
                "No such file")


def test_xdg_config_home_is_honoured():
    with Home() as home:
        home.env["XDG_CONFIG_HOME"] = os.path.join(home.dir, "else")
        home.keygen()
        assert os.path.exists(os.path.join(home.dir, "else/bridlectl/key"))
        home.env["XDG_CONFIG_HOME"] = "relative"
        home.keygen()
        assert os.path.exists(home.key)


def test_files_in_the_folder_of_an_older_version_are_not_lost():
    with Home() as home, TlsDaemon(home) as d:
        config = os.path.join(home.dir, ".config")
        new = os.path.join(config, "bridlectl")
        old = os.path.join(config, "bridle")
        os.rename(new, old)
        for args in (["keygen"], ["trust", d.host], ["-H", d.host, "ping"],
                     ["hosts"]):
            done = home.ctl(*args)
            assert done.returncode in (1, 2), done
            assert "run: mv %s %s" % (old, new) in done.stderr, done
        # Without a key, the folder may belong to another program, and must
        # stay.
        os.unlink(os.path.join(old, "key"))
        home.keygen()
        equal(os.listdir(old), [])


def test_root_leaves_nothing_in_another_users_home():
    if not bridle.ROOT:
        raise bridle.Skip("because only root can write there")
    with Home() as home, TlsDaemon(home) as d, Home() as other:
        os.chown(other.dir, bridle.STRANGER, bridle.STRANGER)
        below = os.path.join(other.dir, "below")
        for config in (None, other.dir, below):
            if config:
                other.env["XDG_CONFIG_HOME"] = config
            for args in (["keygen"], ["trust", "-y", d.host],
                         ["-H", d.host, "--accept-new", "ping"]):
                done = other.ctl(*args)
                assert done.returncode in (1, 3), done
                assert "%s belongs to uid %d" % (
                    other.dir, bridle.STRANGER) in done.stderr, done
                equal(os.listdir(other.dir), [])


# Tests of the key that bridlectl presents to a host

def test_without_a_key_it_says_how_to_make_one():
    with Home() as home, TlsDaemon(home) as d:
        d.trust()
        os.rename(home.key, home.key + ".away")
        refused(d.tls("ping"), 1, "(401)", "no key", "bridlectl keygen")
        stranger, _ = home.keygen()
        refused(d.tls("ping"), 1, "(401)", "your key is " + stranger)
        equal(d.tls("-i", home.key + ".away", "ping").returncode, 0)


def test_a_key_that_cannot_be_used_is_no_missing_one():
    with trusted() as (home, d):
        refused(d.tls("-i", home.dir + "/none", "ping"), 3, "No such file",
                "bridlectl keygen %s/none" % home.dir)
        os.chmod(home.key, 0o640)
        refused(d.tls("ping"), 3, home.key, "other users have access")
        os.chmod(home.key, 0o600)
        key, certificate = re.findall(
            "(?s)-----BEGIN.*?-----END.*?-----\n", home.read(home.key))
        for kept, missing in ((certificate, "no key without a password"),
                              (key, "no certificate"), ("", "neither")):
            with open(home.key, "w") as f:
                f.write(kept)
            refused(d.tls("ping"), 3, "no key with its certificate: "
                    "the file has %s in PEM: make a new key" % missing)


# Tests of the whole protocol over TLS

def test_a_long_list_comes_whole():
    with trusted() as (_, d):
        for form in ("--json", "--raw"):
            listed = d.tls("list", form)
            equal([listed.returncode, listed.stderr], [0, ""])
        table = d.tls("list")
        assert str(os.getpid()) in table.stdout


@kills
def test_a_kill_that_is_shown_first():
    with trusted() as (home, d), Victim() as v:
        with Terminal("-H", d.host, "kill", v.comm, env=home.env) as t:
            t.read_until(b"[y/N]")
            t.type(b"y\n")
            equal(t.finish(), 0)
        equal(v.wait(), -15)


def test_an_ipv6_host():
    with Home() as home:
        try:
            bridle.free_port("::1")
        except OSError:
            raise bridle.Skip("because this machine has no IPv6") from None
        with TlsDaemon(home,
                       tcp=['{ tcp = "[::1]:0"; tls = true; }']) as d:
            d.host = "[::1]:%d" % d.ports[0]
            equal(d.tls("--accept-new", "ping").returncode, 0)
            equal(home.read(home.known), d.line())


# Tests against a downgrade

def test_plain_where_tls_was_meant():
    with Home() as home, TlsDaemon(home, tcp=["127.0.0.1:0"]) as d:
        refused(d.tls("--accept-new", "ping"), 3, "replies without TLS",
                "use plain:" + d.host)
        assert not os.path.exists(home.known)


def test_tls_where_plain_was_meant():
    with trusted() as (home, d):
        refused(home.ctl("-H", "plain:" + d.host, "ping"), 1,
                "speaks TLS only", "leave out 'plain:'")


def test_a_daemon_without_room_says_so():
    with Home() as home, TlsDaemon(
            home, limits={"sessions_per_source": 1}) as d:
        d.trust()
        with socket.create_connection(("127.0.0.1", d.ports[0])):
            bridle.wait_for("a session", lambda: len(d.children()) == 2)
            refused(d.tls("ping"), 1, "too many (429)", "too many sessions")


def test_a_daemon_that_has_blocked_the_source_says_so_each_time():
    penalties = "min_seconds = 900; max_seconds = 900; handshake = 900;"
    with Home() as home, TlsDaemon(home, penalties=penalties) as d:
        d.trust()
        with socket.create_connection(("127.0.0.1", d.ports[0])) as s:
            s.sendall(b"1#4\n")
            bridle.read_all(s)
        d.wait_log("blocked source=")
        for command in (["ping"], ["kill", "x", "-y"], ["watch"]) * 8:
            done = d.tls(*command)
            refused(done, 1, "too many mistakes: try again in ", "(429)")
            equal(done.stderr.count("try again"), 1, done.stderr)
            assert "plain:" not in done.stderr, done.stderr
            assert "penalties.exempt" in done.stderr, done.stderr


class Server:
    """A server for one connection, which calls serve(socket). If the server has
    a key, a TLS handshake comes first."""

    def __init__(self, serve, key=None):
        self.serve, self.key = serve, key

    def __enter__(self):
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.sock.settimeout(bridle.PATIENCE)
        self.host = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.thread = threading.Thread(target=self.run)
        self.thread.start()
        return self

    def run(self):
        s, _ = self.sock.accept()
        with s, contextlib.suppress(OSError, ssl.SSLError):
            s.settimeout(bridle.PATIENCE)
            if self.key is not None:
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                context.load_cert_chain(self.key)
                s = context.wrap_socket(s, server_side=True)
            self.serve(s)
            s.close()

    def __exit__(self, *exc):
        self.thread.join()
        self.sock.close()


def serve(home, function, *args):
    """Run bridlectl for a Server with a new key, whose fingerprint bridlectl
    knows. Return the result of bridlectl."""
    known, _ = home.keygen(os.path.join(home.dir, "server"))
    with Server(function, os.path.join(home.dir, "server")) as server:
        done = home.ctl("-H", server.host, "--fingerprint", known, *args)
    os.unlink(os.path.join(home.dir, "server"))
    return done


def test_an_end_before_the_status_is_no_answer():
    cut = "the connection ended before the end of the reply"
    rows = b"1#100#pid#name\n1#100#1#init\n"

    def clean(s):
        s.recv(100)
        s.sendall(rows)
        s.unwrap()

    def abrupt(s):
        s.recv(100)
        s.sendall(rows)
        # Close the connection without close_notify.
        os.close(s.detach())

    def at_once(s):
        os.close(s.detach())

    with Home() as home:
        for function in (clean, abrupt, at_once):
            done = serve(home, function, "list", "--json")
            equal(done.returncode, 3, done.stderr)
            assert cut in done.stderr, done.stderr
            equal(json.loads(done.stdout)["status"], None)
        done = serve(home, abrupt, "cancel")
        assert "may have been carried out" in done.stderr, done.stderr


def test_an_answer_in_single_bytes():
    def drip(s):
        s.recv(100)
        for byte in b"1#200#pong#version=9#uptime=1\n":
            s.sendall(bytes([byte]))
        s.unwrap()

    with Home() as home:
        done = serve(home, drip, "ping")
        equal(done.returncode, 0, done.stderr)
        assert "bridled 9" in done.stdout


def test_a_handshake_that_never_ends():
    def silent(s):
        while s.recv(1000):
            pass

    with Home() as home, Server(silent) as server:
        refused(home.ctl("-H", server.host, "--timeout", "1", "ping"), 3,
                "the TLS handshake failed: Connection timed out")


def test_a_server_that_answers_something_else():
    def http(s):
        s.recv(1000)
        s.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")

    def closes(s):
        s.recv(1000)

    with Home() as home:
        with Server(http) as server:
            refused(home.ctl("-H", server.host, "ping"), 3, "without TLS")
        with Server(closes) as server:
            refused(home.ctl("-H", server.host, "ping"), 3,
                    "the TLS handshake failed")


@contextlib.contextmanager
def s_server(home, *args):
    """Run openssl s_server with a new key in this home. Yield the server's
    host name for bridlectl, and its process."""
    port = bridle.free_port()
    key = os.path.join(home.dir, "server")
    home.keygen(key)
    with subprocess.Popen(
            [OPENSSL, "s_server", "-accept", "127.0.0.1:%d" % port,
             "-cert", key, "-key", key, "-naccept", "1", *args],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, env=home.env) as process:
        try:
            while process.stdout.readline() != b"ACCEPT\n":
                assert process.poll() is None, process.returncode
            yield "127.0.0.1:%d" % port, process
        finally:
            process.kill()


def test_openssl_s_server_is_understood():
    with Home() as home:
        with s_server(home, "-tls1_3", "-alpn", "bridle/1") as (host, p):
            p.stdin.write(b"1#200#pong#version=8#uptime=5\n")
            p.stdin.flush()
            done = home.ctl("-H", host, "--accept-new", "ping")
            equal(done.returncode, 0, done.stderr)
            assert "bridled 8" in done.stdout, done.stdout


def test_an_older_tls_is_not_spoken():
    with Home() as home:
        with s_server(home, "-tls1_2") as (host, _):
            refused(home.ctl("-H", host, "--accept-new", "ping"), 3,
                    "protocol version")
        assert not os.path.exists(home.known)


def test_keys_of_another_form_are_read_too():
    """Test forms of keys that other tools write: SEC 1, PKCS #8, and a key
    without its public key."""
    forms = [["ec", "-no_public"], ["ec"], ["pkey"],
             ["pkcs8", "-topk8", "-nocrypt", "-v1", "PBE-SHA1-3DES"]]
    with trusted() as (home, d):
        with open(home.key) as f:
            text = f.read()
        cert = text[text.index("-----BEGIN CERT"):]
        for form in forms:
            done = subprocess.run([OPENSSL, *form], input=text, text=True,
                                  capture_output=True, check=True)
            with open(home.key, "w") as f:
                f.write(done.stdout + cert)
            done = d.tls("ping")
            equal(done.returncode, 0, (form, done.stderr))


def test_many_calls_at_once_all_show_their_key():
    """Many calls in parallel must all present their key, although the daemon
    replies early to the first message."""
    with trusted(limits={"sessions": 100, "sessions_per_source": 90}) as (
            home, d):
        where = ["-H", "127.0.0.1:%d" % d.ports[0]]
        for _ in range(4):
            calls = [subprocess.Popen([bridle.BRIDLECTL, *where, "ping"],
                                      env=home.env, stderr=subprocess.PIPE,
                                      stdout=subprocess.DEVNULL, text=True)
                     for _ in range(40)]
            for call in calls:
                problem = call.communicate(timeout=bridle.PATIENCE)[1]
                equal(call.returncode, 0, problem)


# Tests of a damaged module

def test_a_module_that_is_damaged_is_told_and_not_needed_without_tls():
    with Home() as home, Daemon() as d:
        tool = home.file("bin/bridlectl")
        os.makedirs(os.path.dirname(tool))
        shutil.copy(bridle.BRIDLECTL, tool)
        with open(os.path.dirname(tool) + "/bridle-tls.so", "w") as f:
            f.write("not a module")

        def run(*args):
            return subprocess.run([tool, *args], env=home.env, text=True,
                                  capture_output=True, check=False)
        done = run("keygen")
        equal(done.returncode, 1)
        assert "cannot speak TLS: " in done.stderr, done.stderr
        assert "bridle-tls.so" in done.stderr, done.stderr
        equal(run("-H", "unix:" + d.sock, "ping").returncode, 0)


if OPENSSL is None:
    print("1..0 # SKIP there is no openssl")
else:
    bridle.main(globals())
