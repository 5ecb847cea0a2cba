"""Tests of the identity that a client has by each transport. The kernel tells
the daemon this identity."""

import contextlib
import os
import pwd
import re
import shutil
import socket
import subprocess
import tempfile

import bridle
import peers
from bridle import SERVICE, STRANGER, Daemon, Victim, equal, wait_for
from crowd import KILLS
from peers import HAS_IPV6, Network, ask, connect, need_root

US = os.getuid()
# Loopback address that only this test uses. When the test has closed a port
# there, no other process can take this port.
HOST = "127.%d.%d.2" % (os.getpid() >> 8 & 255, os.getpid() & 255)
# Uid that the kernel shows for a user who has no uid in our user namespace.
NOBODY = 65534
GROUP = 61078

# A request that explains a ping. This request needs no right, and the reply has
# the name of the client's entry.
WHO = "1#12#4"


def client(name, how, rest='allow = ("explain");'):
    return '{ name = "%s"; %s; %s }' % (name, how, rest)


def by_uid(name, uid, rest='allow = ("explain");'):
    return client(name, 'unix_user = "%d"' % uid, rest)


ANYBODY = client("anybody", "anonymous = true", 'allow = ("*");')
USERS = ", ".join([by_uid("us", US), by_uid("stranger", STRANGER)])


def who(host, port, **how):
    """Return the name of the entry that matches this client, or None if the
    reply is 401."""
    return entry_of(ask(WHO, host, port, **how))


def entry_of(answer):
    if answer.code == 401:
        return None
    equal(answer.code, 200, answer.lines)
    return answer.rows[0]["client"].decode()


# -- tests of TCP on this machine -------------------------------------------


def loopback():
    """Return the addresses of listeners: an IPv4 address, and an IPv6 address
    if this machine has IPv6."""
    return ["127.0.0.1:0"] + (["[::1]:0"] if HAS_IPV6 else [])


def ways(d):
    """Yield each (host, port) at which a client can reach the listeners of
    loopback()."""
    yield "127.0.0.1", d.ports[0]
    if HAS_IPV6:
        yield "::ffff:127.0.0.1", d.ports[0]
        yield "::1", d.ports[1]


# Addresses by which a local process reaches a listener at [::].
EVERYWHERE = ("127.0.0.1", "127.0.0.9", "::ffff:127.0.0.1", "::1")


def test_our_own_connection_is_ours():
    with Daemon(clients=by_uid("us", US), tcp=loopback()) as d:
        for host, port in ways(d):
            equal(who(host, port), "us", host)
            # The log shows a mapped IPv4 address as an IPv4 address.
            source = "[::1]" if host == "::1" else "127.0.0.1"
            d.wait_log(r"client=us source=%s:\d+,uid=%d verb="
                       % (re.escape(source), US))


def test_a_listener_at_a_mapped_address_is_one_at_the_address_itself():
    with Daemon(clients=by_uid("us", US), tcp=["[::ffff:127.0.0.1]:0"]) as d:
        equal(who("127.0.0.1", d.ports[0]), "us")


def test_a_listener_for_both_kinds_of_address_knows_local_users():
    with Network() as net, net.daemon(by_uid("us", US) + ", " + ANYBODY):
        for host in EVERYWHERE:
            equal(who(host, 7074, network=net.fd), "us", host)


def test_a_listener_at_a_link_local_address():
    with Network() as net:
        net.run("ip address add fe80::77/64 dev lo nodad")
        with net.daemon(by_uid("us", US) + ", " + ANYBODY,
                        "[fe80::77%lo]:7074") as d:
            d.wait_log(r"serving at .*, \[fe80::77%lo\]:7074,")
            equal(who("fe80::77%lo", 7074, network=net.fd), "us")
            assert d.reload(), d.log()
            equal(who("fe80::77%lo", 7074, network=net.fd), "us")


INSECURE = '{ tcp = "127.0.0.1:0"; insecure = true; }'


def test_a_local_user_without_an_entry_is_not_anonymous_instead():
    clients = ANYBODY + ", " + by_uid("other", US + 1)
    with Daemon(clients=clients, tcp=[INSECURE]) as d:
        equal(who("127.0.0.1", d.ports[0]), None)
        equal(who("unix", d.sock), None)
    with Network() as net, net.daemon(clients):
        for host in EVERYWHERE:
            equal(who(host, 7074, network=net.fd), None, host)


