"""Tests of TLS listeners and pinned keys. The clients are common tools such as
openssl."""

import base64
import hashlib
import os
import re
import shutil
import signal
import socket
import ssl
import stat
import struct
import subprocess
import tempfile
from contextlib import contextmanager

import bridle
import peers
from bridle import Daemon, equal, read_answer, wait_for
from runs import command, read_run

OPENSSL = shutil.which("openssl")


def fingerprint(certificate):
    """Return the fingerprint of a certificate file. Compute the fingerprint
    with openssl and Python, without Bridle."""
    key = subprocess.run([OPENSSL, "x509", "-in", certificate, "-noout",
                          "-pubkey"], check=True, capture_output=True).stdout
    der = subprocess.run([OPENSSL, "pkey", "-pubin", "-outform", "DER"],
                         input=key, check=True, capture_output=True).stdout
    digest = base64.b64encode(hashlib.sha256(der).digest()).decode()
    return "SHA256:" + digest.rstrip("=")


class Key:
    """A client's key and certificate, which openssl has created."""

    def __init__(self, folder, name, kind="p256"):
        self.path = os.path.join(folder, name)
        new = (["ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
               if kind == "p256" else ["ed25519"])
        subprocess.run([OPENSSL, "req", "-x509", "-nodes", "-newkey", *new,
                        "-keyout", self.path, "-out", self.path + ".crt",
                        "-subj", "/CN=" + name, "-days", "2"],
                       check=True, stderr=subprocess.DEVNULL)
        with open(self.path, "a") as out, open(self.path + ".crt") as crt:
            out.write(crt.read())
        self.fingerprint = fingerprint(self.path)


class TlsDaemon(Daemon):
    """A daemon that also listens with TLS. In `entries`, KEY0 stands for the
    fingerprint of .keys[0], and so on."""

    def __init__(self, entries="", kinds=("p256",), place="127.0.0.1:0",
                 **more):
        self.kinds, self.entries = kinds, entries
        more.setdefault("tcp", [])
        more["tcp"] = ['{ tcp = "%s"; tls = true; }' % place] + more["tcp"]
        super().__init__(**more)

    def __enter__(self):
        self.keys_dir = tempfile.mkdtemp(prefix="bridle-keys-")
        self.keys = [Key(self.keys_dir, "key%d" % i, kind)
                     for i, kind in enumerate(self.kinds)]
        self.me = self.clients
        self.admit(self.entries or
                   '{ name = "k"; key = "KEY0"; allow = ("*"); }')
        return super().__enter__()

    def admit(self, entries):
        for i, key in enumerate(self.keys):
            entries = entries.replace("KEY%d" % i, key.fingerprint)
        self.clients = self.me + ", " + entries if entries else self.me

    def write_config(self, text=None):
        if "state_dir" not in self.settings:
            self.settings += 'state_dir = %s;' % bridle.quote(self.state())
        super().write_config(text)

    def state(self):
        return os.path.join(self.dir, "sock", "state")

    def start_again(self):
        ports, self.tcp = self.ports, self.tcp_places
        os.truncate(self.log_path, 0)
        self.start()
        self.ports = ports

    def reload(self, entries):
        before = self.counter("reloads")
        self.admit(entries)
        self.tcp = self.tcp_places
        self.write_config()
        self.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: self.counter("reloads") > before)

    def __exit__(self, *exc):
        super().__exit__(*exc)
        shutil.rmtree(self.keys_dir)

    def context(self, key=0):
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        c.check_hostname = False
        c.verify_mode = ssl.CERT_NONE
        if key is not None:
            c.load_cert_chain(self.keys[key].path)
        return c

    def raw(self, host="127.0.0.1"):
        s = socket.create_connection((host, self.ports[0]),
                                     timeout=bridle.PATIENCE)
        return s

    @contextmanager
    def tls(self, key=0, context=None, host="127.0.0.1"):
        with self.raw(host) as s:
            with (context or self.context(key)).wrap_socket(s) as t:
                yield t

    def say(self, line, key=0, host="127.0.0.1"):
        with self.tls(key, host=host) as t:
            t.sendall(line.encode() + b"\n")
            return read_answer(t)


