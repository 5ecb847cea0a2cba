/*
 * The files that a program needs beside itself: its module, its helpers.
 */
#ifndef BRIDLE_COMPANION_H
#define BRIDLE_COMPANION_H

#include <limits.h>

/*
 * The path of that file: beside the program, where both were built, of the
 * same build and as trustworthy as the program itself; else in the folder
 * where it is installed. Whether it is there, who opens it will see.
 */
void companion_path(
	char path[PATH_MAX], const char *name, const char *installed);

#endif
