"""Tests of the packages, the systemd units and the halting commands, on a
booted machine."""

import atexit
import glob
import json
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import machine  # noqa: E402
from machine import Machine  # noqa: E402

import bridle  # noqa: E402
from bridle import PATIENCE, Skip, equal, wait_for  # noqa: E402

CONF = "/etc/bridle/bridled.conf"
USUAL_SOCKET = "/run/bridle/bridled.sock"
ROOT_SOCKET = "/run/bridle/root.sock"
DROPINS = "/etc/systemd/system/bridled.service.d"
EXAMPLES = "/usr/share/doc/bridle/examples"
_shared = []


def shared():
    """Return the machine that several tests share. A test must restore
    everything that it changes on this machine."""
    if not _shared:
        m = installed()
        atexit.register(m.__exit__, None, None, None)
        _shared.append(m)
    return _shared[0]


def installed():
    m = Machine(machine.packages()).__enter__()
    m.sh("useradd -m -G bridle alice; useradd -m bob")
    return m


class Own:
    """A machine for only one test, because this test halts the machine."""

    def __enter__(self):
        self.machine = installed()
        return self.machine

    def __exit__(self, *exc):
        self.machine.__exit__(*exc)


class Settings:
    """A changed configuration, which the daemon uses during the block."""

    def __init__(self, m, *changes):
        self.m, self.changes = m, changes

    def __enter__(self):
        self.before = text = self.m.read(CONF)
        for pattern, new in self.changes:
            text, n = re.subn(pattern, new, text, flags=re.M)
            assert n, pattern
        self.m.write(CONF, text)
        self.m.run("systemctl", "start", "bridled.service")
        reload(self.m)

    def __exit__(self, *exc):
        self.m.write(CONF, self.before)
        reload(self.m)


def reload(m):
    """Reload the daemon, and return when the daemon uses the new settings."""
    m.run("systemctl", "reload", "bridled.service")


def main_pid(m):
    return int(m.run("systemctl", "show", "-P", "MainPID",
                     "bridled.service").stdout)


def status_field(m, pid, name):
    return re.search(r"^%s:\s*(.*)$" % name,
                     m.read("/proc/%d/status" % pid), re.M)[1]


def ctl(m, *args, user=None, code=0):
    run = m.run("bridlectl", *args, user=user, check=False)
    equal(run.returncode, code, run)
    return run


# -- tests of the packages --------------------------------------------------


def test_lintian_has_nothing_to_say():
    machine.need("lintian")
    folder = os.path.dirname(machine.packages()[0])
    changes, = glob.glob(os.path.join(folder, "*.changes"))
    run = subprocess.run(
        ["lintian", "--fail-on", "error,warning", "--no-tag-display-limit",
         changes], capture_output=True, text=True)
    equal(run.returncode, 0, run.stdout)


# -- tests of the installed files --------------------------------------------


def test_installing_makes_the_user_the_key_and_the_socket():
    m = shared()
    fingerprint = m.run("bridled", "--fingerprint").stdout.strip()
    assert re.fullmatch(r"SHA256:\S{43}", fingerprint), fingerprint
    assert fingerprint in m.installed, m.installed
    equal(m.run("stat", "-c", "%U %a", "/var/lib/bridle/host_key").stdout,
          "bridle 600\n")
    equal(m.run("stat", "-c", "%U %G %a",
                "/run/bridle/bridled.sock").stdout, "root root 666\n")
    equal(m.run("systemctl", "is-enabled", "bridled.socket").stdout,
          "enabled\n")
    equal(m.run("bridled", "--check").returncode, 0)


def test_the_first_client_starts_it():
    m = shared()
    m.run("systemctl", "stop", "bridled.service")
    equal(m.run("systemctl", "is-active", "bridled.service",
                check=False).stdout, "inactive\n")
    assert "systemd" in ctl(m, "list", "--raw").stdout
    equal(m.run("systemctl", "is-active", "bridled.service").stdout,
          "active\n")


def active(m, *units):
    return m.run("systemctl", "is-active", *units, check=False).stdout.split()


def test_root_has_a_socket_that_starts_no_stopped_daemon():
    m = shared()
    units = "bridled.service", "bridled-root.socket"
    ctl(m, "ping")
    equal(active(m, *units), ["active"] * 2)
    equal(m.run("stat", "-c", "%U %G %a %i", ROOT_SOCKET).stdout[:14],
          "root root 600 ")
    assert ROOT_SOCKET + ", pid" in m.journal(), m.journal()
    m.run("bridled", "--check", "--access", "root")
    # A restart keeps the socket open, so the clients of the socket wait.
    inode = m.run("stat", "-c", "%i", ROOT_SOCKET).stdout
    m.run("systemctl", "restart", "bridled.service")
    equal(m.run("stat", "-c", "%i", ROOT_SOCKET).stdout, inode)
    ctl(m, "ping")
    # A stop of the service ends both units. Commands that only ask about the
    # daemon start neither of the units.
    m.run("systemctl", "stop", "bridled.service")
    equal(active(m, *units), ["inactive"] * 2)
    m.run("test", "!", "-e", ROOT_SOCKET)
    ctl(m, "config", "diff", code=3)
    m.run("bridled", "--effective", check=False)
    m.run("bridled", "--check", "--access", "root")
    equal(active(m, *units), ["inactive"] * 2)
    ctl(m, "ping")
    equal(active(m, *units), ["active"] * 2)


def test_bridlectl_of_root_does_not_need_the_usual_socket():
    m = shared()
    ctl(m, "ping")
    m.run("mv", USUAL_SOCKET, USUAL_SOCKET + ".away")
    try:
        ctl(m, "ping")
        ctl(m, "ping", user="alice", code=3)
    finally:
        m.run("mv", USUAL_SOCKET + ".away", USUAL_SOCKET)


def test_a_daemon_that_died_gets_roots_socket_again():
    m = shared()
    ctl(m, "ping")
    pid = main_pid(m)
    m.run("kill", "-KILL", str(pid))
    wait_for("another daemon", lambda: main_pid(m) not in (0, pid))
    ctl(m, "ping")
    wait_for("root's socket", lambda: active(m, "bridled-root.socket")
             == ["active"])
    ctl(m, "ping")


def test_it_is_nobody_but_may_kill():
    m = shared()
    ctl(m, "ping")
    pid = main_pid(m)
    uid = m.run("id", "-u", "bridle").stdout.strip()
    equal(status_field(m, pid, "Uid").split(), [uid] * 4)
    for name in ("CapPrm", "CapEff", "CapBnd"):
        equal(int(status_field(m, pid, name), 16), 1 << 5, name)
    equal(status_field(m, pid, "NoNewPrivs"), "1")


def test_its_exposure_is_as_small_as_promised():
    out = shared().run("systemd-analyze", "security", "--no-pager",
                       "bridled.service").stdout
    level = float(re.search(r"exposure level for \S+ ([0-9.]+)", out)[1])
    assert level <= 0.8, out


