"""Clients that send requests with their own data, and check the replies."""

import threading

import bridle
from bridle import Victim, answers, equal, read_all

# True if the request `kill` works. This request needs pidfd_open(2), which
# valgrind 3.19 does not support.
KILLS = not bridle.WRAP


class Asker:
    """A client that starts a process, and sends requests about this process.

    Parameters:

        tolerate  set of codes that are accepted instead of the right reply,
                  such as 429; a reply to another client's request is never
                  accepted
        acting    True to send `list` and `kill`, too; each of these requests
                  starts an action, which takes longer on a machine with more
                  processes
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
        """Return a list of pairs. A pair is a request line, and a function
        that checks the reply to this line."""
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
        """Send all requests without waiting for replies. Return the value that
        receive() takes as `asked`."""
        asked = self.questions()
        sock.sendall("".join(line + "\n" for line, _ in asked).encode())
        return asked

    def receive(self, sock, asked):
        found = answers(read_all(sock))
        if len(found) == 1 and found[0].code in self.tolerate:
            return  # the daemon refused the connection with this reply
        equal(len(found), len(asked), [a.lines[-1] for a in found])
        for answer, (_, fits) in zip(found, asked):
            self.check(answer, fits)

    def ask(self):
        """Send the requests on a new connection, and check the replies."""
        with self.daemon.connect(self.port) as sock:
            asked = self.send(sock)
            # The daemon ends the connection after the end of the client's
            # input.
            sock.shutdown(1)
            self.receive(sock, asked)


class Crowd:
    """Threads, one for each function. Each thread calls its function
    repeatedly until the block ends.

    The end of the block raises the first exception of a thread.
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
        # __exit__() raises this exception in the test's thread.
        except BaseException as error:
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
        # Another failure in the block is probably a consequence of this error.
        if self.errors:
            raise self.errors[0]
