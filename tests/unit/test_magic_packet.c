/* Tests of MAC addresses and of the packet of Wake-on-LAN. */
#include "magic_packet.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void
test_both_forms_of_an_address_are_read(void **state)
{
	static const unsigned char wanted[MAC_SIZE] = { 0x52, 0x54, 0, 0xab,
		0xCD, 0xef };
	unsigned char mac[MAC_SIZE];
	char text[MAC_TEXT_SIZE];

	(void)state;
	assert_true(mac_parse("52:54:00:ab:CD:ef", mac));
	assert_memory_equal(mac, wanted, MAC_SIZE);
	assert_true(mac_parse("52-54-00-AB-cd-EF", mac));
	assert_memory_equal(mac, wanted, MAC_SIZE);
	mac_format(mac, text);
	assert_string_equal(text, "52:54:00:ab:cd:ef");
}

static void
test_other_texts_are_refused(void **state)
{
	static const char *const bad[] = { "", "52:54:00:ab:cd",
		"52:54:00:ab:cd:ef:", "52:54:00:ab:cd:ef:01",
		"52:54:00:ab:cd-ef", "525400abcdef", "52:54:00:ab:cd:e",
		"52:54:00:ab:cd:eg", "52.54.00.ab.cd.ef", " 2:54:00:ab:cd:ef",
		"00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "01:00:5e:00:00:01" };
	unsigned char mac[MAC_SIZE];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (mac_parse(bad[i], mac))
			fail_msg("\"%s\" was read", bad[i]);
}

static void
test_the_packet_has_the_address_sixteen_times(void **state)
{
	unsigned char mac[MAC_SIZE], packet[MAGIC_PACKET_SIZE];
	int i;

	(void)state;
	assert_true(mac_parse("52:54:00:ab:cd:ef", mac));
	magic_packet_fill(packet, mac);
	assert_int_equal(sizeof(packet), 102);
	for (i = 0; i < MAC_SIZE; i++)
		assert_int_equal(packet[i], 0xff);
	for (i = 1; i <= 16; i++)
		assert_memory_equal(packet + i * MAC_SIZE, mac, MAC_SIZE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_both_forms_of_an_address_are_read),
		cmocka_unit_test(test_other_texts_are_refused),
		cmocka_unit_test(test_the_packet_has_the_address_sixteen_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
