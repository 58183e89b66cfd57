/* expect: valid */
#include <pifleet/handler.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        static int n;
        pifleet_put_integer(call, "n", ++n);
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
