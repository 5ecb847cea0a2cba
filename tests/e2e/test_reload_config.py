"""Tests of SIGHUP, which makes the daemon read its configuration again. Open
connections stay open, but the new settings hold for these connections, too."""

import contextlib
import os
import re
import signal
import socket
import stat
import subprocess

import bridle
from bridle import Daemon, Victim, equal, read_answer, wait_for
from crowd import KILLS, Asker, Crowd
from etc_files import EtcFiles, open_writer
from procs import cpu_seconds, kills

US = os.getuid()
# Loopback address that only this test uses. When the test has closed a port
# there, no other process can take this port.
HOST = "127.%d.%d.2" % (os.getpid() >> 8 & 255, os.getpid() & 255)


def entry(rest='allow = ("*");', name="me", who=US):
    return '{ name = "%s"; unix_user = "%d"; %s }' % (name, who, rest)


def change(d, clients=None, settings=None, tcp=None):
    """Change the given parts of the configuration file, and reload. Check that
    the daemon accepts the file."""
    if clients is not None:
        d.clients = clients
    if settings is not None:
        d.settings = settings
    if tcp is not None:
        d.tcp = tcp
    d.write_config()
    assert d.reload(), d.log()


def run(d, option):
    return subprocess.run([d.program, option, d.config], text=True,
                          capture_output=True, timeout=bridle.PATIENCE)


def tell(s, line):
    s.sendall(line.encode() + b"\n")
    return read_answer(s)


def counters(d):
    """Return all counters of a single status request, as a dict of text."""
    return {row["counter"].decode(): row["value"].decode()
            for row in d.ask("1#7").rows}


# -- tests of the policy ----------------------------------------------------


def test_new_policy_meets_live_sessions():
    with Daemon(tcp=["127.0.0.1:0"]) as d, \
            d.connect() as a, d.connect(d.ports[0]) as b:
        for s in (a, b):
            equal(tell(s, "1#4").code, 200)
        sessions = [pid for pid, _ in d.children()]
        for clients, code, rule in [
                (entry('allow = ("ping");'), 403, "me.allow"),
                (entry(who=US + 1), 401, None),
                ("", 401, None),
                (entry('allow = ("halt"); halt = { modes = (); };'), 403,
                 "me.halt.modes"),
                (entry('allow = ("*"); halt = { modes = ("halt"); };',
                       name="you"), 403, "you.halt.modes"),
                (entry(), 200, None)]:
            change(d, clients)
            for s in (a, b):
                answer = tell(s, "1#1#mode=reboot#dry-run")
                equal(answer.code, code, clients)
                equal(answer.status.pairs.get("rule"), rule, clients)
        equal([pid for pid, _ in d.children()], sessions)


@kills
def test_a_request_in_flight_ends_as_it_began():
    with Daemon() as d, Victim(args=["--ignore-term"]) as v, \
            d.connect() as s:
        s.sendall(b"1#3#%s#wait=600\n1#4\n" % v.comm)
        d.wait_log("pid=%d .*outcome=signalled" % v.pid)
        change(d, entry('allow = ("list");'))
        v.process.kill()
        answer = read_answer(s)
        equal([answer.code, answer.rows[0]["outcome"]], [200, b"exited"])
        # On an open connection, the new settings must apply to the next
        # request.
        equal(read_answer(s).code, 403)


def test_the_other_settings_are_new_as_well():
    with Daemon() as d, Victim() as v:
        equal(counters(d)["actions_max"], "64")
        d.limits = {"actions": 7}
        d.power = {mode: [d.program_path("recorder"), d.record_path, "new",
                          mode] for mode in ("halt", "poweroff", "reboot")}
        change(d, settings='protect = ("%s"); log = { level = "notice"; };'
               % v.name)
        equal(counters(d)["actions_max"], "7")
        equal(d.ask("1#1").code, 202)
        equal(d.recorded(), [["new", "halt"]])
        # The user of this test is a system user, so `protect` holds for the
        # victim.
        if KILLS and US < 1000:
            equal(d.ask("1#3#" + v.name).rows[0]["outcome"], b"protected")
        assert v.lives()
        d.wait_log("verb=status")
        # a reload proves that the log is complete up to here
        assert d.reload()
        assert "verb=halt" not in d.log()


