"""Tests of `discover` and `announce`, with real avahi-daemons on one network
bridge."""

import json
import os
import subprocess
import time

import bridle
import lan
from bridle import equal, wait_for
from homes import Home, TlsDaemon
from lan import Lan
from procs import Terminal

FALSE = "SHA256:" + "B" * 42 + "A"
AS_STRANGER = ["setpriv", "--reuid", str(bridle.STRANGER), "--clear-groups"]
OTHER = "SHA256:" + "C" * 42 + "A"


def found(machine, home, *args):
    """Run `discover`. Return a dict of the machines that it finds, by host
    name."""
    done = machine.ctl("discover", "--json", *args, env=home.env)
    # avahi-daemon may not be ready yet.
    assert done.returncode in (0, 1) or "cannot reach" in done.stderr, done
    return {m["host"]: m for m in map(json.loads, done.stdout.splitlines())}


def await_hosts(machine, home, *hosts):
    """Wait until `discover` finds these hosts with both address families.
    Return a dict of the machines by host name."""
    def look():
        now = found(machine, home)
        return set(hosts) <= set(now) and all(
            len(families(now[h])) == 2 for h in hosts) and now
    return wait_for("the hosts %s" % (hosts,), look)


def families(m):
    return {":" in a["address"] for a in m["addresses"]}


class LanDaemon(TlsDaemon):
    """A daemon with a TLS listener for all machines on the bridge."""

    def __init__(self, machine, home, **more):
        self.machine = machine
        super().__init__(home, tcp=['{ tcp = "127.0.0.1:7070"; tls = true; }',
                                    '{ tcp = "[::]:7075"; tls = true; }'],
                         wrap=[*machine.inside, *bridle.WRAP], **more)


def test_three_machines_are_found_and_compared_with_known_hosts():
    with Lan() as net, Home() as home:
        desk = net.machine("desk")
        one, two, three = (net.machine(n) for n in ("lab1", "lab2", "lab10"))
        with LanDaemon(one, home) as d:
            true = d.fingerprint()
            done = one.ctl("announce", "on", d.config)
            equal(done.returncode, 0, done.stderr)
            assert "port 7075, key " + true in done.stderr, done.stderr
            two.announce(7076, FALSE)
            three.announce()
            await_hosts(desk, home, "lab1.local", "lab2.local", "lab10.local")
            home.know("lab1.local:7075 %s\n[10.98.0.3]:7076 %s\n"
                      .replace("[10.98.0.3]", two.address) % (true, OTHER))
            lines = desk.ctl("discover", env=home.env).stdout.splitlines()
            equal([line.split() for line in lines], [
                "HOST ADDRESS PORT INTERFACE TRUSTED FINGERPRINT".split(),
                ["lab1.local", one.address, "7075", "eth0", "yes", "fits"],
                ["lab2.local", two.address, "7076", "eth0", "yes", "differs"],
                ["lab10.local", three.address, "7075", "eth0", "no", "none"]])
            now = found(desk, home)
            equal([(now[h]["trusted"], now[h]["fingerprint"], now[h]["fits"])
                   for h in ("lab1.local", "lab2.local", "lab10.local")],
                  [(True, true, True), (True, FALSE, False),
                   (False, None, None)])
            equal(now["lab1.local"]["name"], "Bridle on lab1")
            for m in now.values():
                check_scopes(m)
            home.know("")
            m = found(desk, home)["lab1.local"]
            equal((m["trusted"], m["fits"]), (False, None))


def check_scopes(m):
    """Check that link-local addresses contain the name of the interface, and
    that other addresses do not."""
    for a in m["addresses"]:
        equal(a["interface"], "eth0")
        equal("%eth0" in a["address"], a["address"].startswith("fe80:"), m)


