/* agent/gpio/line-holder.h - which process holds a line?
 *
 * Since Linux 6.2 the kernel tells of a line request's descriptor which chip and
 * lines it is for (/proc/PID/fdinfo/FD: `gpio-chip:`, `gpio-line:`). It shows that
 * to whom may trace the process: its user, or root. Reads files, no chip. */
#pragma once

#include <stdint.h>

/* `processes` is "/proc", `chip` a name like "gpiochip0". Every descriptor of every
 * process is looked at, for `max_ms` at most. -ENOENT: nobody we may look at, or an
 * older kernel, or the kernel itself; -ETIME: not all could be looked at; -errno:
 * `processes` cannot be read. */
int gpio_line_holder_find(const char *processes, const char *chip, unsigned offset, unsigned max_ms,
                          int64_t *ret_pid);