def test_another_users_connection_is_his():
    need_root("start other users' clients")
    with Daemon(clients=USERS, tcp=loopback()) as d, Victim() as v:
        for host, port in [*ways(d), ("unix", d.sock)]:
            equal(who(host, port), "us")
            equal(who(host, port, uid=STRANGER), "stranger", host)
            equal(who(host, port, uid=SERVICE), None, host)
            answer = ask("1#3#" + v.name, host, port, uid=STRANGER)
            equal([answer.code, answer.status.pairs["rule"]],
                  [403, "stranger.allow"])
        assert v.lives()


def test_a_uid_that_stands_for_foreign_users_is_nobody():
    need_root("start other users' clients")
    with Daemon(clients=by_uid("nobody", NOBODY) + ", " + ANYBODY,
                tcp=["127.0.0.1:0"]) as d:
        equal(who("unix", d.sock, uid=NOBODY), None)
        equal(who("127.0.0.1", d.ports[0], uid=NOBODY), None)


# Entries that match only if the daemon makes a mistake. The kernel shows uid 0
# for a closed socket, but the client is not root. An unknown user is not
# anonymous.
TRAPS = ", ".join([by_uid("root", 0, 'allow = ("*");')]
                  + ([by_uid("us", US, 'allow = ("*");')] if US else [])
                  + [ANYBODY])


def check_not_served(d, v, connections):
    """Wait until the daemon has accepted the connections. Check that it has
    carried out no request of these connections."""
    wait_for("all connections to be accepted",
             lambda: d.counter("connections") > connections)
    d.wait_quiet()
    served = [line for line in d.whole_log().splitlines()
              if "verdict=allowed" in line
              and not re.search("verb=(status|ping)", line)]
    equal(served, [])
    assert v.lives()
    equal(d.recorded(), [])


def send_and_leave(d, places, v, network=None):
    """Connect twice at each place, send a kill and a halt, and leave
    immediately, first by close, then by reset. Check that the daemon carries
    out no request."""
    with d.stopped():
        for host, port in places:
            for leave in (socket.socket.close, bridle.reset):
                s = connect(host, port, network=network)
                s.sendall(b"1#3#%s\n1#1\n" % v.comm)
                leave(s)
    check_not_served(d, v, 2 * len(places))
    # No client can read a refusal. No user gets a penalty, because the daemon
    # does not know the user.
    equal(d.log().count("the client is gone: "), 2 * len(places))
    assert "verdict=refused" not in d.log()


def test_one_that_sends_and_closes_at_once_is_nobody():
    with Daemon(clients=TRAPS, tcp=loopback()) as d, Victim() as v:
        send_and_leave(d, list(ways(d)), v)


def test_nor_is_it_anonymous_where_others_would_be():
    with Daemon(clients=TRAPS, tcp=[INSECURE]) as d, Victim() as v:
        send_and_leave(d, [("127.0.0.1", d.ports[0])], v)
    with Network() as net, net.daemon(TRAPS) as d, Victim() as v:
        send_and_leave(d, [(host, 7074) for host in EVERYWHERE], v, net.fd)


def known_to_kernel(port, peer_port):
    """True if /proc/net/tcp has a socket at `port` that is connected to
    `peer_port`."""
    with open("/proc/net/tcp") as f:
        return any(re.search(r": \w+:%04X \w+:%04X " % (port, peer_port), line)
                   for line in f)


def test_a_listener_in_the_place_of_one_that_left_is_not_its_owner():
    """If the client's socket no longer exists, the kernel reports a listener at
    the same address instead. The daemon must not take the listener's owner for
    the client."""
    with Daemon(clients=TRAPS, tcp=["127.0.0.1:0"]) as d, Victim() as v:
        with d.stopped():
            s = socket.socket()
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            s.bind((HOST, 0))
            place = s.getsockname()
            s.connect(("127.0.0.1", d.ports[0]))
            s.setsockopt(socket.SOL_TCP, socket.TCP_LINGER2, 1)
            s.sendall(b"1#3#%s\n1#1\n" % v.comm)
            s.close()
            wait_for("the kernel to forget the connection",
                     lambda: not known_to_kernel(place[1], d.ports[0]))
            usurper = socket.socket()
            usurper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            usurper.bind(place)
            usurper.listen()
        with usurper:
            check_not_served(d, v, 1)
        assert "does not tell the owner of the connection" in d.log()


