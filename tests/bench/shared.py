"""What the benches share."""

import base64
import hashlib
import os
import subprocess
import sys

PS = ["ps", "-e", "-o", "pid,ppid,user,stat,rss,etimes,comm"]


def row(*cells):
    print("  ".join("%-14s" % c for c in cells).rstrip())
    sys.stdout.flush()


def make_key(path):
    """A key with its certificate, as bridlectl takes it."""
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