def test_the_helper_for_wake_on_lan_serves_bridled_alone():
    m = shared()
    wake = ("-H", "plain:192.0.2.1", "wake", "--via",
            "unix:/run/bridle/bridled.sock", "--wait", "0")
    m.sh("mkdir -p /root/.local/state/bridlectl && "
         "echo '192.0.2.1 52:54:00:12:34:56' >/root/.local/state/bridlectl/macs")
    try:
        # After the installation, the socket of the helper is not enabled.
        run = ctl(m, *wake, code=1)
        assert "systemctl enable --now bridled-wake.socket" in run.stderr, run
        m.run("systemctl", "enable", "--now", "bridled-wake.socket")
        # The machine has only the loopback interface.
        run = ctl(m, *wake, code=1)
        assert "the relay is in no network" in run.stderr, run
        # The machine has no ip(8).
        for command in ("link add lab type veth peer name cable",
                        "address add 192.0.2.9/24 dev lab",
                        "link set cable up", "link set lab up"):
            subprocess.run(["nsenter", "-t", str(m.init), "-n", "ip",
                            *command.split()], check=True)
        run = ctl(m, *wake)
        assert "packet for 52:54:00:12:34:56 sent, networks: " in run.stdout, \
            run
        sent = m.read("/sys/class/net/lab/statistics/tx_bytes")
        assert int(sent) > 0, sent
        equal(m.run("stat", "-c", "%U %a", "/run/bridle/wake.sock").stdout,
              "bridle 600\n")
        run = m.sh("echo own | nc -UN /run/bridle/wake.sock", user="alice",
                   check=False)
        assert "denied" in run.stderr, run
        out = m.run("systemd-analyze", "security", "--no-pager",
                    "bridled-wake.service").stdout
        level = float(re.search(r"exposure level for \S+ ([0-9.]+)", out)[1])
        assert level <= 1.3, out
    finally:
        m.sh("systemctl disable --now bridled-wake.socket; "
             "systemctl stop bridled-wake.service; rm -r /root/.local",
             check=False)
        subprocess.run(["nsenter", "-t", str(m.init), "-n", "ip", "link",
                        "delete", "lab"], check=False,
                       stderr=subprocess.DEVNULL)


def test_a_suspend_is_refused_with_the_reason():
    # A container cannot suspend. Never send this request without -n.
    run = ctl(shared(), "suspend", "-n", code=1)
    assert re.search(r"cannot suspend|does not allow", run.stderr), run


def test_polkit_lets_bridled_suspend_but_not_past_inhibitors():
    m = shared()
    for action in ("suspend", "hibernate", "suspend-multiple-sessions",
                   "hibernate-multiple-sessions", "reboot"):
        for user, wanted in (("bridle", 0), ("alice", 1)):
            run = m.sh("pkcheck --process $$ --action-id "
                       "org.freedesktop.login1." + action, user=user,
                       check=False)
            equal(min(run.returncode, 1), wanted, (user, action, run.stderr))
    run = m.sh("pkcheck --process $$ --action-id "
               "org.freedesktop.login1.suspend-ignore-inhibit", user="bridle",
               check=False)
    assert run.returncode != 0, run


def test_the_status_says_what_it_does():
    m = shared()
    ctl(m, "ping")
    wait_for("the status", lambda: re.search(
        r"Sessions: \d+, requests: [1-9]\d*, refused: \d+",
        m.run("systemctl", "status", "--no-pager", "bridled.service").stdout))


# -- tests of clients' rights -----------------------------------------------


def test_a_member_of_the_group_kills_anybodys_process():
    m = shared()
    for user in ("root", "bob"):
        m.run("systemd-run", "-q", "--uid", user, "sleep", "1001")
        wait_for("the process", lambda: "sleep 1001" in m.run(
            "bridlectl", "list", "sleep", "--user", user, "--raw",
            user="alice", check=False).stdout)
        out = ctl(m, "kill", "sleep", "--user", user, "--wait", "5", "-y",
                  "--raw", user="alice").stdout
        equal(out.count("\texited\t"), 1, out)


def test_a_user_without_an_entry_may_connect_and_do_nothing():
    m = shared()
    run = ctl(m, "list", user="bob", code=1)
    assert "no identity (401)" in run.stderr, run


def test_an_entry_for_a_user_needs_no_group():
    """Add the entry "teacher" of the shipped examples after the entry of the
    administrators. The teacher gets only the rights of the entry "teacher"."""
    m = shared()
    teacher = ('{ name = "teacher"; unix_user = "bob"; '
               'allow = ("list", "explain"); }')
    with Settings(m, (r"^(\t\{ name = \"admins\".*)$", r"\1,\n\t" + teacher)):
        assert "systemd" in ctl(m, "list", "--raw", user="bob").stdout
        run = ctl(m, "halt", "-n", user="bob", code=1)
        assert "teacher may not use halt" in run.stderr, run


def test_what_the_service_runs_may_not_command_it():
    m = shared()
    run = ctl(m, "ping", user="bridle", code=1)
    assert "401" in run.stderr, run


def test_the_journal_and_syslog_tell_who_did_what():
    m = shared()
    m.run("systemctl", "restart", "rsyslog.service")
    ctl(m, "list", "syslogged", user="alice", code=1)
    line = (r"client=admins source=uid=\d+ verb=list .*name=syslogged.* "
            r"verdict=allowed")
    wait_for("the journal", lambda: re.search(line, m.journal()))
    wait_for("syslog", lambda: re.search(
        r" bridled: .*" + line, m.read("/var/log/syslog")))


# -- tests of the service ----------------------------------------------------


def test_a_reload_takes_a_good_file_and_refuses_a_bad_one():
    m = shared()
    with Settings(m, (r"^stop_seconds = 10;", "stop_seconds = 11;")):
        assert "stop_seconds = 11;" in ctl(m, "config", "show").stdout
        m.write(CONF, m.read(CONF) + "nonsense = 1;\n")
        run = m.run("systemctl", "reload", "bridled.service", check=False)
        assert run.returncode != 0
        assert "nonsense: unknown key" in m.journal()
        assert "The last reload failed" in m.run(
            "systemctl", "show", "-P", "StatusText",
            "bridled.service").stdout
        assert "stop_seconds = 11;" in ctl(m, "config", "show").stdout
        m.write(CONF, m.read(CONF).replace("nonsense = 1;\n", ""))


def test_the_configuration_is_edited_and_serves():
    m = shared()
    ctl(m, "ping")
    before = m.read(CONF)
    try:
        run = m.sh("EDITOR='sed -i s/stop_seconds.=.10/stop_seconds=12/' "
                   "bridlectl config edit")
        assert re.search(r"pid %d, serves the settings" % main_pid(m),
                         run.stdout + run.stderr), run
        assert "stop_seconds = 12;" in ctl(m, "config", "show").stdout
        ctl(m, "config", "diff")
    finally:
        m.write(CONF, before)
        reload(m)