def listening(port):
    with open("/proc/net/tcp") as f:
        return any(":%04X 00000000:0000 0A" % port in line for line in f)


@contextlib.contextmanager
def relay(port, uid):
    """Run socat as the user `uid`. Yield a port of HOST where socat accepts
    one connection and relays it to `port`."""
    ours = bridle.free_port(HOST)
    process = subprocess.Popen(
        ["socat", "TCP4-LISTEN:%d,bind=%s" % (ours, HOST),
         "TCP4:127.0.0.1:%d" % port],
        user=uid, group=uid, extra_groups=[])
    try:
        wait_for("the relay", lambda: listening(ours))
        yield ours
    finally:
        process.kill()
        process.wait()


def test_one_through_a_relay_has_the_relays_identity():
    need_root("start a relay as somebody else")
    if shutil.which("socat") is None:
        raise bridle.Skip("because socat is not installed")
    with Daemon(clients=USERS, tcp=["127.0.0.1:0"]) as d:
        equal(who("127.0.0.1", d.ports[0]), "us")
        with relay(d.ports[0], STRANGER) as port:
            equal(who(HOST, port), "stranger")
        with relay(d.ports[0], SERVICE) as port:
            equal(who(HOST, port), None)
        # A client that connects through the relay has the rights of the relay's
        # user, not its own rights.
        with relay(d.ports[0], STRANGER) as port:
            equal(who(HOST, port, uid=SERVICE), "stranger")


# -- tests of groups --------------------------------------------------------


def test_groups_over_the_unix_socket_are_those_of_the_process():
    how = 'unix_group = "%d"' % os.getgid()
    with Daemon(clients=client("primary", how)) as d:
        equal(who("unix", d.sock), "primary")
    others = [g for g in os.getgroups() if g != os.getgid()]
    for gid in others[:1]:
        with Daemon(clients=client("other", 'unix_group = "%d"' % gid)) as d:
            equal(who("unix", d.sock), "other")
    with Daemon(clients=client("none", 'unix_group = "%d"' % GROUP)) as d:
        equal(who("unix", d.sock), None)


def test_supplementary_groups_over_the_unix_socket():
    need_root("give a client groups")
    clients = client("group", 'unix_group = "%d"' % GROUP)
    with Daemon(clients=clients) as d:
        equal(who("unix", d.sock, uid=STRANGER), None)
        equal(who("unix", d.sock, uid=STRANGER, groups=[GROUP]), "group")
        many = list(range(70000, 70300)) + [GROUP]
        equal(who("unix", d.sock, uid=STRANGER, groups=many), "group")
        equal(who("unix", d.sock, uid=STRANGER, groups=many[:-1]), None)


class UserFiles:
    """Files `passwd` and `group` that a mount shows to the daemon only.

    In these files STRANGER is a user, and a member of the group "chosen".
    """

    def __enter__(self):
        need_root("mount")
        self.dir = tempfile.mkdtemp(prefix="bridle-")
        os.chmod(self.dir, 0o755)
        self.write("passwd", "stranger:x:%d:%d::/:/bin/false\n"
                   % (STRANGER, STRANGER))
        self.write("group", "chosen:x:%d:stranger\nprimary:x:%d:\n"
                   % (GROUP, STRANGER))
        script = ('mount --bind "$0/passwd" /etc/passwd &&'
                  ' mount --bind "$0/group" /etc/group && exec "$@"')
        self.wrap = ["unshare", "-m", "sh", "-c", script, self.dir]
        if subprocess.run([*self.wrap, "true"], check=False,
                          stderr=subprocess.DEVNULL).returncode != 0:
            self.__exit__()
            raise bridle.Skip("because mounts are not permitted here")
        self.wrap += bridle.WRAP
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.dir)

    def write(self, name, more):
        """Write the file without a rename, because the daemon's mount shows
        only this inode."""
        with open("/etc/" + name) as f:
            text = f.read()
        with open(os.path.join(self.dir, name), "w") as f:
            f.write(text.rstrip("\n") + "\n" + more)


GROUPS = ", ".join([
    by_uid("us", US, 'allow = ("*");'),
    client("chosen", 'unix_group = "chosen"')])


