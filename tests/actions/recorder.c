/*
 * A replacement for shutdown(8) in tests. The program appends its arguments to
 * FILE, as one line.
 *
 *     recorder FILE [ARGUMENT]...
 */
#include <stdio.h>

int
main(int argc, char **argv)
{
	FILE *f;
	int i;

	if (argc < 2 || (f = fopen(argv[1], "a")) == NULL)
		return 1;
	for (i = 2; i < argc; i++)
		fprintf(f, "%s%s", i > 2 ? "|" : "", argv[i]);
	fputc('\n', f);
	return fclose(f) == 0 ? 0 : 1;
}
