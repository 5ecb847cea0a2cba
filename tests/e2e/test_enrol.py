"""Tests of `bridlectl enrol` with real sshd, ssh and bridled."""

import contextlib
import os
import pty
import re
import select
import shutil
import subprocess

import bridle
import sshlab
from bridle import Skip, equal
from homes import Home
from procs import Terminal
from sshlab import Lab

SUDO = shutil.which("sudo")


@contextlib.contextmanager
def lab(n=1, **more):
    with Home() as home, Lab(home, n, **more) as group:
        yield home, group.start(), group.hosts


def enrol(home, hosts, *args):
    return home.ctl("enrol", "root@" + hosts, "--name", "anna", *args)


def succeeded(done):
    equal(done.returncode, 0, done.stderr)
    return done


def test_twenty_hosts_with_one_command():
    n = 6 if bridle.FEW else 20
    with lab(n) as (home, group, hosts):
        done = succeeded(enrol(home, group.all(), "--allow", "list,kill,ping",
                               "--group", "lab"))
        equal(len(done.stdout.splitlines()), n)
        assert "%d hosts: %d ok" % (n, n) in done.stderr, done.stderr
        assert "created the key " + home.key in done.stderr, done.stderr
        for host in hosts:
            equal(host.files(), ["anna.conf"])
            assert ("%s: has admitted anna, %s"
                    % (host.name, host.fingerprint())) in done.stdout
        equal(sorted(home.read(home.known).splitlines()), sorted(
            "%s %s" % (host.name, host.fingerprint()) for host in hosts))
        # bridlectl reaches the hosts of the new group by TLS, without ssh.
        before = len(group.calls())
        done = succeeded(home.ctl("-H", "@lab", "ping"))
        equal(len(done.stdout.splitlines()), n)
        equal(len(group.calls()), before)
        equal(before, n)
        # A second `enrol` succeeds, and changes nothing.
        known, text = home.read(home.known), hosts[0].entry("anna")
        done = succeeded(enrol(home, group.all(), "--allow", "list,kill,ping",
                               "--group", "lab"))
        equal(done.stdout.count("anna was admitted already"), n)
        equal(hosts[0].entry("anna"), text)
        equal(sorted(home.read(home.known).splitlines()),
              sorted(known.splitlines()))
        equal(home.ctl("hosts", "@lab", "--count").stdout, "%d\n" % n)


def test_all_hosts_through_one_relay():
    """Test that bridlectl enrols the hosts through the sshd of one host. This
    sshd refuses some logins if there are more than ten at the same time."""
    n = 6 if bridle.FEW else 20
    with lab(n) as (home, group, hosts):
        via = "%s -F %s -J root@%s:%d root@%%h" % (
            sshlab.SSH, group.conf, hosts[0].address, group.ssh_port)
        done = succeeded(home.ctl("enrol", group.all(), "-x", hosts[0].name,
                                  "--name", "anna", "--allow", "ping",
                                  "--via", via))
        equal(done.stdout.count("has admitted anna"), n - 1)
        assert hosts[0].log("sshd").count("Accepted publickey") >= n - 1


def test_a_kill_after_one_command():
    with lab() as (home, group, hosts), bridle.Victim() as victim:
        succeeded(enrol(home, hosts[0].name, "--allow", "list,kill"))
        done = succeeded(home.ctl("-H", hosts[0].name, "kill", victim.name,
                                  "-y"))
        assert "signalled" in done.stdout, done.stdout
        victim.wait()


def test_each_failure_is_told_apart():
    with Home() as home, Lab(home, 8, no_tls=(7,)) as group:
        good, unknown, changed, login, missing, daemon, tls, down = \
            group.hosts
        login.write("authorized_keys", "")
        missing.path = ["/usr/bin", "/bin"]
        daemon.path = [daemon.bin, "/usr/bin", "/bin"]
        shutil.copy(bridle.BRIDLECTL, daemon.bin)
        group.know([h for h in group.hosts if h not in (unknown, changed)])
        with open(os.path.join(group.dir, "known"), "a") as f:
            f.write("[%s]:%d %s\n" % (changed.address, group.ssh_port,
                                      good.key))
        group.start()
        down.stop()
        known = group.known()
        done = enrol(home, group.all(), "--allow", "list", "--group", "lab")
        equal(done.returncode, 4, done.stderr)
        for host, part in (
                (unknown, "ssh does not know this host's key"),
                (changed, "its ssh key has changed"),
                (login, "ssh could not log in"),
                (missing, "install the package bridle on %s, then repeat"
                 % missing.name.split(":")[0]),
                (missing, "there is no bridlectl"),
                (daemon, "bridled is not installed there: install"),
                (tls, "the host has refused"),
                (tls, "add --listen '[::]:7075'"),
                (down, "ssh has failed"), (down, "Connection refused")):
            assert re.search("bridlectl: %s: .*%s" % (
                re.escape(host.name), re.escape(part)), done.stderr), (
                    part, done.stderr)
        # The failed hosts have no new file, and are neither in known_hosts nor
        # in the group.
        for host in group.hosts[1:]:
            equal(host.files(), [], host.name)
        equal(home.read(home.known),
              "%s %s\n" % (good.name, good.fingerprint()))
        equal(home.ctl("hosts", "@lab").stdout.split(), [good.address])
        equal(good.files(), ["anna.conf"])
        # ssh has accepted no key, and has not changed its own file.
        equal(group.known(), known)
        succeeded(enrol(home, tls.name, "--allow", "list", "--listen",
                        tls.name))


