/* support/test.h - a test is a sentence, and registers itself.
 *
 *     TEST(an_empty_buffer_has_no_bytes)
 *     {
 *             CHECK_EQ(buffer_length(&b), 0);
 *     }
 *
 * cmocka runs them, each in its turn, and reports in TAP. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

void test_register(const char *name, CMUnitTestFunction function);
/* All tests of this program need what an environment variable names, and are
 * skipped without it. */
void test_need(const char *variable);

#define TESTS_NEED(variable)                                                                       \
        __attribute__((constructor)) static void tests_need(void)                                  \
        {                                                                                          \
                test_need(variable);                                                               \
        }                                                                                          \
        _Static_assert(sizeof(variable) > 1, "a name")

#define TEST(name)                                                                                 \
        static void name(void);                                                                    \
        static void name##_in_cmocka(void **state)                                                 \
        {                                                                                          \
                (void)state;                                                                       \
                name();                                                                            \
        }                                                                                          \
        __attribute__((constructor)) static void name##_register(void)                             \
        {                                                                                          \
                test_register(#name, name##_in_cmocka);                                            \
        }                                                                                          \
        static void name(void)

#define CHECK(condition) assert_true(condition)
#define CHECK_EQ(actual, expected) assert_int_equal(actual, expected)
#define CHECK_TEXT(actual, expected) assert_string_equal(actual, expected)
#define CHECK_NULL(pointer) assert_null(pointer)
#define FAIL(...) fail_msg(__VA_ARGS__)
