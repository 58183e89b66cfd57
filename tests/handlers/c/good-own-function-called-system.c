/* expect: valid */
#include <pifleet/handler.h>
static int system_state(int x)
{
        return x;
}

static int a(struct pifleet_call *call)
{
        (void)call;
        pifleet_put_integer(call, "x", system_state(2));
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
