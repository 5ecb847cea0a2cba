#!/usr/bin/env python3
"""The rules of the house, read off the sources: who may include whom, who
does no input or output, what is explained, how long a file may be. TAP."""

import os
import re
import sys

SOURCE = os.environ.get("BRIDLE_SOURCE") or os.environ.get("srcdir") or "."
LINES_MAX = 500

FOLDERS = "lib", "daemon", "session", "ctl"
# What the daemon knows of the programs that its sessions are.
OF_SESSIONS = {"fork_server.h"}

# Pure: they are given bytes and give back bytes. Each may be several files,
# NAME_PART.c beside NAME.c.
PURE = re.compile(r"(lib/(buf|request|text|verbs|wire)"
                  r"|daemon/(penalties|policy|template)"
                  r"|ctl/(host_set|hostlist|name_table))(_\w+)?\.[ch]$")
IO_HEADERS = {
    "dirent.h", "fcntl.h", "grp.h", "netdb.h", "poll.h", "pwd.h", "spawn.h",
    "sys/epoll.h", "sys/file.h", "sys/ioctl.h", "sys/mman.h",
    "sys/sendfile.h", "sys/socket.h", "sys/stat.h", "sys/uio.h", "sys/un.h",
    "sys/wait.h", "syslog.h", "termios.h", "time.h", "sys/time.h",
    "unistd.h", "fd.h", "clock.h", "audit.h"}
# What stdio.h, stdlib.h and signal.h have beside what is pure in them.
IO_NAMES = re.compile(
    r"\b(FILE\b|stdin\b|stdout\b|stderr\b|(?:(?:f|v|vf|d|vd)?printf|perror"
    r"|puts|fputs|putc|putchar|fputc|fopen|fdopen|freopen|popen|fread|fwrite"
    r"|fgets|getline|scanf|fscanf|remove|rename|tmpfile|getenv|setenv|system"
    r"|mkstemp|mkdtemp|kill|raise|signal|sigaction)\s*\()")
# A library tells its caller, and never ends the program.
ENDS = re.compile(r"\b(exit|_exit|_Exit|quick_exit|abort|fatal|err|errx)\s*\(")

COMMENT = re.compile(r"/\*.*?\*/", re.S)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
# A function's name in a header: at the start of a declaration, not a type's.
DECLARED = re.compile(r"^(?!typedef|#|static|\}|\s)[\w\s*]*?\b(\w+)\([^;{}]*\)"
                      r"[^;{}=]*;", re.M | re.S)
MACRO = re.compile(r"^[A-Z_]+$")


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def sources(folder, ends=(".c", ".h")):
    """The files of a folder; there must be some, or nothing was checked."""
    names = sorted(n for n in os.listdir(os.path.join(SOURCE, folder))
                   if n.endswith(ends) and not n.startswith("."))
    assert names, "no sources in " + folder
    return [folder + "/" + name for name in names]


def headers(folder):
    return {os.path.basename(p) for p in sources(folder, (".h",))}


def includes(path, quote=None):
    """The names that a file includes, in quotes, in brackets or in both."""
    text = COMMENT.sub("", read(path))
    return [name for kind, name in INCLUDE.findall(text)
            if quote in (None, kind)]


def code(path):
    """A file without comments, strings and includes."""
    return INCLUDE.sub("", STRING.sub('""', COMMENT.sub("", read(path))))


def test_header_names_are_unique():
    seen = {}
    for folder in FOLDERS:
        for name in headers(folder):
            if name in seen:
                yield "%s is in %s and in %s" % (name, seen[name], folder)
            seen[name] = folder


def test_includes_go_one_way():
    library = headers("lib") | {"config.h"}
    for folder in FOLDERS:
        known = library | headers(folder)
        if folder == "daemon":
            known |= OF_SESSIONS
        for path in sources(folder):
            for name in includes(path, '"'):
                if name not in known:
                    yield "%s includes %s" % (path, name)


def test_no_project_header_in_brackets():
    ours = set().union(*map(headers, FOLDERS))
    for folder in FOLDERS:
        for path in sources(folder):
            for name in includes(path, "<"):
                # libc has headers of its own that are called as ours.
                if name in ours and not os.path.exists("/usr/include/" + name):
                    yield "%s includes <%s>" % (path, name)


OPENSSL_SIDE = ["lib/tls.c", "lib/tls_keys.c", "lib/tls_openssl.h",
                "lib/tls_pkcs8.c"]


def test_only_tls_knows_openssl():
    for folder in FOLDERS:
        for path in sources(folder):
            if path not in OPENSSL_SIDE:
                for name in includes(path):
                    if name.startswith("openssl/"):
                        yield "%s includes %s" % (path, name)


def test_pure_modules_do_no_io():
    pure = [path for folder in FOLDERS
            for path in sources(folder) if PURE.match(path)]
    assert len(pure) >= 21, "only %s" % pure
    for path in pure:
        for name in includes(path):
            if name in IO_HEADERS:
                yield "%s includes %s" % (path, name)
        for name in IO_NAMES.findall(code(path)):
            yield "%s uses %s" % (path, name)


def test_the_library_ends_no_program():
    for path in sources("lib"):
        for name in ENDS.findall(code(path)):
            yield "%s calls %s" % (path, name)


def paragraphs(text):
    """(line, text) of what stands between blank lines outside comments."""
    text = COMMENT.sub(lambda m: re.sub(r"\n[ \t]*(?=\n)", "\n ", m[0]), text)
    line = 1
    for piece in re.split(r"(\n[ \t]*\n)", text):
        if piece.strip():
            yield line + len(piece) - len(piece.lstrip("\n")), piece
        line += piece.count("\n")


def test_each_public_function_is_explained():
    """By a comment above it, or above the group that it stands in."""
    found = 0
    for path in [p for folder in ("lib", "daemon", "session")
                 for p in sources(folder, (".h",))]:
        for line, piece in paragraphs(read(path)):
            names = [n for n in DECLARED.findall(COMMENT.sub("", piece))
                     if not MACRO.match(n)]
            found += len(names)
            before = piece[:piece.find(names[0] + "(")] if names else ""
            if names and "/*" not in before:
                yield "%s:%d: nothing is said of %s" % (
                    path, line, ", ".join(names))
    assert found > 100, "only %d functions seen" % found


def test_files_are_short():
    for folder in FOLDERS:
        for path in sources(folder):
            lines = read(path).count("\n")
            if lines >= LINES_MAX:
                yield "%s has %d lines" % (path, lines)


def main():
    tests = [(name, test) for name, test in globals().items()
             if name.startswith("test_")]
    failed = False
    print("1..%d" % len(tests))
    for number, (name, test) in enumerate(tests, 1):
        try:
            problems = list(test())
        except (AssertionError, OSError) as problem:
            problems = [str(problem)]
        for problem in problems:
            print("# " + problem)
        failed = failed or bool(problems)
        print("%sok %d - %s" % ("not " if problems else "", number, name[5:]))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
