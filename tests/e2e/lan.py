"""Simulated machines on one network bridge. Each machine has its own
avahi-daemon and its own D-Bus daemon."""

import contextlib
import os
import shutil
import socket
import struct
import subprocess
import tempfile

import bridle
import peers

BUS = """<busconfig>
<type>system</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/>
<allow send_destination="*"/><allow receive_sender="*"/></policy>
</busconfig>
"""
AVAHI = """[server]
host-name=%s
use-ipv4=yes
use-ipv6=yes
allow-interfaces=eth0
enable-dbus=yes
ratelimit-interval-usec=1000000
ratelimit-burst=1000
[wide-area]
enable-wide-area=no
[publish]
publish-hinfo=no
publish-workstation=no
"""
SERVICE = """<?xml version="1.0" standalone="no"?>
<!DOCTYPE service-group SYSTEM "avahi-service.dtd">
<service-group><name replace-wildcards="yes">Bridle on %%h</name><service>
<type>_bridle._tcp</type><port>%d</port><txt-record>v=1</txt-record>
<txt-record>fp=%s</txt-record></service></service-group>
"""
# Mount empty folders over /run and /etc/avahi, so that this avahi-daemon uses
# no files of the real avahi-daemon. The folder /etc/avahi comes with
# avahi-daemon, so it exists.
HOLD = """ip link set lo up
mount -t tmpfs tmpfs /run && mount --bind "$1" /etc/avahi &&
mount --bind "$1/nsswitch.conf" /etc/nsswitch.conf && echo ready && read line
"""


def need_avahi():
    for program, package in (("avahi-daemon", "avahi-daemon"),
                             ("dbus-daemon", "dbus"), ("ip", "iproute2"),
                             ("setpriv", "util-linux")):
        if shutil.which(program) is None:
            raise bridle.Skip("because %s is not installed" % package)
    if not os.path.exists(os.path.join(bridle.BUILD, "bridle-discover")):
        raise bridle.Skip("because Bridle was built without Avahi")
    peers.need_mounts()
    peers.need_ipv6()


def is_listening(path):
    with socket.socket(socket.AF_UNIX) as s, contextlib.suppress(OSError):
        s.connect(path)
        return True
    return False


class Lan:
    """A bridge, to which machines are connected by .machine()."""

    def __enter__(self):
        need_avahi()
        with contextlib.ExitStack() as stack:
            self.hub = stack.enter_context(peers.Network())
            try:
                self.hub.run("ip link add br0 type bridge mcast_snooping 0",
                             "ip link set br0 up")
            except subprocess.CalledProcessError:
                raise bridle.Skip("because no bridge can be made here")
            self.dir = tempfile.mkdtemp(prefix="bridle-lan-")
            stack.callback(shutil.rmtree, self.dir)
            os.chmod(self.dir, 0o755)
            self.number = 0
            self.stack = stack.pop_all()
        return self

    def __exit__(self, *exc):
        self.stack.close()

    def machine(self, name, avahi=True):
        self.number += 1
        m = self.stack.enter_context(Machine(self, name, self.number))
        if avahi:
            m.start_avahi()
        return m


