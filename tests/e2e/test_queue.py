"""Tests of commands that run only once at a time. Further runs wait in a
queue."""

import os
import random
import signal
import time

import bridle
import peers
from bridle import equal, reset, wait_for
from runs import Commander, command, read_chunk, read_run

BOTH = ('{ name = "me"; unix_user = "%d"; allow = ("*"); },'
        '{ name = "stranger"; unix_user = "%d"; allow = ("*"); }'
        % (os.getuid(), bridle.STRANGER))
QUEUE = "exclusive = true; queue = %d;"


def gate(more, name="gate"):
    """Return an entry of `commands` for a gate. A gate is a command that prints
    its argument, and ends when it reads a line from its FIFO."""
    return command(name, "/bin/sh", "-c", "echo {x}; read y < {dir}/{x}",
                   args='x = "[0-9]";', more=more)


class Gates(Commander):
    """A daemon with entries of gate() in `commands`. If .asker is not None,
    .asker is the uid with which clients connect."""

    asker = None

    def begin(self, number, name="gate"):
        """Start a gate. Return its connection after the gate has printed its
        number."""
        os.mkfifo(self.fifo(number), 0o666)
        sock = self.ask_for(number, name)
        equal(read_chunk(sock), (1, b"%d\n" % number))
        return sock

    def wait(self, number, name="gate"):
        """Start a gate while another gate runs. Return the connection of the
        new gate when its run is in the queue."""
        os.mkfifo(self.fifo(number), 0o666)
        queued = self.counter("queued")
        sock = self.ask_for(number, name)
        wait_for("the queue", lambda: self.counter("queued") == queued + 1)
        return sock

    def ask_for(self, number, name="gate"):
        sock = self.connect(self.ports[0] if self.ports else None)
        sock.sendall(b"1#5#%s#%d\n" % (name.encode(), number))
        return sock

    def end(self, number, sock):
        with open(self.fifo(number), "w") as f:
            f.write("\n")
        equal(read_run(sock).pairs["exit"], "0")

    def fifo(self, number):
        return os.path.join(self.dir, str(number))

    def connect(self, port=None, host="127.0.0.1"):
        if self.asker is None:
            return super().connect(port, host)
        where = ("unix", self.sock) if port is None else (host, port)
        return peers.connect(*where, uid=self.asker)

    def become(self, *commands):
        self.commands = commands
        self.write_config()
        assert self.reload()


def test_an_exclusive_command_runs_alone():
    with Gates(gate("exclusive = true;")) as d:
        first = d.begin(0)
        with d.ask_for(1) as s:
            run = read_run(s)
            equal((run.code, run.text), (429, "gate is already running"))
        d.end(0, first)
        with d.begin(2) as s:
            d.end(2, s)


def test_a_queue_lets_as_many_wait_and_serves_them_in_turn():
    with Gates(gate(QUEUE % 2)) as d:
        first, second, third = d.begin(0), d.wait(1), d.wait(2)
        with d.ask_for(3) as s:
            equal(read_run(s).text,
                  "gate is already running, and its queue is full")
        reset(second)
        wait_for("a shorter queue", lambda: d.counter("queued") == 1)
        d.end(0, first)
        equal(read_chunk(third), (1, b"2\n"))
        d.end(2, third)
        assert "gate#1" not in d.whole_log()


def test_two_that_run_when_it_becomes_exclusive_both_go_before():
    with Gates(gate("")) as d:
        first, second = d.begin(0), d.begin(1)
        d.become(gate(QUEUE % 9))
        third = d.wait(2)
        d.end(0, first)
        equal(d.counter("queued"), 1)
        d.end(1, second)
        equal(read_chunk(third), (1, b"2\n"))
        d.end(2, third)


def test_each_source_has_places_of_its_own():
    peers.need_root("be two users")
    with Gates(gate(QUEUE % 1), clients=BOTH) as d:
        d.asker = bridle.STRANGER
        first, second = d.begin(0), d.wait(1)
        with d.ask_for(2) as s:
            equal(read_run(s).text,
                  "gate is already running, and its queue is full")
        d.asker = None
        third = d.wait(3)
        d.end(0, first)
        equal(read_chunk(second), (1, b"1\n"))
        d.end(1, second)
        equal(read_chunk(third), (1, b"3\n"))
        d.end(3, third)


