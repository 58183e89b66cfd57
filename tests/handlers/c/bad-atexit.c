/* expect: security exit-hook 0 */
#include <pifleet/handler.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
static void f(void)
{
}

static int a(struct pifleet_call *call)
{
        (void)call;
        return atexit(f);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
