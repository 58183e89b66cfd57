/* expect: valid */
#include <pifleet/handler.h>
static int system(int x)
{
        return x;
}

static int a(struct pifleet_call *call)
{
        (void)call;
        pifleet_put_integer(call, "x", system(2));
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
