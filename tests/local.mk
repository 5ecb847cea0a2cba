# Settings of "make check", and the tests of the sources. The local.mk of each
# subfolder lists its tests.
TEST_EXTENSIONS = .py .sh
TAP_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) \
	$(top_srcdir)/build-aux/tap-driver.sh
LOG_DRIVER = $(TAP_DRIVER)
PY_LOG_DRIVER = $(TAP_DRIVER)
PY_LOG_COMPILER = $(PYTHON3)
SH_LOG_DRIVER = $(TAP_DRIVER)
SH_LOG_COMPILER = $(SHELL)
AM_TESTS_ENVIRONMENT = \
	BRIDLE_BUILD='$(abs_top_builddir)'; export BRIDLE_BUILD; \
	BRIDLE_SOURCE='$(abs_top_srcdir)'; export BRIDLE_SOURCE; \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	ASAN_OPTIONS=$(BRIDLE_ASAN_OPTIONS); export ASAN_OPTIONS; \
	LSAN_OPTIONS=$(BRIDLE_LSAN_OPTIONS); export LSAN_OPTIONS; \
	BRIDLE_UNIT_WRAP='$(BRIDLE_UNIT_WRAP)'; export BRIDLE_UNIT_WRAP; \
	BRIDLE_WRAP='$(BRIDLE_WRAP)'; export BRIDLE_WRAP; \
	BRIDLE_PATIENCE='$(BRIDLE_PATIENCE)'; export BRIDLE_PATIENCE; \
	BRIDLE_FILTER='$(BRIDLE_FILTER)'; export BRIDLE_FILTER; \
	PYTHONDONTWRITEBYTECODE=1; export PYTHONDONTWRITEBYTECODE;
BRIDLE_PATIENCE = 60
BRIDLE_FILTER = $(with_filter)
BRIDLE_ASAN_OPTIONS = detect_stack_use_after_return=1:strict_string_checks=1
BRIDLE_LSAN_OPTIONS = suppressions=$(abs_srcdir)/tests/lsan.supp:print_suppressions=0


# The libraries of test programs that have no LDADD.
LDADD = libbridlectl.a libbridled.a libbridlesession.a libbridlegenerator.a libbridlediscover.a \
	libbridletls.a libbridle.a $(LIBCONFIG_LIBS) $(OPENSSL_LIBS) $(LIBCAPNG_LIBS) $(PCRE2_LIBS) \
	$(LIBSECCOMP_LIBS) $(SMARTCOLS_LIBS) $(CMOCKA_LIBS)

CHECKS = tests/fuzz/replay.sh tests/manual.sh tests/unit/test_english.py \
	tests/unit/test_layers.py
EXTRA_DIST += $(CHECKS) tests/unit/tap.py tests/lsan.supp tests/valgrind.supp
if WITH_TESTS
TESTS += $(CHECKS)
endif

# Run under valgrind: the unit tests, the corpora, and the daemon of the
# end-to-end tests, which use smaller numbers then. The sessions run without
# valgrind, because they are separate programs; fuzz_session covers their code.
VALGRIND_FLAGS = -q --error-exitcode=99 --child-silent-after-fork=no
VALGRIND_UNIT_FLAGS = $(VALGRIND_FLAGS) --leak-check=full \
	--suppressions=$(abs_srcdir)/tests/valgrind.supp
check-valgrind:
	$(MAKE) check BRIDLE_PATIENCE=120 BRIDLE_FILTER=no \
	  BRIDLE_UNIT_WRAP='$(VALGRIND) $(VALGRIND_UNIT_FLAGS)' \
	  BRIDLE_WRAP='$(VALGRIND) $(VALGRIND_FLAGS)'
.PHONY: check-valgrind
