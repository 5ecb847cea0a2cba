"""Tests of `wake`: Wake-on-LAN packets between two machines in network
namespaces, and learnt MAC addresses."""

import contextlib
import json
import os
import socket
import struct
import subprocess

import bridle
import homes
import peers
from bridle import equal, wait_for

MAC = "52:54:00:12:34:56"
OTHER_MAC = "52:54:00:ab:cd:ef"
ALL = '{ name = "lab"; anonymous = true; allow = ("*"); }'
ROOT = '{ name = "me"; unix_user = "0"; allow = ("*"); }'
ETH_P_ALL = 3


def payload(mac=MAC):
    return b"\xff" * 6 + bytes.fromhex(mac.replace(":", "")) * 16


class Packet:
    """One UDP packet in an Ethernet frame. The target has the MAC address
    .ethernet, the IP address .address and the port .port. The content is
    .data."""

    def __init__(self, frame):
        kind = struct.unpack(">H", frame[12:14])[0]
        self.ethernet = frame[:6].hex(":")
        if kind == 0x0800 and frame[23] == socket.IPPROTO_UDP:
            udp = frame[14 + (frame[14] & 15) * 4:]
            self.address = socket.inet_ntop(socket.AF_INET, frame[30:34])
        elif kind == 0x86dd and frame[20] == socket.IPPROTO_UDP:
            udp = frame[54:]
            self.address = socket.inet_ntop(socket.AF_INET6, frame[38:54])
        else:
            raise ValueError("no UDP")
        self.port, length = struct.unpack(">HH", udp[2:6])
        self.data = udp[8:length]

    def where(self):
        return self.ethernet, self.address, self.port


IPV4 = "ff:ff:ff:ff:ff:ff", "10.99.0.255", 9
IPV6 = "33:33:00:00:00:01", "ff02::1", 9


class Wire(peers.Machines):
    """Two machines, a home folder for bridlectl on our machine, and a socket
    that receives all frames of the other machine."""

    def __init__(self, entry="", name="pc07", address=peers.Machines.OTHERS[0]):
        self.conf = ('hosts = ({ name = "%s"; address = "%s"; '
                     'transport = "plain"; %s });' % (name, address, entry))

    def __enter__(self):
        super().__enter__()
        try:
            self.home = self.stack.enter_context(homes.Home())
            os.makedirs(os.path.dirname(self.home.key), mode=0o700)
            with open(self.home.file("bridlectl.conf"), "w") as f:
                f.write(self.conf)
            self.frames = peers.open_there(self.listen, "frames",
                                           network=self.other.fd)
            self.frames.setblocking(False)
            self.stack.callback(self.frames.close)
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    @staticmethod
    def listen():
        s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW,
                          socket.htons(ETH_P_ALL))
        s.bind(("cable", 0))
        return s

    def command(self, *args):
        return [*self.ours.inside, bridle.BRIDLECTL, *args]

    def ctl(self, *args):
        return subprocess.run(self.command(*args), env=self.home.env,
                              text=True, capture_output=True, check=False,
                              timeout=bridle.PATIENCE * 3)

    def start(self, *args):
        return subprocess.Popen(self.command(*args), env=self.home.env,
                                text=True, stdout=subprocess.PIPE,
                                stderr=subprocess.PIPE)

    def packets(self):
        """Return the UDP packets that have arrived."""
        found = []
        with contextlib.suppress(BlockingIOError):
            while True:
                frame = self.frames.recv(2048)
                with contextlib.suppress(ValueError, IndexError,
                                         struct.error):
                    found.append(Packet(frame))
        return [p for p in found if p.port in (7, 9)]

    def macs(self):
        path = os.path.join(self.home.dir, ".local/state/bridlectl/macs")
        equal(os.stat(path).st_mode & 0o777, 0o600)
        with open(path) as f:
            return [line for line in f.read().splitlines()
                    if not line.startswith("#")]

    def other_mac(self):
        return json.loads(subprocess.run(
            [*self.other.inside, "ip", "-j", "link", "show", "cable"],
            capture_output=True, check=True).stdout)[0]["address"]


def ok(done):
    equal(done.returncode, 0, done.stderr)
    return done.stdout


def sent(w, *args):
    """Return the different places that `wake pc07` sends packets to. Check the
    bytes of each packet."""
    out = ok(w.ctl("wake", "pc07", "--wait", "0", *args))
    assert out.startswith("pc07: 3 packets sent to " + MAC), out
    found = w.packets()
    for packet in found:
        equal(packet.data, payload())
        equal(len(packet.data), 102)
    places = sorted({p.where() for p in found})
    equal(len(found), 3 * len(places))
    return places


def test_ipv4_packets_go_to_the_broadcast_address_of_the_hosts_network():
    with Wire('mac = "%s";' % MAC.upper().replace(":", "-")) as w:
        equal(sent(w), [IPV4])


