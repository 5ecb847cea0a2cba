# libFuzzer targets; in other builds replay.c passes the corpora to them.
EXTRA_DIST += tests/fuzz/corpus
if WITH_TESTS
FUZZERS = \
	tests/fuzz/fuzz_client_conf \
	tests/fuzz/fuzz_hostlist \
	tests/fuzz/fuzz_known_hosts \
	tests/fuzz/fuzz_privsep \
	tests/fuzz/fuzz_reply \
	tests/fuzz/fuzz_request \
	tests/fuzz/fuzz_result \
	tests/fuzz/fuzz_session \
	tests/fuzz/fuzz_settings \
	tests/fuzz/fuzz_target
check_PROGRAMS += $(FUZZERS)
if !WITH_FUZZERS
REPLAY = tests/fuzz/replay.c
endif
FUZZ_LINK = $(AM_LDFLAGS) $(BRIDLE_FUZZ_LDFLAGS)
tests_fuzz_fuzz_result_SOURCES = tests/fuzz/fuzz_result.c $(REPLAY)
tests_fuzz_fuzz_result_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_privsep_SOURCES = tests/fuzz/fuzz_privsep.c $(REPLAY)
tests_fuzz_fuzz_privsep_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_client_conf_SOURCES = tests/fuzz/fuzz_client_conf.c $(REPLAY)
tests_fuzz_fuzz_client_conf_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_hostlist_SOURCES = tests/fuzz/fuzz_hostlist.c $(REPLAY)
tests_fuzz_fuzz_hostlist_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_known_hosts_SOURCES = tests/fuzz/fuzz_known_hosts.c $(REPLAY)
tests_fuzz_fuzz_known_hosts_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_reply_SOURCES = tests/fuzz/fuzz_reply.c $(REPLAY)
tests_fuzz_fuzz_reply_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_request_SOURCES = tests/fuzz/fuzz_request.c $(REPLAY)
tests_fuzz_fuzz_request_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_session_SOURCES = tests/fuzz/fuzz_session.c $(REPLAY)
tests_fuzz_fuzz_session_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_settings_SOURCES = tests/fuzz/fuzz_settings.c $(REPLAY)
tests_fuzz_fuzz_settings_LDFLAGS = $(FUZZ_LINK)
tests_fuzz_fuzz_target_SOURCES = tests/fuzz/fuzz_target.c $(REPLAY)
tests_fuzz_fuzz_target_LDFLAGS = $(FUZZ_LINK)
endif

# Run each target for FUZZ_SECONDS; new inputs go to fuzz-found/.
FUZZ_SECONDS = 60
fuzz: $(FUZZERS)
	for f in $(FUZZERS); do \
	  n=$${f##*/fuzz_}; mkdir -p fuzz-found/$$n || exit 1; \
	  echo "== $$n"; \
	  LSAN_OPTIONS=$(BRIDLE_LSAN_OPTIONS) \
	  ./$$f -max_total_time=$(FUZZ_SECONDS) -max_len=8192 \
	    -print_final_stats=1 fuzz-found/$$n \
	    $(srcdir)/tests/fuzz/corpus/$$n || exit 1; \
	done
