# The programs of the sessions: bridled-session and bridled-session-tls.
if WITH_DAEMON
noinst_LIBRARIES += libbridlesession.a
libbridlesession_a_SOURCES = \
	session/context.h \
	session/filter.h \
	session/fork_server.h \
	session/handshake.c \
	session/handshake.h \
	session/heap.c \
	session/heap.h \
	session/input.c \
	session/input.h \
	session/linger.c \
	session/linger.h \
	session/liveness.c \
	session/liveness.h \
	session/privdrop.c \
	session/privdrop.h \
	session/relay.c \
	session/relay.h \
	session/session.c \
	session/session.h \
	session/session_io.c \
	session/session_io.h \
	session/stdin_relay.c \
	session/stdin_relay.h \
	session/streams.c \
	session/streams.h
if WITH_FILTER
libbridlesession_a_SOURCES += session/filter.c
else
libbridlesession_a_SOURCES += session/filter_none.c
endif
pkglibexec_PROGRAMS = bridled-session bridled-session-tls
# Link statically if possible: a fork then copies half as many mappings.
bridled_session_SOURCES = session/main.c session/context_plain.c
bridled_session_LDFLAGS = $(BRIDLE_SESSION_LDFLAGS)
bridled_session_LDADD = libbridlesession.a libbridle.a $(LIBSECCOMP_LIBS)
bridled_session_tls_SOURCES = session/main.c session/context_tls.c
bridled_session_tls_LDADD = libbridlesession.a libbridletls.a libbridle.a \
	$(OPENSSL_LIBS) $(LIBSECCOMP_LIBS)
endif
