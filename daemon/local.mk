# bridled: all code except main() is in a library, so that the tests link the
# real objects.
if WITH_DAEMON
noinst_LIBRARIES += libbridled.a
libbridled_a_SOURCES = \
	daemon/action/action.c \
	daemon/action/action.h \
	daemon/action/action_kill.c \
	daemon/action/action_list.c \
	daemon/action/action_power.c \
	daemon/action/action_say.c \
	daemon/action/exec.c \
	daemon/action/exec.h \
	daemon/action/guard.c \
	daemon/action/guard.h \
	daemon/action/logind.c \
	daemon/action/logind.h \
	daemon/action/proc.c \
	daemon/action/proc.h \
	daemon/action/user_cache.c \
	daemon/action/user_cache.h \
	daemon/command_line.c \
	daemon/command_line.h \
	daemon/config/argv_template.c \
	daemon/config/argv_template.h \
	daemon/config/effective.c \
	daemon/config/effective.h \
	daemon/config/host_key.c \
	daemon/config/host_key.h \
	daemon/config/load_child.c \
	daemon/config/load_child.h \
	daemon/config/pattern.c \
	daemon/config/pattern.h \
	daemon/config/settings.c \
	daemon/config/settings.h \
	daemon/config/settings_args.c \
	daemon/config/settings_clients.c \
	daemon/config/settings_commands.c \
	daemon/config/settings_enums.c \
	daemon/config/settings_lists.c \
	daemon/config/settings_listen.c \
	daemon/config/settings_penalties.c \
	daemon/config/settings_regex.c \
	daemon/config/settings_schema.h \
	daemon/config/settings_types.c \
	daemon/core/admission.c \
	daemon/core/admission.h \
	daemon/core/loop.c \
	daemon/core/loop.h \
	daemon/core/poll_set.c \
	daemon/core/poll_set.h \
	daemon/core/reap.c \
	daemon/core/reap.h \
	daemon/core/refuse_all.c \
	daemon/core/refuse_all.h \
	daemon/core/reload_stop.c \
	daemon/core/reload_stop.h \
	daemon/core/resources.c \
	daemon/core/resources.h \
	daemon/events/event_history.c \
	daemon/events/event_history.h \
	daemon/events/event_publish.c \
	daemon/events/event_publish.h \
	daemon/net/group_lookup.c \
	daemon/net/group_lookup.h \
	daemon/net/hangup.c \
	daemon/net/hangup.h \
	daemon/net/listen_check.c \
	daemon/net/listen_check.h \
	daemon/net/listener.c \
	daemon/net/listener.h \
	daemon/net/peer.c \
	daemon/net/peer.h \
	daemon/net/penalty_table.c \
	daemon/net/penalty_table.h \
	daemon/net/polkit.c \
	daemon/net/polkit.h \
	daemon/net/reject.c \
	daemon/net/reject.h \
	daemon/net/sd_activation.c \
	daemon/net/sd_activation.h \
	daemon/net/sd_notify.c \
	daemon/net/sd_notify.h \
	daemon/net/waiting.c \
	daemon/net/waiting.h \
	daemon/policy/lockout_check.c \
	daemon/policy/lockout_check.h \
	daemon/policy/command_args.c \
	daemon/policy/command_args.h \
	daemon/policy/policy.c \
	daemon/policy/policy.h \
	daemon/pool/fork_client.c \
	daemon/pool/fork_client.h \
	daemon/pool/session_pool.c \
	daemon/pool/session_pool.h \
	daemon/request/dispatch.c \
	daemon/request/dispatch.h \
	daemon/request/handle.c \
	daemon/request/handle.h \
	daemon/request/penalize.c \
	daemon/request/penalize.h \
	daemon/request/request_log.c \
	daemon/request/request_log.h \
	daemon/request/request_rate.c \
	daemon/request/request_rate.h \
	daemon/request/run_queue.c \
	daemon/request/run_queue.h \
	daemon/request/sessions.c \
	daemon/request/sessions.h \
	daemon/request/exchange.c \
	daemon/request/exchange.h \
	daemon/request/state.h \
	daemon/request/status_tables.c \
	daemon/request/status_tables.h \
	daemon/request/subscribers.c \
	daemon/request/subscribers.h \
	daemon/request/verb_handlers.c \
	daemon/request/verb_handlers.h \
	daemon/service_user.c \
	daemon/service_user.h \
	daemon/start_check.c \
	daemon/start_check.h \
	daemon/sys/account.c \
	daemon/sys/account.h \
	daemon/sys/logger.c \
	daemon/sys/logger.h \
	daemon/sys/ratelimit.h \
	daemon/sys/sandbox.c \
	daemon/sys/sandbox.h
sbin_PROGRAMS += bridled
bridled_SOURCES = daemon/main.c
# These files are not linked; their paths are found by lib/install_path.h.
EXTRA_bridled_DEPENDENCIES = bridle-tls.so bridled-session bridled-session-tls
bridled_LDADD = libbridled.a libbridle.a $(DAEMON_LIBCONFIG_LIBS) \
	$(LIBCAPNG_LIBS) $(PCRE2_LIBS)
dist_man_MANS += man/bridled.8 man/bridled.conf.5
endif
EXTRA_DIST += daemon/README.md