def test_sudo():
    with Home() as home, Lab(home, 2) as group:
        for host in group.hosts:
            host.path = [host.bin, bridle.BUILD, "/usr/bin", "/bin"]
        one, two = group.hosts
        one.write("bin/sudo", "#!/bin/sh\necho 'sudo: a password is required'"
                  " >&2\nexit 1\n", 0o755)
        if SUDO:
            two.write("etc/sudoers",
                      "%s ALL=(root) NOPASSWD: %s admit --stdin\n"
                      % (sshlab.USER, os.path.realpath(bridle.BRIDLECTL)),
                      0o440)
        group.start()
        def run(host):
            return home.ctl("enrol", "%s@%s" % (sshlab.USER, host.name),
                            "--allow", "list", "--name", "anna")
        done = run(one)
        equal(done.returncode, 1, done.stderr)
        for part in ("sudo failed", "NOPASSWD", "root@" + one.address,
                     "a password is required"):
            assert part in done.stderr, done.stderr
        equal(one.files(), [])
        if not SUDO:
            raise Skip("because sudo is not installed")
        succeeded(run(two))
        equal(two.files(), ["anna.conf"])


def test_a_dry_run_changes_nothing():
    with lab(2) as (home, group, hosts):
        done = succeeded(enrol(home, group.all(), "--allow", "list", "-n"))
        assert "would create the key " + home.key in done.stderr, done.stderr
        assert not os.path.exists(home.key)
        equal(group.calls(), [])
        folder = sshlab.configuration_folder()
        key, _ = home.keygen()
        done = succeeded(enrol(home, group.all(), "--allow", "list", "-n",
                               "--group", "lab"))
        for host in hosts:
            equal(host.files(), [])
            assert "%s: would write %s/conf.d/anna.conf" % (
                host.name, folder) in done.stdout, done.stdout
        equal(done.stdout.count(key), 2)
        assert not os.path.exists(home.known)
        assert not os.path.exists(home.file("bridlectl.conf"))


def test_a_key_is_rotated_over_a_group():
    with lab(3) as (home, group, hosts):
        succeeded(enrol(home, group.all(), "--allow", "ping", "--group",
                        "lab"))
        old = home.ctl("fingerprint").stdout.strip()
        fresh = os.path.join(home.dir, "new.key")
        new, _ = home.keygen(fresh)
        done = home.ctl("enrol", "root@@lab", "--name", "anna", "--allow",
                        "ping", "-i", fresh)
        equal(done.returncode, 1, done.stderr)
        assert "has another key" in done.stderr, done.stderr
        for option, keys in (("--add-key", [old, new]), ("--drop-old", [new])):
            succeeded(home.ctl("enrol", "root@@lab", "--name", "anna", option,
                               "-i", fresh))
            for host in hosts:
                equal(re.findall(r"SHA256:[\w+/]{43}", host.entry("anna")),
                      keys)
        equal(home.ctl("-H", "@lab", "ping").returncode, 1)
        succeeded(home.ctl("-H", "@lab", "-i", fresh, "ping"))


def test_a_changed_host_key_is_replaced():
    with lab() as (home, group, hosts):
        home.know("%s SHA256:%s\n" % (hosts[0].name, "A" * 43))
        succeeded(enrol(home, hosts[0].name, "--allow", "ping"))
        equal(home.read(home.known),
              "%s %s\n" % (hosts[0].name, hosts[0].fingerprint()))