def test_machines_that_vanish_are_not_shown():
    with Lan() as net, Home() as home:
        desk, lab1, lab2 = (net.machine(n) for n in ("desk", "lab1", "lab2"))
        ghost = net.machine("ghost", avahi=False)
        lab1.announce()
        lab2.announce()
        await_hosts(desk, home, "lab1.local", "lab2.local")
        # When a machine has died, the cache may still have its name without a
        # host. No answer about this name comes, so the search gives up after 2
        # seconds.
        with ghost.open_sender() as sender:
            lan.send(sender, [lan.pointer(b"ghost %d" % i)
                              for i in range(20)])

            def gives_up_in_time():
                began = time.monotonic()
                equal(set(found(desk, home)), {"lab1.local", "lab2.local"})
                took = time.monotonic() - began
                assert took > 2, took
                return took < 4.5  # avahi-daemon itself needs 5 s
            wait_for("a quick search", gives_up_in_time)
        # The avahi-daemon of lab2 ends during the search, and announces this.
        search = subprocess.Popen(
            [*desk.inside, bridle.BRIDLECTL, "discover", "--json",
             "--seconds", "3"], stdout=subprocess.PIPE, text=True,
            env=dict(desk.env, HOME=home.dir))
        with search:
            lab2.avahi.terminate()
            hosts = [json.loads(line)["host"] for line in search.stdout]
        equal(hosts, ["lab1.local"])


def raw_bytes(text):
    return [c for c in text if c != "\n" and not " " <= c <= "~"]


def test_hostile_names_reach_neither_terminal_nor_file():
    evil = b'\x1b]0;x\x07\xe2\x80\xae\n"}\\\t, {'
    with Lan() as net, Home() as home:
        desk = net.machine("desk")
        bad = net.machine("bad", avahi=False)
        services = [
            lan.service(evil, b"good", bad.address),
            lan.service(b"a", evil, bad.address),
            lan.service(b"b", b"-x", bad.address),
            lan.service(b"c", b"a b", bad.address),
            lan.service(b"d", b"127", bad.address),
            lan.service(b"e", b"plain", bad.address),
            lan.service(b"f", b"txt", "10.98.0.77",
                        txt=(b"fp=SHA256:\x1b[2J", b"fp", b"\xff")),
            # avahi-daemon itself drops names that are not UTF-8.
            lan.service(b"\xff", b"g", bad.address)]
        with bad.open_sender() as sender:
            def look():
                for records in services:
                    lan.send(sender, records)
                done = desk.ctl("discover", "--json", env=home.env)
                return len(done.stdout.splitlines()) == 7 and done
            done = wait_for("all services", look)
            machines = [json.loads(s) for s in done.stdout.splitlines()]
            names = {m["host"]: m["name"] for m in machines}
            assert r"\x1b]0;x\x07\xe2\x80\xae\x0a" in names["good.local"]
            equal([m["fingerprint"] for m in machines], [None] * 7)
            text = desk.ctl("discover", env=home.env).stdout
            equal(raw_bytes(text + done.stdout), [])
            equal(len(text.splitlines()), 8, text)
            done = desk.ctl("discover", "--add", "lab", "-y", env=home.env)
        equal(done.returncode, 1)
        equal(done.stderr.count("is not a valid host name"), 5, done.stderr)
        equal(raw_bytes(done.stderr), [])
        hosts = home.ctl("hosts", "@lab")
        equal(hosts.stdout.split(), ["good", "txt"], hosts.stderr)
        written = home.read(home.file("bridlectl.conf"))
        equal(raw_bytes(written.replace("\t", "")), [], written)