def test_nobody_edits_himself_out():
    m = shared()
    before = m.read(CONF)
    m.write("/root/editor", "#!/bin/sh\n"
            "sed -i 's/unix_group = \"bridle\"/unix_group = \"adm\"/' $1\n")
    run = m.sh("chmod 755 /root/editor; SUDO_UID=$(id -u alice) "
               "EDITOR=/root/editor bridlectl config edit </dev/null",
               check=False)
    equal(run.returncode, 1)
    assert "this change would take away your access" in run.stderr, run
    equal(m.read(CONF), before)


def test_the_watchdog_brings_a_stuck_daemon_back():
    m = shared()
    m.sh("mkdir -p %s && printf '[Service]\\nWatchdogSec=1\\n'"
         " >%s/watchdog.conf && systemctl daemon-reload"
         % (DROPINS, DROPINS))
    try:
        m.run("systemctl", "restart", "bridled.service")
        pid = main_pid(m)
        m.run("kill", "-STOP", str(pid))
        wait_for("another daemon", lambda: main_pid(m) not in (0, pid),
                 PATIENCE * 3)
        ctl(m, "ping")
        assert "watchdog" in m.journal().lower()
    finally:
        m.sh("rm %s/watchdog.conf; systemctl daemon-reload; "
             "systemctl restart bridled.service" % DROPINS)


LOAD = """
end=/run/load.end; export HOME=/home/alice
for n in 1 2 3 4; do
    (while ! test -e $end; do
        bridlectl $* ping --raw >/dev/null || echo failed
        echo asked
    done) &
done
wait
"""


class Load:
    """Four clients of alice that send requests without pause. On a busy
    machine, sessions that end still count for limits.sessions_per_source, which
    is 16. `options` are words for bridlectl. .result() ends the clients and returns the lines of
    failed requests."""

    def __init__(self, m, *options):
        self.m = m
        m.run("rm", "-f", "/run/load.end")
        self.out = tempfile.mktemp(prefix="load-", dir=m.report)
        with open(self.out, "w") as out:
            self.process = m.popen("sh", "-c", LOAD, "sh", *options,
                                   user="alice", stdout=out, stderr=out)

    def asked(self):
        with open(self.out) as f:
            return f.read().count("asked")

    def wait_more(self):
        count = self.asked()
        wait_for("the load", lambda: self.asked() > count + 40, PATIENCE * 3)

    def result(self):
        self.m.run("touch", "/run/load.end")
        self.process.wait(PATIENCE * 3)
        with open(self.out) as f:
            return sorted({line for line in f if line != "asked\n"})[:5]


def test_restarts_under_load_lose_no_connection():
    m = shared()
    load = Load(m)
    for _ in range(5):
        load.wait_more()
        m.run("systemctl", "restart", "bridled.service")
    load.wait_more()
    equal(load.result(), [])


def test_an_upgrade_under_load_keeps_all_that_is_there():
    m = shared()
    key = m.read("/var/lib/bridle/host_key")
    with Restored(m) as before:
        m.write(CONF, listens(before + "# edited\n", TLS))
        apply(m)
        served = m.read(CONF + ".served")
        load = Load(m)
        load.wait_more()
        m.run("dpkg", "-i", *["/report/" + os.path.basename(d)
                              for d in m.debs])
        load.wait_more()
        equal(load.result(), [])
        equal(m.read("/var/lib/bridle/host_key"), key)
        assert m.read(CONF).endswith("# edited\n")
        equal(m.read(CONF + ".served"), served)


# -- tests of listeners ------------------------------------------------------


def test_an_upgrade_from_0_1_lets_all_users_connect():
    m = shared()
    try:
        for unit, mode in (("", "root root 666\n"),
                           ("SocketMode=0640", "root root 640\n")):
            drop_in(m, "bridled.socket", "[Socket]\n%s\n" % unit)
            m.run("chgrp", "bridle", USUAL_SOCKET)
            m.run("chmod", "660", USUAL_SOCKET)
            m.sh("sh /var/lib/dpkg/info/bridle.postinst configure 0.1.0-1")
            equal(m.run("stat", "-c", "%U %G %a", USUAL_SOCKET).stdout, mode)
    finally:
        m.run("chmod", "666", USUAL_SOCKET)
        undo_drop_ins(m)


def drop_in(m, unit, text):
    folder = "/etc/systemd/system/%s.d" % unit
    m.run("mkdir", "-p", folder)
    m.write(folder + "/test.conf", text)
    m.run("systemctl", "daemon-reload")


def undo_drop_ins(m):
    m.sh("rm -rf /etc/systemd/system/bridled.*.d")
    restart(m)


def listen(place):
    return (r"^listen = \($", "listen = (\n\t%s," % place)


def restart(m):
    """Open new listeners, without the checks of config apply. `daemon-reload`
    creates the links of the new units, and the restart opens the sockets of
    these units."""
    m.sh("systemctl daemon-reload; systemctl restart bridled.service")


def stop_tcp(m):
    m.sh("systemctl stop 'bridled-tcp@*.socket'")


def instances(m):
    """Return the names of the socket units that systemd has now for TCP
    addresses."""
    return m.sh("systemctl list-units --plain --no-legend "
                "'bridled-tcp@*.socket' | cut -d' ' -f1").stdout.split()


def test_tls_needs_only_a_line_in_the_configuration():
    m = shared()
    before = m.read(CONF)
    keygen = m.run(
        "sh", "-c", "HOME=/home/alice bridlectl keygen",
        user="alice").stdout
    key = re.search(r"SHA256:\S{43}", keygen)[0]
    try:
        m.write(CONF, before.replace(
            "listen = (\n", 'listen = (\n\t{ tcp = "[::]:7075"; tls = true; '
            "},\n").replace(
            "clients = (\n", 'clients = (\n\t{ name = "alice"; key = "%s"; '
            'allow = ("ping"); },\n' % key))
        # A reload cannot open the new listener, but the daemon still serves the
        # old listeners.
        m.run("systemctl", "start", "bridled.service")
        reload(m)
        assert "[::]:7075 is listed, but was not passed" in m.journal()
        ctl(m, "ping")
        load = Load(m)
        load.wait_more()
        restart(m)
        load.wait_more()
        equal(load.result(), [])
        m.sh("export HOME=/home/alice; bridlectl trust -y 127.0.0.1 && "
             "bridlectl -H 127.0.0.1 ping && ! bridlectl -H 127.0.0.1 list",
             user="alice")
        assert "client=alice" in m.journal()
        # Other packages may run `daemon-reload`, which must not close a
        # listener.
        m.write(CONF, before)
        m.run("systemctl", "daemon-reload")
        m.sh("HOME=/home/alice bridlectl -H 127.0.0.1 ping", user="alice")
        # After a reload, clients of a removed listener are refused.
        reload(m)
        gone = m.sh("HOME=/home/alice bridlectl -H 127.0.0.1 ping 2>&1",
                    user="alice", check=False)
        assert gone.returncode != 0 and "not serving" in gone.stdout, gone
    finally:
        m.write(CONF, before)
        stop_tcp(m)
        restart(m)
    equal(instances(m), [])


