"""Functions that several benchmarks use."""

import base64
import hashlib
import os
import subprocess

from bridle import BUILD, ROOT, Daemon

ROOMY = {"sessions": 1000, "sessions_per_source": 900}
PS = ["ps", "-e", "-o", "pid,ppid,user,stat,rss,etimes,comm"]


def make_key(path):
    """Make a key with its certificate, in the form that bridlectl reads."""
    subprocess.run(
        ["openssl", "req", "-x509", "-nodes", "-newkey", "ec", "-pkeyopt",
         "ec_paramgen_curve:P-256", "-keyout", path, "-out", path + ".crt",
         "-subj", "/CN=bench"], check=True, stderr=subprocess.DEVNULL)
    with open(path, "a") as out, open(path + ".crt") as crt:
        out.write(crt.read())
    os.chmod(path, 0o600)


def fingerprint(path):
    key = subprocess.run(["openssl", "x509", "-in", path, "-noout", "-pubkey"],
                         check=True, capture_output=True).stdout
    der = subprocess.run(["openssl", "pkey", "-pubin", "-outform", "DER"],
                         input=key, check=True, capture_output=True).stdout
    digest = base64.b64encode(hashlib.sha256(der).digest()).decode()
    return "SHA256:" + digest.rstrip("=")


def pss(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        for line in f:
            if line.startswith("Pss:"):
                return int(line.split()[1])
    return 0


class Server(Daemon):
    """bridled as in production. If root starts bridled, the daemon changes to
    a system user."""

    def __init__(self, *args, **more):
        super().__init__(*args, user="daemon" if ROOT else None, **more)


class Tls(Server):
    """bridled whose first listener uses TLS. .key is the path of a client's
    key."""

    def __init__(self, folder, tcp=(), **more):
        self.key = os.path.join(folder, "key")
        self.state = os.path.join(folder, "state")
        make_key(self.key)
        os.chmod(folder, 0o711)  # let the daemon's user enter the folder
        super().__init__(
            '{ name = "me"; unix_user = "%d"; allow = ("*"); },'
            '{ name = "key"; key = "%s"; allow = ("*"); }'
            % (os.getuid(), fingerprint(self.key)),
            tcp=['{ tcp = "127.0.0.1:0"; tls = true; }', *tcp],
            settings='state_dir = "%s";' % self.state, **more)

    def host_key(self):
        return os.path.join(self.state, "host_key")


def calls(where, clients):
    """Run this number of clients in parallel for a second. Return the calls
    per second, and the median and the 99th percentile of the time of one call
    in microseconds."""
    out = subprocess.run(
        [os.path.join(BUILD, "tests/bench/connect"), where, str(clients),
         "1000"], check=True, capture_output=True, text=True).stdout.split()
    return float(out[0]), int(out[1]), int(out[2])
