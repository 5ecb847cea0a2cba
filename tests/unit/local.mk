# cmocka tests of the real objects; each program has one file of its name.
EXTRA_DIST += tests/unit/run.sh tests/unit/settings-bad
LOG_COMPILER = $(SHELL) $(srcdir)/tests/unit/run.sh
if WITH_TESTS
UNITS = \
	tests/unit/test_admit \
	tests/unit/test_argv_template \
	tests/unit/test_batch \
	tests/unit/test_buf \
	tests/unit/test_client_conf \
	tests/unit/test_client_conf_edit \
	tests/unit/test_conf \
	tests/unit/test_conf_files \
	tests/unit/test_discovered \
	tests/unit/test_event_history \
	tests/unit/test_hostlist \
	tests/unit/test_json \
	tests/unit/test_known_hosts \
	tests/unit/test_listen_stream \
	tests/unit/test_load_child \
	tests/unit/test_local_host \
	tests/unit/test_logind \
	tests/unit/test_magic_packet \
	tests/unit/test_net \
	tests/unit/test_pattern \
	tests/unit/test_peer \
	tests/unit/test_penalty_table \
	tests/unit/test_policy \
	tests/unit/test_poll_set \
	tests/unit/test_privsep \
	tests/unit/test_proc \
	tests/unit/test_reject \
	tests/unit/test_relay \
	tests/unit/test_reply \
	tests/unit/test_request \
	tests/unit/test_request_rate \
	tests/unit/test_result \
	tests/unit/test_sandbox \
	tests/unit/test_service_state \
	tests/unit/test_settings \
	tests/unit/test_stdin_relay \
	tests/unit/test_target \
	tests/unit/test_text \
	tests/unit/test_tls \
	tests/unit/test_user_cache \
	tests/unit/test_wait_host \
	tests/unit/test_wire \
	tests/unit/test_worker_set
tests_unit_test_wait_host_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=clock_boot_ms \
	-Wl,--wrap=clock_ms -Wl,--wrap=poll -Wl,--wrap=call_ask
check_PROGRAMS += $(UNITS)
TESTS += $(UNITS)
endif
