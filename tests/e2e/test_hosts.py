"""Tests of host lists with patterns, files and exclusions."""

import tempfile

import bridle
from bridle import Daemon, ctl, equal


def hosts(*args, **kwargs):
    """Run `bridlectl hosts`. Return the output as a list of words."""
    done = ctl("hosts", *args, **kwargs)
    equal((done.returncode, done.stderr), (0, ""))
    return done.stdout.split()


def refused(*args, part, **kwargs):
    done = ctl(*args, **kwargs)
    equal((done.returncode, done.stdout), (2, ""), done.stderr)
    assert part in done.stderr, done.stderr


def test_patterns_expand_in_their_order():
    equal(hosts("web1,node[08-10],plain:db[1-2]:70,a"),
          ["web1", "node08", "node09", "node10", "plain:db1:70",
           "plain:db2:70", "a"])
    equal(hosts("r[1-2]n[0-4/2]"),
          ["r1n0", "r1n2", "r1n4", "r2n0", "r2n2", "r2n4"])
    equal(hosts("[::1]:7075,n[1-2]:[7-8]"),
          ["[::1]:7075", "n1:7", "n1:8", "n2:7", "n2:8"])


def test_the_option_names_hosts_too():
    equal(hosts("-H", "n[1-2]"), ["n1", "n2"])
    refused("hosts", "-H", "n1", "n2", part="once")


def test_duplicates_count_where_they_were_named_first():
    equal(hosts("b,a,B,b:7075,b:7072,a"), ["b", "a", "b:7072"])


def test_a_dot_at_the_end_is_the_same_host():
    equal(hosts("a.b.,A.B,a.b.:7075,a.b:80,plain:a.b."),
          ["a.b.", "a.b:80", "plain:a.b."])
    equal(hosts("a.b:80,plain:a.b,c", "-x", "A.b."), ["c"])
    equal(hosts("a.b.:80,plain:a.b.,c", "-x", "a.b"), ["c"])
    equal(hosts("a.b.:70,a.b:80", "--format=pdsh"), ["a.b."])


def test_what_is_excluded_is_left_out_on_any_port():
    equal(hosts("n[1-5]", "-x", "n[2-3,9]"), ["n1", "n4", "n5"])
    equal(hosts("n1:8000,plain:N2,n3", "--exclude", "n1,n2"), ["n3"])
    equal(hosts("n1:8000,n1:8001", "-x", "n1:8000"), ["n1:8001"])
    equal(hosts("unix:/a,unix:/A", "-x", "unix:/a"), ["unix:/A"])
    refused("hosts", "n[1-2]", "-x", "n[1-9]", part="excludes all hosts")


def test_an_exclude_that_excludes_nothing():
    for words in (["kill", "x", "-y"], ["halt", "-y"], ["reboot", "-n"]):
        refused("-H", "plain:127.0.0.1:1,plain:127.0.0.2:1", "-x", "db9",
                *words, part="'db9' excludes none")
    done = ctl("hosts", "n[1-2]", "-x", "db9")
    equal((done.returncode, done.stdout), (0, "n1\nn2\n"))
    assert "'db9' excludes none of the hosts" in done.stderr


def test_an_exclude_of_which_a_part_excludes_nothing():
    two = "plain:127.0.0.1:1,plain:127.0.0.2:1"
    refused("-H", two, "-x", "127.0.0.1,db9", "halt", "-y",
            part="'db9' excludes none")
    done = ctl("hosts", "n[1-4]", "-x", "n1,db[8-9],n[3-9],web,N1")
    equal((done.returncode, done.stdout), (0, "n2\n"))
    assert "'db[8-9],web' excludes none of the hosts" in done.stderr
    done = ctl("hosts", "n1:8000,n2,n3", "-x", "n1,n[2-2],n2")
    equal((done.stdout, done.stderr), ("n3\n", ""))


def test_a_file_of_hosts():
    with tempfile.NamedTemporaryFile("w") as file:
        file.write("# all of them\n\n  n[1-2] # here\r\nweb1,n1\n\tlast")
        file.flush()
        equal(hosts("--hosts-file", file.name),
              ["n1", "n2", "web1", "last"])
        equal(hosts("first", "--hosts-file", file.name, "-x", "n2"),
              ["first", "n1", "web1", "last"])
        file.write("\nn[1-\n")
        file.flush()
        refused("hosts", "--hosts-file", file.name, part=file.name + ":6: ")


def test_a_file_of_hosts_from_standard_input():
    equal(hosts("--hosts-file", "-", stdin="n[1-2]\nn1\n"), ["n1", "n2"])
    refused("hosts", "--hosts-file", "-", stdin="# none\n",
            part="names no host")
    refused("hosts", "--hosts-file", "-", stdin="a\nb c\n", part="stdin:2: ")
    refused("hosts", "--hosts-file", "/nowhere", part="/nowhere: No such")


def test_count_and_fold():
    equal(hosts("n[01-32,40],web1,n01", "--count"), ["34"])
    equal(hosts("web1,n[01-31],n40,n32", "--fold"), ["web1,n[01-32,40]"])
    equal(hosts(*hosts("r[1-4]n[01-20]:7,[::1]", "--fold"), "--fold"),
          ["r[1-4]n[01-20]:7,[::1]"])


def test_other_tools_get_names_alone():
    some = "node[1-3]:70,plain:db,unix:/s,[::1]:7,node2:80"
    equal(hosts(some, "--format=nodeset"), ["node[1-3],db,[::1]"])
    equal(hosts(some, "--format", "pdsh"),
          ["node1", "node2", "node3", "db", "[::1]"])
    equal(hosts(some, "--format=ansible"),
          ["node1", "node2", "node3", "db", "::1"])
    for tool in ("nodeset", "pdsh"):
        first = hosts("[2001:DB8::5],[fe80::1%eth0]:7,b", "--format", tool)
        equal(hosts(",".join(first), "--format", tool), first)
    refused("hosts", "a", "--format=xml", part="ansible, macs, nodeset or pdsh")
    refused("hosts", "a", "--format=pdsh", "--json", part="cannot be combined")


def test_json_tells_how_each_is_reached():
    equal(ctl("hosts", "--json", "[::1]:70,plain:b,unix:/s").stdout,
          '{"host":"[::1]:70","transport":"tls","address":"::1","port":70}\n'
          '{"host":"plain:b","transport":"plain","address":"b","port":7074}\n'
          '{"host":"unix:/s","transport":"unix","address":"/s"}\n')


def test_mistakes_are_told_before_anything_is_sent():
    with Daemon() as d:
        here = "unix:" + d.sock
        for more, part in (("n[3-1]", "smaller"), ("n[1-3", "no matching"),
                           ("n[1-9999999]", "more than 1000000 hosts"),
                           ("n[1-999999],n[1-2]x", "more than 1000000"),
                           ("", "names no host"), ("a b", "is no host"),
                           ("web[a-c]", "is no range of numbers")):
            refused("-H", here + "," + more, "ping", part=part)
        equal(d.counter("requests"), 1)


def test_a_million_hosts_take_seconds():
    equal(hosts("n[1-1000000]", "-x", "n[2-999999]", "--fold"),
          ["n[1,1000000]"])


bridle.main(globals())
