"""Tests of the names of processes. Output for programs must have the exact
name. Output for people must contain nothing that controls a terminal."""

import contextlib
import json
import os
import re
import unicodedata

import bridle
from bridle import Daemon, Skip, Victim, decode, equal, unique_name
from procs import Stat, Terminal, encode, kills

# Names with bytes that control a terminal or change the look of a line. The
# last names are not UTF-8.
ACTIVE = [
    b"\x1b[31m", b"\x1b]0;owned\x07", b"\x08\x08", b"\r", b"\t", b"\n",
    b"\x0b\x0c", b"\x7f", b"\x01",
    *(chr(c).encode() for c in (
        0x80, 0x85, 0x90, 0x9b, 0x9f,                # C1 control characters,
        0x061c, 0x200e, 0x200f, 0x202a, 0x202b,      # marks of direction
        0x202c, 0x202d, 0x202e, 0x2066, 0x2067, 0x2068, 0x2069,
        0xad, 0x034f, 0x180e, 0x200b, 0x200c, 0x200d, 0x2060, 0xfeff,
        0x1bca0, 0xe0001, 0xe0041,                   # zero-width characters,
        0x2028, 0x2029)),                            # line separators
    b"\x9b31m", b"\xc3", b"\xe2\x80", b"\xed\xa0\x80", b"\xc0\x9b",
    b"\xf4\x90\x80\x80", b"\xff\xfe",
]


def unique(before=b"", after=b""):
    """Return a name that no other process has, with these bytes at its start
    and end."""
    return before + unique_name("").encode() + after


def short_names():
    """Return a dict of names by label. Each name has at most 15 bytes, so the
    name fits into `comm`."""
    return {
        "plain": unique(),
        "a space": unique(b"a b "),
        "spaces around": unique(b" ", b" "),
        "a hash": unique(b"#1#", b"#"),
        "a percent sign": unique(b"%", b"%41"),
        "a newline": unique(b"\n", b"\n1"),
        "an answer": unique(b"\n1#200"),
        "an escape sequence": unique(b"\x1b[31m"),
        "a carriage return": unique(b"a\rb"),
        "Chinese": unique("进程".encode()),
        "a leading dash": unique(b"-"),
        "two leading dashes": unique(b"--"),
        "an option": unique(b"-n"),
        "a parenthesis": unique(b") R 1"),
        "an equals sign": unique(b"only=", b"="),
        "a backslash": unique(b"\\n\\"),
        "quotes": unique(b"\"'`"),
        "a pattern": unique(b"*[?]"),
        "a slash": unique(b"/a/"),
        "invalid UTF-8": unique(b"\xff\x80"),
        "a cut character": unique(b"\xe8\xbf"),
        "a surrogate": unique(b"\xed\xa0\x80"),
        "a C1 control": unique(b"\x9b", "\x9b".encode()),
        "right to left": unique("\u202e".encode()),
    }


class Long:
    """A name of more than 15 bytes. `comm` has only the first 15 bytes of this
    name, and argv[0] has the whole name."""

    def __init__(self, name, folder=b"/opt/some where/"):
        self.name, self.argv0 = name, folder + name

    def victim(self):
        return Victim(self.name[:15], argv0=self.argv0)


def long_names():
    pad = b"x" * 15
    return {
        "long": unique(b"", b"-" + pad),
        "16 bytes": unique()[:14].ljust(16, b"y"),
        "long with a hash": unique(b"", b"#" + pad + b"#%\n "),
        "long Chinese": unique(b"", "很长的进程名字".encode()),
        "long and invalid": unique(b"", pad + b"\xff\xfe"),
        "as long as a file's may be": unique().ljust(255, b"%"),
        "all that is active": unique(b"", pad + b"".join(ACTIVE)),
    }


@contextlib.contextmanager
def zoo():
    """Start a victim for each name of short_names() and long_names(). Yield a
    list of (label, name, victim)."""
    with contextlib.ExitStack() as stack:
        animals = []
        for label, name in short_names().items():
            assert len(name) <= 15, (label, name)
            animals.append((label, name, stack.enter_context(Victim(name))))
        for label, name in long_names().items():
            assert 15 < len(name) <= 255, (label, name)
            v = stack.enter_context(Long(name).victim())
            animals.append((label, name, v))
        equal(len({name for _, name, _ in animals}), len(animals))
        yield animals


