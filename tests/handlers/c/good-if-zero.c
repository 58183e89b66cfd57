/* expect: valid */
#include <pifleet/handler.h>
#if 0
It isn't code: "unfinished
#endif

static int a(struct pifleet_call *call)
{
        (void)call;

        return 0;
}

PIFLEET_MODULE(PIFLEET_COMMAND("a", a, "Does it."))