def test_a_new_limit_holds_for_the_next_connection():
    # Use TCP, because the daemon never refuses root at a unix socket.
    with Daemon(tcp=["127.0.0.1:0"]) as d, \
            d.connect(d.ports[0]) as a, d.connect(d.ports[0]) as b:
        equal([tell(a, "1#4").code, tell(b, "1#4").code], [200, 200])
        d.limits = {"sessions_per_source": 2}
        change(d)
        with d.connect(d.ports[0]) as c:
            equal(read_answer(c).code, 429)
        equal([tell(a, "1#4").code, tell(b, "1#4").code], [200, 200])
        d.limits = {}
        change(d)
        with d.connect(d.ports[0]) as c:
            equal(tell(c, "1#4").code, 200)


# -- tests of wrong files ---------------------------------------------------


LIMITED = entry('allow = ("ping", "halt", "status");'
                ' halt = { modes = ("reboot"); };')


def check_still_limited(d):
    """Check that exactly the rights of the old file are effective."""
    equal(d.ask("1#4", d.ports[0]).code, 200)
    equal(d.ask("1#1#mode=reboot#dry-run").code, 200)
    equal(d.ask("1#1").status.pairs["rule"], "me.halt.modes")
    equal(d.ask("1#2").status.pairs["rule"], "me.allow")


BAD = [
    # Each item is a line of the configuration, and a pattern of the message in
    # the log.
    ("stop_seconds = ;", r"bridled\.conf:\d+: .*syntax error"),
    ("clients = ();", r"bridled\.conf:\d+: duplicate setting"),
    ("nonsense = 1;", r"bridled\.conf:\d+: nonsense: unknown"),
    ("stop_second = 1;", r"bridled\.conf:\d+: stop_second: .*stop_seconds"),
    ("stop_seconds = -1;", r"bridled\.conf:\d+: stop_seconds: "),
    ("stop_seconds = \"1\";", r"bridled\.conf:\d+: stop_seconds: "),
    ("limits = { sessions = 1; };", r"bridled\.conf:\d+: limits\.sessions: "),
    ("protect = (1);", r"bridled\.conf:\d+: protect"),
    ("log = { level = \"loud\"; };", r"bridled\.conf:\d+: log\.level: "),
    ("@include \"/etc/passwd\"", r"bridled\.conf:\d+: .*@include"),
]


def test_a_bad_file_keeps_the_old_settings_and_the_log_says_why():
    with Daemon(LIMITED, tcp=["127.0.0.1:0"]) as d, d.connect() as s:
        good, inodes = d.clients, sockets(d)
        equal(tell(s, "1#4").code, 200)
        # If the daemon accepted the wrong line, this entry would allow
        # everything.
        d.clients = entry()
        for line, pattern in BAD:
            d.settings = line
            d.write_config()
            before = len(d.log())
            assert not d.reload(), line
            new = d.log()[before:]
            assert re.search(pattern, new), (pattern, new)
            assert "not reloaded" in new, new
            check_still_limited(d)
            equal(tell(s, "1#2").code, 403)
        equal(sockets(d), inodes)
        values = counters(d)
        equal([values["bad_reloads"], values["reloads"]],
              [str(len(BAD)), "0"])
        # One reload must report all mistakes of the file.
        d.settings = "nonsense = 1; stop_second = 1; protect = (1);"
        d.write_config()
        assert not d.reload()
        for what in ("nonsense", "stop_second", "protect"):
            d.wait_log(r"bridled\.conf:\d+: %s: " % what
                       if what != "protect" else "protect")
        change(d, good, settings="")
        check_still_limited(d)


def test_a_file_that_is_gone_or_open_to_others_is_bad():
    with Daemon(LIMITED, tcp=["127.0.0.1:0"]) as d:
        d.clients = entry()
        os.rename(d.config, d.config + ".away")
        assert not d.reload()
        d.wait_log("No such file")
        check_still_limited(d)
        for mode in (0o666, 0o646, 0o664):
            d.write_config()
            os.chmod(d.config, mode)
            assert not d.reload(), oct(mode)
            check_still_limited(d)
        d.wait_log("writ")
        os.remove(d.config)
        os.mkdir(d.config)
        assert not d.reload()
        check_still_limited(d)
        os.rmdir(d.config)
        d.write_config()
        os.chmod(d.dir, 0o777)
        assert not d.reload()
        check_still_limited(d)
        os.chmod(d.dir, 0o755)
        assert d.reload()
        equal(d.ask("1#1#dry-run").code, 200)


