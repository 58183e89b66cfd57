/* agent/gpio/fake-kernel-internal.h - what the files of the played kernel know of one
 * another: fake-kernel.c (descriptors, system calls, the test's side) and fake-lines.c
 * (lines and the requests that hold them). 0 or -errno, as the kernel says it. */
#pragma once

#include "agent/gpio/fake-kernel.h"

/* fake-kernel.c */

/* A descriptor of a chip, of a request, or of something else. -EMFILE: too many. */
int fake_add_file(struct fake_kernel *kernel, struct fake_chip *chip, struct fake_request *request);
void fake_file_signal(const struct fake_file *file, bool readable);
/* All duplicates of a request become readable. */
void fake_request_signal(struct fake_kernel *kernel, const struct fake_request *request,
                         bool readable);

/* fake-lines.c */

bool fake_all_zero(const void *bytes, size_t count);
void fake_line_info(const struct fake_chip *chip, uint32_t offset, struct gpio_v2_line_info *ret);
/* Who watches hears of it, unless nobody read for too long; `type`: GPIO_V2_LINE_CHANGED_*. */
void fake_line_changed(struct fake_kernel *kernel, struct fake_chip *chip, uint32_t offset,
                       uint32_t type);
/* Something that decides its level has changed. */
void fake_line_settle(struct fake_kernel *kernel, struct fake_chip *chip, uint32_t offset);
void fake_line_release(struct fake_kernel *kernel, struct fake_chip *chip, uint32_t offset);
/* The ioctls. */
int fake_request_take(struct fake_kernel *kernel, struct fake_chip *chip,
                      struct gpio_v2_line_request *asked);
int fake_request_get(const struct fake_request *request, struct gpio_v2_line_values *asked);
int fake_request_set(struct fake_kernel *kernel, struct fake_request *request,
                     const struct gpio_v2_line_values *asked);
int fake_request_configure(struct fake_kernel *kernel, struct fake_request *request,
                           const struct gpio_v2_line_config *config);
/* Its first lines, so many. */
void fake_request_release(struct fake_kernel *kernel, struct fake_request *request, uint32_t lines);
