# Tests of the packages on a booted machine, see tests/system/machine.py.
SYSTEM = tests/system/test_machine.py
EXTRA_DIST += $(SYSTEM) tests/system/machine.py
check-system: deb
	$(MAKE) check BRIDLE_DEBS='$(abs_top_builddir)/deb' TESTS='$(SYSTEM)'
.PHONY: check-system