class Servant(Daemon):
    """A daemon that root has started, and that runs as the user "nobody"."""

    def write_config(self, text=None):
        super().write_config(text)
        with open(self.config) as f:
            text = f.read().replace('user = "root"', 'user = "nobody"')
        with open(self.config, "w") as f:
            f.write(text)


def test_a_socket_file_that_cannot_be_changed_is_in_the_log():
    if not bridle.ROOT:
        raise bridle.Skip("because only root can change its user")
    with Servant() as d:
        d.mode = '0600"; group = "daemon'
        change(d)
        d.wait_log(r"bridled\.conf:\d+: listen: cannot change mode and group "
                   "of %s: Operation not permitted" % re.escape(d.sock))
        equal(stat.S_IMODE(os.stat(d.sock).st_mode), 0o666)
        equal(d.ask("1#4").code, 200)


def test_a_file_that_the_daemon_may_not_read_any_more():
    if not bridle.ROOT:
        raise bridle.Skip("because only root can change its user")
    with Servant() as d:
        d.clients = entry('allow = ("ping");')
        d.write_config()
        os.chmod(d.config, 0o600)
        assert not d.reload()
        d.wait_log("Permission denied")
        equal(d.ask("1#2#name=nobody").code, 404)
        # Only root can create a file in this folder, so the daemon cannot open
        # this listener.
        d.tcp = ["{ unix = %s; }" % bridle.quote(d.sock + "2")]
        d.write_config()
        assert not d.reload()
        d.wait_log(r"bridled\.conf:\d+: listen: .*: Permission denied")
        equal(d.ask("1#2#name=nobody").code, 404)
        change(d, tcp=[])
        equal(d.ask("1#2#name=nobody").code, 403)


# -- tests of listeners -----------------------------------------------------


def tcp_inodes(port):
    """Return the inodes of the sockets that listen at this TCP port."""
    found = []
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(FileNotFoundError):
            with open("/proc/net/" + table) as f:
                rows = [line.split() for line in f][1:]
            found += [row[9] for row in rows if row[3] == "0A"
                      and row[1].endswith(":%04X" % port)]
    return found


def unix_inodes(path):
    with open("/proc/net/unix") as f:
        rows = [line.split() for line in f]
    # 00010000 is the flag of a socket that accepts connections.
    return [row[6] for row in rows if row[-1] == path
            and row[3] == "00010000"]


def sockets(d):
    """Return the inode of each listening socket, and of the unix socket's
    file. The inodes change if a listener is opened again."""
    found = [unix_inodes(d.sock), os.stat(d.sock).st_ino]
    found += [tcp_inodes(port) for port in d.ports]
    assert [] not in found, found
    return found


def test_unchanged_listeners_are_not_reopened():
    with Daemon(tcp=["127.0.0.1:0", "127.0.0.1:0"]) as d:
        before = sockets(d)
        for i in range(3):
            change(d, settings="stop_seconds = %d;" % i)
            equal(sockets(d), before)
        # Another order of the listeners in the file must change nothing.
        change(d, tcp=d.tcp[::-1])
        equal(sockets(d), before)


def test_connections_in_the_backlog_outlive_a_reload():
    with Daemon(tcp=["127.0.0.1:0"]) as d, contextlib.ExitStack() as stack:
        with d.stopped():
            waiting = [stack.enter_context(d.connect(port))
                       for port in (None, d.ports[0]) * 5]
            d.clients = entry('allow = ("ping");')
            d.write_config()
            d.process.send_signal(signal.SIGHUP)
        d.wait_log("reloaded")
        for s in waiting:
            s.sendall(b"1#3#nobody\n")
            equal(read_answer(s).status.pairs["rule"], "me.allow")


# -- tests of a name service that hangs -------------------------------------


FAR = entry() + ', { name = "far"; unix_group = "daemon"; allow = (); }'


