/* fuzz/fuzz.h - a fuzz target is one function that strange bytes are given to.
 *
 * It must neither crash nor leak, and what it MUST hold, holds. fuzz/replay.c
 * gives it the files of its corpus in every test run; libFuzzer, built with
 * -Dfuzzers=true, looks for more. A new target is fuzz-NAME.c, a folder
 * corpus/NAME with a few small inputs named by what they show, and a line in
 * meson.build. */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* libFuzzer's entry. Always returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t count);

#define MUST(condition)                                                                            \
        do {                                                                                       \
                if (!(condition)) {                                                                \
                        fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,          \
                                #condition);                                                       \
                        abort();                                                                   \
                }                                                                                  \
        } while (0)
