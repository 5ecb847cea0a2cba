"""Tests of one call for many hosts: the output of each host, and the order of
the hosts. A host that misbehaves must not disturb the others."""

import contextlib
import json
import os
import re
import signal
import socket
import ssl
import threading

import bridle
from bridle import Victim, ctl, equal, free_port, is_running, \
    wait_for
from herd import Host, PONG, finish, hangs, herd, hosts, running, says, \
    summary, waits_for
from homes import Home, TlsDaemon
from procs import Terminal


# Tests of the output of each host

def test_every_host_answers_and_is_counted():
    with herd(3) as d:
        done = ctl("-H", d.name("[1-3]"), "ping")
        equal(done.returncode, 0, done.stderr)
        equal(sorted(re.findall(r"^pong from (\S+): bridled", done.stdout,
                                re.M)), d.names(1, 2, 3))
        equal(done.stderr, "bridlectl: 3 hosts: 3 ok\n")


def test_a_list_of_one_is_shown_as_a_list():
    with herd(1) as d:
        done = ctl("-H", d.name("[1-1]"), "verbs")
        equal(done.stdout.split()[0], "HOST")
        equal(summary(done), "1 host: 1 ok")
        equal(ctl("-H", d.name(1), "verbs").stdout.split()[0], "VERB")


def test_tables_become_one_in_the_order_of_the_hosts():
    with herd(3) as d, Victim() as v:
        done = ctl("-H", hosts(*d.names(3, 1, 2)), "list", v.name)
        rows = [line.split() for line in done.stdout.splitlines()]
        equal(rows[0][:2], ["HOST", "PID"])
        equal([row[:2] for row in rows[1:]],
              [[name, str(v.pid)] for name in d.names(3, 1, 2)])


def test_the_sort_goes_across_hosts():
    with herd(2) as d, Victim(b"manysort") as v, Victim(b"manysort") as w:
        done = ctl("-H", d.name("[1-2]"), "list", "manysort", "--sort",
                   "-pid", "--columns", "pid,name", "--raw")
        found = [line.split("\t") for line in done.stdout.splitlines()
                 if line.split("\t")[1] in (str(v.pid), str(w.pid))]
        pids = sorted([v.pid, w.pid], reverse=True)
        equal(found, [[name, str(pid), "manysort"] for pid in pids
                      for name in d.names(1, 2)])


def test_trees_are_drawn_host_by_host():
    with herd(2) as d, Victim() as v:
        done = ctl("-H", d.name("[1-2]"), "list", v.name, "--tree",
                   "--ordered")
        equal([line for line in done.stdout.splitlines()
               if line.startswith("plain:")],
              [name + ":" for name in d.names(1, 2)])
        equal(done.stdout.count(" %s " % v.name), 2, done.stdout)


def test_raw_lines_begin_with_their_host():
    with herd(2) as d, Victim() as v:
        done = ctl("-H", d.name("[1-2]"), "list", v.name, "--raw")
        found = sorted(line.split("\t")[:2]
                       for line in done.stdout.splitlines())
        equal(found, [[name, str(v.pid)] for name in d.names(1, 2)])


def test_json_has_an_object_a_host_and_one_for_the_sum():
    with herd(2) as d:
        gone = "plain:127.1.0.9:%d" % d.port
        done = ctl("-H", hosts(d.name("[1-2]"), gone), "ping", "--json")
        *answers, total = map(json.loads, done.stdout.splitlines())
        equal({a["host"]: (a["status"], a["result"]) for a in answers},
              {d.name(1): (200, "ok"), d.name(2): (200, "ok"),
               gone: (None, "unreachable")})
        assert total.pop("seconds") >= 0
        equal(total, {"hosts": 3, "ok": 2, "no_match": 0, "refused": 0,
                      "failed": 0, "timed_out": 0, "unreachable": 1,
                      "not_asked": 0})
        equal(done.returncode, 4)
        assert "hosts:" not in done.stderr


def test_equal_answers_are_shown_once():
    version = ctl("--version").stdout.split()[1]
    with herd(3) as d, Host(says(b"1#200#pong#version=9.9#id=1\n")) as old:
        done = ctl("-H", hosts(d.name("[1-3]"), old.name), "ping",
                   "--gather")
        equal(done.stdout.splitlines(),
              ["pong from %s: bridled %s" % (d.name("[1-3]"), version),
               "pong from %s: bridled 9.9" % old.name])
        done = ctl("-H", d.name("[1-3]"), "verbs", "--gather")
        equal(done.stdout.splitlines()[0], d.name("[1-3]") + ":")
        equal(done.stdout.count(" kill "), 1)