def test_requests_go_on_while_a_reload_waits_for_a_name():
    with EtcFiles() as etc, Daemon(FAR, wrap=etc.wrap) as d, d.connect() as s:
        equal(tell(s, "1#4").code, 200)
        fifo = etc.hide_behind_fifo(d, "group")
        d.process.send_signal(signal.SIGHUP)
        equal([tell(s, "1#4").code, d.ask("1#7").code], [200, 200])
        assert "reloaded" not in d.whole_log()
        # The name service now reads an empty FIFO, which is no list of groups.
        # The group stays unknown, so the reload must fail.
        os.close(os.open(fifo, os.O_WRONLY))
        d.wait_log('the group "daemon" cannot be looked up now')
        d.wait_log("not reloaded")
        equal(tell(s, "1#4").code, 200)


def test_a_second_reload_takes_the_place_of_one_that_waits():
    with EtcFiles() as etc, Daemon(FAR, wrap=etc.wrap) as d:
        fifo = etc.hide_behind_fifo(d, "group")
        d.process.send_signal(signal.SIGHUP)
        equal(d.ask("1#4").code, 200)
        # While the writer is open, the child of the first reload waits for
        # input.
        writer = wait_for("a reader of the FIFO", lambda: open_writer(fifo))
        etc.show(d, "group")
        assert d.reload(), d.log()
        equal(counters(d)["reloads"], "1")
        os.close(writer)
        d.wait_quiet()


def test_reloads_end_however_fast_the_signals_come():
    with Daemon() as d:
        flood = subprocess.Popen(["sh", "-c", "while kill -HUP %d; do :; done"
                                  % d.pid])
        try:
            d.wait_log("reloaded")
        finally:
            flood.kill()
            flood.wait()
        # The last signal must cause a reload that reads this new text.
        d.settings = "stop_seconds = 7;"
        d.write_config()
        d.process.send_signal(signal.SIGHUP)
        wait_for("the last reload", lambda: "stop_seconds = 7;" in run(
            d, "--effective").stdout)


def test_what_is_told_of_a_reload_is_told_of_the_file_as_it_is():
    """`bridled --reload` must wait for a reload that reads the current file,
    even if another reload is already under way."""
    with Daemon() as d:
        for i in range(10):
            d.settings = "stop_seconds = %d;" % (20 + i)
            d.write_config()
            for _ in range(3):
                d.process.send_signal(signal.SIGHUP)
            d.settings = "stop_seconds = %d;" % (40 + i)
            d.write_config()
            equal(run(d, "--reload").returncode, 0)
            assert d.settings in run(d, "--effective").stdout


def test_the_daemon_stops_while_a_reload_waits():
    with EtcFiles() as etc, Daemon(FAR, wrap=etc.wrap) as d:
        etc.hide_behind_fifo(d, "group")
        d.process.send_signal(signal.SIGHUP)
        equal(d.ask("1#4").code, 200)
        d.process.terminate()
        equal(d.process.wait(bridle.PATIENCE), 0)


def test_a_name_that_cannot_be_asked_for_fails_the_reload():
    with EtcFiles() as etc, Daemon(FAR, wrap=etc.wrap) as d:
        etc.hide_behind_socket(d, "group")
        assert not d.reload()
        d.wait_log('the group "daemon" cannot be looked up now')
        etc.show(d, "group")
        assert d.reload(), d.log()


def refused(d, port):
    try:
        d.connect(port, HOST).close()
    except ConnectionRefusedError:
        return True
    return False


def test_new_listeners_open_and_removed_ones_close():
    with Daemon(tcp=[HOST + ":0"]) as d:
        old, new = d.ports[0], bridle.free_port(HOST)
        second = os.path.join(os.path.dirname(d.sock), "second")
        inode = unix_inodes(d.sock)
        with d.connect(old, HOST) as live:
            equal(tell(live, "1#4").code, 200)
            change(d, tcp=["%s:%d" % (HOST, new),
                           "{ unix = %s; }" % bridle.quote(second)])
            equal(d.ask("1#4", new, HOST).code, 200)
            assert refused(d, old)
            with socket.socket(socket.AF_UNIX) as s:
                s.connect(second)
                equal(tell(s, "1#4").code, 200)
            # The listener of this client is closed, but the client must still
            # be served.
            equal(tell(live, "1#4").code, 200)
        change(d, tcp=["%s:%d" % (HOST, old)])
        equal(d.ask("1#4", old, HOST).code, 200)
        assert refused(d, new)
        assert not os.path.exists(second)
        equal(unix_inodes(d.sock), inode)


