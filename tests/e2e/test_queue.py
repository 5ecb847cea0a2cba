"""Commands that run one at a time, and those that wait for their turn."""

import os
import random
import signal

import bridle
from bridle import equal, reset, wait_for
from runs import Commander, command, read_chunk, read_run

QUEUE = "exclusive = true; queue = %d;"


def gate(more, name="gate"):
    """Says its argument, and ends when a line comes to its FIFO."""
    return command(name, "/bin/sh", "-c", "echo {x}; read y < {dir}/{x}",
                   args='x = "[0-9]";', more=more)


class Gates(Commander):
    """Commands of gate() alone."""

    def begin(self, number, name="gate"):
        """A connection whose run has said its number, and waits."""
        os.mkfifo(self.fifo(number), 0o666)
        sock = self.ask_for(number, name)
        equal(read_chunk(sock), (1, b"%d\n" % number))
        return sock

    def wait(self, number, name="gate"):
        """A connection whose run waits for its turn."""
        os.mkfifo(self.fifo(number), 0o666)
        queued = self.counter("queued")
        sock = self.ask_for(number, name)
        wait_for("it to wait", lambda: self.counter("queued") == queued + 1)
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

    def become(self, *commands):
        self.commands = commands
        self.write_config()
        assert self.reload()


def test_an_exclusive_command_runs_alone():
    with Gates(gate("exclusive = true;")) as d:
        first = d.begin(0)
        with d.ask_for(1) as s:
            run = read_run(s)
            equal((run.code, run.text), (429, "gate runs already"))
        d.end(0, first)
        with d.begin(2) as s:
            d.end(2, s)


def test_a_queue_lets_as_many_wait_and_serves_them_in_turn():
    with Gates(gate(QUEUE % 2)) as d:
        first, second, third = d.begin(0), d.wait(1), d.wait(2)
        with d.ask_for(3) as s:
            equal(read_run(s).text, "gate runs already, and its queue is full")
        reset(second)
        wait_for("it to be forgotten", lambda: d.counter("queued") == 1)
        d.end(0, first)
        equal(read_chunk(third), (1, b"2\n"))
        d.end(2, third)
        assert "gate#1" not in d.log()


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


def test_those_that_come_and_go_leave_the_queue_in_order():
    random.seed(1)
    limits = {"sessions_per_source": 128}
    with Commander(command("c", "/bin/true", more=QUEUE % 100),
                   limits=limits) as d:
        waiting = []
        for _ in range(1000):
            while len(waiting) < 8:
                waiting.append(d.connect())
                waiting[-1].sendall(b"1#5#c\n")
            waiting.pop(random.randrange(len(waiting))).close()
        # Those that stayed have all been served.
        for s in waiting:
            equal(read_run(s).pairs["exit"], "0")
            s.close()
        equal(d.counter("queued"), 0)
        d.wait_quiet()


def test_groups_are_asked_for_anew_after_a_reload():
    """Whoever waits keeps the turn over it."""
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
        for number in (7, 8, 9):
            assert "gate#%d" % number not in d.log(), "the log has a secret"


bridle.main(globals())