def test_another_program_in_place_of_ssh():
    with lab() as (home, group, hosts):
        via = "%s -F %s -o User=root %%h" % (sshlab.SSH, group.conf)
        done = succeeded(home.ctl("enrol", hosts[0].name, "--allow", "ping",
                                  "--name", "anna", "--via", via))
        equal(group.calls(), [])
        for via, part in (("ssh", "%h"), ("ssh %x %h", "%")):
            done = home.ctl("enrol", hosts[0].name, "--allow", "ping",
                            "--via", via)
            equal(done.returncode, 2)
            assert "--via" in done.stderr and part in done.stderr, done.stderr
        done = home.ctl("enrol", hosts[0].name, "--allow", "ping", "--via",
                        "/no/such/program %h")
        equal(done.returncode, 1, done.stderr)
        assert "/no/such/program" in done.stderr, done.stderr


def program(group, name, text):
    """Create a program, and return a value for --via that runs this program."""
    path = os.path.join(group.dir, name)
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + text)
    os.chmod(path, 0o755)
    return path + " %h"


def test_a_login_that_a_busy_sshd_cuts_is_tried_again():
    with lab() as (home, group, hosts):
        via = program(group, "busy", """
            echo x >>%s/tries
            if [ $(wc -l <%s/tries) -le 2 ]; then
                echo "kex_exchange_identification: Connection closed" >&2
                exit 255
            fi
            exec %s/bin/ssh "$@"
            """ % (group.dir, group.dir, group.dir))
        done = succeeded(enrol(home, hosts[0].name, "--allow", "ping", "--via",
                               via))
        assert "has admitted" in done.stdout, done.stdout
        equal(len(group.calls()), 1)


def test_a_host_that_does_not_reply_is_given_up():
    with Home() as home, Lab(home, 1) as group:
        via = program(group, "mute", "echo $$ >%s/pid; exec sleep 1000\n"
                      % group.dir)
        done = enrol(home, "lab7", "--allow", "ping", "--via", via,
                     "--timeout", "1")
        equal(done.returncode, 3, done.stderr)
        assert "no reply in time" in done.stderr, done.stderr
        with open(os.path.join(group.dir, "pid")) as f:
            pid = int(f.read())
        bridle.wait_for("the end", lambda: not bridle.is_running(pid))


def test_a_reply_of_another_program_is_refused():
    with Home() as home, Lab(home, 1) as group:
        for text in ("true", "echo end", "echo 'bridle-admit 1'",
                     "printf 'bridle-admit 1\\nfingerprint x\\nend\\n'",
                     "yes", "printf 'bridle-admit 1\\nend\\n'; exit 1"):
            via = program(group, "wrong", text + "\n")
            done = enrol(home, "lab7", "--allow", "ping", "--via", via,
                         "--timeout", "2")
            assert done.returncode in (1, 3), (text, done.stderr)
            equal(done.stdout, "", text)
            assert "lab7: " in done.stderr, done.stderr
        assert not os.path.exists(home.known)


def test_ssh_gets_a_fixed_command():
    with lab() as (home, group, hosts):
        succeeded(home.ctl("enrol", "root@" + hosts[0].name, "--allow",
                           "ping"))
        # Without --name, the entry has the login name.
        name, = hosts[0].files()
        assert re.fullmatch(r"root-[\w.-]+\.conf", name), name
        call, = group.calls()
        for part in ("StrictHostKeyChecking=yes", "BatchMode=yes"):
            assert part in call, call
        assert call.endswith(
            "-- root@%s bridlectl admit --stdin" % hosts[0].address), call


def test_the_terminal_shows_progress_and_one_host_may_ask():
    with lab(2) as (home, group, hosts):
        args = ["--allow", "ping", "--name", "anna"]
        with Terminal("enrol", "root@" + group.all(), *args,
                      env=home.env) as t:
            t.read_until(b"2 hosts: 2 ok")
            equal(t.finish(), 0)
        with Terminal("enrol", "root@" + hosts[0].name, *args,
                      env=home.env) as t:
            t.read_until(b"anna was admitted already")
            equal(t.finish(), 0)
        assert "BatchMode=no" in group.calls()[-1], group.calls()


def typed(home, args, question, answer):
    """Run bridlectl on its controlling terminal, because ssh asks there. Type
    `answer` when `question` appears. Return the exit status and the output."""
    pid, master = pty.fork()
    if pid == 0:
        os.execve(bridle.BRIDLECTL, [bridle.BRIDLECTL, *args], home.env)
    shown, asked = b"", False
    with contextlib.suppress(OSError):  # a terminal ends with EIO
        while select.select([master], [], [], bridle.PATIENCE)[0]:
            piece = os.read(master, 4096)
            if not piece:
                break
            shown += piece
            if question in shown and not asked:
                asked = True
                os.write(master, answer)
    os.close(master)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), shown