class Machine:
    def __init__(self, lan, name, number):
        self.lan, self.name, self.number = lan, name, number
        self.address = "10.98.0.%d" % number
        self.dir = os.path.join(lan.dir, name)
        self.running = []

    def __enter__(self):
        os.makedirs(os.path.join(self.dir, "services"))
        self.names_by("files")
        self.holder = subprocess.Popen(
            ["unshare", "-n", "-m", "sh", "-c", HOLD, "sh", self.dir],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        if self.holder.stdout.readline() != b"ready\n":
            self.__exit__()
            raise bridle.Skip("because mounts are not permitted here")
        pid = self.holder.pid
        self.net = os.open("/proc/%d/ns/net" % pid, os.O_RDONLY)
        self.inside = ["nsenter", "--net=/proc/%d/ns/net" % pid,
                       "--mount=/proc/%d/ns/mnt" % pid]
        self.env = dict(os.environ, DBUS_SYSTEM_BUS_ADDRESS="unix:path="
                        + os.path.join(self.dir, "bus"))
        self.env.pop("XDG_CONFIG_HOME", None)
        self.lan.hub.run(
            "ip link add v%d type veth peer name eth0 netns %d"
            % (self.number, pid), "ip link set v%d master br0 up" % self.number)
        # Without the search for duplicate addresses (DAD), the link-local
        # address is usable at once.
        self.run("sh", "-c", "echo 0 >/proc/sys/net/ipv6/conf/eth0/accept_dad"
                 " || true")
        self.run("ip", "address", "add", self.address + "/24", "dev", "eth0")
        self.run("ip", "link", "set", "eth0", "up")
        return self

    def __exit__(self, *exc):
        for process in reversed(self.running):
            process.kill()
            process.wait()
        self.running = []
        self.holder.stdin.close()
        self.holder.stdout.close()
        self.holder.wait()
        with contextlib.suppress(AttributeError):
            os.close(self.net)

    def run(self, *command, **more):
        return subprocess.run([*self.inside, *command], check=True, **more)

    def start(self, *command):
        """Start a program. The program ends when the test ends, or earlier."""
        process = subprocess.Popen(
            [*self.inside, "setpriv", "--pdeathsig", "KILL", *command],
            env=self.env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.running.append(process)
        return process

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        with open(path, "w") as f:
            f.write(text)
        return path

    def names_by(self, services):
        """Set the services through which the machine looks up host names."""
        self.write("nsswitch.conf", "passwd: files\ngroup: files\n"
                   "hosts: %s\n" % services)

    def start_avahi(self):
        bus = os.path.join(self.dir, "bus")
        self.start("dbus-daemon", "--nofork", "--nopidfile", "--config-file="
                   + self.write("bus.conf", BUS % bus))
        bridle.wait_for("the D-Bus daemon", lambda: is_listening(bus))
        self.avahi = self.start(
            "avahi-daemon", "--no-chroot", "--no-rlimits", "--no-drop-root",
            "-f", self.write("avahi.conf", AVAHI % self.name))

    def announce(self, port=7075, fingerprint=""):
        self.write("services/bridle.service", SERVICE % (port, fingerprint))

    def announced(self):
        """Return the text of the service file that bridlectl has written."""
        with open(os.path.join(self.dir, "services", "bridle.service")) as f:
            return f.read()

    def ctl(self, *args, env=None, words=()):
        """Run bridlectl on this machine. Put `words` before the command."""
        env = dict(env or os.environ, DBUS_SYSTEM_BUS_ADDRESS=self.env[
            "DBUS_SYSTEM_BUS_ADDRESS"])
        return subprocess.run(
            [*self.inside, *words, bridle.BRIDLECTL, *args], text=True, env=env,
            capture_output=True, stdin=subprocess.DEVNULL,
            timeout=bridle.PATIENCE * 3, errors="surrogateescape")

    def open_sender(self):
        """Return a UDP socket of this machine, which sends as an mDNS
        responder does. This machine must not run an avahi-daemon."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            try:
                peers.enter(self.net)
                s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
                s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                s.bind((self.address, 5353))
                s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_TTL, 255)
                s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF,
                             socket.inet_aton(self.address))
                socket.send_fds(theirs, [b"here"], [s.fileno()])
            except BaseException as e:
                theirs.sendall(repr(e).encode())
            os._exit(0)
        theirs.close()
        with ours:
            message, fds, _, _ = socket.recv_fds(ours, 200, 1)
        os.waitpid(pid, 0)
        assert message == b"here", message
        return socket.socket(fileno=fds[0])


def encode_name(*labels):
    """Encode a domain name. Each label is a bytes object."""
    return b"".join(bytes([len(n)]) + n for n in labels) + b"\0"


def record(name, kind, data, unique=True):
    return name + struct.pack(">HHIH", kind, 0x8001 if unique else 1, 120,
                              len(data)) + data


TYPE = encode_name(b"_bridle", b"_tcp", b"local")


def pointer(instance):
    """Return the record that announces a service, but does not name its
    host."""
    return record(TYPE, 12, encode_name(instance, b"_bridle", b"_tcp",
                                        b"local"), unique=False)


def service(instance, host, address, port=7075, txt=(b"v=1",)):
    """Return the mDNS records of a service. All names are bytes."""
    name = encode_name(instance, b"_bridle", b"_tcp", b"local")
    target = encode_name(host, b"local")
    return [pointer(instance),
            record(name, 33, struct.pack(">HHH", 0, 0, port) + target),
            record(name, 16, b"".join(bytes([len(t)]) + t for t in txt)),
            record(target, 1, socket.inet_aton(address))]


def send(sender, records):
    """Send the records to all mDNS programs on the network."""
    head = struct.pack(">HHHHHH", 0, 0x8400, 0, len(records), 0, 0)
    sender.sendto(head + b"".join(records), ("224.0.0.251", 5353))
