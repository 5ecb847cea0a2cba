"""Tests of the verb `who`. It lists the connected clients with name, source,
transport, time of connection and activity."""

import json
import os
import time

import bridle
from bridle import Daemon, equal, read_answer, wait_for

COLUMNS = ["name", "source", "transport", "since", "idle", "requests",
           "watching"]


def who(sock):
    sock.sendall(b"1#8\n")
    return read_answer(sock)


def test_who_shows_each_connection_and_what_it_has_asked():
    begin = int(time.time())
    with Daemon(tcp=["127.0.0.1:0"]) as d, d.connect() as first, \
            d.connect(d.ports[0]) as second:
        for _ in range(3):
            second.sendall(b"1#4\n")
            equal(read_answer(second).code, 200)
        answer = who(first)
        equal(answer.columns, COLUMNS)
        equal((answer.code, answer.text), (200, "2 connected"))
        us, other = answer.rows
        uid = b"uid=%d" % os.getuid()
        equal((us["name"], us["source"], us["transport"], us["requests"]),
              (b"me", uid, b"unix", b"1"))
        equal((other["name"], other["transport"], other["requests"]),
              (b"me", b"tcp", b"3"))
        port = second.getsockname()[1]
        equal(other["source"], b"127.0.0.1:%d,%s" % (port, uid))
        for row in answer.rows:
            equal(row["watching"], b"no")
            assert begin - 1 <= int(row["since"]) <= time.time() + 1, row
        wait_for("a second without a request",
                 lambda: int(who(first).rows[1]["idle"]) >= 1)
        second.close()
        wait_for("the client to be gone", lambda: len(who(first).rows) == 1)


def test_who_has_not_said_who_he_is_has_no_name():
    with Daemon() as d, d.connect() as us, d.connect():
        wait_for("the client to be listed", lambda: len(who(us).rows) == 2)
        other = who(us).rows[1]
        equal((other["name"], other["requests"]), (b"", b"0"))


def test_who_needs_its_verb():
    with Daemon(clients='{ name = "me"; unix_user = "%d"; allow = ("ping"); }'
                % os.getuid()) as d:
        answer = d.ask("1#8")
        equal((answer.code, answer.status.pairs["rule"]), (403, "me.allow"))


def test_more_than_a_message_holds_is_shown_whole():
    n = 1100 if bridle.WRAP == [] else 20
    name = "n" * 64
    clients = '{ name = "%s"; unix_user = "%d"; allow = ("*"); }' % (
        name, os.getuid())
    with Daemon(clients=clients, limits={
            "sessions": 2000, "sessions_per_source": 2000}) as d:
        held = []
        try:
            for _ in range(n):
                held.append(d.connect())
                held[-1].sendall(b"1#4\n")
            for sock in held:
                equal(read_answer(sock).code, 200)
            answer = who(held[0])
            equal((answer.code, len(answer.rows)), (200, n))
        finally:
            for sock in held:
                sock.close()


def test_the_tool_shows_times_and_numbers():
    with Daemon() as d:
        done = d.ctl("who")
        equal(done.returncode, 0, done.stderr)
        heading, row = done.stdout.splitlines()
        equal(heading.split(), [c.upper() for c in COLUMNS])
        assert ":" in row.split()[3], row
        row, = json.loads(d.ctl("who", "--json").stdout)["records"]
        assert type(row["since"]) is int, row
        equal((row["requests"], row["idle"], row["watching"]), (1, 0, "no"))


bridle.main(globals())