def test_ipv6_packets_go_to_all_nodes_of_the_interface():
    with Wire('mac = "%s";' % MAC, address=Wire.OTHERS[1]) as w:
        equal(sent(w), [IPV6])


def test_a_named_interface_needs_no_address_of_the_host():
    entry = 'mac = "%s";' % MAC
    with Wire(entry, address="no-such-host.invalid") as w:
        equal(sent(w, "--interface", "cable"), sorted([IPV4, IPV6]))
        done = w.ctl("wake", "pc07", "--wait", "0", "--interface", "eth77")
        equal(done.returncode, 1)
        assert "no interface 'eth77'" in done.stderr, done.stderr
    with Wire(entry + ' wake_interface = "cable";', address="10.1.2.3") as w:
        equal(sent(w), sorted([IPV4, IPV6]))


def test_the_entry_of_the_host_may_name_address_and_port():
    entry = ('mac = "%s"; broadcast = "%s"; wake_port = 7; '
             'wake_interface = "cable";')
    with Wire(entry % (MAC, "255.255.255.255"), address="10.1.2.3") as w:
        equal(sent(w), [("ff:ff:ff:ff:ff:ff", "255.255.255.255", 7)])
    with Wire(entry % (MAC, "ff02::1"), address="10.1.2.3") as w:
        equal(sent(w), [IPV6[:2] + (7,)])


def test_a_host_in_another_network_is_told():
    with Wire('mac = "%s";' % MAC, address="10.1.2.3") as w:
        done = w.ctl("wake", "pc07")
        equal((done.returncode, done.stdout), (1, ""))
        assert "in no network of this machine" in done.stderr, done.stderr
        assert "--interface" in done.stderr, done.stderr
        equal(w.packets(), [])


def test_a_dry_run_sends_nothing():
    with Wire('mac = "%s";' % MAC) as w:
        equal(ok(w.ctl("wake", "pc07", "-n")),
              "pc07: would send packets to %s through cable (10.99.0.255:9)\n"
              % MAC)
        equal(w.packets(), [])


def test_packets_are_repeated_until_the_host_replies():
    with Wire('mac = "%s";' % MAC) as w:
        waiting = w.start("wake", "pc07", "--wait", "600")
        count = []

        def three():
            count.extend(w.packets())
            return len(count) >= 3
        wait_for("three packets", three)
        assert waiting.poll() is None
        with w.other.daemon(ALL, "10.99.0.2:7074"):
            out, err = waiting.communicate(timeout=bridle.PATIENCE * 2)
        equal(waiting.returncode, 0, err)
        assert out.startswith("pc07: up after "), out
        equal({p.where() for p in count}, {IPV4})


def test_the_time_of_the_wait_ends():
    with Wire('mac = "%s";' % MAC) as w:
        done = w.ctl("wake", "pc07", "--wait", "1")
        equal((done.returncode, done.stdout), (3, ""))
        assert "pc07: not up after 1 s" in done.stderr, done.stderr
        assert "1 host: 1 timed out (pc07)" in done.stderr, done.stderr


def test_each_host_has_its_own_result():
    with Wire() as w:
        with open(w.home.file("bridlectl.conf"), "w") as f:
            f.write('hosts = ({ name = "pc[1-2]"; address = "10.99.0.[2-3]"; '
                    'mac = ("%s", "%s"); }, { name = "pc3"; '
                    'address = "10.99.0.4"; });\n'
                    'groups = ({ name = "lab"; hosts = "pc[1-3]"; });'
                    % (MAC, OTHER_MAC))
        done = w.ctl("wake", "@lab", "--wait", "0", "--ordered")
        equal(done.returncode, 4, done.stderr)
        equal([line[:29] for line in done.stdout.splitlines()],
              ["pc1: 3 packets sent to 52:54:", "pc2: 3 packets sent to 52:54:"])
        assert ("pc3: the MAC address of this host is unknown; write mac" in
                done.stderr), done.stderr
        assert "3 hosts: 2 ok, 1 failed (pc3)" in done.stderr, done.stderr
        equal(sorted({p.data for p in w.packets()}),
              sorted({payload(), payload(OTHER_MAC)}))


def test_the_mac_address_of_a_host_is_learnt():
    with Wire() as w:
        conf = w.home.read(w.home.file("bridlectl.conf"))
        with w.other.daemon(ALL, "10.99.0.2:7074"):
            equal(ok(w.ctl("wake", "--learn", "pc07")),
                  "pc07: %s\n" % w.other_mac())
            # bridlectl accepts a neighbour in each state except "failed".
            ok(w.ctl("wake", "--learn", "PC07"))
        equal(w.macs(), ["pc07 " + w.other_mac()])
        equal(ok(w.ctl("hosts", "pc07,pc08", "--format=macs")),
              "pc07 %s learnt\npc08 - -\n" % w.other_mac())
        told = json.loads(ok(w.ctl("hosts", "pc07", "--json")))
        equal((told["mac"], told["mac_source"]), (w.other_mac(), "learnt"))
        ok(w.ctl("wake", "pc07", "--wait", "0"))
        equal({p.data for p in w.packets()}, {payload(w.other_mac())})
        equal(w.home.read(w.home.file("bridlectl.conf")), conf)


