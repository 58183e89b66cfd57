/* Collects the tests that register themselves before main, and runs them. */
#include "support/test.h"

#include <stdio.h>
#include <stdlib.h>

enum { TESTS_MAX = 512 };

static struct CMUnitTest tests[TESTS_MAX];
static size_t tests_count;
static const char *needed;

void test_register(const char *name, CMUnitTestFunction function)
{
        if (tests_count == TESTS_MAX)
                abort();
        tests[tests_count++] = (struct CMUnitTest){.name = name, .test_func = function};
}

void test_need(const char *variable)
{
        needed = variable;
}

int main(void)
{
        /* cmocka's skip() is "not ok" in TAP before 1.1.6: a failure to who reads it. */
        if (needed && !getenv(needed)) {
                printf("1..0 # SKIP %s is not set\n", needed);
                return 0;
        }
        cmocka_set_message_output(CM_OUTPUT_TAP);
        return _cmocka_run_group_tests("tests", tests, tests_count, NULL, NULL);
}