def test_one_address_in_use_costs_only_itself():
    m = shared()
    before = m.read(CONF)
    holder = m.popen("sh", "-c", "echo $$ >/run/nc.pid; "
                     "exec nc -l 127.0.0.1 7079")
    try:
        wait_for("nc to listen", lambda: ":7079 " in m.sh(
            "ss -ltn || cat /proc/net/tcp").stdout or ":1BA7 " in m.sh(
                "cat /proc/net/tcp").stdout)
        m.write(CONF, before.replace(
            "listen = (\n", 'listen = (\n\t{ tcp = "127.0.0.1:7079"; },\n'
            '\t{ tcp = "127.0.0.1:7078"; },\n'))
        restart(m)
        equal([line for line in ctl(m, "status", "--raw").stdout.splitlines()
               if "not_listening" in line], ["not_listening\t127.0.0.1:7079"])
        assert "1#" in m.sh("printf '1#4\\n' | nc -N 127.0.0.1 7078").stdout
    finally:
        # The process `holder` is nsenter(1), and nc is its child.
        m.sh("kill $(cat /run/nc.pid)")
        holder.wait(PATIENCE)
        m.write(CONF, before)
        stop_tcp(m)
        m.sh("systemctl reset-failed 'bridled-tcp@*.socket'", check=False)
        restart(m)


def test_a_wrong_configuration_refuses_until_it_is_mended():
    m = shared()
    before = m.read(CONF)
    try:
        m.write(CONF, before + "nonsense = 1;\n")
        m.sh("systemctl stop bridled.service")
        said = m.sh("bridlectl ping 2>&1", user="alice", check=False)
        assert "the configuration has 1 error: see journalctl" in said.stdout, \
            said
        status = m.run("systemctl", "show", "-P", "StatusText",
                       "bridled.service").stdout
        assert status.startswith("Refusing all clients"), status
        m.write(CONF, before)
        wait_for("the daemon to serve", lambda: m.sh(
            "bridlectl ping", user="alice", check=False).returncode == 0)
        equal(m.run("systemctl", "show", "-P", "NRestarts",
                    "bridled.service").stdout.strip(), "0")
    finally:
        m.write(CONF, before)
        restart(m)


def test_a_client_is_admitted_and_revoked_without_an_edit():
    m = shared()
    before = m.read(CONF)
    m.sh("rm -rf /home/bob/.config")
    key = m.sh("HOME=/home/bob bridlectl keygen 2>/dev/null | head -n 1",
               user="bob").stdout.strip()
    try:
        refused = m.run("bridlectl", "admit", key, "--name", "bob", "--allow",
                        "ping", check=False)
        assert "--listen '[::]:7075'" in refused.stderr, refused
        admitted = m.run("bridlectl", "admit", key, "--name", "bob", "--allow",
                         "list,ping", "--listen", "[::]:7075")
        told = admitted.stdout.splitlines()[-1].split()
        equal(told[:2] + told[3:4], ["bridlectl", "trust", "--fingerprint"])
        as_bob = "export HOME=/home/bob; bridlectl "
        m.sh(as_bob + "trust 127.0.0.1 --fingerprint " + told[4], user="bob")
        m.sh(as_bob + "-H 127.0.0.1 list", user="bob")
        equal(m.sh(as_bob + "-H 127.0.0.1 ping", user="bob").returncode, 0)
        ctl(m, "ping")
        m.run("bridlectl", "revoke", "bob")
        ended = m.sh(as_bob + "-H 127.0.0.1 ping 2>&1", user="bob",
                     check=False)
        assert ended.returncode == 1 and "401" in ended.stdout, ended
        equal(m.read(CONF), before)
        equal(m.sh("ls /etc/bridle/conf.d").stdout,
              "00-listen-any-7075.conf\n")
    finally:
        m.sh("rm -f /etc/bridle/conf.d/*; rm -rf /home/bob/.config")
        stop_tcp(m)
        restart(m)


def connect(*machines):
    """Connect two machines by a cable. The interface lan0 of each machine has
    an address in 10.77.0.0/24."""
    one, two = (str(m.init) for m in machines)
    subprocess.run(["ip", "link", "add", "lan0", "netns", one, "type", "veth",
                    "peer", "name", "lan0", "netns", two], check=True)
    for number, pid in enumerate((one, two), 1):
        for words in (["addr", "add", "10.77.0.%d/24" % number, "dev", "lan0"],
                      ["link", "set", "lan0", "up"]):
            subprocess.run(["nsenter", "-t", pid, "-n", "ip", *words],
                           check=True)


def test_two_machines_need_one_command_for_a_remote_kill():
    """Test the commands of the README between two machines. The operator's
    machine has only the package bridle-client."""
    client = [p for p in machine.packages()
              if os.path.basename(p).startswith("bridle-client_")]
    with Own() as lab7, Machine(client) as desk:
        connect(lab7, desk)
        desk.sh("useradd -m bob; echo 10.77.0.1 lab7 >>/etc/hosts")
        desk.sh("mkdir /home/bob/.ssh && ssh-keygen -q -t ed25519 -N '' "
                "-f /home/bob/.ssh/id_ed25519", user="bob")
        lab7.sh("install -d -m 700 /root/.ssh; systemctl start ssh; "
                "cp /bin/sleep /usr/local/bin/a-victim")
        lab7.write("/root/.ssh/authorized_keys",
                   desk.read("/home/bob/.ssh/id_ed25519.pub"))
        bob = "export HOME=/home/bob; bridlectl "
        enrol = bob + ("enrol root@lab7 --allow list,kill --listen '[::]:7075'"
                       " 2>&1")
        refused = desk.sh(enrol, user="bob", check=False)
        equal(refused.returncode, 3, refused)
        assert "ssh does not know this host's key" in refused.stdout, refused
        equal(lab7.sh("ls /etc/bridle/conf.d").stdout, "")
        desk.sh("ssh-keyscan lab7 2>/dev/null >/home/bob/.ssh/known_hosts",
                user="bob")
        done = desk.sh(enrol, user="bob")
        assert "lab7: has admitted bob" in done.stdout, done
        victim = lab7.popen("setpriv", "--reuid=alice", "--regid=alice",
                            "--clear-groups", "/usr/local/bin/a-victim",
                            "1000")
        try:
            wait_for("the victim", lambda: "a-victim" in desk.sh(
                bob + "-H lab7 list", user="bob").stdout)
            desk.sh(bob + "-H lab7 kill a-victim -y", user="bob")
            victim.wait(PATIENCE)
        finally:
            victim.kill()
            victim.wait()
        lab7.run("bridlectl", "revoke", "bob")
        ended = desk.sh(bob + "-H lab7 list 2>&1", user="bob", check=False)
        assert "401" in ended.stdout, ended


