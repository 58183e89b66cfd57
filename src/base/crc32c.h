/* base/crc32c.h - the CRC-32C of RFC 3720, 12.1 (Castagnoli's polynomial): finds accidents,
 * not attackers. By the processor's own instruction where it has one, else by tables, a byte a
 * cycle: for much data; crc32.h is for little. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* Goes on with a sum; 0 begins one. */
uint32_t crc32c_extend(uint32_t sum, const void *bytes, size_t count);