def test_groups_over_tcp_are_those_of_the_users_files():
    with UserFiles() as files, Daemon(clients=GROUPS, tcp=["127.0.0.1:0"],
                                      wrap=files.wrap) as d:
        port = d.ports[0]
        equal(who("127.0.0.1", port, uid=STRANGER), "chosen")
        equal(who("127.0.0.1", port, uid=SERVICE), None)
        # For a TCP client, the kernel does not tell the daemon the groups of
        # the process.
        equal(who("127.0.0.1", port, uid=SERVICE, groups=[GROUP]), None)
        # For a client of a unix socket, the kernel tells the daemon the groups.
        equal(who("unix", d.sock, uid=STRANGER), None)
        equal(who("unix", d.sock, uid=SERVICE, groups=[GROUP]), "chosen")
        d.wait_quiet()


def test_the_primary_group_counts_over_tcp():
    clients = client("first", 'unix_group = "primary"')
    with UserFiles() as files, Daemon(clients=clients, tcp=["127.0.0.1:0"],
                                      wrap=files.wrap) as d:
        equal(who("127.0.0.1", d.ports[0], uid=STRANGER), "first")
        equal(who("127.0.0.1", d.ports[0], uid=SERVICE), None)


def ask_again(s):
    s.sendall(WHO.encode() + b"\n")
    return entry_of(bridle.read_answer(s))


def test_after_a_reload_the_groups_are_asked_for_again():
    with UserFiles() as files, Daemon(clients=GROUPS, tcp=["127.0.0.1:0"],
                                      wrap=files.wrap) as d, \
            connect("127.0.0.1", d.ports[0], uid=STRANGER) as live:
        equal(ask_again(live), "chosen")
        files.write("group", "chosen:x:%d:\n" % GROUP)
        assert d.reload()
        equal(ask_again(live), None)
        files.write("group", "chosen:x:%d:stranger\n" % GROUP)
        assert d.reload()
        equal(ask_again(live), "chosen")


def test_the_services_own_user_is_in_no_group():
    """Commands run as the daemon's own user, and this user may be in the
    operators' group. These commands must not get the rights of the
    operators."""
    need_root("be other users")
    user = pwd.getpwnam("daemon")
    gid = user.pw_gid
    with Daemon(client("group", 'unix_group = "%d"' % gid),
                tcp=["127.0.0.1:0"], user="daemon") as d:
        for round in ("before", "after a reload"):
            for place in (("127.0.0.1", d.ports[0]), ("unix", d.sock)):
                equal(who(*place, uid=user.pw_uid, groups=[gid]), None, round)
            equal(who("unix", d.sock, uid=STRANGER, groups=[gid]), "group")
            assert d.reload(), d.log()
    with Daemon(by_uid("named", user.pw_uid), user="daemon") as d:
        equal(who("unix", d.sock, uid=user.pw_uid), "named")


def test_a_name_service_that_hangs_leaves_one_without_groups():
    with UserFiles() as files, Daemon(clients=GROUPS, tcp=["127.0.0.1:0"],
                                      wrap=files.wrap) as d:
        fifo = os.path.join(files.dir, "fifo")
        os.mkfifo(fifo)
        subprocess.run(["nsenter", "--mount", "--target", str(d.pid), "mount",
                        "--bind", fifo, "/etc/group"], check=True)
        with connect("127.0.0.1", d.ports[0], uid=STRANGER) as s:
            s.sendall(WHO.encode() + b"\n")
            wait_for("the lookup", lambda: len(d.children()) == 3)
            # The daemon serves another client while the name service hangs.
            equal(d.ask("1#4", d.ports[0]).text, "pong")
            equal(entry_of(bridle.read_answer(s)), None)
        d.wait_log("the name service does not answer")
        d.wait_quiet()


# -- tests of clients on other machines -------------------------------------


class Machines(peers.Machines):
    def who_there(self, host, **how):
        return who(host, self.PORT, network=self.other.fd, **how)

    def who_here(self, host, **how):
        return who(host, self.PORT, network=self.ours.fd, **how)


ANONYMOUS = ", ".join([
    by_uid("us", US, 'allow = ("*");'),
    client("visitor", "anonymous = true",
           'allow = ("ping", "explain", "kill");'
           ' kill = { names = ("NAME"); signals = ("INT"); };')])


