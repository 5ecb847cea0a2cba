# Programs that tests kill or run, or that misbehave.
if WITH_TESTS
check_PROGRAMS += tests/actions/churn \
	tests/actions/hostile \
	tests/actions/misbehave \
	tests/actions/recorder \
	tests/actions/reveal \
	tests/actions/victim
# A replacement for bridled-session and bridled-session-tls.
tests_actions_hostile_SOURCES = session/main.c tests/actions/hostile.c
tests_actions_hostile_LDADD = $(bridled_session_LDADD)
# Build the programs below without sanitizers: tests start them by the hundred,
# sanitizers make the start twenty times slower, and they contain no code of
# Bridle.
tests_actions_churn_CFLAGS = $(NO_SANITIZERS)
tests_actions_churn_LDADD =
tests_actions_misbehave_CFLAGS = $(NO_SANITIZERS)
tests_actions_misbehave_LDADD =
tests_actions_recorder_CFLAGS = $(NO_SANITIZERS)
tests_actions_recorder_LDADD =
tests_actions_reveal_CFLAGS = $(NO_SANITIZERS)
tests_actions_reveal_LDADD =
tests_actions_victim_CFLAGS = $(NO_SANITIZERS)
tests_actions_victim_LDADD =
NO_SANITIZERS = $(AM_CFLAGS) -fno-sanitize=all
endif
