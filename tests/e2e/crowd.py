"""Clients that ask what only they ask, and see that the answer fits."""

import threading

import bridle
from bridle import Victim, answers, equal, read_all

# valgrind 3.19 does not know pidfd_open(2), without which nothing is killed.
KILLS = not bridle.WRAP


class Asker:
    """One client with a process of its own to ask about.

    tolerate  codes that may come in place of an answer, such as 429; what
              is never tolerated is an answer to a question of another's
    acting    whether to ask what takes an action, which costs the more the
              more processes there are
    """

    def __init__(self, daemon, port=None, tolerate=(), acting=True):
        self.daemon, self.port, self.tolerate = daemon, port, tolerate
        self.acting, self.asked = acting, 0

    def __enter__(self):
        self.victim = Victim().__enter__()
        self.name = self.victim.name
        return self

    def __exit__(self, *exc):
        self.victim.__exit__(*exc)

    def questions(self):
        """Lines, each with a function that checks what came."""
        self.asked += 1
        message = "%s-%d" % (self.name, self.asked)
        asked = [
            ("1#1#message=%s#dry-run" % message,
             lambda a: equal(a.text.split()[-1], message, a.text)),
            ("1#4", lambda a: equal(a.text, "pong")),
        ]
        if self.acting:
            asked.insert(1, ("1#2#name=%s" % self.name, self.check_list))
        if self.acting and KILLS:
            asked.append(("1#3#%s#dry-run" % self.name, self.check_kill))
        return asked

    def check_list(self, answer):
        equal([(row["name"].decode(), int(row["pid"]))
               for row in answer.rows], [(self.name, self.victim.pid)])

    def check_kill(self, answer):
        equal([(row["name"].decode(), int(row["pid"]), row["outcome"])
               for row in answer.rows],
              [(self.name, self.victim.pid, b"would-signal")])

    def check(self, answer, fits):
        if answer.code in self.tolerate:
            equal(answer.rows, [])
        else:
            equal(answer.code, 200, answer.text)
            fits(answer)

    def send(self, sock):
        """All questions at once; returns what receive() needs."""
        asked = self.questions()
        sock.sendall("".join(line + "\n" for line, _ in asked).encode())
        return asked

    def receive(self, sock, asked):
        found = answers(read_all(sock))
        if len(found) == 1 and found[0].code in self.tolerate:
            return  # refused at the door
        equal(len(found), len(asked), [a.lines[-1] for a in found])
        for answer, (_, fits) in zip(found, asked):
            self.check(answer, fits)

    def ask(self):
        """On a connection of its own."""
        with self.daemon.connect(self.port) as sock:
            asked = self.send(sock)
            # The end of our input, so that the daemon's end comes.
            sock.shutdown(1)
            self.receive(sock, asked)


class Crowd:
    """Threads that repeat their function until the block ends.

    An exception in one of them is raised at the end of the block.
    """

    def __init__(self, functions):
        self.stop = threading.Event()
        self.errors = []
        self.rounds = 0
        self.threads = [threading.Thread(target=self.run, args=(function,),
                                         daemon=True)
                        for function in functions]

    def run(self, function):
        try:
            while not self.stop.is_set():
                function()
                self.rounds += 1
        except BaseException as error:  # to be raised in the test's thread
            self.errors.append(error)
            self.stop.set()

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *exc):
        self.stop.set()
        for thread in self.threads:
            thread.join()
        # Whatever else failed, failed because of it.
        if self.errors:
            raise self.errors[0]