def test_from_another_machine_one_is_anonymous_and_no_more():
    with Machines() as m, Victim() as v, \
            m.ours.daemon(ANONYMOUS.replace("NAME", v.name)) as d:
        for host in m.OURS:
            equal(m.who_there(host), "visitor")
            for line, code in [("1#4", 200), ("1#2", 403), ("1#1", 403),
                               ("1#6", 403), ("1#7", 403), ("1#11", 403),
                               ("1#3#" + v.name, 403), ("1#3#other", 403),
                               ("1#3#%s#signal=HUP" % v.name, 403),
                               ("1#12#3#%s#signal=INT" % v.name, 200)]:
                answer = m.ask_there(line, host)
                equal(answer.code, code, line)
                if code == 403:
                    assert answer.status.pairs["rule"].startswith("visitor.")
        d.wait_log(r"client=visitor source=10\.99\.0\.2:\d+ verb=list")
        d.wait_log(r"client=visitor source=\[fd99::2\]:\d+ verb=list")
        assert v.lives()
        equal(d.recorded(), [])
        if KILLS:
            answer = m.ask_there("1#3#%s#signal=INT" % v.name, m.OURS[0])
            equal([answer.code, v.wait()], [200, -2])


def test_from_another_machine_without_an_entry_for_it():
    with Machines() as m, m.ours.daemon(USERS) as d:
        for host in m.OURS:
            equal(m.who_there(host), None)
        d.wait_log(r"source=10\.99\.0\.2:\d+ .*verdict=refused .*result=401")


def test_from_narrows_who_may_be_anonymous():
    clients = client("near", "anonymous = true",
                     'from = ("10.99.0.2", "fd99::/64"); allow = ("explain");')
    with Machines() as m, m.ours.daemon(clients):
        equal(m.who_there(m.OURS[0], source=m.OTHERS[0]), "near")
        equal(m.who_there(m.OURS[0], source=m.OTHERS_SECOND), None)
        equal(m.who_there(m.OURS[1]), "near")
        equal(m.who_here(m.OURS[0]), None)


def test_without_insecure_another_machine_is_refused_whatever_lets_it_in():
    """Some systems accept packets from outside for the loopback addresses. The
    daemon must refuse a client that sends such packets."""
    clients = ANONYMOUS + ", " + ANYBODY
    with Machines() as m, Victim() as v, \
            m.ours.daemon(clients, "127.0.0.1:7074", insecure=False) as d:
        routed = "echo 1 >/proc/sys/net/ipv4/conf/cable/route_localnet"
        m.ours.run(routed)
        m.other.run(routed,
                    "ip address delete 127.0.0.1/8 dev lo",
                    "ip route add 127.0.0.1 via " + m.OURS[0])
        answer = m.ask_there("1#3#" + v.name, "127.0.0.1",
                                source=m.OTHERS[0])
        equal([answer.code, answer.text],
              [401, "this port serves only clients on this machine"])
        equal(m.who_here("127.0.0.1"), "us")
        assert v.lives()
        equal(d.recorded(), [])


def link_local(net):
    done = subprocess.run([*net.inside, "ip", "-6", "-o", "address", "show",
                           "dev", "cable", "scope", "link"], check=True,
                          capture_output=True, text=True)
    return re.search(r"inet6 (fe80\S+)/64 scope link (?!tentative)",
                     done.stdout)


def test_a_local_process_by_the_machines_own_other_address_is_a_user():
    with Machines() as m, m.ours.daemon(USERS + ", " + ANYBODY) as d:
        local = wait_for("the cable's own address",
                         lambda: link_local(m.ours))[1] + "%cable"
        for host in (*m.OURS, "::ffff:" + m.OURS[0], local):
            equal(m.who_here(host), "us", host)
            equal(m.who_here(host, uid=STRANGER), "stranger", host)
            equal(m.who_here(host, uid=SERVICE), None, host)
        equal(m.who_there(local), "anybody")
        d.wait_log(r"client=us source=10\.99\.0\.1:\d+,uid=%d " % US)


def test_a_local_process_that_closes_at_once_is_not_anonymous_either():
    with Machines() as m, m.ours.daemon(TRAPS) as d, Victim() as v:
        send_and_leave(d, [(host, m.PORT) for host in m.OURS], v, m.ours.fd)


bridle.main(globals())
