/*
 * Parses the durations on the command line. No I/O.
 */
#ifndef BRIDLE_DURATION_H
#define BRIDLE_DURATION_H

/*
 * Parse a duration such as "10m", "2h", "90s" or "1d"; "10" means 10 minutes.
 * Return the number of minutes, rounded up. Return -1 if the text is invalid or
 * the duration exceeds a week.
 */
long duration_minutes(const char *);

#endif