def test_a_listener_of_conf_d_needs_only_its_file():
    """Test that the generator reads conf.d, and still uses the good files if
    another file has a mistake or would block the reader."""
    m = shared()
    folder = "/etc/bridle/conf.d/"
    equal(m.run("stat", "-c", "%U %a", folder).stdout, "root 755\n")
    try:
        m.write(folder + "20-plain.conf",
                'listen = ( { tcp = "127.0.0.1:7078"; } );\n'
                'clients = ( { name = "bob"; unix_user = "bob";'
                ' allow = ("ping"); } );\n')
        m.run("bridled", "--check")
        restart(m)
        equal(instances(m), ["bridled-tcp@127.0.0.1:7078.socket"])
        assert "1#" in m.sh("printf '1#4\\n' | nc -N 127.0.0.1 7078").stdout
        assert "# conf.d/20-plain.conf" in ctl(m, "config", "show").stdout
        for spoil in ("mkfifo {0}", "ln -s /dev/zero {0}",
                      "truncate -s 100M {0}", "echo 'x = (' >{0}",
                      "echo >{0}; chown bob {0}"):
            m.sh(spoil.format(folder + "10-bad.conf"))
            took = m.sh("s=$(date +%s); systemctl daemon-reload; "
                        "echo $(($(date +%s) - s))").stdout
            assert int(took) <= 5, (spoil, took)
            assert "7078" in m.sh("ls /run/systemd/generator/bridled.service."
                                  "wants").stdout, spoil
            m.sh("rm %s10-bad.conf" % folder)
    finally:
        m.sh("rm -f %s*" % folder)
        stop_tcp(m)
        restart(m)
    equal(instances(m), [])


def test_a_machine_announces_itself_and_is_found():
    """Test announce and discover with avahi-daemon as a service. The machine
    finds itself, through an interface without other machines."""
    m = shared()
    tls = "/etc/bridle/conf.d/20-tls.conf"
    ip = ["nsenter", "-t", str(m.init), "-n", "ip"]

    def found():
        done = m.run("bridlectl", "discover", "--json", check=False)
        return [json.loads(line) for line in done.stdout.splitlines()]
    try:
        for words in ("link add lan0 type veth peer name lan1",
                      "address add 10.99.9.1/24 dev lan0",
                      "link set lan1 up", "link set lan0 up"):
            subprocess.run([*ip, *words.split()], check=True)
        m.run("systemctl", "restart", "avahi-daemon.service")
        done = m.run("bridlectl", "announce", "on", check=False)
        equal(done.returncode, 1)
        assert "no TLS listener" in done.stderr, done.stderr
        m.write(tls, 'listen = ( { tcp = "[::]:7075"; tls = true; } );\n')
        restart(m)
        done = m.run("bridlectl", "announce", "on")
        assert "not run" not in done.stderr, done.stderr
        here, = wait_for("the announcement", found)
        equal((here["port"], here["fingerprint"], here["trusted"]),
              (7075, m.run("bridled", "--fingerprint").stdout.strip(), False))
        assert "10.99.9.1" in [a["address"] for a in here["addresses"]], here
        # `config apply` updates the announcement.
        m.write(tls, 'listen = ( { tcp = "[::]:7076"; tls = true; } );\n')
        done = m.run("bridlectl", "config", "apply")
        assert "port 7076" in done.stderr, done.stderr
        wait_for("the new port",
                 lambda: [h["port"] for h in found()] == [7076])
        m.run("rm", tls)
        done = m.run("bridlectl", "config", "apply")
        assert "no longer announced" in done.stderr, done.stderr
        wait_for("the end of the announcement", lambda: not found())
    finally:
        m.sh("bridlectl announce off; rm -f " + tls)
        subprocess.run([*ip, "link", "del", "lan0"], check=False)
        stop_tcp(m)
        restart(m)


def listens(text, *places):
    """Return the configuration `text` with more listeners."""
    return text.replace("listen = (\n", "listen = (\n" + "".join(
        "\t{ %s },\n" % place for place in places))


TLS = 'tcp = "[::]:7075"; tls = true;'
PLAIN = 'tcp = "127.0.0.1:7079";'
UNIX = "unix:/run/bridle/bridled.sock answers"
ROOT = "unix:/run/bridle/root.sock answers"


def apply(m, *args, code=0, caller="root"):
    """Run `config apply` as root. Set SUDO_UID to the uid of `caller`, as sudo
    does."""
    run = m.sh("SUDO_UID=$(id -u %s) bridlectl config apply %s"
               % (caller, " ".join(args)), check=False)
    equal(run.returncode, code, run)
    return run


def test_a_new_address_opens_while_a_busy_service_runs():
    """The restart of the service opens the new socket. No other job may close
    this socket again."""
    m = shared()
    before = m.read(CONF)
    m.sh("rm -f /run/busy.end")
    load = [m.popen("sh", "-c", "while ! test -e /run/busy.end; do :; done")
            for _ in range(4)]
    try:
        for _ in range(int(os.environ.get("BRIDLE_ROUNDS", "4"))):
            ctl(m, "ping")
            m.write(CONF, listens(before, PLAIN))
            assert "127.0.0.1:7079 answers" in apply(m).stdout
            m.write(CONF, before)
            apply(m)
            equal(instances(m), [])
    finally:
        m.sh("touch /run/busy.end")
        for process in load:
            process.wait(PATIENCE)
        m.write(CONF, before)
        stop_tcp(m)
        restart(m)


def test_the_socket_unit_stands_for_all_addresses():
    m = shared()
    before = m.read(CONF)
    try:
        m.write(CONF, listens(before, PLAIN))
        apply(m)
        m.sh("systemctl stop bridled.socket bridled.service")
        equal(instances(m), [])
        m.sh("systemctl start bridled.socket")
        equal(instances(m), ["bridled-tcp@127.0.0.1:7079.socket"])
        assert "1#" in m.sh("printf '1#4\\n' | nc -N 127.0.0.1 7079").stdout
    finally:
        m.write(CONF, before)
        stop_tcp(m)
        m.sh("systemctl start bridled.socket")
        restart(m)


class Restored:
    """A block whose end restores the configuration and the listeners."""

    def __init__(self, m):
        self.m = m

    def __enter__(self):
        self.before = self.m.read(CONF)
        return self.before

    def __exit__(self, *exc):
        self.m.write(CONF, self.before)
        undo_drop_ins(self.m)
        apply(self.m)
        equal(instances(self.m), [])
        self.m.sh("rm -f /etc/bridle/*.rejected")


def went_back(m, run, before):
    assert "bridled.conf is restored" in run.stderr, run
    assert "the previous configuration is served again" in run.stderr, run
    equal(m.read(CONF), before)
    ctl(m, "ping", user="alice")


