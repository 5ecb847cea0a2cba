"""The servers that bridled is compared with. Each server listens at its own
port of the loopback interface, and is configured for speed as its manual
describes."""

import os
import pwd
import shutil
import subprocess
import time

from bridle import free_port
from shared import PS

CHECK_NRPE = "/usr/lib/nagios/plugins/check_nrpe"


def program(name):
    """Return the path of a program; None if the program is not installed."""
    return shutil.which(name, path="/usr/sbin:/usr/bin:/sbin:/bin")


def succeeds(command, env=None):
    """True if the command succeeds within some seconds. A server that is
    starting may refuse the first calls."""
    for _ in range(50):
        if subprocess.run(command, capture_output=True, env=env,
                          check=False).returncode == 0:
            return True
        time.sleep(0.1)
    return False


class Server:
    """A server that runs inside a `with` block. .there is true if the server
    accepts calls.

    .env is the environment that a client needs, or None.
    """

    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.there, self.env, self.processes = False, None, []

    def path(self, name):
        return os.path.join(self.folder, name)

    def write(self, name, text):
        with open(self.path(name), "w") as f:
            f.write(text)
        return self.path(name)

    def start(self, *command, env=None):
        self.processes.append(subprocess.Popen(
            command, env=env, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return self.processes[-1]

    def __enter__(self):
        if self.installed():
            os.makedirs(self.folder, mode=0o755)
            self.set_up()
            self.there = succeeds(self.true(), self.env)
        return self

    def __exit__(self, *exc):
        for p in reversed(self.processes):
            p.terminate()
            p.wait()


class Sshd(Server):
    """sshd. .ps(how) and .true(how) return commands that run ps and true
    through ssh. `how` is one of HOWS: ssh with default settings, tuned for
    speed, or over a connection that is open already."""

    HOWS = ("shipped", "tuned", "master")

    def installed(self):
        return program("sshd") and program("ssh")

    def set_up(self):
        if os.geteuid() == 0:  # sshd needs this folder
            os.makedirs("/run/sshd", mode=0o755, exist_ok=True)
        for name in ("id", "host"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "",
                            "-f", self.path(name)], check=True)
        config = self.write("sshd_config", """
Port %d
ListenAddress 127.0.0.1
HostKey %s
AuthorizedKeysFile %s.pub
StrictModes no
UsePAM no
UseDNS no
PidFile none
PrintMotd no
PrintLastLog no
SetEnv SHLVL=2
""" % (self.port, self.path("host"), self.path("id")))
        self.start(program("sshd"), "-D", "-f", config)
        if succeeds(self.true()):
            self.start(*self.ssh("master"), "-N", "-o", "ControlMaster=yes")

    def ssh(self, how):
        options = {"shipped": [], "tuned": [
            "IdentitiesOnly=yes", "PreferredAuthentications=publickey",
            "GSSAPIAuthentication=no", "Ciphers=aes128-gcm@openssh.com",
            "KexAlgorithms=curve25519-sha256"],
            "master": ["ControlPath=" + self.path("control")]}[how]
        return ["ssh", "-F", "none", "-i", self.path("id"), "-p",
                str(self.port), "127.0.0.1",
                *(word for o in options + [
                    "BatchMode=yes", "StrictHostKeyChecking=no",
                    "UserKnownHostsFile=/dev/null", "LogLevel=ERROR"]
                  for word in ("-o", o))]

    def true(self, how="tuned"):
        return [*self.ssh(how), "true"]

    def ps(self, how="tuned"):
        return [*self.ssh(how), *PS]


class Dropbear(Server):
    """dropbear. dropbear reads keys only in the user's home folder. A separate
    mount namespace, which needs root, replaces the home folder by a temporary
    folder."""

    def installed(self):
        return os.geteuid() == 0 and all(map(
            program, ("dropbear", "dbclient", "dropbearkey")))

    def set_up(self):
        self.env = dict(os.environ, HOME=self.folder)
        for name in ("id", "host"):
            subprocess.run(["dropbearkey", "-t", "ed25519", "-f",
                            self.path(name)], check=True, capture_output=True)
        shown = subprocess.run(["dropbearkey", "-y", "-f", self.path("id")],
                               check=True, capture_output=True, text=True)
        os.mkdir(self.path(".ssh"), mode=0o700)
        self.write(".ssh/authorized_keys", "".join(
            line + "\n" for line in shown.stdout.splitlines()
            if line.startswith("ssh-")))
        self.start("unshare", "--mount", "sh", "-c",
                   'mount --bind "$1" "$2" && shift 2 && exec "$@"', "sh",
                   self.folder, pwd.getpwuid(0).pw_dir, program("dropbear"),
                   "-F", "-E", "-m", "-s", "-r", self.path("host"), "-P",
                   self.path("pid"), "-p", "127.0.0.1:%d" % self.port)

    def call(self, *command):
        return ["dbclient", "-y", "-y", "-i", self.path("id"), "-p",
                str(self.port), "root@127.0.0.1", *command]

    def true(self):
        return self.call("true")

    def ps(self):
        return self.call(*PS)


class Nrpe(Server):
    """check_nrpe and its daemon: without TLS, with TLS, or with TLS and
    certificates."""

    def __init__(self, folder, how):
        super().__init__(folder)
        self.how = how

    def installed(self):
        return program("nrpe") and os.path.exists(CHECK_NRPE)

    def certificate(self, name, issuer=None):
        signed = ["-CA", self.path("ca.crt"), "-CAkey",
                  self.path("ca.key")] if issuer else []
        subprocess.run(
            ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
             "ec_paramgen_curve:P-256", "-keyout", self.path(name + ".key"),
             "-out", self.path(name + ".crt"), "-subj", "/CN=" + name,
             *signed], check=True, stderr=subprocess.DEVNULL)
        os.chmod(self.path(name + ".key"), 0o644)

    def set_up(self):
        tls = ""
        if self.how == "certificates":
            for name, issuer in (("ca", None), ("server", "ca"),
                                 ("client", "ca")):
                self.certificate(name, issuer)
            tls = ("ssl_cacert_file=%s\nssl_cert_file=%s\n"
                   "ssl_privatekey_file=%s\nssl_client_certs=2\n"
                   % tuple(map(self.path,
                               ("ca.crt", "server.crt", "server.key"))))
        config = self.write("nrpe.cfg", """
server_address=127.0.0.1
server_port=%d
allowed_hosts=127.0.0.1
nrpe_user=%s
nrpe_group=%s
pid_file=%s
%scommand[true]=/bin/echo ok
command[ps]=%s
""" % (self.port, "nobody", "nogroup", self.path("pid"), tls, " ".join(PS)))
        self.start(program("nrpe"), *(["-n"] if self.how == "plain" else []),
                   "-f", "-c", config)

    def call(self, command):
        more = {"plain": ["-n"], "TLS": [], "certificates": [
            "-A", self.path("ca.crt"), "-C", self.path("client.crt"), "-K",
            self.path("client.key")]}[self.how]
        return [CHECK_NRPE, "-H", "127.0.0.1", "-p", str(self.port), *more,
                "-c", command]

    def true(self):
        return self.call("true")

    def ps(self):
        return self.call("ps")


