"""Benchmark of the memory of an idle session."""

import socket
import ssl
import statistics
import tempfile

from shared import ROOMY, Server, Tls, pss


def bench(args, report):
    del args
    report.table("PSS, KiB", "sessions", "transport", "median", "parent")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE

    def plain(d):
        s = socket.socket(socket.AF_UNIX)
        s.connect(d.sock)
        return s

    def tls(d):
        s = socket.create_connection(("127.0.0.1", d.ports[0]))
        return context.wrap_socket(s)

    for name, connect in (("unix", plain), ("tls", tls)):
        with tempfile.TemporaryDirectory() as folder, \
                (Tls(folder, limits=ROOMY) if connect is tls
                 else Server(limits=ROOMY)) as d:
            held = []
            for _ in range(100):
                s = connect(d)
                s.sendall(b"1#4\n")
                s.recv(4096)
                held.append(s)
            pids = [pid for pid, _ in d.children()]
            report.row(len(held), name,
                "%.0f" % statistics.median(map(pss, pids)), pss(d.pid))
            for s in held:
                s.close()