def test_listeners_are_applied_while_the_service_is_idle():
    m = shared()
    with Restored(m) as before:
        m.write(CONF, listens(before, TLS, PLAIN))
        m.sh("systemctl stop bridled.service")
        key = m.run("bridled", "--fingerprint").stdout.strip()
        equal(sorted(apply(m).stdout.splitlines()), sorted([
            "[::]:7075 (TLS) answers with the host's key " + key,
            "127.0.0.1:7079 answers", UNIX]))
        m.run("systemctl", "start", "bridled.service")
        assert ROOT in apply(m).stdout
        m.write(CONF, listens(before, PLAIN))
        m.sh("systemctl stop bridled.service")
        equal(sorted(apply(m).stdout.splitlines()),
              ["127.0.0.1:7079 answers", UNIX])
        equal(instances(m), ["bridled-tcp@127.0.0.1:7079.socket"])
        refused = m.sh("bridlectl -H 127.0.0.1 ping 2>&1", check=False)
        assert "Connection refused" in refused.stdout, refused
        # An administrator can enable an instance of the socket unit without the
        # generator, too.
        m.write(CONF, before)
        m.sh("systemctl enable bridled-tcp@127.0.0.1:7079.socket")
        apply(m)
        equal(instances(m), ["bridled-tcp@127.0.0.1:7079.socket"])
        m.sh("systemctl disable bridled-tcp@127.0.0.1:7079.socket")


def test_listeners_are_applied_under_load():
    m = shared()
    with Restored(m) as before:
        key = re.search(r"SHA256:\S{43}", m.sh(
            "HOME=/home/alice bridlectl keygen /home/alice/load.key",
            user="alice").stdout)[0]
        allowed = before.replace(
            "clients = (\n", 'clients = (\n\t{ name = "key"; key = "%s"; '
            'allow = ("ping"); },\n' % key)
        m.write(CONF, listens(allowed, TLS))
        apply(m)
        m.sh("HOME=/home/alice bridlectl trust -y 127.0.0.1", user="alice")
        loads = Load(m), Load(m, "-i", "/home/alice/load.key", "-H",
                              "127.0.0.1")
        for places in ((TLS, PLAIN), (TLS,), (TLS, PLAIN)):
            for load in loads:
                load.wait_more()
            m.write(CONF, listens(allowed, *places))
            apply(m)
        for load in loads:
            load.wait_more()
        equal([load.result() for load in loads], [[], []])


def test_an_address_moves_from_a_drop_in_of_version_0_1():
    m = shared()
    with Restored(m) as before:
        m.write(CONF, listens(before, TLS))
        drop_in(m, "bridled.socket", "[Socket]\nListenStream=7075\n")
        m.sh("systemctl stop bridled.service bridled.socket; "
             "systemctl start bridled.socket")
        assert "[::]:7075 (TLS) answers" in apply(m).stdout
        equal(instances(m), [])
        load = Load(m)
        load.wait_more()
        m.run("rm", "-r", "/etc/systemd/system/bridled.socket.d")
        assert "[::]:7075 (TLS) answers" in apply(m).stdout
        equal(instances(m), [r"bridled-tcp@\x5b::\x5d:7075.socket"])
        load.wait_more()
        equal(load.result(), [])


def test_a_broken_file_is_rolled_back():
    m = shared()
    with Restored(m) as before:
        m.write(CONF, before + "nonsense = 1;\n")
        run = apply(m, code=1)
        assert "nonsense: unknown key" in run.stderr, run
        went_back(m, run, before)
        equal(m.read(CONF + ".rejected"), before + "nonsense = 1;\n")
        # The check accepts the next file, but the service cannot start with
        # this file. The service then starts again with the previous file.
        drop_in(m, "bridled.service", "[Service]\nExecStartPre=/bin/sh -c "
                "'! grep -q 7079 %s'\n" % CONF)
        m.write(CONF, listens(before, PLAIN))
        run = apply(m, code=1)
        assert "bridled.service" in run.stderr, run
        went_back(m, run, before)
        equal(instances(m), [])


def test_the_service_must_be_able_to_read_the_file():
    m = shared()
    with Restored(m) as before:
        m.write(CONF, before.replace('user = "bridle"', 'user = "root"'))
        m.sh("chmod 600 " + CONF)
        run = apply(m, code=1)
        m.sh("chmod 644 " + CONF)
        assert "the service runs as user bridle, and would not accept" in \
            run.stderr, run


def test_a_caller_who_would_be_locked_out_is_not():
    m = shared()
    with Restored(m) as before:
        m.write(CONF, before.replace('unix_group = "bridle"',
                                     'unix_group = "adm"'))
        run = apply(m, code=1, caller="alice")
        assert "would take away your access" in run.stderr, run
        went_back(m, run, before)
        # Alice would have access by TCP, but the service cannot see the users
        # of TCP clients without the drop-in plain-tcp.conf.
        m.write(CONF, listens(before, PLAIN).replace(
            "clients = (\n", 'clients = (\n\t{ name = "alice"; from = '
            '("127.0.0.1"); unix_user = "alice"; allow = ("*"); },\n').replace(
            'unix_group = "bridle"', 'unix_group = "adm"'))
        run = apply(m, code=1, caller="alice")
        assert "the daemon gives alice no access now" in run.stderr, run
        went_back(m, run, before)
        equal(instances(m), [])


def test_a_refusing_daemon_is_mended_by_config_edit():
    m = shared()
    with Restored(m) as before:
        m.write(CONF, before + "nonsense = 1;\n")
        m.sh("systemctl stop bridled.service; bridlectl ping", check=False)
        pid = main_pid(m)
        said = m.sh("systemctl reload bridled.service", check=False)
        assert said.returncode != 0, said
        run = m.sh("EDITOR='sed -i /nonsense/d' bridlectl config edit")
        assert "pid %d, serves the settings" % pid in run.stdout, run
        assert UNIX in run.stdout, run
        equal(m.read(CONF), before)


def starts(m):
    return m.journal().count("Starting bridled.service")


