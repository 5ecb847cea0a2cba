/* Reads the keys of bridlectl.conf that the command `wake` uses. */
#include "conf.h"
#include "hosts/client_conf_parse.h"
#include "magic_packet.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>

static bool
check_broadcast(
	struct reading *r, const config_setting_t *group, const char *text)
{
	unsigned char bytes[sizeof(struct in6_addr)];

	if (text == NULL || inet_pton(AF_INET, text, bytes) == 1 ||
		inet_pton(AF_INET6, text, bytes) == 1)
		return true;
	conf_error(r->conf, reading_member(group, "broadcast"),
		"\"%s\" is not a numeric address; use the broadcast address of "
		"the host's network, such as 10.1.0.255, or ff02::1",
		text);
	return false;
}

static bool
check_interface(
	struct reading *r, const config_setting_t *group, const char *name)
{
	if (name == NULL || (*name != '\0' && strlen(name) < IF_NAMESIZE &&
				    strpbrk(name, "/ \t\n") == NULL))
		return true;
	conf_error(r->conf, reading_member(group, "wake_interface"),
		"\"%s\" is no name of an interface; 'ip link' shows the names",
		name);
	return false;
}

/* Report each key that makes no sense for a unix socket. */
static bool
check_transport(
	struct reading *r, const config_setting_t *group, enum target_kind kind)
{
	static const char *const keys[] = { "mac", "broadcast", "wake_port",
		"wake_interface" };
	bool good = true;
	size_t i;

	for (i = 0; kind == TARGET_UNIX && i < sizeof(keys) / sizeof(*keys);
		i++) {
		if (config_setting_get_member(group, keys[i]) == NULL)
			continue;
		conf_error(r->conf, reading_member(group, keys[i]),
			"is for other machines, but a unix socket is on this "
			"machine");
		good = false;
	}
	return good;
}

bool
reading_wake(
	struct reading *r, const config_setting_t *group, struct conf_entry *e)
{
	bool good = conf_string(
		r->conf, conf_member(group, "broadcast"), &e->broadcast);

	good &= conf_string(r->conf, conf_member(group, "wake_interface"),
		&e->wake_interface);
	good &= conf_number(r->conf, conf_member(group, "wake_port"), 1, 65535,
		&e->wake_port);
	return good && check_broadcast(r, group, e->broadcast) &&
	       check_interface(r, group, e->wake_interface) &&
	       check_transport(r, group, e->kind);
}

/*
 * Replace the MAC address by the same address in the form of mac_format().
 * Report an error and return false if the address is not valid.
 */
static bool
normalise(struct reading *r, const config_setting_t *at, char **text)
{
	unsigned char mac[MAC_SIZE];
	char *normal;

	if (!mac_parse(*text, mac)) {
		conf_error(r->conf, at,
			"\"%s\" is not the MAC address of a machine; use six "
			"bytes such as 52:54:00:12:34:56",
			*text);
		return false;
	}
	if ((normal = malloc(MAC_TEXT_SIZE)) == NULL)
		return reading_no_memory(r);
	mac_format(mac, normal);
	free(*text);
	*text = normal;
	return true;
}

bool
reading_macs(struct reading *r, const config_setting_t *group, size_t names,
	char ***macs)
{
	const config_setting_t *at = reading_member(group, "mac");
	size_t n = 0, i;

	if (!conf_strings(r->conf, conf_member(group, "mac"), macs, &n))
		return false;
	if (*macs == NULL)
		return true;
	if (n != names) {
		conf_error(r->conf, at,
			"has %zu MAC addresses, but the name stands for %zu "
			"hosts; write a list with one address for each host",
			n, names);
		return false;
	}
	for (i = 0; i < n; i++)
		if (!normalise(r, at, &(*macs)[i]))
			return false;
	return true;
}
