/* base/crc32c-cpu.h - the sum of crc32c.h by the processor's own instruction, if it has one:
 * SSE 4.2 of x86-64, the CRC extension of ARMv8-A in 64-bit mode. Several bytes a cycle, and no
 * tables that push other things out of the cache. Inside of base/ only. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool crc32c_cpu_is_able(void);
/* As crc32c_extend(); only if it is able. */
uint32_t crc32c_cpu_extend(uint32_t sum, const void *bytes, size_t count);

/* As crc32c_extend(), on any processor. */
uint32_t crc32c_table_extend(uint32_t sum, const void *bytes, size_t count);
