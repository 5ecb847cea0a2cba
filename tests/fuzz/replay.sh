#!/bin/sh
# Runs each fuzz target with its corpus, in the normal build. Prints TAP.
here=${srcdir:-.}/tests/fuzz
n=0
for target in ${BRIDLE_BUILD:-.}/tests/fuzz/fuzz_*; do
	case $target in *.o | *.c) continue ;; esac
	[ -x "$target" ] || continue
	n=$((n + 1))
	name=${target##*/fuzz_}
	if out=$($BRIDLE_UNIT_WRAP "$target" "$here/corpus/$name"/* 2>&1); then
		echo "ok $n - $name"
	else
		echo "$out" | sed 's/^/# /'
		echo "not ok $n - $name"
	fi
done
echo "1..$n"
