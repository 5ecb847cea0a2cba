#!/usr/bin/env python3
"""Tests that the source files follow the rules of the layout. The rules are
about the folders whose headers a folder can include, circles of calls, modules
without I/O, and comments of public functions. Prints TAP."""

import contextlib
import os
import re
import shutil
import sys
import tempfile

import tap

SOURCE = os.environ.get("BRIDLE_SOURCE") or os.environ.get("srcdir") or "."
LINES_MANY = 800

# The folders of each program, lowest first. A file is allowed to include
# headers of its own folder, of the folders before its own folder, and of lib/.
PROGRAMS = {
    "lib": [""],
    "session": [""],
    "generator": [""],
    "discover": [""],
    "wake": [""],
    "daemon": ["sys", "config", "pool", "net", "events", "policy", "action",
               "request", "core", ""],
    "ctl": ["util", "hosts", "cli", "remote", "output", "complete", "fanout",
            "config", "trust", "cmd", ""],
}
FOLDERS = [os.path.join(program, folder).rstrip("/")
           for program, folders in PROGRAMS.items() for folder in folders]
# The only header of session/ that the daemon is allowed to include.
OF_SESSIONS = {"fork_server.h"}

# Pure modules, which do no I/O. They take bytes and return bytes. The files of
# a module are NAME.c and NAME_PART.c.
PURE = re.compile(r"(lib/(buf|request|text|verbs|wire)"
                  r"|daemon/(net/penalty_table|policy/policy|request/request_rate"
                  r"|config/(argv_template|pattern))"
                  r"|generator/listen_stream|discover/printable"
                  r"|ctl/(hosts/(client_conf_edit|discovered|host_set|hostlist)|util/string_map))"
                  r"(_\w+)?\.[ch]$")
IO_HEADERS = {
    "dirent.h", "fcntl.h", "grp.h", "netdb.h", "poll.h", "pwd.h", "spawn.h",
    "sys/epoll.h", "sys/file.h", "sys/ioctl.h", "sys/mman.h",
    "sys/sendfile.h", "sys/socket.h", "sys/stat.h", "sys/uio.h", "sys/un.h",
    "sys/wait.h", "syslog.h", "termios.h", "time.h", "sys/time.h",
    "unistd.h", "fd.h", "clock.h", "sys/logger.h"}
# Names of stdio.h, stdlib.h and signal.h that do I/O.
IO_NAMES = re.compile(
    r"\b(FILE\b|stdin\b|stdout\b|stderr\b|(?:(?:f|v|vf|d|vd)?printf|perror"
    r"|puts|fputs|putc|putchar|fputc|fopen|fdopen|freopen|popen|fread|fwrite"
    r"|fgets|getline|scanf|fscanf|remove|rename|tmpfile|getenv|setenv|system"
    r"|mkstemp|mkdtemp|kill|raise|signal|sigaction)\s*\()")
# Calls that end the program. The library must return an error instead.
ENDS = re.compile(r"\b(exit|_exit|_Exit|quick_exit|abort|fatal|err|errx)\s*\(")

COMMENT = re.compile(r"/\*.*?\*/", re.S)
STRING = re.compile(r'"(?:[^"\\\n]|\\.)*"')
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.M)
# Pattern of a function's name at its declaration in a header.
DECLARED = re.compile(r"^(?!typedef|#|static|\}|\s)[\w\s*]*?\b(\w+)\([^;{}]*\)"
                      r"[^;{}=]*;", re.M | re.S)
# Patterns of the names of public and of static functions at their definitions.
# There the return type has its own line.
DEFINED = re.compile(r"^(?!static\b)[a-z][\w\s*]*\n(\w+)\(", re.M)
STATIC = re.compile(r"^static\b[\w\s*]*\n(\w+)\(", re.M)
MACRO = re.compile(r"^[A-Z_]+$")


def read(path):
    with open(os.path.join(SOURCE, path), encoding="utf-8") as file:
        return file.read()


def sources(folder, ends=(".c", ".h")):
    """Return the source files of a folder. Fail if there are none, because
    nothing would be checked."""
    names = sorted(n for n in os.listdir(os.path.join(SOURCE, folder))
                   if n.endswith((".c", ".h")) and not n.startswith("."))
    assert names, "no sources in " + folder
    return [folder + "/" + name for name in names if name.endswith(ends)]


def headers(folder):
    return {os.path.basename(p) for p in sources(folder, (".h",))}


def includes(path, quote=None):
    """Return the names of the headers that a file includes. If `quote` is not
    None, return only the headers that are included with this quotation
    mark."""
    text = COMMENT.sub("", read(path))
    return [name for kind, name in INCLUDE.findall(text)
            if quote in (None, kind)]


def code(path):
    """Return a file's text without comments, strings and includes."""
    return INCLUDE.sub("", STRING.sub('""', COMMENT.sub("", read(path))))


def test_header_names_are_unique():
    seen = {}
    for folder in FOLDERS:
        for name in headers(folder):
            if name in seen:
                yield "%s is in %s and in %s" % (name, seen[name], folder)
            seen[name] = folder


def visible(program, folder):
    """Return the names of the headers that files of a folder are allowed to
    include."""
    folders = PROGRAMS[program]
    seen = headers("lib") | {"config.h"}
    if program == "daemon":
        seen |= OF_SESSIONS
    for lower in folders[:folders.index(folder) + 1]:
        place = os.path.join(program, lower).rstrip("/")
        seen |= {os.path.join(lower, name) for name in headers(place)}
    return seen


