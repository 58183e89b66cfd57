/* base/write-all.h - write(2) until everything is written. */
#pragma once

#include <stddef.h>

/* Blocking descriptors. Goes on after a signal and after a short write. -errno of
 * the write that failed; how much was written before it is not told. */
int write_all(int fd, const void *bytes, size_t count);