def test_every_host_shows_who_is_connected():
    with herd(2) as d:
        done = ctl("-H", d.name("[1-2]"), "who")
        rows = [line.split()[:2] for line in done.stdout.splitlines()]
        equal(rows[0], ["HOST", "NAME"])
        equal(sorted({row[0] for row in rows[1:]}), d.names(1, 2))
        assert ["me"] in [row[1:] for row in rows], rows


def test_answers_come_as_they_come_or_in_order():
    go = threading.Event()
    with herd(1) as d, Host(waits_for(go, says(PONG))) as slow:
        for order in ([], ["--ordered"]):
            go.clear()
            with running("-H", hosts(slow.name, d.name(1)), "ping",
                         *order) as process:
                if order:
                    wait_for("both hosts to be contacted",
                             lambda: d.counter("requests") > 2
                             and slow.at_once)
                    go.set()
                first = process.stdout.readline()
                go.set()
                finish(process)
            name = slow.name if order else d.name(1)
            assert first.startswith("pong from " + name), first


def test_explain_counts_by_what_it_tells():
    with herd(1, clients='{ name = "me"; unix_user = "%d"; allow = ("ping", '
              '"explain"); }' % os.getuid()) as d, herd(1, 2) as e:
        done = ctl("-H", hosts(d.name(1), e.name(2)), "explain", "list")
        equal(done.returncode, 4)
        equal(summary(done), "2 hosts: 1 ok, 1 refused (%s)" % d.name(1))


# Tests of hosts that misbehave

def dies_half_way(sock):
    sock.recv(65536)
    sock.sendall(b"1#100#pid#name\n1#100#7#poisoned\n1#100#8#poi")


def drips(sock):
    sock.recv(65536)
    with contextlib.suppress(OSError):
        for i in range(10 ** 6):
            sock.sendall(b"1")
            sock.settimeout(0.05)
            with contextlib.suppress(socket.timeout):
                if sock.recv(1) == b"":
                    return


def test_each_broken_host_has_its_own_fate():
    with contextlib.ExitStack() as stack:
        d = stack.enter_context(herd(2))
        v = stack.enter_context(Victim())

        def host(number, serve):
            return stack.enter_context(
                Host(serve, "127.2.0.%d" % number)).name
        refusing = "plain:127.2.0.1:%d" % free_port("127.2.0.1")
        garbage = host(2, says(b"HTTP/1.1 400 Bad Request\r\n\r\n"))
        half = host(3, dies_half_way)
        closes = host(4, lambda sock: None)
        silent = host(5, hangs)
        slow = host(6, drips)
        full = host(7, says(b"1#429#too many sessions#id=1\n"))
        stops = host(8, says(b"1#503#stopping#id=1\n"))
        done = ctl("-H", hosts(refusing, garbage, d.name("[1-2]"), half,
                               closes, silent, slow, full, stops),
                   "list", v.name, "--timeout", "2", "--json")
        *answers, total = map(json.loads, done.stdout.splitlines())
        by_host = {a["host"]: a for a in answers}
        equal({name: a["result"] for name, a in by_host.items()},
              {refusing: "unreachable", garbage: "unreachable",
               d.name(1): "ok", d.name(2): "ok", half: "unreachable",
               closes: "unreachable", silent: "timed_out",
               slow: "timed_out", full: "refused", stops: "unreachable"})
        equal((total["hosts"], total["ok"], total["timed_out"]), (10, 2, 2))
        equal(done.returncode, 4)
        for name in d.names(1, 2):
            equal([r["pid"] for r in by_host[name]["records"]], [v.pid])
        # The rows of a broken host must not appear, since they are incomplete.
        assert "poisoned" not in done.stdout, done.stdout
        for name in by_host:
            if name not in d.names(1, 2):
                assert "bridlectl: %s: " % name in done.stderr, name


class Hearing:
    """A connection of a TlsHost. recv() appends the received bytes to .heard of
    the host."""

    def __init__(self, sock, host):
        self.sock, self.host = sock, host
        self.sendall = sock.sendall

    def recv(self, size):
        data = self.sock.recv(size)
        self.host.heard += data
        return data


class TlsHost(Host):
    """A Host that has a key. After the TLS handshake, the host calls `serve`
    with the connection."""

    def __init__(self, home, serve, address):
        self.key = os.path.join(home.dir, "key-" + address)
        self.fingerprint, _ = home.keygen(self.key)
        super().__init__(self.shake, address)
        self.then, self.heard = serve, b""
        self.name = "%s:%d" % (self.address, self.port)

    def shake(self, sock):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(["bridle/1"])
        context.load_cert_chain(self.key)
        with contextlib.suppress(ssl.SSLError):
            self.then(Hearing(context.wrap_socket(sock, server_side=True),
                              self))


