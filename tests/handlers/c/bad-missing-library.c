/* expect: dependency missing-library 0 */
#include <pifleet/handler.h>
#pragma pifleet library gone

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
