/* expect: security directive 0 */
#include <pifleet/handler.h>
#pragma pifleet library -Wl,-rpath,/tmp

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
