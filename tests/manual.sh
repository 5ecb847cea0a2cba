#!/bin/sh
# Tests that mandoc has no warnings for the manual pages, and that the pages
# document each option of --help. Prints TAP.
man=${srcdir:-.}/man
build=${BRIDLE_BUILD:-.}
n=0
result() {
	n=$((n + 1))
	if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; fi
}
if command -v mandoc >/dev/null; then
	for page in "$man"/*.[1-8]; do
		out=$(mandoc -Tlint -W warning "$page" 2>&1)
		status=$?
		[ -z "$out" ] || echo "$out" | sed 's/^/# /'
		result $status "${page##*/} is clean"
	done
else
	n=$((n + 1))
	echo "ok $n - manual pages # SKIP because mandoc is not installed"
fi
# documented PAGE COMMAND...: test that PAGE has each option of COMMAND --help
documented() {
	page=$1
	shift
	status=0
	for option in $("$@" --help | grep -oE '(^|[ ,])--[a-z][a-z-]+' |
		tr -d ' ,' | sort -u); do
		grep -qE "(Fl|,) -${option#--}( |\$)" "$man/$page" && continue
		echo "# $page does not mention $option"
		status=1
	done
	result $status "$page has all options of $*"
}
documented bridled.8 "$build/bridled"
for command in '' chat config hosts list kill run reboot wait wake keygen say trust watch \
	fingerprint known-hosts admit revoke enrol discover; do
	# shellcheck disable=SC2086 # no command for the general help
	documented bridlectl.1 "$build/bridlectl" $command
done
echo "1..$n"