def test_one_host_may_ask_for_a_password():
    made = subprocess.run(["openssl", "passwd", "-6", "secret"],
                          capture_output=True, text=True, check=False)
    if made.returncode != 0:
        raise Skip("because openssl cannot make a password")
    with Home() as home, Lab(home, 1) as group:
        host, = group.hosts
        host.write("authorized_keys", "")
        host.write("etc/shadow", "root:%s:::::::\nsshd:*:::::::\n"
                   % made.stdout.strip())
        group.start()
        done = enrol(home, host.name, "--allow", "ping")
        equal(done.returncode, 3, done.stderr)
        assert "ssh could not log in" in done.stderr, done.stderr
        status, shown = typed(
            home, ["enrol", "root@" + host.name, "--allow", "ping", "--name",
                   "anna"], b"password:", b"secret\n")
        equal(status, 0, shown)
        assert b"has admitted anna" in shown, shown
        equal(host.files(), ["anna.conf"])


def test_a_host_whose_daemon_is_stopped_is_reported():
    with Home() as home, Lab(home, 1) as group:
        host, = group.hosts

        host.start()
        bridle.wait_for("sshd", lambda: "listening" in host.log("sshd"))
        bridled = host.running.pop()
        bridled.terminate()
        bridled.wait()
        done = enrol(home, host.name, "--allow", "ping")
        equal(done.returncode, 3, done.stderr)
        assert ("bridled does not run on %s: run there 'systemctl enable "
                "--now bridled.socket'" % host.name.split(":")[0]
                ) in done.stderr, done.stderr
        assert "firewall" not in done.stderr, done.stderr
        # The host's own message explains why the host does not answer.
        assert "takes effect at the next start" in done.stderr, done.stderr
        assert host.name + " SHA256:" in home.read(home.known)


def test_wrong_arguments():
    with Home() as home:
        for args, part in (
                (["lab7"], "--allow is missing"),
                (["lab7", "--allow", "fly"], "no verb"),
                (["ro ot@lab7", "--allow", "list"], "no user for ssh"),
                (["--allow", "list", "--", "-x@lab7"], "no user for ssh"),
                (["plain:lab7", "--allow", "list"], "needs TLS hosts"),
                (["@none", "--allow", "list"], "none"),
                (["lab7", "--allow", "list", "--group", "a/b"], "a/b"),
                (["lab7", "--allow", "list", "--name", "9"], "'9'"),
                (["lab7", "--add-key", "--drop-old"], "cannot be combined")):
            done = home.ctl("enrol", *args)
            equal([done.returncode, done.stdout], [2, ""], (args, done.stderr))
            assert part in done.stderr, (part, done.stderr)
        done = home.ctl("enrol", "lab7", "--allow", "list", "-i",
                        home.dir + "/none")
        equal(done.returncode, 1)
        assert home.dir + "/none" in done.stderr, done.stderr
        assert not os.path.exists(home.key)


# Tests of `admit --stdin`, which `enrol` runs on each host

def stdin_of(text):
    """Run `admit --stdin` as root, in a mount namespace where /etc/bridle is
    empty."""
    sshlab.needed()
    return subprocess.run(
        ["unshare", "-m", "sh", "-c", "mount -t tmpfs tmpfs /etc; "
         'mkdir /etc/bridle; exec "$@"', "sh", bridle.BRIDLECTL, "admit",
         "--stdin"], input=text, text=True, capture_output=True)


def test_a_truncated_admission_does_nothing():
    whole = ("admit 1\nkey SHA256:%s\nname anna\nallow list\nmode entry\n"
             % ("A" * 43))
    for text, part in (("", "does not begin"), (whole, "is incomplete"),
                       (whole + "end", "is incomplete"),
                       (whole.replace("1", "2", 1) + "end\n",
                        "does not begin"),
                       (whole + "color red\nend\n", "unknown line"),
                       (whole + "x" * 9000 + "\nend\n", "cannot read"),
                       (whole.replace("anna", "../x") + "end\n", "no name")):
        done = stdin_of(text)
        equal(done.returncode, 1, done.stderr)
        equal(done.stdout, "bridle-admit 1\n")
        assert part in done.stderr, (part, done.stderr)
    done = stdin_of(whole + "end\n")
    equal(done.returncode, 1, done.stderr)
    # The empty folder has no configuration; /usr may have the program.
    assert done.stdout.splitlines()[0] == "bridle-admit 1", done.stdout
    assert "end" not in done.stdout, done.stdout
    assert ("bridled is not installed on this machine" in done.stderr
            or "/etc/bridle/bridled.conf" in done.stderr), done.stderr


if __name__ == "__main__":
    bridle.main(globals())
