/* expect: valid */
#include <pifleet/handler.h>
#include <math.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        pifleet_put_number(call, "r", sqrt(pifleet_get_number(call, "x", 2)));
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