def test_the_host_key_is_made_once():
    with TlsDaemon() as d:
        path = os.path.join(d.state(), "host_key")
        st = os.stat(path)
        equal(stat.S_IMODE(st.st_mode), 0o600)
        with open(path) as f:
            made = f.read()
        told = subprocess.run([d.program, "--fingerprint", d.config],
                              capture_output=True, text=True)
        equal(told.returncode, 0, told.stderr)
        equal(told.stdout.strip(), fingerprint(path))
        with d.tls() as t:
            shown = os.path.join(d.dir, "shown")
            with open(shown, "w") as f:
                f.write(ssl.DER_cert_to_PEM_cert(t.getpeercert(True)))
            equal(fingerprint(shown), told.stdout.strip())
        d.process.terminate()
        equal(d.process.wait(bridle.PATIENCE), 0)
        d.start_again()
        with open(path) as f:
            equal(f.read(), made)
        equal(d.say("1#4").text, "pong")


def test_a_host_key_that_others_may_read_is_refused():
    with TlsDaemon() as d:
        d.process.terminate()
        d.process.wait(bridle.PATIENCE)
        os.chmod(os.path.join(d.state(), "host_key"), 0o644)
        refused = subprocess.run([d.program, "--config", d.config],
                                 capture_output=True, text=True)
        equal(refused.returncode, 71)
        assert "host_key: other users have access" in refused.stderr, refused.stderr
        os.chmod(os.path.join(d.state(), "host_key"), 0o600)
        d.start_again()


def test_a_host_key_that_others_may_replace_is_refused():
    with TlsDaemon() as d:
        d.process.terminate()
        d.process.wait(bridle.PATIENCE)
        os.chmod(d.state(), 0o777)
        refused = subprocess.run([d.program, "--config", d.config],
                                 capture_output=True, text=True,
                                 timeout=bridle.PATIENCE)
        equal(refused.returncode, 71)
        assert "state may be written by others" in refused.stderr, \
            refused.stderr
        os.chmod(d.state(), 0o700)
        d.start_again()


def test_a_host_key_is_there_whole_or_not_at_all():
    with TlsDaemon() as d:
        path = os.path.join(d.state(), "host_key")
        d.process.terminate()
        d.process.wait(bridle.PATIENCE)
        os.unlink(path)
        # Like a crash, the limit of the file size ends the program while the
        # program writes the key.
        ended = subprocess.run(
            ["prlimit", "--fsize=10", "--core=0", d.program, "--fingerprint",
             d.config], capture_output=True, text=True)
        assert ended.returncode != 0, ended
        assert not os.path.exists(path), "half a key was left"
        d.start_again()
        equal(d.say("1#4").text, "pong")


def test_openssl_s_client_speaks_the_raw_protocol():
    with TlsDaemon() as d:
        # With these options, s_client ends at the end of its input. With
        # -quiet, it would wait until the daemon closes the connection.
        out = subprocess.run(
            [OPENSSL, "s_client", "-connect", "127.0.0.1:%d" % d.ports[0],
             "-cert", d.keys[0].path, "-key", d.keys[0].path, "-tls1_3",
             "-alpn", "bridle/1", "-ign_eof", "-no_ign_eof"],
            input=b"1#2#name=bridled\n", capture_output=True,
            timeout=bridle.PATIENCE)
        text = out.stdout.decode()
        assert "ALPN protocol: bridle/1" in text, text
        assert "New Session Ticket" not in text, text
        d.wait_log("client=k .*verb=list .*result=200")
        with d.tls() as t:
            equal(t.version(), "TLSv1.3")


def test_both_kinds_of_key_are_known():
    with TlsDaemon('{ name = "a"; key = "KEY0"; allow = ("ping"); }, '
                   '{ name = "b"; key = "KEY1"; allow = ("ping"); }',
                   kinds=("p256", "ed25519")) as d:
        for i, name in enumerate("ab"):
            answer = d.say("1#4", i)
            equal(answer.text, "pong")
            d.wait_log("client=%s source=127.0.0.1:[0-9]+,key=%s"
                       % (name, re.escape(d.keys[i].fingerprint)))
            equal(d.say("1#2", i).status.pairs["rule"], name + ".allow")


