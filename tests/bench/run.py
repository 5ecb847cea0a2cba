"""Program that runs the benchmarks of "make bench"; see
tests/bench/README.md."""

import argparse
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "e2e"))
import cold  # noqa: E402
import connections  # noqa: E402
import fanout  # noqa: E402
import flood  # noqa: E402
import long  # noqa: E402
import memory  # noqa: E402
import slow  # noqa: E402
from bridle import BUILD  # noqa: E402
from report import Report  # noqa: E402

SOURCE = os.path.join(os.path.dirname(__file__), "..", "..")
BENCHES = {"cold": cold, "connections": connections, "memory": memory,
           "slow": slow, "flood": flood, "fanout": fanout, "long": long}
PEERS = ["clustershell", "dropbear-bin", "gnuplot-nox", "krb5-admin-server",
         "krb5-kdc", "krb5-user", "nagios-nrpe-plugin", "nagios-nrpe-server",
         "openssh-client", "openssh-server", "pdsh", "remctl-client",
         "remctl-server"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", default=list(BENCHES),
                        help="benchmarks to run: " + ", ".join(BENCHES))
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--processes", type=int, nargs="*",
                        default=[100, 1000, 10000])
    parser.add_argument("--hosts", type=int, nargs="*",
                        default=[10, 250, 1000])
    parser.add_argument("--peers", action="store_true",
                        help="install the programs to compare with")
    parser.add_argument("--out", default=os.path.join(BUILD, "bench"),
                        help="folder for figures.tsv and plots")
    args = parser.parse_args()
    if args.peers:
        subprocess.run([os.path.join(SOURCE, "scripts", "install-packages"),
                        *PEERS], check=True)
    report = Report(args.out)
    for what in args.what:
        BENCHES[what].bench(args, report)
        print()


main()
