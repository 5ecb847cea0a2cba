"""A runner for tests. Each test yields its problems, and the runner prints the
results in TAP."""


def run(namespace):
    """Run each function test_* of the namespace. Print "ok" for a test that
    yields no problem. Return the exit status."""
    tests = [(name, test) for name, test in namespace.items()
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
