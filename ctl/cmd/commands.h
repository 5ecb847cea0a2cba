/*
 * The commands of bridlectl. The file that implements a command also defines
 * the command. Help and completion use the same definitions.
 */
#ifndef BRIDLE_COMMANDS_H
#define BRIDLE_COMMANDS_H

#include "cli/command.h"
#include "cli/invocation.h"

extern const struct command cmd_list, cmd_kill, cmd_run, cmd_halt, cmd_poweroff,
	cmd_reboot, cmd_suspend, cmd_hibernate, cmd_cancel, cmd_ping, cmd_wait,
	cmd_wake, cmd_status, cmd_who, cmd_watch, cmd_chat, cmd_say, cmd_verbs,
	cmd_explain, cmd_hosts, cmd_keygen, cmd_fingerprint, cmd_trust,
	cmd_known_hosts, cmd_admit, cmd_revoke, cmd_enrol, cmd_config,
	cmd_discover, cmd_announce, cmd_help;

/* All commands in the order of the help. The array ends with NULL. */
extern const struct command *const commands[];

#endif