def test_folders_are_listed():
    for program, folders in PROGRAMS.items():
        for name in os.listdir(os.path.join(SOURCE, program)):
            if name not in folders and os.path.isdir(
                    os.path.join(SOURCE, program, name)):
                yield "%s/%s is missing in PROGRAMS" % (program, name)


def test_includes_go_one_way():
    for program, folders in PROGRAMS.items():
        for folder in folders:
            seen = visible(program, folder)
            for path in sources(os.path.join(program, folder).rstrip("/")):
                for name in includes(path, '"'):
                    if name not in seen:
                        yield "%s includes %s" % (path, name)


def header_paths():
    """Return a dict of the paths of the headers. A key has the program, and the
    name with which files of this program include the header."""
    paths = {}
    for program, folders in PROGRAMS.items():
        for folder in folders:
            place = os.path.join(program, folder).rstrip("/")
            for path in sources(place, (".h",)):
                paths[program, os.path.relpath(path, program)] = path
    return paths


def uses():
    """Return for each file the set of files that this file uses. A file uses
    the headers that it includes, and the files whose public functions it
    names."""
    paths = header_paths()
    files = [p for folder in FOLDERS for p in sources(folder)]
    defined = {}
    for path in [p for p in files if p.endswith(".c")]:
        for name in DEFINED.findall(code(path)):
            defined.setdefault(name, set()).add(path)
    graph = {}
    for path in files:
        program = path.split("/")[0]
        mine = graph.setdefault(path, set())
        for name in includes(path, '"'):
            for where in program, "lib", "session":
                if (where, name) in paths:
                    mine.add(paths[where, name])
                    break
        if path.endswith(".h"):
            continue
        text = code(path)
        static = set(STATIC.findall(text))
        for name in set(re.findall(r"\b\w+\b", text)) - static:
            if len(defined.get(name, ())) == 1:
                mine |= defined[name]
    return {path: used - {path} for path, used in graph.items()}


def circles(graph):
    """Return the circles of a graph: sets of files in which each file uses each
    other file, directly or through other files. The algorithm is Tarjan's."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(graph.get(node, ())):
            if other not in index:
                visit(other)
            if other in stack:
                low[node] = min(low[node], low[other])
        if low[node] == index[node]:
            circle = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(circle) > 1:
                found.append(sorted(circle))

    sys.setrecursionlimit(10000)
    for node in sorted(graph):
        if node not in index:
            visit(node)
    return found


def test_no_circles():
    for circle in circles(uses()):
        yield "these use each other in a circle: " + ", ".join(circle)


def test_no_project_header_in_brackets():
    ours = set().union(*map(headers, FOLDERS))
    for folder in FOLDERS:
        for path in sources(folder):
            for name in includes(path, "<"):
                # A header of libc may have the same name as a header of Bridle.
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
    """Yield (line, text) of each part of a file between blank lines. Blank
    lines in comments do not count."""
    text = COMMENT.sub(lambda m: re.sub(r"\n[ \t]*(?=\n)", "\n ", m[0]), text)
    line = 1
    for piece in re.split(r"(\n[ \t]*\n)", text):
        if piece.strip():
            yield line + len(piece) - len(piece.lstrip("\n")), piece
        line += piece.count("\n")


def test_each_public_function_is_explained():
    """Test that each public function has a comment above the function or above
    its group."""
    found = 0
    for path in [p for folder in ("lib", "daemon", "session", "generator")
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
    """Print a warning for each long file. A long file is no failure, because a
    split does not always help the reader."""
    for folder in FOLDERS:
        for path in sources(folder):
            lines = read(path).count("\n")
            if lines >= LINES_MANY:
                print("# warning: %s has %d lines" % (path, lines))
    return ()


@contextlib.contextmanager
def planted(path, text):
    """During the block, check a copy of the sources in which this text is
    added to a file."""
    global SOURCE
    real = SOURCE
    with tempfile.TemporaryDirectory() as copy:
        for program in PROGRAMS:
            shutil.copytree(os.path.join(real, program),
                            os.path.join(copy, program),
                            ignore=lambda _, names: [
                                n for n in names if n.endswith(".o")])
        with open(os.path.join(copy, path), "a", encoding="utf-8") as file:
            file.write(text)
        SOURCE = copy
        try:
            yield
        finally:
            SOURCE = real


def must_find(problems, *words):
    """Yield a problem unless one of the given problems contains all these
    words."""
    problems = list(problems)
    if not any(all(w in p for w in words) for p in problems):
        yield "nothing was found of %s in %s" % (", ".join(words), problems)


def test_an_upward_include_is_found():
    with planted("ctl/util/message.c", '#include "remote/call.h"\n'):
        yield from must_find(test_includes_go_one_way(),
                             "ctl/util/message.c", "remote/call.h")
    with planted("lib/buf.c", '#include "config/settings.h"\n'):
        yield from must_find(test_includes_go_one_way(),
                             "lib/buf.c", "config/settings.h")


def test_a_circle_is_found():
    with planted("lib/buf.h", '#include "text.h"\n'):
        yield from must_find(test_no_circles(), "lib/buf.h", "lib/text.h")
    # text.c calls buf_addc(). If buf.c calls text.c, this is a circle.
    with planted("lib/buf.c", "void\nbuf_x(void)\n{\n\ttext_unsafe();\n}\n"):
        yield from must_find(test_no_circles(), "lib/buf.c", "lib/text.c")


if __name__ == "__main__":
    sys.exit(tap.run(globals()))
