/* support/allocation.h - what happens when there is no memory?
 *
 * The linker sends the allocations of the code under test and of the test
 * through here (--wrap; see test_allocation in src/base/meson.build, which a
 * room adds to the dependencies of its test), and one of them fails:
 *
 *     size_t n = 0;
 *     do {
 *             allocation_fail_at(++n);
 *             r = thing_new(&thing);
 *             failed = allocation_end();
 *             CHECK_EQ(r, failed ? -ENOMEM : 0);
 *             thing = thing_free(thing);
 *     } while (failed);
 *
 * so that the loop ends once the n-th allocation was not reached. The leak
 * sanitizer sees what a failure forgot. Only the thread that asked is hit.
 * Shared libraries allocate for themselves; those with hooks can be led here:
 * cJSON_InitHooks(&(cJSON_Hooks){malloc, free}),
 * uv_replace_allocator(malloc, realloc, calloc, free). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* The n-th allocation from here on fails, counted from 1. */
void allocation_fail_at(size_t n);
/* The n-th and all after it, as when memory is really out. */
void allocation_fail_from(size_t n);
/* Ends it; true: the n-th was reached, and failed. */
bool allocation_end(void);
