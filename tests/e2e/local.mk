# End-to-end tests: the real programs over real sockets.
EXTRA_DIST += $(E2E) $(FOREIGN) $(E2E_SHARED)
# Tests of foreign programs; `make check FOREIGN=` leaves these tests out.
FOREIGN = \
	tests/e2e/test_clush_pdsh.py \
	tests/e2e/test_complete_shells.py \
	tests/e2e/test_enrol.py \
	tests/e2e/test_discover.py \
	tests/e2e/test_monitoring.py
E2E_SHARED = tests/e2e/bridle.py tests/e2e/crowd.py tests/e2e/devlog.py tests/e2e/etc_files.py \
	tests/e2e/herd.py \
	tests/e2e/homes.py tests/e2e/lan.py tests/e2e/peers.py tests/e2e/procs.py \
	tests/e2e/runs.py tests/e2e/sshlab.py tests/e2e/watchers.py
# The longest come first, so that no test file runs alone at the end.
E2E = \
	tests/e2e/test_load.py \
	tests/e2e/test_multitude.py \
	tests/e2e/test_kill.py \
	tests/e2e/test_hosts.py \
	tests/e2e/test_many_faults.py \
	tests/e2e/test_lifecycle.py \
	tests/e2e/test_faults.py \
	tests/e2e/test_identity.py \
	tests/e2e/test_abuse.py \
	tests/e2e/test_admit.py \
	tests/e2e/test_actions.py \
	tests/e2e/test_await.py \
	tests/e2e/test_bytes.py \
	tests/e2e/test_chat.py \
	tests/e2e/test_complete.py \
	tests/e2e/test_conf_folder.py \
	tests/e2e/test_config_apply.py \
	tests/e2e/test_config_edit.py \
	tests/e2e/test_cut_short.py \
	tests/e2e/test_denials.py \
	tests/e2e/test_halt.py \
	tests/e2e/test_halt_logind.py \
	tests/e2e/test_hostile.py \
	tests/e2e/test_hosts_conf.py \
	tests/e2e/test_list.py \
	tests/e2e/test_log.py \
	tests/e2e/test_manager.py \
	tests/e2e/test_many.py \
	tests/e2e/test_names.py \
	tests/e2e/test_queue.py \
	tests/e2e/test_raw.py \
	tests/e2e/test_refresh.py \
	tests/e2e/test_reload_config.py \
	tests/e2e/test_root_socket.py \
	tests/e2e/test_run.py \
	tests/e2e/test_run_ctl.py \
	tests/e2e/test_say.py \
	tests/e2e/test_sources.py \
	tests/e2e/test_spares.py \
	tests/e2e/test_stages.py \
	tests/e2e/test_tls.py \
	tests/e2e/test_tls_client.py \
	tests/e2e/test_trust.py \
	tests/e2e/test_wake.py \
	tests/e2e/test_wake_relay.py \
	tests/e2e/test_watch.py \
	tests/e2e/test_watch_lost.py \
	tests/e2e/test_until.py \
	tests/e2e/test_watch_tool.py \
	tests/e2e/test_who.py
if WITH_TESTS
if WITH_E2E
TESTS += $(FOREIGN) $(E2E)
endif
endif