def test_a_halt_learns_the_mac_address_and_a_ping_does_not():
    with Wire() as w, w.other.daemon(ALL, "10.99.0.2:7074") as d:
        path = os.path.join(w.home.dir, ".local/state/bridlectl/macs")
        ok(w.ctl("-H", "pc07", "ping"))
        ok(w.ctl("-H", "pc07", "poweroff", "-n"))
        assert not os.path.exists(path)
        ok(w.ctl("-H", "pc07", "poweroff", "-y"))
        equal(w.macs(), ["pc07 " + w.other_mac()])
        equal(d.recorded(), [["poweroff", "now"]])
        # If the address is the same again, bridlectl does not write the file.
        before = os.stat(path).st_ino
        ok(w.ctl("-H", "pc07,pc07:7074", "poweroff", "-y"))
        equal(os.stat(path).st_ino, before)


def test_a_new_mac_address_replaces_the_old_one():
    with Wire() as w, w.other.daemon(ALL, "10.99.0.2:7074"):
        path = os.path.join(w.home.dir, ".local/state/bridlectl/macs")
        os.makedirs(os.path.dirname(path), mode=0o700)
        with open(path, "w") as f:
            f.write("pc0 %s\npc07 %s\nnonsense\npc070 %s"
                    % (MAC, OTHER_MAC, MAC))
        os.chmod(path, 0o600)
        ok(w.ctl("wake", "--learn", "pc07"))
        equal(w.macs(), ["pc0 " + MAC, "nonsense", "pc070 " + MAC,
                         "pc07 " + w.other_mac()])


def test_the_address_in_the_configuration_goes_first():
    with Wire('mac = "%s";' % MAC) as w, \
            w.other.daemon(ALL, "10.99.0.2:7074"):
        equal(ok(w.ctl("wake", "--learn", "pc07")),
              "pc07: %s (from bridlectl.conf)\n" % MAC)
        equal(ok(w.ctl("hosts", "--format=macs")), "pc07 %s bridlectl.conf\n" % MAC)
        assert not os.path.exists(os.path.join(w.home.dir, ".local"))


def test_a_host_behind_a_router_cannot_be_learnt():
    with Wire(address="127.0.0.1") as w, \
            w.ours.daemon(ROOT, "127.0.0.1:7074"):
        done = w.ctl("wake", "--learn", "pc07")
        equal(done.returncode, 1, done.stdout)
        assert "in no network of this machine" in done.stderr, done.stderr
        assert "bridled-wake.socket" in done.stderr, done.stderr


def test_the_options_are_checked():
    with homes.Home() as home:
        for args, part in (
                (("wake", "-H", "a", "b"), "give the hosts once"),
                (("wake", "a", "--learn", "--wait", "1"),
                 "--wait and --learn cannot be combined"),
                (("wake", "a", "--wait", "86401"), "--wait needs a number"),
                (("wake",), "'wake' needs HOSTS, such as 'bridlectl wake "
                 "pc07'"),
                (("wake", MAC), "write the MAC address as mac of the host "
                 "in bridlectl.conf(5)"),
                (("explain", "wake", "a"), "needs the MAC address")):
            done = home.ctl(*args)
            equal(done.returncode, 2, args)
            assert part in done.stderr, done.stderr
        for more in ("-n", "--learn"):
            done = home.ctl("wake", "unix:/nowhere", more)
            equal(done.returncode, 1)
            assert ("a unix socket is on this machine" in
                    done.stderr), done.stderr


def test_wrong_entries_are_named():
    with homes.Home() as home:
        os.makedirs(os.path.dirname(home.key), mode=0o700)
        for entry, part in (
                ('mac = "ff:ff:ff:ff:ff:ff";', "not the MAC address"),
                ('mac = "52:54:00:12:34";', "not the MAC address"),
                ('mac = "52:54:00:12:34-56";', "not the MAC address"),
                ('mac = ("%s", "%s");' % (MAC, MAC),
                 "has 2 MAC addresses, but the name stands for 1 hosts"),
                ('broadcast = "lab";', "not a numeric address"),
                ('wake_port = 0;', "wake_port"),
                ('wake_interface = "";', "no name of an interface"),
                ('transport = "unix"; address = "/s"; mac = "%s";' % MAC,
                 "is for other machines")):
            with open(home.file("bridlectl.conf"), "w") as f:
                f.write('hosts = ({ name = "pc07"; %s });' % entry)
            done = home.ctl("hosts")
            equal(done.returncode, 2, entry)
            assert part in done.stderr, (entry, done.stderr)
            assert "bridlectl.conf:1: " in done.stderr, done.stderr


if __name__ == "__main__":
    bridle.main(globals())