def rows_by_pid(answer):
    return {int(row["pid"]): row for row in answer.rows}


# -- tests of output for programs -------------------------------------------


def test_each_name_is_exact_on_the_wire():
    with Daemon() as d, zoo() as animals:
        answer = d.ask("1#2")
        equal(answer.code, 200)
        rows = rows_by_pid(answer)
        for label, name, v in animals:
            equal(rows[v.pid]["name"], name, label)
        for line in answer.lines:
            raw = line.encode("utf-8", "surrogateescape")
            assert len(raw) <= 16384, len(raw)
            assert all(c >= 0x20 and c != 0x7f for c in raw), raw
            assert not any(0x80 <= ord(c) < 0xa0 for c in raw.decode()), raw


def test_each_name_is_exact_in_json():
    with Daemon() as d, zoo() as animals:
        done = d.ctl("--json", "list")
        equal(done.returncode, 0)
        equal(done.stdout.count("\n"), 1, "one line a host")
        answer = json.loads(done.stdout)
        equal(answer["status"], 200)
        records = {r["pid"]: r for r in answer["records"]}
        for label, name, v in animals:
            check_json(label, name, records[v.pid])


def check_json(label, name, record):
    try:
        equal(record["name"], name.decode(), label)
        assert "name_encoded" not in record, label
    except UnicodeDecodeError:
        assert "\ufffd" in record["name"], label
        # The bytes of the name that are valid UTF-8 must be unchanged.
        equal([c for c in record["name"] if c != "\ufffd"],
              [c for c in name.decode("utf-8", "ignore")], label)
        equal(decode(record["name_encoded"]), name, label)


def test_each_name_is_exact_in_raw_output():
    with Daemon() as d, zoo() as animals:
        done = d.ctl("--raw", "list")
        equal(done.returncode, 0)
        found = {}
        for line in done.stdout.split("\n")[:-1]:
            fields = line.split("\t")
            equal(len(fields), 9, line)
            found[int(fields[0])] = decode(fields[7])
        for label, name, v in animals:
            equal(found[v.pid], name, label)


def test_what_an_argument_holds_is_exact_too():
    hostile = [b"a b", b"#%\n", b"\x1b[2J", "进程".encode(), b"\xff", b""]
    with Daemon() as d, Victim(args=hostile) as v:
        row = rows_by_pid(d.ask("1#2"))[v.pid]
        # The list cannot show an empty last argument, because it looks like the
        # end of the command line.
        equal(row["command"], b" ".join(
            [b"victim", b"--comm", v.comm] + hostile[:-1]))


# -- tests of kill by name --------------------------------------------------


@kills
def test_each_name_kills_its_own_through_the_raw_protocol():
    with Daemon() as d, zoo() as animals:
        for label, name, v in animals:
            answer = d.ask("1#3#%s#dry-run" % encode(name))
            equal([int(row["pid"]) for row in answer.rows], [v.pid], label)
        for label, name, v in animals:
            answer = d.ask("1#3#%s" % encode(name))
            equal(answer.code, 200, label)
            equal([(int(row["pid"]), row["name"]) for row in answer.rows],
                  [(v.pid, name)], label)
            equal(v.wait(), -15, label)


@kills
def test_each_name_kills_its_own_through_bridlectl():
    with Daemon() as d, zoo() as animals:
        for label, name, v in animals:
            done = d.ctl("--json", "kill", "-y", "--", os.fsdecode(name))
            equal(done.returncode, 0, label + done.stderr)
            record, = json.loads(done.stdout)["records"]
            equal((record["pid"], record["outcome"]),
                  (v.pid, "signalled"), label)
            check_json(label, name, record)
            equal(v.wait(), -15, label)


@kills
def test_what_need_not_be_encoded_may_stand_for_itself():
    """Users who type a request can type the bytes of these names as they
    are."""
    names = [unique("进程".encode()), unique(b"\xff"), unique(b"a b="),
             unique(b"-"), unique(b"\x7f"), unique(b"\xc2\x9b")]
    with Daemon() as d:
        for name in names:
            with Victim(name) as v:
                answer, = d.send(b"1#3#" + name + b"\n")
                equal(answer.code, 200, name)
                equal(v.wait(), -15, name)


