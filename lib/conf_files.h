/*
 * A configuration file, and the files of a folder that add to it. The files of
 * the folder are read in the order of their names.
 */
#ifndef BRIDLE_CONF_FILES_H
#define BRIDLE_CONF_FILES_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>

#define CONF_FILES_MAX 1000 /* maximum number of files in the folder */

/* The paths and the texts of files. The texts have no NUL bytes. */
struct conf_files {
	size_t n;
	struct conf_file {
		char *name;
		char *text;
	} * v;
};

/*
 * Return the path of the folder "conf.d" beside the file `path`. The caller
 * frees the result. Return NULL if no memory is available.
 */
char *conf_files_folder(const char *path);

/*
 * Find the files of the folder whose names end in ".conf" and do not begin with
 * ".". Store the paths of these files in a new array at *paths, sorted by the
 * bytes of the file names. Store the number of paths in *n. A missing folder
 * has no files. Return 0, or -1 with an error line appended to `errors`. The
 * caller frees the array with conf_files_free_paths().
 */
int conf_files_list(
	const char *folder, char ***paths, size_t *n, struct buf *errors);

/* Free the result of conf_files_list(). `paths` may be NULL. */
void conf_files_free_paths(char **paths, size_t n);

/*
 * Read the file `path`, and then each file of the folder, with the checks of
 * conf_read(). The owner and the mode of the folder are checked in the same
 * way. All files together must not be larger than CONF_SIZE_MAX bytes. If
 * `folder` is NULL, read the file alone. Return 0, or -1 with error lines
 * appended to `errors`. After an error, the struct has only the files that
 * could be read. Call conf_files_free() in both cases.
 */
int conf_files_read(struct conf_files *, const char *path, const char *folder,
	struct buf *errors);

/* A file that is read instead of a file in the folder. */
struct conf_stand_in {
	/* path of a file in the folder; the file need not exist */
	const char *name;
	const char *path; /* path of the file that is read instead */
};

/*
 * Like conf_files_read(), but read the stand-in's file `path` instead of the
 * file `name` in the folder. The struct and most messages contain the path
 * `name`.
 */
int conf_files_read_with(struct conf_files *, const char *path,
	const char *folder, const struct conf_stand_in *, struct buf *errors);

/*
 * True if the path is in a folder "conf.d", and conf_files_list() would accept
 * the name of the file. The file need not exist.
 */
bool conf_files_is_drop_in(const char *path);

/*
 * Append copies of a path and a text. Return 0, or -1 if no memory is
 * available.
 */
int conf_files_add(struct conf_files *, const char *name, const char *text);

/* Append the files to `out`, in the form that conf_files_unpack() reads. */
void conf_files_pack(const struct conf_files *, struct buf *out);

/*
 * Read the output of conf_files_pack() into an empty struct. Return 0, or -1 if
 * the data has another form or no memory is available. Call conf_files_free()
 * in both cases.
 */
int conf_files_unpack(struct conf_files *, const char *data, size_t len);

/* Free the files, and make the struct empty. */
void conf_files_free(struct conf_files *);

#endif