def test_found_machines_are_added_and_controlled():
    with Lan() as net, Home() as home:
        desk, one = net.machine("desk"), net.machine("lab1")
        with LanDaemon(one, home) as d:
            equal(one.ctl("announce", "on", d.config).returncode, 0)
            await_hosts(desk, home, "lab1.local")
            conf = home.file("bridlectl.conf")
            # No terminal, no question.
            done = desk.ctl("discover", "--add", "lab", env=home.env)
            equal((done.returncode, "use -y" in done.stderr), (2, True))
            assert not os.path.exists(conf)
            for reply, status in (b"n", 1), (b"y", 0):
                with Terminal("discover", "--add", "lab", words=desk.inside,
                              env=dict(desk.env, HOME=home.dir)) as t:
                    t.read_until(b"Add 1 host (lab1) to the group lab in")
                    assert not os.path.exists(conf)
                    t.read_until(b"[y/N]")
                    t.type(reply + b"\n")
                    equal(t.finish(), status, t.data)
            equal(home.ctl("hosts", "@lab").stdout, "lab1\n")
            os.unlink(conf)
            done = desk.ctl("discover", "--add", "lab", "-y", env=home.env)
            equal(done.returncode, 0, done.stderr)
            assert "trusts no key" in done.stderr, done.stderr
            assert not os.path.exists(home.known)
            done = desk.ctl("-H", "@lab", "ping", env=home.env)
            assert "key is unknown" in done.stderr, done
            home.know("%s:7075 %s\n" % (one.address, d.fingerprint()))
            done = desk.ctl("-H", "@lab", "ping", env=home.env)
            equal(done.returncode, 0, done.stderr)
            before = home.read(conf)
            done = desk.ctl("discover", "--add", "@lab", "-y", env=home.env)
            equal((done.returncode, home.read(conf)), (0, before), done)
            # If the machine can look up mDNS names, bridlectl writes the name.
            desk.names_by("files mdns4_minimal [NOTFOUND=return] dns")
            os.unlink(conf)
            desk.ctl("discover", "--add", "lab", "-y", env=home.env)
            assert 'address = "lab1.local"' in home.read(conf)
            # If bridlectl.conf has this name for another host, the entry stays.
            with open(conf, "w") as f:
                f.write('hosts = ({ name = "lab1"; address = "web1"; });')
            done = desk.ctl("discover", "--add", "lab", "-y", env=home.env)
            equal(done.returncode, 1)
            assert "another host with the name lab1" in done.stderr, done
            equal(home.ctl("hosts", "@*").stdout, "lab1\n")


def test_announce_writes_and_removes_the_file():
    with Lan() as net, Home() as home:
        lab = net.machine("lab1", avahi=False)
        with LanDaemon(lab, home) as d:
            done = lab.ctl("announce", "on", d.config)
            equal(done.returncode, 0, done.stderr)
            assert "avahi-daemon does not run" in done.stderr, done.stderr
            text = lab.announced()
            assert "<port>7075</port>" in text, text
            assert "fp=" + d.fingerprint() in text, text
            equal(os.listdir(os.path.join(lab.dir, "services")),
                  ["bridle.service"])
            done = lab.ctl("announce", "off")
            equal((done.returncode, "no longer" in done.stderr), (0, True))
            done = lab.ctl("announce", "off")
            equal((done.returncode, "not announced" in done.stderr),
                  (0, True))
            # bridlectl must not change a file that another program has written.
            lab.announce()
            text = lab.announced()
            for what in ("on", d.config), ("off",):
                done = lab.ctl("announce", *what)
                equal(done.returncode, 1)
                assert "not from bridlectl" in done.stderr, done.stderr
            equal(lab.announced(), text)


def test_announce_needs_a_listener_root_and_avahi():
    with Lan() as net, Home() as home:
        lab = net.machine("lab1", avahi=False)
        with TlsDaemon(home) as d:  # listens only at a loopback address
            done = lab.ctl("announce", "on", d.config)
            equal(done.returncode, 1)
            assert "no TLS listener" in done.stderr, done.stderr
            assert "config edit" in done.stderr, done.stderr
        equal(os.listdir(os.path.join(lab.dir, "services")), [])
        done = lab.ctl("announce", "on", d.config, words=AS_STRANGER)
        equal(done.returncode, 1)
        assert "as root" in done.stderr, done.stderr
        os.rmdir(os.path.join(lab.dir, "services"))
        done = lab.ctl("announce", "on", d.config)
        equal(done.returncode, 1)
        assert "install the package avahi-daemon" in done.stderr, done.stderr


def test_without_avahi_the_reason_is_told():
    with Lan() as net, Home() as home:
        lab = net.machine("lab1", avahi=False)
        done = lab.ctl("discover", env=home.env)
        equal((done.returncode, done.stdout), (3, ""))
        assert "cannot reach avahi-daemon" in done.stderr, done.stderr
        desk = net.machine("desk")
        def nothing():
            done = desk.ctl("discover", env=home.env)
            return "announce on" in done.stderr and done
        equal(wait_for("the daemon", nothing).returncode, 1)


bridle.main(globals())
