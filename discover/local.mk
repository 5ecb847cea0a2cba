# The program that searches the network by Avahi. bridlectl does not link Avahi.
noinst_LIBRARIES += libbridlediscover.a
libbridlediscover_a_SOURCES = \
	discover/printable.c \
	discover/printable.h
if WITH_AVAHI
discoverdir = $(pkglibexecdir)
discover_PROGRAMS = bridle-discover
bridle_discover_SOURCES = discover/main.c discover/search.c discover/search.h
bridle_discover_CFLAGS = $(AM_CFLAGS) $(AVAHI_CFLAGS)
bridle_discover_LDADD = libbridlediscover.a libbridle.a $(AVAHI_LIBS)
else
EXTRA_DIST += discover/main.c discover/search.c discover/search.h
endif