def test_two_pins_of_one_client_and_none_of_others():
    with TlsDaemon('{ name = "k"; key = ("KEY0", "KEY1"); allow = ("*"); }',
                   kinds=("p256", "p256", "p256")) as d:
        equal([d.say("1#4", i).code for i in (0, 1, 2)], [200, 200, 401])
        answer = d.say("1#4", None)
        equal([answer.code, answer.text], [401, "the client showed no key"])


def test_a_pin_that_is_removed_is_refused_in_live_sessions():
    with TlsDaemon('{ name = "k"; key = ("KEY0", "KEY1"); allow = ("*"); }',
                   kinds=("p256", "p256")) as d:
        with d.tls(0) as old, d.tls(1) as new:
            for t in (old, new):
                t.sendall(b"1#4\n")
                equal(read_answer(t).code, 200)
            d.reload('{ name = "k"; key = "KEY1"; allow = ("*"); }')
            for t, code in ((old, 401), (new, 200)):
                t.sendall(b"1#4\n")
                equal(read_answer(t).code, code)


def test_from_binds_a_key_to_a_network():
    entries = ('{ name = "far"; key = "KEY0"; from = ("10.0.0.0/8");'
               ' allow = ("*"); }, { name = "near"; key = "KEY1";'
               ' from = ("127.0.0.0/8"); allow = ("ping"); }, '
               '{ name = "six"; key = "KEY2"; from = ("::1"); '
               'allow = ("ping"); }')
    with TlsDaemon(entries, kinds=("p256",) * 3, place="[::]:0") as d:
        # A listener at [::] must see the IPv4 address of an IPv4 client, not a
        # mapped IPv6 address.
        equal([d.say("1#4", i).code for i in (0, 1, 2)], [401, 200, 401])
        equal([d.say("1#4", i, "::1").code for i in (0, 1, 2)],
              [401, 401, 200])


def test_an_older_tls_is_refused():
    with TlsDaemon() as d:
        c = d.context()
        c.minimum_version = ssl.TLSVersion.TLSv1_2
        c.maximum_version = ssl.TLSVersion.TLSv1_2
        try:
            with d.tls(context=c):
                raise AssertionError("TLS 1.2 was accepted")
        except (ssl.SSLError, OSError):
            pass
        d.wait_log("handshake failed source=127.0.0.1:")
        equal(d.counter("bad_handshakes"), 1)
        equal(d.say("1#4").text, "pong")


def test_another_protocol_is_refused():
    with TlsDaemon() as d:
        c = d.context()
        c.set_alpn_protocols(["http/1.1"])
        try:
            with d.tls(context=c) as t:
                t.sendall(b"1#4\n")
                equal(t.recv(1), b"")
        except (ssl.SSLError, OSError):
            pass
        d.wait_log("handshake failed")


def test_plain_at_a_tls_port_is_told_so():
    with TlsDaemon() as d:
        for line in (b"1#4\n", b"1#3#x\n", b"GET / HTTP/1.0\r\n\r\n"):
            with d.raw() as s:
                s.sendall(line)
                equal(bridle.read_all(s), b"1#401#this port speaks TLS only\n")
        equal(d.counter("requests"), 1, "that counter alone")
        d.wait_log("handshake failed source=.*: the peer does not speak TLS")


def test_tls_at_a_plain_port_is_told_so():
    with TlsDaemon(tcp=["127.0.0.1:0"]) as d:
        with socket.create_connection(("127.0.0.1", d.ports[1])) as s:
            s.settimeout(bridle.PATIENCE)
            try:
                d.context().wrap_socket(s)
                raise AssertionError("a handshake without TLS was accepted")
            except ssl.SSLError as e:
                assert "WRONG_VERSION_NUMBER" in str(e), e


