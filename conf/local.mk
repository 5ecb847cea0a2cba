# Files for /etc, for systemd and for the shells, and examples.
EXTRA_DIST += conf/bridle.spec conf/bridled.openrc conf/bridled.conf
if WITH_DAEMON
if WITH_SYSTEMD
systemdunit_DATA = conf/bridled.service conf/bridled-wake.service \
	conf/bridled-wake.socket conf/bridled.socket \
	conf/bridled-root.socket \
	conf/bridled-tcp@.socket
sysusersdir = $(prefix)/lib/sysusers.d
sysusers_DATA = conf/sysusers.d/bridle.conf
tmpfilesdir = $(prefix)/lib/tmpfiles.d
tmpfiles_DATA = conf/tmpfiles.d/bridle.conf
polkitrules_DATA = conf/bridle.rules
examplesdir = $(docdir)/examples
examples_DATA = \
	conf/examples/commands.conf \
	conf/examples/own-sockets.conf \
	conf/examples/plain-tcp.conf \
	conf/examples/wall.conf
CLEANFILES += conf/bridled.service conf/bridled-wake.service
conf/bridled.service: conf/bridled.service.in Makefile
	@$(MKDIR_P) conf
	$(AM_V_GEN)sed 's|@sbindir[@]|$(sbindir)|g' \
	  $(srcdir)/conf/bridled.service.in >$@
conf/bridled-wake.service: conf/bridled-wake.service.in Makefile
	@$(MKDIR_P) conf
	$(AM_V_GEN)sed 's|@pkglibexecdir[@]|$(pkglibexecdir)|g' \
	  $(srcdir)/conf/bridled-wake.service.in >$@
endif
EXTRA_DIST += conf/bridled-wake.service.in conf/bridled-wake.socket \
	conf/bridled.service.in conf/bridled.socket \
	conf/bridled-root.socket \
	conf/bridled-tcp@.socket conf/bridle.rules \
	conf/sysusers.d/bridle.conf conf/tmpfiles.d/bridle.conf \
	conf/examples/commands.conf conf/examples/own-sockets.conf \
	conf/examples/plain-tcp.conf conf/examples/wall.conf

# Keep the operator's bridled.conf; install the new file beside it.
confdir = $(DESTDIR)$(sysconfdir)/bridle
install-data-local:
	$(MKDIR_P) "$(confdir)/conf.d"
	@new=bridled.conf; \
	if test -f "$(confdir)/$$new" && \
	  ! cmp -s "$(srcdir)/conf/bridled.conf" "$(confdir)/$$new"; then \
	  new=bridled.conf.new; \
	  echo "$(confdir)/bridled.conf is kept; the new file is $$new"; \
	fi; \
	$(INSTALL_DATA) "$(srcdir)/conf/bridled.conf" "$(confdir)/$$new"
uninstall-local:
	@cmp -s "$(srcdir)/conf/bridled.conf" "$(confdir)/bridled.conf" && \
	  rm -f "$(confdir)/bridled.conf"; \
	rm -f "$(confdir)/bridled.conf.new"; \
	rmdir "$(confdir)/conf.d" 2>/dev/null; true
endif

if WITH_CLIENT
# A folder of its own, because client and daemon may be separate packages.
clientexamplesdir = $(docdir)-client/examples
dist_clientexamples_DATA = \
	conf/examples/bridlectl.conf \
	conf/examples/clustershell-groups

# The folders that the shells search.
bashcompletiondir = $(datadir)/bash-completion/completions
dist_bashcompletion_DATA = conf/completion/bridlectl
fishcompletiondir = $(datadir)/fish/vendor_completions.d
dist_fishcompletion_DATA = conf/completion/bridlectl.fish
zshcompletiondir = $(datadir)/zsh/site-functions
dist_zshcompletion_DATA = conf/completion/_bridlectl
endif
