/*
 * Passes files to a fuzz target, so that the corpora are tests in the normal
 * build too. Each argument is a file, or a folder with files. If the target
 * finds a bug, the program aborts, as with libFuzzer. Prints TAP.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static unsigned replayed;

static void __attribute__((noreturn)) give_up(const char *path)
{
	perror(path);
	exit(1);
}

static void
replay_file(const char *path, size_t size)
{
	FILE *in = fopen(path, "re");
	/*
	 * Allocate the exact size, so that ASan detects a read beyond the end.
	 */
	uint8_t *data = malloc(size > 0 ? size : 1);

	if (in == NULL || data == NULL)
		give_up(path);
	if (fread(data, 1, size, in) != size || fgetc(in) != EOF)
		give_up(path);
	fclose(in);
	printf("# %s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	replayed++;
}

static void replay(const char *path);

static void
replay_folder(const char *path)
{
	struct dirent **entries;
	char *inner;
	int n = scandir(path, &entries, NULL, alphasort), i;

	if (n == -1)
		give_up(path);
	for (i = 0; i < n; i++) {
		if (*entries[i]->d_name != '.') {
			if (asprintf(&inner, "%s/%s", path,
				    entries[i]->d_name) == -1)
				give_up(path);
			replay(inner);
			free(inner);
		}
		free(entries[i]);
	}
	free(entries);
}

static void
replay(const char *path)
{
	struct stat st;

	if (stat(path, &st) != 0)
		give_up(path);
	if (S_ISDIR(st.st_mode))
		replay_folder(path);
	else
		replay_file(path, (size_t)st.st_size);
}

int
main(int argc, char **argv)
{
	const char *name = strrchr(argv[0], '/');
	int i;

	for (i = 1; i < argc; i++)
		replay(argv[i]);
	/* Fail if no file was passed, because the corpus is missing. */
	printf("%sok 1 - %s: %u files\n1..1\n", replayed > 0 ? "" : "not ",
		name != NULL ? name + 1 : argv[0], replayed);
	return replayed > 0 ? 0 : 1;
}
