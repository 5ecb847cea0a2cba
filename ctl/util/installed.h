/*
 * Finds out if bridled is missing on this machine, or if bridled is installed
 * but does not work.
 */
#ifndef BRIDLE_INSTALLED_H
#define BRIDLE_INSTALLED_H

#include <stdbool.h>

#define INSTALLED_CONFIG SYSCONFDIR "/bridle/bridled.conf"

/* The end of a message about an action that only root is allowed to do. */
#define INSTALLED_AS_ROOT " (run this as root, for example with sudo)"

/* True if this machine has the program bridled or its configuration file. */
bool installed_bridled(void);

/*
 * Print why the configuration file of bridled cannot be used. The reason is in
 * errno. If bridled is not installed, and the file is the default file, print
 * this instead.
 */
void installed_explain(const char *file);

#endif
