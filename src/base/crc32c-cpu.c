#include "base/crc32c-cpu.h"

#include <string.h>

#if defined(__x86_64__)

#include <nmmintrin.h>
#define WITH_SUMS __attribute__((target("sse4.2")))
#define SUM_OF_8(sum, bytes) ((uint32_t)_mm_crc32_u64((sum), (bytes)))
#define SUM_OF_1(sum, byte) _mm_crc32_u8((sum), (byte))

bool crc32c_cpu_is_able(void)
{
        return __builtin_cpu_supports("sse4.2");
}

#elif defined(__aarch64__) && defined(__AARCH64EL__)

#include <arm_acle.h>
#include <sys/auxv.h>
#define WITH_SUMS __attribute__((target("+crc")))
#define SUM_OF_8(sum, bytes) __crc32cd((sum), (bytes))
#define SUM_OF_1(sum, byte) __crc32cb((sum), (byte))

bool crc32c_cpu_is_able(void)
{
        return getauxval(AT_HWCAP) & HWCAP_CRC32;
}

#endif

#ifdef WITH_SUMS

WITH_SUMS uint32_t crc32c_cpu_extend(uint32_t sum, const void *bytes, size_t count)
{
        const unsigned char *byte = bytes;

        sum = ~sum;
        for (; count >= 8; count -= 8, byte += 8) {
                uint64_t eight;

                memcpy(&eight, byte, sizeof(eight));
                sum = SUM_OF_8(sum, eight);
        }
        for (; count > 0; count--)
                sum = SUM_OF_1(sum, *byte++);
        return ~sum;
}

#else

bool crc32c_cpu_is_able(void)
{
        return false;
}

uint32_t crc32c_cpu_extend(uint32_t sum, const void *bytes, size_t count)
{
        return crc32c_table_extend(sum, bytes, count);
}

#endif
