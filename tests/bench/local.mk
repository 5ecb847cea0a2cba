EXTRA_DIST += tests/bench/cold.py tests/bench/connections.py \
	tests/bench/fanout.py tests/bench/flood.py tests/bench/long.py tests/bench/memory.py tests/bench/report.py \
	tests/bench/run.py tests/bench/servers.py tests/bench/shared.py \
	tests/bench/slow.py tests/bench/README.md
# Programs for measurements, not tests: see tests/bench/README.md
EXTRA_PROGRAMS = tests/bench/connect tests/bench/echod tests/bench/fan
tests_bench_echod_SOURCES = tests/bench/echod.c
tests_bench_echod_LDADD = $(OPENSSL_LIBS)
tests_bench_connect_SOURCES = tests/bench/connect.c
tests_bench_connect_LDADD = libbridletls.a libbridle.a $(OPENSSL_LIBS)
tests_bench_fan_SOURCES = tests/bench/fan.c
tests_bench_fan_LDADD = libbridletls.a libbridle.a $(OPENSSL_LIBS)
bench: all $(EXTRA_PROGRAMS)
	BRIDLE_BUILD='$(abs_top_builddir)' $(PYTHON3) \
	  $(srcdir)/tests/bench/run.py $(BENCH_FLAGS)
CLEANFILES += $(EXTRA_PROGRAMS)
.PHONY: bench
