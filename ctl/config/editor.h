/*
 * Runs the user's text editor.
 */
#ifndef BRIDLE_EDITOR_H
#define BRIDLE_EDITOR_H

/*
 * Run the editor with the file, and wait until the editor ends. The editor is
 * the shell command in SUDO_EDITOR, VISUAL or EDITOR. If none of these
 * variables is set, the editor is editor, vi or nano. The editor receives ^C
 * even if this program ignores SIGINT. Return 0. If the editor failed or is
 * missing, print a message and return -1.
 */
int editor_run(const char *path);

#endif
