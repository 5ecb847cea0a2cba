# The program that systemd runs to learn which TCP sockets to open.
if WITH_DAEMON
noinst_LIBRARIES += libbridlegenerator.a
libbridlegenerator_a_SOURCES = \
	generator/listen_stream.c \
	generator/listen_stream.h
if WITH_SYSTEMD
systemdgeneratordir = $(prefix)/lib/systemd/system-generators
systemdgenerator_PROGRAMS = bridled-generator
bridled_generator_SOURCES = generator/main.c
bridled_generator_CPPFLAGS = $(AM_CPPFLAGS) \
	-DSYSTEMDUNITDIR='"$(systemdunitdir)"'
bridled_generator_LDADD = libbridlegenerator.a libbridle.a $(LIBCONFIG_LIBS)
endif
endif