def test_a_daemon_that_cannot_start_is_tried_and_heals():
    m = shared()
    with Restored(m):
        # A wrong command line ends the daemon with status 64.
        drop_in(m, "bridled.service", "[Service]\nExecStart=\n"
                "ExecStart=/usr/sbin/bridled --no-such-option\n")
        m.sh("systemctl stop bridled.service")
        before = starts(m)
        waiting = m.popen(
            "sh", "-c", "for n in 1 2 3; do bridlectl ping; done",
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = waiting.communicate(timeout=PATIENCE * 3)[0]
        # systemd can reset the connections that wait when a start fails.
        equal(said.count("bridled does not start: 'systemctl status")
              + said.count("Connection reset"), 3, said)
        assert "bridled does not start" in said, said
        count = starts(m) - before
        assert 2 <= count <= 5, (count, m.journal())
        equal(m.sh("systemctl is-active bridled.socket").stdout, "active\n")
        # The service serves a waiting client as soon as the cause of the
        # failure is removed.
        m.sh("rm -r /etc/systemd/system/bridled.service.d; "
             "systemctl daemon-reload")
        wait_for("the daemon to serve", lambda: m.sh(
            "bridlectl ping", check=False).returncode == 0)


def test_a_slow_daemon_is_not_called_dead():
    m = shared()
    with Settings(m, (r"^commands = \(\);",
                      'commands = ({ name = "slow"; argv = '
                      '("/bin/sleep", "4"); });')):
        ctl(m, "run", "slow", "-y", user="alice")
        # During a restart, clients wait for the end of running requests.
        slow = m.popen("bridlectl", "run", "slow", "-y", user="alice",
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        wait_for("the command", lambda: m.sh(
            "pgrep -f '^/bin/sleep 4'", check=False).returncode == 0)
        restarting = m.popen("systemctl", "restart", "bridled.service")
        ctl(m, "ping", user="alice")
        equal(restarting.wait(PATIENCE * 3), 0)
        said = slow.communicate(timeout=PATIENCE * 3)[0]
        equal(slow.returncode, 0, said)


MISTAKEN = {
    "a FIFO": "rm {conf}; mkfifo {conf}",
    "a device": "ln -sf /dev/zero {conf}",
    "a large file": "truncate -s 100M {conf}",
    "another user's": "chown alice {conf}",
    "a syntax error": "echo 'listen = ((' >>{conf}",
}


def test_a_mistaken_file_stops_no_daemon_reload():
    m = shared()
    m.sh("cp -p %s /root/kept.conf" % CONF)
    try:
        for kind, spoil in MISTAKEN.items():
            m.sh(spoil.format(conf=CONF))
            took = m.sh("s=$(date +%s); systemctl daemon-reload; "
                        "echo $(($(date +%s) - s))").stdout
            assert int(took) <= 5, (kind, took)
            m.sh("rm -f {0}; cp -p /root/kept.conf {0}".format(CONF))
        ctl(m, "ping")
    finally:
        m.sh("rm -f {0}; cp -p /root/kept.conf {0}".format(CONF))


def test_the_generator_names_each_address_once():
    """Test that the generator writes an address with an interface as systemd
    expects. Test that an address in a drop-in from version 0.1 gets no second
    unit."""
    m = shared()
    before = m.read(CONF)
    try:
        m.write(CONF, before.replace(
            "listen = (\n", "listen = (\n" + "".join(
                '\t{ tcp = "%s"; insecure = true; },\n' % place for place in (
                    "[fe80::1%lo]:7075", "[::]:7075", "0.0.0.0:7072",
                    "no address"))))
        drop_in(m, "bridled.socket", "[Socket]\nListenStream=7075\n")
        units = m.sh("ls /run/systemd/generator/bridled.service.wants "
                     "/run/systemd/generator/bridled.socket.wants").stdout
        names = ["bridled-tcp@0.0.0.0:7072.socket",
                 r"bridled-tcp@\x5bfe80::1\x5d:7075\x25lo.socket"]
        equal(sorted(re.findall(r"bridled-tcp\S+", units)), sorted(names * 2))
        equal(m.run("systemctl", "show", "-p", "Listen", names[1]).stdout,
              "Listen=[fe80::1]:7075%lo (Stream)\n")
    finally:
        m.write(CONF, before)
        undo_drop_ins(m)


def test_the_drop_in_for_plain_tcp_knows_local_users():
    m = shared()
    before = m.read(CONF)
    try:
        m.write(CONF, before.replace(
            "listen = (\n", 'listen = (\n\t{ tcp = "127.0.0.1:7074"; },\n'))
        m.sh("mkdir -p %s; cp %s/plain-tcp.conf %s"
             % (DROPINS, EXAMPLES, DROPINS))
        restart(m)
        ask = "printf '1#4\\n' | nc -N 127.0.0.1 7074"
        assert "1#200#pong" in m.sh(ask, user="alice").stdout
        assert "1#401#" in m.sh(ask, user="bob").stdout
    finally:
        m.write(CONF, before)
        undo_drop_ins(m)


def test_it_serves_without_the_socket_unit_too():
    m = shared()
    before = m.read(CONF)
    try:
        m.write(CONF, before.replace(
            "listen = (\n", 'listen = (\n\t{ tcp = "127.0.0.1:7074"; },\n'))
        m.sh("mkdir -p %s; cp %s/own-sockets.conf %s; systemctl stop "
             "bridled.service; systemctl mask --now bridled.socket; "
             "systemctl daemon-reload; systemctl start bridled.service"
             % (DROPINS, EXAMPLES, DROPINS))
        ctl(m, "ping", user="alice")
        assert "1#200#pong" in m.sh(
            "printf '1#4\\n' | nc -N 127.0.0.1 7074", user="alice").stdout
    finally:
        m.write(CONF, before)
        m.sh("systemctl stop bridled.service; "
             "systemctl unmask bridled.socket; "
             "systemctl start bridled.socket")
        undo_drop_ins(m)


# -- tests of halting the machine --------------------------------------------


def logind_schedule(m):
    return m.run("busctl", "get-property", "org.freedesktop.login1",
                 "/org/freedesktop/login1", "org.freedesktop.login1.Manager",
                 "ScheduledShutdown").stdout


def test_a_halt_is_scheduled_told_and_cancelled():
    m = shared()
    ctl(m, "poweroff", "--in", "30m", "-m", "Back at noon", "-y",
        user="alice")
    assert '"poweroff"' in logind_schedule(m)
    said = ctl(m, "status", "--raw", user="alice").stdout
    assert re.search(r"^scheduled\tpoweroff at 20\d\d-", said, re.M), said
    equal(m.read("/run/systemd/shutdown/scheduled").count("Back at noon"), 1)
    run = ctl(m, "reboot", "--in", "5m", "-y", user="alice", code=1)
    assert "(409): poweroff at 20" in run.stderr, run
    run = ctl(m, "cancel", user="alice")
    assert "cancelled: poweroff at 20" in run.stdout + run.stderr, run
    assert '""' in logind_schedule(m)
    said = ctl(m, "status", "--raw", user="alice").stdout
    assert "scheduled\tnone" in said, said
    ctl(m, "cancel", user="alice", code=1)


class LoggedIn:
    """A login of the user bob, which logind knows."""

    def __init__(self, m):
        self.m = m

    def __enter__(self):
        self.m.run("systemd-run", "-q", "--uid=bob", "-p", "PAMName=login",
                   "--unit", "bobs-session", "sleep", "1000")
        wait_for("bob's session", lambda: "bob" in self.m.run(
            "loginctl", "list-sessions", "--no-legend").stdout)

    def __exit__(self, *exc):
        self.m.run("systemctl", "stop", "bobs-session.service")


class Terminal:
    """A terminal on which bob is logged in. .said() returns the text that was
    written to this terminal."""

    def __init__(self, m):
        self.m, self.path = m, os.path.join(m.report, "terminal")

    def said(self):
        with open(self.path, errors="replace") as f:
            return f.read()

    def __enter__(self):
        self.process = self.m.popen(
            "script", "-qfc", "tty; exec sleep 1000", "/report/terminal",
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("a terminal", lambda: os.path.exists(self.path)
                 and "/dev/pts/" in self.said())
        tty = re.search(r"/dev/pts/\d+", self.said())[0]
        self.m.run("systemd-run", "-q", "--uid=bob", "--unit",
                   "bobs-terminal", "-p", "PAMName=login", "-p",
                   "TTYPath=" + tty, "-p", "UtmpIdentifier=bob", "-p",
                   "UtmpMode=user", "sleep", "1000")
        wait_for("bob's login", lambda: "bob" in self.m.run("who").stdout)
        return self

    def __exit__(self, *exc):
        self.m.run("systemctl", "stop", "bobs-terminal.service")
        self.process.terminate()
        self.process.wait()


def test_those_logged_in_are_told():
    m = shared()
    with Terminal(m) as terminal:
        ctl(m, "poweroff", "--in", "5m", "-m", "Back at noon", "-y",
            user="alice")
        wait_for("the message", lambda: "Back at noon" in terminal.said())
        ctl(m, "cancel", user="alice")
        wait_for("the other", lambda: "cancelled" in terminal.said())


def test_the_drop_in_for_wall_reaches_terminals():
    m = shared()
    say = ["say", "--wall", "Off", "in", "five"]
    try:
        with Terminal(m) as terminal:
            answer = ctl(m, *say, user="alice", code=1)
            assert "may not write to terminals" in answer.stderr, answer
            m.sh("mkdir -p %s; cp %s/wall.conf %s; systemctl daemon-reload"
                 % (DROPINS, EXAMPLES, DROPINS))
            restart(m)
            equal(ctl(m, *say, user="alice").returncode, 0)
            wait_for("the message", lambda: "Off in five" in terminal.said())
    finally:
        undo_drop_ins(m)


class Inhibitor:
    def __init__(self, m):
        self.m = m

    def __enter__(self):
        self.m.run("systemd-run", "-q", "--unit", "holder", "systemd-inhibit",
                   "--what=shutdown", "--who=backup", "--why=tapes turn",
                   "--mode=block", "sleep", "1000")
        wait_for("the inhibitor", lambda: "backup" in self.m.run(
            "systemd-inhibit", "--list", "--no-legend").stdout)

    def __exit__(self, *exc):
        self.m.run("systemctl", "stop", "holder.service")


def schedules(m):
    ctl(m, "poweroff", "--in", "30m", "-y", user="alice")
    ctl(m, "cancel", user="alice")


def test_others_who_are_logged_in_are_no_hindrance():
    m = shared()
    with LoggedIn(m):
        schedules(m)


def test_an_inhibitor_refuses_and_is_named():
    m = shared()
    with Inhibitor(m):
        for extra in (["--in", "5m", "-y"], ["-y"], ["-n"]):
            run = ctl(m, "poweroff", *extra, user="alice", code=1)
            assert re.search(r"\(409\): a shutdown inhibitor is held by backup "
                             r"\(uid 0, pid \d+\)"
                             r": tapes turn", run.stderr), run


def test_logind_itself_refuses_what_may_not_be_overridden():
    """Test that logind refuses a poweroff because of an inhibitor, even if the
    daemon's own check is disabled."""
    m = shared()
    with Inhibitor(m), Settings(
            m, (r'^\s*inhibitors = \([^)]*\);', "inhibitors = ();")):
        for extra in (["--in", "5m"], []):
            run = ctl(m, "poweroff", "-y", *extra, user="alice", code=1)
            assert "(500)" in run.stderr, run
            assert "authentication required" in run.stderr, run


def test_the_configuration_may_override_inhibitors():
    m = shared()
    with Inhibitor(m), Settings(m, (r"override_inhibitors = false;",
                                    "override_inhibitors = true;")):
        schedules(m)
        with LoggedIn(m):
            schedules(m)
    run = m.sh("ls /run/bridle").stdout
    assert "override" not in run, run


def record_jobs(m):
    """Write systemd's pending jobs to /report/jobs during the halt. These jobs
    show the mode of the halt."""
    m.run("systemd-run", "-q", "--unit", "recorder", "-p",
          "ExecStop=sh -c 'systemctl list-jobs --no-legend >/report/jobs'",
          "sleep", "1000")


def take_down(verb, how, exit_status):
    """Halt the machine. Check the exit status of nspawn, and that systemd has
    started the target for `verb`."""
    with Own() as m:
        record_jobs(m)
        how(m)
        client = m.popen("bridlectl", verb, "-y", "--raw", user="alice",
                         stdout=-1, stderr=-1)
        out, err = client.communicate(timeout=PATIENCE * 3)
        equal((client.returncode, err), (0, ""), out)
        equal(m.wait_end(), exit_status, m.said())
        with open(os.path.join(m.report, "jobs")) as f:
            jobs = f.read()
        equal(re.findall(r"(halt|poweroff|reboot)\.target +start", jobs),
              [verb], jobs)


def nothing(m):
    pass


def test_poweroff_takes_the_machine_down():
    take_down("poweroff", nothing, 0)


def test_halt_takes_the_machine_down():
    take_down("halt", nothing, 0)


def test_reboot_takes_the_machine_down():
    take_down("reboot", nothing, 133)


def test_so_it_does_past_a_session_and_an_inhibitor_if_it_may():
    def hinder(m):
        LoggedIn(m).__enter__()
        Inhibitor(m).__enter__()
        m.write(CONF, m.read(CONF).replace("override_inhibitors = false",
                                           "override_inhibitors = true"))
    take_down("poweroff", hinder, 0)


# -- tests of removing the packages ------------------------------------------


def test_purge_leaves_nothing():
    with Own() as m:
        ctl(m, "ping")
        m.write("/etc/bridle/conf.d/bob.conf", "clients = ();\n")
        before = m.read(CONF)
        m.write(CONF, listens(before, TLS))
        apply(m)
        m.write(CONF, before + "nonsense = 1;\n")
        apply(m, code=1)
        services = "/etc/avahi/services/"
        m.write(services + "bridle.service",
                "<!-- Written by 'bridlectl announce on'. -->\n")
        packages = "bridle", "bridle-client", "bridle-discover"
        m.run("dpkg", "--remove", *packages)
        assert os.path.exists("/proc/%d/root%s" % (m.init, CONF))
        equal(m.sh("ls " + services).stdout, "")
        m.run("dpkg", "--purge", *packages)
        left = m.sh(
            "ls -d /etc/bridle /var/lib/bridle /run/bridle "
            "/etc/systemd/system/*/bridled* /var/lib/systemd/deb-systemd-"
            "helper*/*bridle* /var/lib/dpkg/info/bridle* 2>/dev/null; "
            "getent passwd bridle; getent group bridle; "
            "systemctl list-units --all --no-legend 'bridle*'",
            check=False).stdout
        equal(left, "")


if __name__ == "__main__":
    bridle.main(globals())
