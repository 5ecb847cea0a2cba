# The helper of bridled that sends Wake-on-LAN packets. bridled.service has no
# network.
if WITH_DAEMON
wakedir = $(pkglibexecdir)
wake_PROGRAMS = bridled-wake
bridled_wake_SOURCES = wake/main.c wake/answer.c wake/answer.h
bridled_wake_LDADD = libbridle.a
endif
