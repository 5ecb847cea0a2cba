"""Tests of the verb `wake`: a relay in the network of a host sends the packet
through its helper bridled-wake."""

import os
import socket
import subprocess

import bridle
import peers
from bridle import Daemon, equal, wait_for
from test_wake import ALL, MAC, OTHER_MAC, ROOT, Wire, ok, payload

HELPER = os.path.join(bridle.BUILD, "bridled-wake")
NO_HELPER = ("this machine sends no packets: on this machine, run "
             "'systemctl enable --now bridled-wake.socket'")


class Helper:
    """A running bridled-wake that serves root at the socket `path`."""

    def __init__(self, path, inside=()):
        self.path, self.inside = path, list(inside)

    def __enter__(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.bind(self.path)
            os.chmod(self.path, 0o666)
            s.listen()
            command, passing = bridle.pass_on(
                [s], [*self.inside, HELPER, "root"])
            self.process = subprocess.Popen(command, **passing)
        return self

    def __exit__(self, *exc):
        self.process.kill()
        self.process.wait()
        os.unlink(self.path)

    def ask(self, data, **how):
        with peers.connect("unix", self.path, **how) as s:
            s.sendall(data)
            return bridle.read_all(s).decode()


class Relay(Wire):
    """Our machine, and a relay that is connected to our machine and to the
    network "lab". .frames receives the frames that the relay sends into this
    network."""

    def __enter__(self):
        super().__enter__()
        try:
            lab = self.stack.enter_context(peers.Network())
            self.other.run("ip link add lab type veth peer name cable netns %d"
                           % lab.process.pid,
                           "ip address add 10.98.0.1/24 dev lab",
                           "ip link set lab up")
            lab.run("ip link set cable up")
            self.frames.close()
            self.frames = peers.open_there(self.listen, "frames",
                                           network=lab.fd)
            self.frames.setblocking(False)
            self.stack.callback(self.frames.close)
            os.chmod(self.home.dir, 0o755)
            self.path = os.path.join(self.home.dir, "wake.sock")
            # Wait until the kernel lets the relay use its link-local address.
            wait_for("the address of the relay", lambda: " tentative" not in
                     self.other_said("ip -6 address show dev lab"))
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def other_said(self, command):
        return subprocess.run([*self.other.inside, "sh", "-c", command],
                              capture_output=True, text=True,
                              check=True).stdout

    def daemon(self, clients=ALL, **more):
        return self.other.daemon(clients, "10.99.0.2:7074",
                                 settings='wake_socket = "%s";' % self.path,
                                 **more)

    def helper(self):
        return Helper(self.path, self.other.inside)


VIA = ("--via", "plain:10.99.0.2")
IPV4 = "ff:ff:ff:ff:ff:ff", "10.98.0.255", 9
IPV6 = "33:33:00:00:00:01", "ff02::1", 9


def test_the_relay_sends_into_its_networks():
    with Relay('mac = "%s";' % MAC, address="10.98.0.7") as w, w.helper(), \
            w.daemon() as d:
        equal(ok(w.ctl("wake", "pc07", "--wait", "0", *VIA)),
              "pc07: plain:10.99.0.2: packet for %s sent, networks: 4\n"
              % MAC)
        found = w.packets()
        equal(sorted(p.where() for p in found), sorted([IPV4, IPV6]))
        equal({p.data for p in found}, {payload()})
        d.wait_log('verb=wake args="%s" verdict=allowed' % MAC)
        equal(ok(w.ctl("wake", "pc07", "-n", *VIA)),
              "pc07: plain:10.99.0.2: would send a packet for %s\n" % MAC)
        equal(w.packets(), [])


def test_the_wait_ends_when_the_host_replies():
    with Relay('mac = "%s";' % MAC, address=Wire.OTHERS_SECOND) as w, \
            w.helper(), w.daemon():
        waiting = w.start("wake", "pc07", "--wait", "600", *VIA)
        count = []

        def two():
            count.extend(p for p in w.packets() if p.where() == IPV4)
            return len(count) >= 2
        wait_for("two packets", two)
        assert waiting.poll() is None
        with w.other.daemon(ALL, "10.99.0.3:7074"):
            out, err = waiting.communicate(timeout=bridle.PATIENCE * 2)
        equal(waiting.returncode, 0, err)
        assert out.startswith("pc07: up after "), out


def test_the_policy_limits_the_addresses():
    clients = ('{ name = "lab"; anonymous = true; allow = ("wake", "explain", '
               '"verbs"); wake = { macs = ("%s"); }; }'
               % MAC.upper().replace(":", "-"))
    with Relay() as w, w.helper(), w.daemon(clients) as d:
        def ask(line):
            return peers.ask(line, "10.99.0.2", 7074, network=w.ours.fd)
        equal(ask("1#13#" + MAC).code, 200)
        equal(ask("1#13#" + MAC.upper()).code, 200)
        answer = ask("1#13#" + OTHER_MAC)
        equal((answer.code, answer.text, answer.status.pairs["rule"]),
              (403, "lab may not wake " + OTHER_MAC, "lab.wake.macs"))
        equal({p.data for p in w.packets()}, {payload()})
        row, = ask("1#12#13#" + OTHER_MAC).rows
        equal((row["verdict"], row["rule"]), (b"refused", b"lab.wake.macs"))
        limits = {r["name"]: r["limits"] for r in ask("1#11").rows}
        equal(limits[b"wake"], b"macs=" + MAC.upper().replace(":", "-").encode())
        run = w.ctl("-H", "plain:10.99.0.2", "explain", "wake", OTHER_MAC)
        equal(run.returncode, 1)
        assert "lab.wake.macs" in run.stdout + run.stderr, run
        d.wait_log("result=403")
    with Relay('mac = "%s";' % MAC) as w, w.helper(), \
            w.daemon(ALL.replace("*", "ping")):
        run = w.ctl("wake", "pc07", *VIA)
        equal((run.returncode, run.stdout), (1, ""))
        assert ("pc07: plain:10.99.0.2: lab may not use wake (403)"
                in run.stderr), run
        equal(w.packets(), [])


def test_without_the_helper_the_next_step_is_told():
    with Relay('mac = "%s";' % MAC) as w, w.daemon():
        run = w.ctl("wake", "pc07", *VIA)
        equal(run.returncode, 1)
        assert ("pc07: plain:10.99.0.2: %s (409)" % NO_HELPER
                in run.stderr), run


def test_the_addresses_of_the_machine_are_told():
    with Relay() as w, w.helper(), w.daemon():
        answer = peers.ask("1#13#own", "10.99.0.2", 7074, network=w.ours.fd)
        equal((answer.code, answer.columns),
              (200, ["interface", "mac", "addresses"]))
        cable, = [r for r in answer.rows if r["interface"] == b"cable"]
        equal(cable["mac"].decode(), w.other_mac())
        for address in (*w.OTHERS, w.OTHERS_SECOND):
            assert address.encode() in cable["addresses"].split(), cable


def test_a_host_behind_a_router_tells_its_own_address():
    with Relay(address="127.0.0.1") as w:
        # As for a host behind a router, the kernel knows no neighbour at the
        # loopback interface.
        path = os.path.join(w.home.dir, "own.sock")
        with Helper(path, w.ours.inside), \
                w.ours.daemon(ROOT, "127.0.0.1:7074",
                              settings='wake_socket = "%s";' % path):
            # Our machine has only one interface with a MAC address.
            out = ok(w.ctl("wake", "--learn", "pc07"))
            mac = out.split()[1]
            assert out == "pc07: %s\n" % mac and len(mac) == 17, out
            equal(w.macs(), ["pc07 " + mac])


def test_malformed_requests_are_refused():
    with Daemon() as d:
        for line in ("1#13", "1#13#", "1#13#x", "1#13#ff:ff:ff:ff:ff:ff",
                     "1#13#%s#x" % MAC, "1#13#%s#port=9" % MAC):
            equal(d.ask(line).code, 400, line)
        equal(d.ask("1#13#x").text, "wake needs the word own, or a MAC "
              "address such as 52:54:00:12:34:56")
        equal(d.ask("1#13#%s#dry-run" % MAC).code, 200)


def test_the_helper_serves_only_bridled_and_root():
    with Relay() as w, w.helper() as helper:
        if bridle.ROOT:
            equal(helper.ask(MAC.encode() + b"\n", uid=bridle.STRANGER),
                  "error only bridled may ask this helper\n")
        for line in (b"x\n", b"\n", b"52:54:00:12:34:56 \n",
                     b"ff:ff:ff:ff:ff:ff\n"):
            equal(helper.ask(line), "error this is no MAC address\n")
        equal(helper.ask(b"5" * 64), "")
        equal(w.packets(), [])
        # A client that sends nothing delays the next client, but not longer
        # than 2 s.
        with peers.connect("unix", w.path):
            equal(helper.ask(MAC.encode() + b"\n"), "ok 4\n")
        equal({p.data for p in w.packets()}, {payload()})


def test_the_helper_needs_a_socket_and_a_user():
    run = subprocess.run([HELPER, "root"], capture_output=True, text=True)
    equal(run.returncode, 64)
    assert "no socket was passed" in run.stderr, run
    equal(subprocess.run([HELPER], capture_output=True).returncode, 64)


def test_wrong_relays_are_refused():
    with Relay('mac = "%s";' % MAC) as w:
        for via, part in (("plain:a,plain:b", "--via of wake needs one host"),
                          ("@nowhere", "unknown group '@nowhere'")):
            run = w.ctl("wake", "pc07", "--via", via)
            equal(run.returncode, 2)
            assert part in run.stderr, run
        run = w.ctl("wake", "pc07", "--via", "plain:127.0.0.1:1")
        equal(run.returncode, 3)
        assert "plain:127.0.0.1:1: " in run.stderr, run
        run = w.ctl("wake", "pc07", "--learn", *VIA)
        equal(run.returncode, 2)


bridle.main(globals())