def test_a_key_is_nobody_where_there_is_no_tls():
    """Clients without TLS have no key, so an entry with a key must not match
    these clients."""
    with TlsDaemon(tcp=["127.0.0.1:0"],
                   clients='{ name = "x"; unix_user = "7"; allow = (); }',
                   ) as d:
        equal(d.ask("1#4").code, 401)
        equal(d.ask("1#4", d.ports[1]).code, 401)
        equal(d.say("1#4").code, 200)


def test_a_cut_discards_what_was_begun():
    with TlsDaemon() as d:
        with d.tls() as t:
            t.sendall(b"1#4")
            try:
                t.unwrap()  # send close_notify
            except ssl.SSLError as e:
                # Python reports the daemon's reply as an error, because the
                # reply arrives after close_notify.
                assert "AFTER_CLOSE_NOTIFY" in str(e), e
            d.wait_log("verb=ping .*result=200")
        done = d.counter("requests")
        with d.raw() as s:
            t = d.context().wrap_socket(s)
            t.sendall(b"1#4")
            # Close the connection without close_notify.
            t.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                         struct.pack("ii", 0, 0))
            t.shutdown(socket.SHUT_WR)
            while t.recv(100):  # the daemon may send an alert first
                pass
        equal(d.counter("requests"), done + 1, "that counter alone")


def test_many_requests_in_one_record():
    with TlsDaemon() as d, d.tls() as t:
        t.sendall(b"1#4\n" * 200)
        got = b""
        while got.count(b"\n") < 200:
            more = t.recv(65536)
            assert more, got[-200:]
            got += more
        equal(got.count(b"1#200#pong"), 200)


def test_a_long_answer_comes_whole():
    with TlsDaemon() as d, d.tls() as t:
        for _ in range(3):
            t.sendall(b"1#2\n")
            answer = read_answer(t)
            equal(answer.code, 200)
            equal(len(answer.rows), int(answer.text.split()[0]))


def test_a_stream_is_longer_than_the_memory_of_its_session():
    """A command's output can be longer than the session's memory, which the
    kernel limits to 32 MiB."""
    size = 1 << 20 if bridle.WRAP else 34 << 20
    flood = command("flood", "/usr/bin/head", "-c", str(size), "/dev/zero",
                    more="max_output = %d;" % size)
    with TlsDaemon(settings="commands = (%s);" % flood) as d, d.tls() as t:
        t.sendall(b"1#5#flood\n")
        run = read_run(t)
        equal((run.code, len(run.out)), (200, size))


def test_a_handshake_that_takes_too_long_is_ended():
    with TlsDaemon(limits={"login_seconds": 1}) as d:
        with d.raw() as silent, d.raw() as slow:
            slow.sendall(b"\x16\x03")
            for s in (silent, slow):
                equal(bridle.read_all(s), b"")
        equal(d.say("1#4").text, "pong")
        d.wait_quiet()


def test_bytes_that_drip_are_ended_too():
    with TlsDaemon(limits={"login_seconds": 1}) as d, d.raw() as s:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        hello = d.context().wrap_bio(incoming, outgoing)
        try:
            hello.do_handshake()
        except ssl.SSLWantReadError:
            pass
        s.setblocking(False)
        data = outgoing.read()

        def drip():
            nonlocal data
            try:
                s.send(data[:1])
                data = data[1:]
                return s.recv(100) == b""
            except BlockingIOError:
                return False
            except OSError:
                return True
        wait_for("the end of the slow handshake", drip)
        d.wait_quiet()


def test_a_handshake_is_no_place_for_others_to_wait():
    """Clients in the middle of a handshake must not delay another client."""
    with TlsDaemon(limits={"sessions_per_source": 10}) as d:
        held = [d.raw() for _ in range(9)]
        equal(d.say("1#4").text, "pong")
        for s in held:
            s.close()
        d.wait_quiet()


