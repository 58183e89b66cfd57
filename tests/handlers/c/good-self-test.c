/* expect: valid */
#include <pifleet/handler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static int test(struct pifleet_call *call)
{
        return access("/dev/null", 0) == 0 ? 0 : pifleet_fail(call, "no /dev/null");
}

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE_TESTED(test, PIFLEET_COMMAND("a", a, NULL))