def test_commands_that_outlive_their_clients_count_for_their_source():
    peers.need_root("be two users")
    stubborn = command("stubborn", "/bin/sh", "-c",
                       "trap '' TERM; echo up; exec sleep 6{x}",
                       args='x = "[0-9]";')
    limits = {"sessions_per_source": 3, "actions": 5}
    with Gates(stubborn, clients=BOTH, limits=limits,
               tcp=["127.0.0.1:0"]) as d:
        # The three commands ignore SIGTERM, and the daemon sends SIGKILL only
        # 2 s later. Until then these commands count as running. A busy machine
        # may need more than 2 s for the fourth request.
        wait_for("a fourth request within 2 s", lambda: refuses_fourth(d))
        equal(d.ask("1#2#name=none", d.ports[0]).code, 404)


def refuses_fourth(d):
    """Start three `stubborn` commands of one user, close their connections, and
    start a fourth command. Return True if the daemon refuses the fourth
    request, or False if this request came too late."""
    d.asker = bridle.STRANGER
    clients = [d.ask_for(i, "stubborn") for i in range(3)]
    for s in clients:
        equal(read_chunk(s), (1, b"up\n"))
    left = time.monotonic()
    for s in clients:
        reset(s)
    d.asker = None
    wait_for("their sessions to end", lambda: d.counter("sessions") == 1)
    d.asker = bridle.STRANGER
    with d.ask_for(3, "stubborn") as s:
        answer = read_chunk(s)
    d.asker = None
    if answer == (1, b"up\n") and time.monotonic() > left + 2:
        wait_for("the end of all actions", lambda: d.counter("actions") == 0)
        return False
    assert answer.startswith("1#429#3 actions of this source are running"), \
        answer
    return True


def test_those_that_come_and_go_leave_the_queue_in_order():
    random.seed(1)
    limits = {"sessions_per_source": 128}
    with Commander(command("c", "/bin/true", more=QUEUE % 100),
                   limits=limits) as d:
        waiting = []
        for _ in range(100 if bridle.FEW else 1000):
            while len(waiting) < 8:
                waiting.append(d.connect())
                waiting[-1].sendall(b"1#5#c\n")
            waiting.pop(random.randrange(len(waiting))).close()
        # Each client that stayed must get the reply to its run.
        for s in waiting:
            equal(read_run(s).pairs["exit"], "0")
            s.close()
        equal(d.counter("queued"), 0)
        d.wait_quiet()


def test_groups_are_asked_for_anew_after_a_reload():
    """When the daemon reloads, a waiting run must keep its place in the
    queue."""
    clients = ('{ name = "g"; unix_group = "%d"; allow = ("*"); }'
               % os.getgid())
    with Gates(gate(QUEUE % 9), tcp=["127.0.0.1:0"], clients=clients) as d:
        first, second, third = d.begin(0), d.wait(1), d.wait(2)
        assert d.reload()
        d.end(0, first)
        equal(read_chunk(second), (1, b"1\n"))
        d.end(1, second)
        equal(read_chunk(third), (1, b"2\n"))
        d.end(2, third)


def test_a_command_that_goes_refuses_those_who_wait_and_stays_secret():
    secret = QUEUE % 9 + "secret = true;"
    with Gates(gate(secret), gate(secret, "other")) as d:
        first, second, third = d.begin(7), d.wait(8), d.wait(9)
        d.become(gate(secret, "other"))
        d.end(7, first)
        for s in (second, third):
            equal(read_run(s).code, 404)
        equal(len(d.wait_log("(?s)result=404.*result=404")[0]) > 0, True)
        log = d.whole_log()
        for number in (7, 8, 9):
            assert "gate#%d" % number not in log, "the log has a secret"


bridle.main(globals())
