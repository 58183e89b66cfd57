/* agent/gpio/test-failing-calloc.h - a calloc() that fails when a test wants it.
 *
 * Included once by a test that is linked with --wrap=calloc: the calls of the
 * code under test come here. */
#pragma once

#include <stddef.h>

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static unsigned failing_calloc_left;

/* The n-th call from now on fails, once; 0: none. */
static void failing_calloc_at(unsigned nth)
{
        failing_calloc_left = nth;
}

void *__wrap_calloc(size_t count, size_t size)
{
        if (failing_calloc_left > 0 && --failing_calloc_left == 0)
                return NULL;
        return __real_calloc(count, size);
}
