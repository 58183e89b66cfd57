/* expect: valid */
#include <pifleet/handler.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        struct { int fork, exec; } way = {1, 2};
        pifleet_put_integer(call, "fork", way.fork);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
