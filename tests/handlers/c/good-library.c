/* expect: valid */
#include <pifleet/handler.h>
#include <math.h>
#pragma pifleet library m

static int a(struct pifleet_call *call)
{
        (void)call;
        pifleet_put_number(call, "r", cos(1));
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