class Remctl(Server):
    """remctld, and the Kerberos server that remctld needs."""

    REALM = "BENCH"

    def installed(self):
        return all(map(program, ("remctld", "remctl", "krb5kdc", "kinit",
                                 "kadmin.local", "kdb5_util")))

    def run(self, *command, **more):
        subprocess.run(command, check=True, capture_output=True, env=self.env,
                       **more)

    def set_up(self):
        kdc = free_port()
        self.env = dict(
            os.environ, KRB5_TRACE="", KRB5CCNAME=self.path("cache"),
            KRB5_KTNAME=self.path("keytab"), KRB5RCACHENAME="none:",
            KRB5_CONFIG=self.write("krb5.conf", """
[libdefaults]
default_realm = %s
dns_lookup_kdc = false
rdns = false
dns_canonicalize_hostname = false
[realms]
%s = {
 kdc = 127.0.0.1:%d
}
[domain_realm]
localhost = %s
""" % (self.REALM, self.REALM, kdc, self.REALM)),
            KRB5_KDC_PROFILE=self.write("kdc.conf", """
[realms]
%s = {
 database_name = %s
 key_stash_file = %s
 kdc_ports = %d
 kdc_tcp_ports = %d
}
""" % (self.REALM, self.path("db"), self.path("stash"), kdc, kdc)))
        self.run("kdb5_util", "create", "-s", "-P", "bench", "-r", self.REALM)
        for query in ("addprinc -randkey host/localhost",
                      "ktadd -k %s host/localhost" % self.path("keytab"),
                      "addprinc -pw bench me"):
            self.run("kadmin.local", "-q", query)
        self.start(program("krb5kdc"), "-n", env=self.env)
        time.sleep(0.5)
        self.run("kinit", "me", input=b"bench\n")
        config = self.write("remctl.conf", """
true run %s ANYUSER
ps run %s ANYUSER
""" % (self.write("true", "#!/bin/sh\n"),
       self.write("ps", "#!/bin/sh\nexec %s\n" % " ".join(PS))))
        os.chmod(self.path("true"), 0o755)
        os.chmod(self.path("ps"), 0o755)
        self.start(program("remctld"), "-m", "-F", "-f", config, "-p",
                   str(self.port), "-b", "127.0.0.1", "-s", "host/localhost",
                   "-P", self.path("pid"), env=self.env)

    def call(self, command):
        return ["remctl", "-p", str(self.port), "-s", "host/localhost",
                "localhost", command, "run"]

    def true(self):
        return self.call("true")

    def ps(self):
        return self.call("ps")
