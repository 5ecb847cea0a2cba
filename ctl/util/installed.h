/*
 * Tells a machine without bridled from a machine where bridled does not work.
 */
#ifndef BRIDLE_INSTALLED_H
#define BRIDLE_INSTALLED_H

#include <stdbool.h>

#define INSTALLED_CONFIG SYSCONFDIR "/bridle/bridled.conf"

/* End of a message, for a user who may not do what only root may do. */
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