def test_the_first_tls_listener_may_come_with_a_reload():
    with Daemon(settings='') as d:
        d.settings = 'state_dir = %s;' % bridle.quote(
            os.path.join(d.dir, "sock", "state"))
        os.mkdir(os.path.join(d.dir, "sock", "state"), 0o700)
        port = bridle.free_port()
        d.tcp = ['{ tcp = "127.0.0.1:%d"; tls = true; }' % port]
        d.write_config()
        d.process.send_signal(signal.SIGHUP)
        wait_for("the reload", lambda: d.counter("reloads") == 1)
        c = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        c.check_hostname = False
        c.verify_mode = ssl.CERT_NONE
        with socket.create_connection(("127.0.0.1", port)) as s:
            with c.wrap_socket(s) as t:
                t.sendall(b"1#4\n")
                equal(read_answer(t).code, 401)


STRICT = ("min_seconds = 1000; max_seconds = 1000; unknown = 1000;"
          " unknown_key = 1000; handshake = 1000;")


def check_shut_out(d, cause):
    d.wait_log(r"blocked source=uid=%d seconds=1000 cause=%s$"
               % (os.getuid(), cause))
    with d.raw() as s:
        answer, = bridle.answers(bridle.read_all(s))
        equal(answer.code, 429)
    # The user of this test is the only source that is blocked.
    equal(d.counter("penalized"), 1)


def test_who_does_not_get_through_the_handshake_is_shut_out():
    with TlsDaemon(penalties=STRICT) as d:
        equal(d.say("1#4").text, "pong")
        with d.raw() as s:
            s.sendall(b"1#4\n")
            bridle.read_all(s)
        check_shut_out(d, "handshake")


def test_who_does_not_know_the_host_key_is_not_shut_out():
    """A client that does not know the host key ends the handshake. It sends an
    alert or closes the connection."""
    with TlsDaemon(penalties=STRICT) as d:
        doubtful = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        doubtful.check_hostname = False
        for _ in range(20):
            try:
                with d.tls(context=doubtful):
                    raise AssertionError("the key was accepted")
            except ssl.SSLCertVerificationError:
                pass
        for end in (socket.socket.close, bridle.reset):
            end(begin_handshake(d))
        wait_for("their end", lambda: d.counter("without_request") == 22)
        equal(d.say("1#4").text, "pong")
        equal(d.counter("penalties"), 0)
        # A handshake that fails for another reason costs a penalty, even if the
        # client resets the connection.
        with d.raw() as s:
            s.sendall(b"1#4\n")
            bridle.reset(s)
        d.wait_log("blocked source=.* cause=handshake$")


def begin_handshake(d):
    """Return a connection in the middle of its handshake. The daemon has begun
    to send its key."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = d.context().wrap_bio(incoming, outgoing)
    try:
        tls.do_handshake()
    except ssl.SSLWantReadError:
        pass
    s = d.raw()
    s.sendall(outgoing.read())
    assert s.recv(1)
    return s


def test_who_comes_with_an_unknown_key_or_none_is_shut_out():
    for key, cause in ((1, "unknown_key"), (None, "unknown")):
        with TlsDaemon(kinds=("p256", "p256"), penalties=STRICT) as d:
            equal(d.say("1#4", key).code, 401)
            check_shut_out(d, cause)


def test_a_user_of_this_machine_is_one_source_whatever_his_address():
    peers.need_root("be somebody else")
    limits = {"sessions_per_source": 2}
    with TlsDaemon(place="0.0.0.0:0", limits=limits, penalties=STRICT) as d:
        def connect(address):
            return peers.connect("127.0.0.1", d.ports[0], source=address,
                                 uid=bridle.STRANGER)
        with connect("127.0.0.2"), connect("127.0.0.3"), \
                connect("127.0.0.4") as third:
            answer, = bridle.answers(bridle.read_all(third))
            equal((answer.code, answer.text),
                  (429, "too many sessions from this source"))
        # Until both sessions have ended, the daemon refuses a third one.
        wait_for("the sessions to end", lambda: d.counter("sessions") == 1)
        with connect("127.0.0.1") as s:
            s.sendall(b"1#4\n")
            bridle.read_all(s)
        # This uid has no account.
        d.wait_log("blocked source=uids-without-account ")
        equal(d.say("1#4").text, "pong", "others at the same address")


if OPENSSL is None:
    print("1..0 # SKIP there is no openssl")
else:
    bridle.main(globals())
