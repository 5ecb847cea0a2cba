# The library of all programs; it depends on no program.
noinst_LIBRARIES += libbridle.a
libbridle_a_SOURCES = \
	lib/buf.c \
	lib/buf.h \
	lib/clock.c \
	lib/clock.h \
	lib/conf.c \
	lib/conf.h \
	lib/conf_files.c \
	lib/conf_files.h \
	lib/conf_values.c \
	lib/events.c \
	lib/events.h \
	lib/fd.c \
	lib/fd.h \
	lib/fingerprint.c \
	lib/install_path.c \
	lib/install_path.h \
	lib/magic_packet.c \
	lib/magic_packet.h \
	lib/neighbour.c \
	lib/neighbour.h \
	lib/net.c \
	lib/net.h \
	lib/privsep.c \
	lib/privsep.h \
	lib/privileges.c \
	lib/privileges.h \
	lib/request.c \
	lib/request.h \
	lib/request_strings.c \
	lib/stream.c \
	lib/stream.h \
	lib/text.c \
	lib/text.h \
	lib/tls.h \
	lib/tls_calls.h \
	lib/tls_load.c \
	lib/tls_stubs.c \
	lib/verbs.c \
	lib/verbs.h \
	lib/wake_route.c \
	lib/wake_route.h \
	lib/wire.c \
	lib/wire.h \
	lib/trusted_path.c \
	lib/trusted_path.h

# The sources that use OpenSSL: a module for bridled and bridlectl, a static
# library for bridled-session-tls and for the tests.
TLS_SOURCES = lib/tls.c lib/tls_keys.c lib/tls_openssl.h lib/tls_pkcs8.c
moduledir = $(pkglibdir)
module_PROGRAMS = bridle-tls.so
bridle_tls_so_SOURCES = $(TLS_SOURCES) lib/tls_module.c \
	lib/buf.c lib/clock.c lib/fd.c
bridle_tls_so_CFLAGS = $(AM_CFLAGS) -fPIC -fvisibility=hidden
bridle_tls_so_LDFLAGS = $(BRIDLE_MODULE_LDFLAGS) -shared
bridle_tls_so_LDADD = $(OPENSSL_LIBS)
EXTRA_LIBRARIES += libbridletls.a
CLEANFILES += libbridletls.a
libbridletls_a_SOURCES = $(TLS_SOURCES)