def test_each_broken_tls_host_has_its_own_fate():
    with contextlib.ExitStack() as stack:
        home = stack.enter_context(Home())
        d = stack.enter_context(TlsDaemon(home))

        def host(number, serve):
            return stack.enter_context(
                TlsHost(home, serve, "127.2.0.%d" % number))
        silent = host(1, hangs)
        wrong = host(2, hangs)
        garbage = host(3, says(b"\xff\x00garbage\n"))
        half = host(4, dies_half_way)
        mute = stack.enter_context(Host(hangs, "127.2.0.5"))
        before = "%s:%d" % (mute.address, mute.port)
        plain = stack.enter_context(Host(says(b"1#400#no#id=1\n"),
                                         "127.2.0.6"))
        unsafe = "%s:%d" % (plain.address, plain.port)
        stranger = host(7, hangs)
        home.know(d.line() + "".join(
            "%s %s\n" % (h.name, "SHA256:" + "A" * 43 if h is wrong
                         else h.fingerprint)
            for h in (silent, wrong, garbage, half)))
        names = hosts(silent.name, wrong.name, garbage.name, half.name,
                      before, unsafe, stranger.name, d.host)
        done = home.ctl("-H", names, "ping", "--timeout", "2", "--json")
        *answers, total = map(json.loads, done.stdout.splitlines())
        equal({a["host"]: a["result"] for a in answers},
              {silent.name: "timed_out", wrong.name: "unreachable",
               garbage.name: "unreachable", half.name: "unreachable",
               before: "timed_out", unsafe: "unreachable",
               stranger.name: "unreachable", d.host: "ok"}, done.stderr)
        texts = {a["host"]: a["text"] for a in answers}
        assert "the host's key has changed" in texts[wrong.name]
        assert "the host's key is unknown" in texts[stranger.name]
        assert "without TLS" in texts[unsafe], texts[unsafe]
        # bridlectl must not send a request to a host with a wrong or unknown
        # key.
        equal((wrong.heard, stranger.heard), (b"", b""))
        assert silent.heard.startswith(b"1#4"), silent.heard


def test_no_host_can_pose_as_another():
    with herd(1) as d, Host(says(
            b"1#100#host#pid\n1#100#plain:127.1.0.1#66\n",
            b"1#200#%0Aplain:127.1.0.1 done#id=1\n")) as liar:
        for form in (["--raw"], []):
            done = ctl("-H", hosts(liar.name, d.name(1)), "status", *form)
            equal([line for line in done.stdout.splitlines()
                   if "66" in line.split()], [], form)
            assert liar.name + ": the table is not shown" in done.stderr
        done = ctl("-H", hosts(liar.name, d.name(1)), "ping")
        for line in done.stdout.splitlines():
            assert line.startswith(("pong from %s:" % d.name(1),
                                    "pong from %s:" % liar.name)), line


def test_one_that_cannot_be_reached_in_time():
    # Fill the backlog of a listener. The kernel then neither accepts nor
    # refuses a connection.
    with socket.create_server(("127.2.0.1", 0), backlog=0) as full, \
            contextlib.ExitStack() as stack, herd(1) as d:
        for _ in range(4):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(full.getsockname())
        name = "plain:%s:%d" % full.getsockname()
        done = ctl("-H", hosts(name, d.name(1)), "ping",
                   "--connect-timeout", "1")
        equal(summary(done),
              "2 hosts: 1 ok, 1 timed out (%s)" % name, done.stderr)


def test_the_whole_call_has_an_end():
    with Host(hangs) as silent:
        with running("-H", hosts(silent.name, "plain:127.2.0.9:7"), "ping",
                     "--total-timeout", "1", "--fanout", "1") as process:
            done = finish(process)
        equal(done.returncode, 3)
        equal(summary(done), "2 hosts: 1 timed out (%s), 1 not asked "
              "(plain:127.2.0.9:7)" % silent.name)


