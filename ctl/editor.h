/*
 * The operator's own editor.
 */
#ifndef BRIDLE_EDITOR_H
#define BRIDLE_EDITOR_H

/*
 * Edits the file with what SUDO_EDITOR, VISUAL or EDITOR say (a command for
 * the shell, the file is added to it), else with editor, vi or nano, and
 * waits for its end. Its signals are as usual, even if ours are ignored.
 * 0, or -1 after a message if it failed or there is none.
 */
int editor_run(const char *path);

#endif