@kills
def test_a_name_is_no_part_of_another():
    """`kill` must not match a part of a name, a name in another case, or a
    pattern."""
    name = unique(b"Ab")
    others = [name + b"x", b"x" + name, name[:-1], name.swapcase(),
              name + b" ", b"*" + name[1:]]
    long = unique(b"", b"-" + b"x" * 15)
    with Daemon() as d, contextlib.ExitStack() as stack:
        v = stack.enter_context(Victim(name))
        bystanders = [stack.enter_context(Victim(o)) for o in others]
        longer = stack.enter_context(Long(long + b"y").victim())
        cut = stack.enter_context(Victim(long[:15]))
        exact = stack.enter_context(Long(long).victim())
        equal(d.ask("1#3#" + encode(name)).text, "1 signalled")
        equal(v.wait(), -15)
        equal(d.ask("1#3#" + encode(name)).code, 404)
        equal(d.ask("1#3#" + encode(b"*" + name[2:])).code, 404)
        # The processes of `longer`, `cut` and `exact` have the same `comm`.
        equal(d.ask("1#3#" + encode(long)).text, "1 signalled")
        equal(exact.wait(), -15)
        equal(d.ask("1#3#" + encode(long[:15])).text, "1 signalled")
        equal(cut.wait(), -15)
        assert all(b.lives() for b in bystanders + [longer])


@kills
def test_argv_0_counts_only_where_it_extends_comm():
    short, long = unique(), unique(b"", b"x" * 15)
    tried = {
        "comm is not full": (short, short + b"-more", short),
        "another name": (long[:15], b"/bin/" + unique(), long[:15]),
        "the folder, not the base": (long[:15], long + b"/bash", long[:15]),
        "no more than comm": (long[:15], long[:15], long[:15]),
        "a slash at the end": (long[:15], long + b"/", long[:15]),
        "empty": (long[:15], b"", long[:15]),
        "longer than a file's name": (long[:15], long.ljust(256, b"x"),
                                      long[:15]),
        "a dash, as shells have": (long[:15], b"-" + long, long[:15]),
    }
    with Daemon() as d:
        for label, (comm, argv0, name) in tried.items():
            with Victim(comm, argv0=argv0) as v:
                row = rows_by_pid(d.ask("1#2"))[v.pid]
                equal(row["name"], name, label)
                answer = d.ask("1#3#" + encode(name))
                equal([int(r["pid"]) for r in answer.rows], [v.pid], label)
                equal(v.wait(), -15, label)


def test_a_name_too_long_for_a_record_spoils_no_list():
    """In the protocol, each byte of this name takes three bytes. The record
    would be too long, so the list shows `comm` instead of the name."""
    huge = unique().ljust(4096, b"%")
    with Daemon() as d, Victim(huge[:15], argv0=huge,
                               args=[b"%" * 4096]) as v:
        answer = d.ask("1#2")
        equal(answer.code, 200)
        assert max(len(line) for line in answer.lines) <= 16384
        row = rows_by_pid(answer)[v.pid]
        equal(row["name"], huge[:15])
        equal(row["command"], huge, "4096 bytes of it")
        equal(d.ctl("list").returncode, 0)
        equal(rows_by_pid(d.ask("1#3#%s#dry-run" % encode(huge[:15]))).keys(),
              {v.pid})


def kernel_threads():
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        with contextlib.suppress(OSError):
            stat = Stat(int(pid))
            # Workers of the kernel change their names, so they cannot be
            # compared.
            if stat.kernel and not stat.comm.startswith(b"kworker"):
                found[int(pid)] = stat.comm
    return found


def test_kernel_threads_have_their_whole_names():
    threads = kernel_threads()
    if not threads:
        raise Skip("because this machine shows no kernel threads")
    with Daemon() as d:
        rows = rows_by_pid(d.ask("1#2"))
        for pid, name in threads.items():
            equal(rows[pid]["name"], name)
            equal(rows[pid]["command"], b"[" + name + b"]")
            equal(rows[pid]["rss_kib"], b"0")


# -- tests of output for people ---------------------------------------------