def test_no_more_than_fanout_are_asked_at_once():
    three, lock = threading.Event(), threading.Lock()
    counts = {"now": 0, "most": 0}

    def counted(sock):
        with lock:
            counts["now"] += 1
            counts["most"] = max(counts["most"], counts["now"])
            if counts["now"] == 3:
                three.set()
        three.wait(bridle.PATIENCE)
        # Decrease the count before the reply, because bridlectl contacts the
        # next host after the reply.
        with lock:
            counts["now"] -= 1
        says(PONG)(sock)

    with contextlib.ExitStack() as stack:
        port = stack.enter_context(Host(counted, "127.2.0.1")).port
        for i in range(2, 13):
            stack.enter_context(Host(counted, "127.2.0.%d" % i, port))
        done = ctl("-H", "plain:127.2.0.[1-12]:%d" % port, "ping",
                   "--fanout", "3")
        equal(summary(done), "12 hosts: 12 ok")
        equal(counts["most"], 3)


def workers(process):
    """Return the pids of the process's children."""
    with open("/proc/%d/task/%d/children" % (process.pid, process.pid)) as f:
        return [int(word) for word in f.read().split()]


def test_a_worker_that_dies_takes_nobody_along():
    with Host(hangs) as silent, herd(1) as d:
        with running("-H", hosts(d.name(1), silent.name), "ping") as process:
            wait_for("the silent host to be contacted", lambda: silent.at_once)
            wait_for("the other host to be done",
                     lambda: len(workers(process)) == 1)
            os.kill(workers(process)[0], signal.SIGKILL)
            done = finish(process)
        equal(done.returncode, 4)
        assert silent.name + ": the worker process for this host has died" \
            in done.stderr
        assert "pong from " + d.name(1) in done.stdout


def test_workers_end_with_the_one_who_started_them():
    with Host(hangs) as silent:
        with running("-H", silent.name, "ping", "--ordered") as process:
            wait_for("the host to be contacted", lambda: silent.at_once)
            left = workers(process)
            process.kill()
        wait_for("the workers to end",
                 lambda: not any(map(is_running, left)))


# Tests of interrupts

def test_the_first_interrupt_shows_and_the_second_ends():
    with Host(hangs) as silent, herd(1) as d:
        with running("-H", hosts(silent.name, d.name(1)),
                     "ping") as process:
            wait_for("the host to be contacted", lambda: silent.at_once)
            equal(process.stdout.readline()[:10], "pong from ")
            process.send_signal(signal.SIGINT)
            equal(process.stderr.readline(),
                  "bridlectl: 1 of 2 done, 1 running: %s; "
                  "press ^C again to end\n"
                  % silent.name)
            equal(process.poll(), None)
            process.send_signal(signal.SIGINT)
            done = finish(process)
        equal(done.returncode, 4)
        equal(summary(done), "2 hosts: 1 ok, 1 unreachable (%s)"
              % silent.name)
        assert silent.name + ": ended by ^C" in done.stderr


def test_interrupts_of_a_terminal_do_not_reach_workers():
    with Host(hangs) as silent, herd(1) as d:
        with Terminal("-H", hosts(silent.name, d.name(1)), "ping") as t:
            t.read_until(b"pong from")
            wait_for("the silent host to be contacted", lambda: silent.at_once)
            # A terminal sends SIGINT to the whole process group at ^C.
            os.killpg(t.process.pid, signal.SIGINT)
            t.read_until(b"press ^C again to end")
            equal(silent.at_once, 1)
            os.killpg(t.process.pid, signal.SIGINT)
            equal(t.finish(), 4)
            assert b"1 ok, 1 unreachable" in t.data


def test_a_closed_pipe_ends_it_quietly():
    go = threading.Event()
    with Host(waits_for(go, says(PONG))) as late, herd(1) as d:
        with running("-H", hosts(late.name, d.name(1)), "ping") as process:
            process.stdout.readline()
            process.stdout.close()
            go.set()
            equal(process.stderr.read(), "")
            equal(process.wait(bridle.PATIENCE), -signal.SIGPIPE)


def test_a_terminal_is_told_how_far_it_is():
    go = threading.Event()
    with Host(waits_for(go, says(PONG))) as late, herd(1) as d:
        with Terminal("-H", hosts(late.name, d.name(1)), "ping") as t:
            t.read_until(b"1 of 2 done, 0 failed, 1 running")
            go.set()
            equal(t.finish(), 0)
            # bridlectl must erase the progress line before it prints other
            # output.
            assert t.data.rpartition(b" left")[2].startswith(
                b"\r\x1b[K"), t.data


def test_keys_of_new_hosts_are_not_asked_about():
    with Host(says(b"")) as plain, herd(1) as d:
        name = "%s:%d" % (plain.address, plain.port)
        with Terminal("-H", hosts(name, d.name(1)), "ping") as t:
            equal(t.finish(), 4)
            assert b"[y/N]" not in t.data


bridle.main(globals())
