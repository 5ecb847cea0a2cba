#include "config/settings_schema.h"

#define DAY 86400
#define LINES_MAX 10000
#define SOURCES_MIN 16
/*
 * maximum number of sources, because evict() in penalty_table.c reads each
 * source
 */
#define SOURCES_MAX 16384

#define PENALTY(field, label, kind, ...) \
	KEY(struct settings, penalties.field, label, kind, ##__VA_ARGS__)
#define NUMBER(field, low, high) \
	PENALTY(field, #field, number, .min = low, .max = high)
#define COST(cause, label) \
	PENALTY(seconds[PENALTY_##cause], label, number, .max = DAY)

static const struct key exempt_keys[] = {
	PENALTY(exempt_users, "users", users),
	PENALTY(exempt_from, "from", networks),
	{ .name = NULL },
};

const struct key settings_penalty_keys[] = {
	PENALTY(enabled, "enabled", switch),
	NUMBER(min_seconds, 1, DAY),
	NUMBER(max_seconds, 1, DAY),
	COST(MALFORMED, "malformed"),
	COST(UNKNOWN, "unknown"),
	COST(UNKNOWN_KEY, "unknown_key"),
	COST(HANDSHAKE, "handshake"),
	COST(TIMEOUT, "timeout"),
	COST(CRASH, "crash"),
	NUMBER(sources, SOURCES_MIN, SOURCES_MAX),
	NUMBER(log_lines, 1, LINES_MAX),
	NUMBER(log_seconds, 1, DAY),
	WHOLE_KEY("exempt", group, .keys = exempt_keys),
	{ .name = NULL },
};

void
settings_check_penalties(struct reader *r)
{
	const struct settings_penalties *p = &r->settings->penalties;
	const config_setting_t *at =
		config_lookup(&r->conf->config, "penalties");

	if (p->max_seconds < p->min_seconds)
		conf_error(r->conf, at,
			"max_seconds (%u) is below min_seconds (%u): no source "
			"would ever be blocked",
			p->max_seconds, p->min_seconds);
}