def check_harmless(data, allowed="\n"):
    """Check that the output has no characters that control a terminal, except
    newlines and the pattern `allowed`."""
    # An exception here means that the output is not UTF-8.
    text = data.decode("utf-8")
    text = re.sub(r"\r\n|" + allowed, "\n", text)
    for c in text:
        assert c == "\n" or unicodedata.category(c) not in (
            "Cc", "Cf", "Zl", "Zp", "Cs"), (hex(ord(c)), data)
        assert not zero_width(c), (hex(ord(c)), data)


def zero_width(c):
    """True if Unicode calls this character ignorable, and the character is not
    in the category Cf."""
    return ord(c) in (0x034f, 0x115f, 0x1160, 0x17b4, 0x17b5, 0x3164, 0xffa0) \
        or 0x180b <= ord(c) <= 0x180f or 0xfe00 <= ord(c) <= 0xfe0f \
        or 0xe0000 <= ord(c) <= 0xe0fff


# escape sequences that colour a process which would be signalled
COLOURS = r"\x1b\[(?:0|1;33)m"


def show(d, *args, columns=4000, colours=False, status=0):
    """Run bridlectl on a terminal. Check the exit status, and check that the
    output is harmless. Return the output."""
    env = {} if colours else {"NO_COLOR": "1"}
    with Terminal("-H", "unix:" + d.sock, *args, columns=columns,
                  env=env) as t:
        equal(t.finish(), status, t.data)
        # With --raw, tabs separate the fields.
        check_harmless(t.data, "\t" if "--raw" in args else
                       COLOURS if colours else "\n")
        return t.data.decode()


def test_a_list_is_harmless_on_a_terminal():
    with Daemon() as d, zoo() as animals:
        for args in (["list"], ["--raw", "list"], ["--json", "list"],
                     ["list", "--tree"], ["list", "--sort", "name"],
                     ["--raw", "list", "--columns", "pid,name"]):
            shown = show(d, *args)
            for label, _, v in animals:
                assert "%d" % v.pid in shown, (args, label)
        show(d, "list", columns=40)
        show(d, "list", colours=True)


def test_each_process_takes_one_line():
    """A newline in the name of a process must not begin a new line."""
    with Daemon() as d, zoo() as animals:
        shown = show(d, "list", "--columns", "pid,name").splitlines()
        named = {line.split()[0]: line for line in shown}
        equal(len(named), len(shown), "a line of its own")
        harmless = set()
        for label, name, v in animals:
            line = named[str(v.pid)]
            with contextlib.suppress(UnicodeDecodeError):
                if name.decode().isprintable():
                    assert name.decode() in line, (label, line)
                    harmless.add(label)
        assert {"a space", "Chinese", "long Chinese"} <= harmless, harmless


def test_arguments_are_harmless_on_a_terminal():
    with Daemon() as d, Victim(args=ACTIVE) as v:
        for args in (["list", v.name], ["--raw", "list", v.name],
                     ["--json", "list", v.name]):
            assert str(v.pid) in show(d, *args)


@kills
def test_a_kill_is_harmless_on_a_terminal():
    """Check the preview, the question, and the message that no process has the
    name."""
    long = Long(unique(b"", b"x" * 15 + b"".join(ACTIVE)))
    name = os.fsdecode(long.name)
    with Daemon() as d, long.victim() as v:
        show(d, "kill", "-n", "--", name, colours=True)
        with Terminal("-H", "unix:" + d.sock, "kill", "--", name) as t:
            t.read_until(b"[y/N]")
            t.type(b"n\n")
            equal(t.finish(), 1)
            check_harmless(t.data, COLOURS)
        show(d, "kill", "-y", "--", name, colours=True)
        equal(v.wait(), -15)
        show(d, "kill", "-y", "--", name, status=1)


def test_a_refusal_that_names_it_is_harmless_on_a_terminal():
    clients = ('{ name = "me"; unix_user = "%d"; allow = ("*"); '
               'kill = { names = ("nobody"); }; }' % os.getuid())
    name = os.fsdecode(b"".join(ACTIVE))
    with Daemon(clients) as d:
        shown = show(d, "kill", "-y", "--", name, status=1)
        assert "may not kill" in shown, shown
        shown = show(d, "explain", "kill", "--", name, status=1)
        assert "may not kill" in shown, shown
        for line in d.whole_log().splitlines():
            check_harmless(line.encode("utf-8", "surrogateescape"))


if __name__ == "__main__":
    bridle.main(globals())
