/* base/crc32.h - the CRC-32 of IEEE 802.3 (as in gzip, PNG): finds accidents,
 * not attackers. */
#pragma once

#include <stddef.h>
#include <stdint.h>

uint32_t crc32_of(const void *bytes, size_t count);