def test_a_kept_unix_socket_gets_its_new_mode():
    with Daemon(mode="0666") as d:
        before = sockets(d)
        d.mode = "0600"
        change(d)
        equal(stat.S_IMODE(os.stat(d.sock).st_mode), 0o600)
        equal(sockets(d), before)


def test_if_one_listener_cannot_be_opened_none_changes():
    with Daemon(tcp=["127.0.0.1:0"]) as d, socket.socket() as busy:
        busy.bind((HOST, 0))
        busy.listen()
        taken, free = busy.getsockname()[1], bridle.free_port(HOST)
        before = sockets(d)
        good = d.tcp
        d.clients = entry('allow = ("ping");')
        d.tcp = ["%s:%d" % (HOST, free), "%s:%d" % (HOST, taken)]
        d.write_config()
        assert not d.reload()
        d.wait_log(r"bridled\.conf:\d+: listen: %s:%d: Address already in use"
                   % (re.escape(HOST), taken))
        equal(sockets(d), before)
        assert refused(d, free)
        equal(d.ask("1#2#name=nobody", d.ports[0]).code, 404)
        change(d, tcp=good)
        equal(sockets(d), before)
        equal(d.ask("1#2", d.ports[0]).code, 403)


# -- tests of many reloads --------------------------------------------------


class Stayer(Asker):
    """A client that sends all its requests on one connection."""

    def __enter__(self):
        super().__enter__()
        self.sock = self.daemon.connect(self.port)
        return self

    def __exit__(self, *exc):
        self.sock.close()
        super().__exit__(*exc)

    def ask(self):
        for _, fits in self.send(self.sock):
            self.check(read_answer(self.sock), fits)


@contextlib.contextmanager
def load(d):
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(kind(d, port))
                   for port in (None, d.ports[0])
                   for kind in (Asker, Stayer)]
        with Crowd([c.ask for c in clients]) as crowd:
            yield crowd


def open_fds(d):
    """Return the number of the daemon's descriptors, or None if this test is
    not allowed to read the number. The daemon is undumpable, so only root is
    allowed to read it."""
    try:
        return d.fds()
    except PermissionError:
        return None


def test_a_hundred_reloads_under_load():
    settings = 'log = { level = "notice"; };'
    with Daemon(settings=settings, tcp=["127.0.0.1:0"],
                limits={"sessions_per_source": 64}) as d:
        equal(d.ask("1#4").code, 200)
        d.wait_quiet()
        before, fds, kept = sockets(d), open_fds(d), d.tcp
        extra = "{ unix = %s; }" % bridle.quote(d.sock + "2")
        with load(d) as crowd:
            for i in range(50):
                change(d, tcp=kept + ([extra] if i % 2 == 0 else []))
                if i % 5 == 0:
                    d.write_config("clients = ( {;\n")
                    assert not d.reload()
            # Do not wait for the reloads. The daemon may carry out one reload
            # for several signals.
            d.write_config()
            for _ in range(100):
                d.process.send_signal(signal.SIGHUP)
            rounds = crowd.rounds
            wait_for("more rounds of the clients", lambda: crowd.errors
                     or crowd.rounds > rounds + 20)
        d.wait_quiet()
        equal(sockets(d), before)
        values = counters(d)
        assert int(values["reloads"]) > 50, values
        equal([values["bad_reloads"], values["crashes"], values["failed"]],
              ["10", "0", "0"])
        d.wait_quiet()
        wait_for("its descriptors to be closed",
                 lambda: open_fds(d) == fds)


def test_a_reload_of_many_clients_costs_the_parent_little():
    """A reload compares each entry with all earlier entries in a child process.
    The parent process only reads the entries."""
    if bridle.WRAP or not bridle.FILTER:
        raise bridle.Skip("because valgrind and sanitizers are too slow")
    # A child with sanitizers would need most of its deadline for 5000 entries.
    many = 1000 if bridle.FEW else 5000
    more = "".join('{ name = "c%d"; key = ("SHA256:%042dA");'
                   ' allow = ("list"); },\n' % (n, n) for n in range(many))
    with Daemon() as d:
        with open(d.config) as f:
            text = f.read()
        d.write_config(text.replace("clients = (", "clients = (" + more))
        before = cpu_seconds(d.pid)
        assert d.reload()
        used = cpu_seconds(d.pid) - before
        assert used < 0.3, used


bridle.main(globals())
