/* expect: valid */
#include <pifleet/handler.h>

static int a(struct pifleet_call *call)
{
        (void)call;
        int n = 3;
again:
        if (--n)
                goto again;
        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
