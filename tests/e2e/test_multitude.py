"""Tests of one call for a thousand hosts, and for many hosts that do not
reply."""

import json
import subprocess

import bridle
from bridle import BRIDLECTL, ctl, equal
from herd import ROOM, herd, hosts, multitude
from homes import Home
from peers import Machines

ROWS = 2 if bridle.FEW else 4
HOSTS = ROWS * 250


def test_a_thousand_hosts_answer_each_once():
    with multitude() as d:
        done = ctl("-H", d.many(ROWS), "ping", "--fanout", "64", "--json")
        equal(done.returncode, 0, done.stderr[-500:])
        *answers, total = map(json.loads, done.stdout.splitlines())
        equal((total["hosts"], total["ok"]), (HOSTS, HOSTS))
        equal(sorted(a["host"] for a in answers),
              sorted(ctl("hosts", d.many(ROWS)).stdout.split()))
        # The daemon got one request for each host, and the request of
        # counter().
        equal(d.counter("requests"), HOSTS + 1)


def test_equal_answers_of_a_thousand_hosts_are_one():
    with multitude() as d:
        done = ctl("-H", d.many(ROWS), "verbs", "--gather")
        equal(done.returncode, 0, done.stderr[-500:])
        equal(done.stdout.splitlines()[0], d.many(ROWS) + ":")
        equal(done.stdout.count(" kill "), 1)


def test_new_keys_of_many_hosts_are_remembered_at_once():
    with Home() as home:
        key, _ = home.keygen()
        with multitude("tls = true", clients='{ name = "k"; key = "%s"; '
                       'allow = ("ping"); }' % key) as d:
            names = d.many(1, scheme="")
            done = home.ctl("-H", names, "ping", "--accept-new")
            equal((done.returncode, len(done.stdout.splitlines())),
                  (0, 250), done.stderr[-500:])
            equal(sorted(line.split()[0]
                         for line in home.read(home.known).splitlines()),
                  sorted(ctl("hosts", names).stdout.split()))
            # All hosts are in known_hosts now, so bridlectl prints no message
            # about keys.
            done = home.ctl("-H", names, "ping")
            equal(done.stderr, "bridlectl: 250 hosts: 250 ok\n")


def test_hosts_behind_a_dead_link_harm_nobody():
    with Machines() as machines:
        net = machines.ours
        machines.other.run("ip link set cable down")
        # Without these neighbour entries, the kernel would soon report the
        # hosts as unreachable.
        net.run("for i in $(seq 101 140); do ip neighbour add 10.99.0.$i "
                "lladdr 02:00:00:00:00:02 dev cable nud permanent; done")
        with herd(20, wrap=net.inside + bridle.WRAP, limits=ROOM) as d:
            dead = "plain:10.99.0.[101-140]:%d" % d.port
            done = subprocess.run(
                [*net.inside, BRIDLECTL, "-H",
                 hosts(dead, d.name("[1-20]")), "ping", "--fanout", "30",
                 "--connect-timeout", "1"], capture_output=True, text=True,
                timeout=bridle.PATIENCE * 3)
            equal(done.returncode, 4)
            equal(done.stderr.splitlines()[-1], "bridlectl: 60 hosts: 20 ok, "
                  "40 timed out (%s)" % dead)
            equal(len(done.stdout.splitlines()), 20)


bridle.main(globals())
