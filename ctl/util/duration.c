#include "util/duration.h"

#include "request.h"

#include <stdlib.h>
#include <string.h>

long
duration_minutes(const char *s)
{
	static const struct {
		const char *unit;
		long seconds;
	} units[] = { { "", 60 }, { "s", 1 }, { "m", 60 }, { "h", 3600 },
		{ "d", 86400 } };
	const long most = REQUEST_MINUTES_MAX * 60L;
	size_t i, digits = strspn(s, "0123456789");
	long v;

	if (digits == 0 || digits > 6)
		return -1;
	v = strtol(s, NULL, 10);
	for (i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(s + digits, units[i].unit) == 0 &&
			v <= most / units[i].seconds)
			return (v * units[i].seconds + 59) / 60;
	return -1;
}
