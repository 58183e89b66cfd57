/* expect: valid */
#include <pifleet/handler.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        pifleet_put_bool(call, "on", true);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
